package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// A wallet holds the credentials for one repository; empty means anonymous.
type wallet struct{ authn.AuthConfig }

// A grant lets requests for one repository pass.
type grant struct {
	wallet   wallet
	auth     string    // the Authorization header
	token    bool      // auth came from a token server, which can be asked again
	until    time.Time // zero: until the registry denies it
	withheld string    // host of the token server that did not get the credentials
	works    atomic.Bool
}

// grant returns what to enter the registry with: one token for each repository, and
// another once that expired.
func (c *Client) grant(ctx context.Context, t target) (*grant, *door, error) {
	d, err := c.door(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	key := t.repo.String()
	c.grants.forget(key, func(g *grant) bool { return !g.until.IsZero() && !c.now().Before(g.until) })
	g, err := c.grants.do(ctx, key, func(ctx context.Context) (*grant, error) {
		w, err := c.wallet(ctx, t)
		if err != nil {
			return nil, err
		}
		return c.obtain(ctx, t, d, w)
	})
	if err != nil {
		c.lobby.doors.Remove(t.host) // the registry may want to be entered otherwise by now
	}
	return g, d, err
}

// renew prepares another attempt after the registry answered 401 to g, and reports
// whether there is a reason to hope.
func (c *Client) renew(t target, d *door, g *grant, h http.Header) bool {
	same := func(current *grant) bool { return current == g }
	if g.token {
		c.grants.forget(t.repo.String(), same)
		return g.works.Load()
	}
	challenge, ok := challengeIn(h)
	if d.bearer() || !ok || !strings.EqualFold(challenge.Scheme, "bearer") {
		return false
	}
	// The ping asked for no token, the repository does.
	challenge.Insecure = d.scheme == "http"
	other := &door{scheme: d.scheme, challenge: challenge, since: d.since}
	c.doors.put(t.host, other)
	c.lobby.doors.Add(t.host, other)
	c.grants.forget(t.repo.String(), same)
	return true
}

func (c *Client) wallet(ctx context.Context, t target) (wallet, error) {
	return c.wallets.do(ctx, t.repo.String(), func(ctx context.Context) (wallet, error) {
		auth, err := authn.Resolve(ctx, c.keychain, t.repo)
		if err != nil {
			return wallet{}, &fault{text: "find credentials of " + t.host + ": " + clean(err.Error()), cause: err}
		}
		config, err := authn.Authorization(ctx, auth)
		if err != nil {
			return wallet{}, &fault{text: "read credentials of " + t.host + ": " + clean(err.Error()), cause: err}
		}
		return wallet{*config}, nil
	})
}

func (c *Client) obtain(ctx context.Context, t target, d *door, w wallet) (*grant, error) {
	g := &grant{wallet: w}
	switch {
	case w.RegistryToken != "":
		g.auth = "Bearer " + w.RegistryToken
	case d.bearer():
		return c.token(ctx, t, d, g)
	case w.Username != "" && w.Password != "":
		g.auth = "Basic " + w.basic()
	case w.Auth != "":
		g.auth = "Basic " + w.Auth
	}
	return g, nil
}

// token asks the registry's token server for pull on the one repository
// (https://distribution.github.io/distribution/spec/auth/token/).
func (c *Client) token(ctx context.Context, t target, d *door, g *grant) (*grant, error) {
	realm, err := realmOf(t, d)
	if err != nil {
		return nil, err
	}
	keys := authn.Anonymous
	if g.wallet.known() {
		if trusted(d.url(t), realm) {
			keys = authn.FromConfig(g.wallet.AuthConfig)
		} else {
			g.withheld = originOf(realm).String()
		}
	}
	ctx = withLane(ctx, lane{registry: d.url(t), owner: originOf(realm)})
	scope := t.repo.Scope(transport.PullScope)
	tok, err := transport.Exchange(ctx, t.repo.Registry, keys, c.fence, []string{scope}, d.challenge)
	if err != nil {
		return nil, g.refused(t, realm, err)
	}
	value := tok.Token
	if tok.AccessToken != "" {
		value = tok.AccessToken
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, refuse("refused the token of %s: it is not printable text", originOf(realm))
	}
	g.auth, g.token = "Bearer "+value, true
	if tok.ExpiresIn > 0 {
		life := time.Duration(min(tok.ExpiresIn, 24*60*60)) * time.Second
		g.until = c.now().Add(life - life/10)
	}
	return g, nil
}

// refused says why there is no token. The token server's own text is repeated only
// where it is a registry error.
func (g *grant) refused(t target, realm *url.URL, err error) error {
	host := originOf(realm).String()
	var answered *transport.Error
	if !errors.As(err, &answered) {
		if own := ours(err); own != nil {
			return own
		}
		return &fault{text: "token server " + host + " gave no token that we can read"}
	}
	var said []string
	for _, d := range answered.Errors {
		said = append(said, string(d.Code)+": "+d.Message)
	}
	detail := g.clean(strings.Join(said, "; "))
	if s := answered.StatusCode; s == http.StatusUnauthorized || s == http.StatusForbidden {
		return g.denied(t, s, detail)
	}
	return statusFault("token server "+host, answered.StatusCode, detail)
}

func (g *grant) denied(t target, status int, detail string) error {
	return &AuthError{
		Registry: t.host, Repository: t.repo.RepositoryStr(), Status: status,
		Known: g.wallet.known(), Withheld: g.withheld, Detail: detail,
	}
}

// clean makes foreign text fit for a message, and takes our secrets out of it first.
func (g *grant) clean(s string) string {
	w := g.wallet
	_, value, _ := strings.Cut(g.auth, " ")
	for _, secret := range []string{value, w.basic(), w.Password, w.Auth, w.IdentityToken, w.RegistryToken} {
		if len(secret) >= 4 {
			s = strings.ReplaceAll(s, secret, "[secret]")
		}
	}
	return clean(s)
}

func (w wallet) known() bool { return w != wallet{} }

func (w wallet) basic() string {
	if w.Username == "" && w.Password == "" {
		return ""
	}
	return base64.StdEncoding.EncodeToString([]byte(w.Username + ":" + w.Password))
}
