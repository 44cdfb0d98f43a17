package github

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const tokenMargin = 5 * time.Minute

// Tokens returns a source of an installation's tokens, each for at most an hour and renewed
// five minutes before its end. They are narrowed to repositories (numbers, at most 500; nil =
// all of the installation's) and permissions (such as "contents": "read"; nil = all)
// (https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app).
func (a *App) Tokens(installation int64, repositories []int64, permissions map[string]string) TokenSource {
	return &installationTokens{
		app: a, installation: installation, repositories: slices.Clone(repositories), permissions: maps.Clone(permissions),
		flight: make(chan struct{}, 1),
	}
}

type installationTokens struct {
	app          *App
	installation int64
	repositories []int64
	permissions  map[string]string
	flight       chan struct{} // who put a value in may ask GitHub

	mu    sync.Mutex
	token Secret
	until time.Time // by our clock
}

func (t *installationTokens) Token(ctx context.Context) (Secret, error) {
	if s := t.current(); s != "" {
		return s, nil
	}
	select {
	case t.flight <- struct{}{}:
	case <-ctx.Done():
		return "", interrupted("wait for the installation's token", ctx.Err())
	}
	defer func() { <-t.flight }()
	if s := t.current(); s != "" {
		return s, nil
	}
	return t.mint(ctx)
}

// Format writes "[secret]".
func (*installationTokens) Format(f fmt.State, r rune) { Secret("").Format(f, r) }

func (t *installationTokens) current() Secret {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == "" || !t.app.tokens.now().Before(t.until) {
		return ""
	}
	return t.token
}

// refused forgets a token that GitHub revoked.
func (t *installationTokens) refused(token Secret, _ answer) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.token = ""
	}
	return true
}

func (t *installationTokens) mint(ctx context.Context) (Secret, error) {
	const op = "make a token for the App's installation"
	if len(t.repositories) > 500 {
		return "", invalid(op, "a token is for at most 500 named repositories, not %d", len(t.repositories))
	}
	body := map[string]any{}
	if len(t.repositories) > 0 {
		body["repository_ids"] = t.repositories
	}
	if len(t.permissions) > 0 {
		body["permissions"] = t.permissions
	}
	need := ""
	for _, name := range slices.Sorted(maps.Keys(t.permissions)) {
		if need != "" {
			need += " and "
		}
		need += name + "=" + t.permissions[name]
	}
	var w struct {
		Token       Secret            `json:"token"`
		ExpiresAt   gh.Timestamp      `json:"expires_at"`
		Permissions map[string]string `json:"permissions"`
	}
	err := t.app.client.write(ctx, call{
		op: op, method: http.MethodPost, path: at("/app/installations").number(t.installation).add("/access_tokens"),
		body: body, need: need, repeatable: true, unseen: true,
	}, &w)
	if err != nil {
		return "", err
	}
	until := w.ExpiresAt.Add(-t.app.tokens.ahead())
	if w.Token == "" || !until.After(t.app.tokens.now()) {
		return "", &Error{Op: op, Class: promotion.ErrTransient, Message: "GitHub gave a token that is empty or over", Remedy: "check this machine's clock"}
	}
	if wider := t.wider(w.Permissions); wider != "" {
		return "", &Error{Op: op, Class: promotion.ErrInvalid, Message: "GitHub gave a token that may do more than was asked for: " + clean(wider, w.Token.Reveal())}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token, t.until = w.Token, until.Add(-tokenMargin)
	return w.Token, nil
}

var levels = map[string]int{"read": 1, "write": 2, "admin": 3}

// wider returns a permission that was given beyond what was asked for; metadata=read is
// always given.
func (t *installationTokens) wider(given map[string]string) string {
	if len(t.permissions) == 0 {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		asked := levels[t.permissions[name]]
		if name == "metadata" {
			asked = max(asked, levels["read"])
		}
		if level, ok := levels[given[name]]; !ok || level > asked {
			return name + "=" + given[name]
		}
	}
	return ""
}

// Revoke ends an installation's token at once
// (https://docs.github.com/en/rest/apps/installations#revoke-an-installation-access-token).
// A token that is over already is no error.
func (a *App) Revoke(ctx context.Context, token Secret) error {
	const op = "revoke a token"
	if token == "" {
		return invalid(op, "there is no token")
	}
	err := a.client.write(ctx, call{op: op, method: http.MethodDelete, path: at("/installation/token"), token: token, repeatable: true, unseen: true}, nil)
	if e, ok := err.(*Error); ok && e.Class == promotion.ErrUnauthenticated {
		return nil
	}
	return err
}
