package registry

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	lru "github.com/hashicorp/golang-lru/v2"
)

// A door is how a registry wants to be entered: by which scheme, and with which
// authentication.
type door struct {
	scheme    string
	challenge *transport.Challenge
	since     time.Time // when the registry said so
}

const (
	doorLife = time.Hour // for which the clients of a line use a door
	maxDoors = 4096      // that they remember
)

// A lobby is where the clients of a line find doors that one of them went through.
type lobby struct {
	doors *lru.Cache[string, *door] // by registry host
}

func newLobby() *lobby {
	doors, err := lru.New[string, *door](maxDoors)
	if err != nil {
		panic(err) // unreachable: the size is a constant above zero
	}
	return &lobby{doors}
}

// door returns the door of a registry, unless it is older than doorLife.
func (l *lobby) door(host string, now time.Time) (*door, bool) {
	d, ok := l.doors.Get(host)
	return d, ok && now.Sub(d.since).Abs() < doorLife
}

func (d *door) bearer() bool { return strings.EqualFold(d.challenge.Scheme, "bearer") }

func (d *door) url(t target) *url.URL {
	return &url.URL{Scheme: d.scheme, Host: t.repo.RegistryStr()}
}

// door pings the registry, once for all of its repositories: by https and, where
// that fails and plain HTTP is allowed, by http.
func (c *Client) door(ctx context.Context, t target) (*door, error) {
	return c.doors.do(ctx, t.host, func(ctx context.Context) (*door, error) {
		if d, ok := c.lobby.door(t.host, c.now()); ok {
			return d, nil
		}
		d, err := c.ping(ctx, t, "https")
		if err == nil || ctx.Err() != nil || !c.hosts.plain(&url.URL{Scheme: "http", Host: t.repo.RegistryStr()}) {
			return d, err
		}
		if answered(err) || unreachable(err) && t.repo.RegistryStr() != hostname(t) {
			return nil, err
		}
		d, plainErr := c.ping(ctx, t, "http")
		if plainErr != nil && !answered(plainErr) {
			return nil, err
		}
		return d, plainErr
	})
}

func hostname(t target) string { return (&url.URL{Host: t.repo.RegistryStr()}).Hostname() }

// ping asks GET /v2/
// (https://distribution.github.io/distribution/spec/api/#api-version-check).
func (c *Client) ping(ctx context.Context, t target, scheme string) (*door, error) {
	reg, host := t.repo.Registry, t.repo.RegistryStr()
	if scheme == "http" {
		insecure, err := name.NewRegistry(host, name.Insecure)
		if err != nil {
			return nil, refuse("registry %q is not a host", clean(host)) // unreachable: parsed before
		}
		reg = insecure
	}
	ctx = withLane(ctx, lane{registry: &url.URL{Scheme: scheme, Host: host}})
	only := &oneScheme{next: c.fence, scheme: scheme}
	challenge, err := transport.Ping(ctx, reg, only)
	if err != nil {
		if only.err != nil {
			err = only.err
		}
		return nil, c.pinged(t, err)
	}
	d := &door{scheme: "https", challenge: challenge, since: c.now()}
	if challenge.Insecure {
		d.scheme = "http"
	}
	c.lobby.doors.Add(t.host, d)
	return d, nil
}

func (c *Client) pinged(t target, err error) error {
	var status *transport.Error
	if errors.As(err, &status) && status.StatusCode == http.StatusForbidden {
		return &AuthError{Registry: t.host, Status: status.StatusCode}
	}
	return unwrapped(t.host, err)
}

// oneScheme keeps go-containerregistry from racing https against http: it decides by
// the name alone which registries may be plain, and we by the options.
type oneScheme struct {
	next   http.RoundTripper
	scheme string
	err    error // of the scheme asked for; read after the ping returned
}

func (o *oneScheme) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Response == nil && req.URL.Scheme != o.scheme {
		return nil, refuse("refused scheme %s", req.URL.Scheme)
	}
	resp, err := o.next.RoundTrip(req)
	if err != nil {
		o.err = err
	}
	return resp, err
}

// answered reports whether err is about what a registry said, not about reaching it.
func answered(err error) bool {
	var (
		limited *RateLimitError
		denied  *AuthError
		ours    *fault
	)
	switch {
	case errors.As(err, &limited), errors.As(err, &denied):
		return true
	case errors.As(err, &ours):
		return ours.cause == nil
	}
	return false
}

func unreachable(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// challengeIn reads the challenge of an answer with go-containerregistry's parser,
// which it shows in Ping alone.
func challengeIn(h http.Header) (*transport.Challenge, bool) {
	reg, err := name.NewRegistry("registry.invalid")
	if err != nil {
		return nil, false // unreachable: a constant
	}
	c, err := transport.Ping(context.Background(), reg, canned{h})
	return c, err == nil && c.Parameters != nil
}

type canned struct{ header http.Header }

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusUnauthorized, Header: c.header, Body: http.NoBody}, nil
}
