package registry

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/pinnace-dev/pinnace/internal/image"
)

const defaultConcurrency = 20

// Options say how a Client asks. The zero value asks as a command-line tool does.
type Options struct {
	// Transport replaces our own http.Transport, for tests. A server accepts an
	// *http.Transport only, and takes its TLS settings alone.
	Transport http.RoundTripper
	// Keychain holds the credentials; nil means authn.DefaultKeychain: the Docker
	// configuration with its helpers or, where there is none, REGISTRY_AUTH_FILE or
	// podman's auth.json
	// (https://github.com/google/go-containerregistry/blob/main/pkg/authn/README.md).
	Keychain authn.Keychain
	// Map sends the look-ups for a registry (host[:port], "*" for all others) to a
	// mirror (host[:port][/prefix]). Docker Hub is written docker.io.
	Map map[string]string
	// Insecure lists the registries (host[:port]) that may be spoken to over plain
	// HTTP. localhost, 127.0.0.0/8 and [::1] always may, but not on a server.
	Insecure []string
	// Concurrency is the most requests in flight for one host; 0 means 20.
	Concurrency int
	// Server dials public addresses only, and no proxy of the environment.
	Server bool
	// AllowPrivate lists the registries (host[:port]) that a server may reach at any
	// address.
	AllowPrivate []string
	// Resolver looks names up; nil means the system's.
	Resolver *net.Resolver
	// UserAgent is sent with each request; empty means "pinnace".
	UserAgent string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Wait sleeps until the duration has passed or the context ended; nil means a
	// timer.
	Wait func(context.Context, time.Duration) error
	// OnRequest is called before each attempt to send a request, from several
	// goroutines. It may be nil.
	OnRequest func(method, host string)
	// Observe is called with each answer, from several goroutines: the context of who asked
	// first, the host as people write it, the status, 0 where there was no answer, and how long
	// it took. It may be nil.
	Observe func(ctx context.Context, host string, status int, took time.Duration)
}

// A Client asks registries and remembers every answer. It is safe for use by
// several goroutines.
type Client struct {
	hosts    *hosts
	keychain authn.Keychain
	now      func() time.Time
	fence    *fence
	http     *http.Client
	requests *atomic.Int64
	idle     func()
	content  *content
	lobby    *lobby // of the line

	answers memo[answer]      // by verb and canonical name
	facts   memo[image.Facts] // by repository and digest
	lists   memo[[]string]    // by repository
	doors   memo[*door]       // by registry host
	wallets memo[wallet]      // by repository
	grants  memo[*grant]      // by repository
}

// New returns a client, or an error that names the option that is wrong.
func New(o Options) (*Client, error) {
	h, err := newHosts(o)
	if err != nil {
		return nil, err
	}
	if o.Concurrency < 0 {
		return nil, errors.New("registry concurrency is negative")
	}
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.Keychain == nil {
		o.Keychain = authn.DefaultKeychain
	}
	if o.UserAgent == "" {
		o.UserAgent = "pinnace"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = sleep
	}
	base, err := newTransport(o, h)
	if err != nil {
		return nil, err
	}
	c := &Client{hosts: h, keychain: o.Keychain, now: o.Now, requests: new(atomic.Int64), content: newContent(), lobby: newLobby()}
	c.idle = func() { (&http.Client{Transport: base}).CloseIdleConnections() }
	p := &pacer{next: base, limit: int64(o.Concurrency), now: o.Now, wait: o.Wait, observe: o.Observe, sending: func(method, host string) {
		c.requests.Add(1)
		if o.OnRequest != nil {
			o.OnRequest(method, host)
		}
	}}
	c.fence = &fence{next: p, hosts: h, agent: o.UserAgent}
	c.http = &http.Client{Transport: c.fence}
	return c, nil
}

// Requests returns how many requests were sent, pings, tokens, redirects and
// retries included, by all clients of the line.
func (c *Client) Requests() int64 { return c.requests.Load() }

// Close drops the connections that are idle. The client stays usable.
func (c *Client) Close() { c.idle() }

// Anew returns a client that remembers no answer yet. Connections, the pace of each host, what
// digests name and, for an hour, how a registry wants to be entered are shared with c and all
// others of its line. Its Close does nothing while c is in use.
func (c *Client) Anew() *Client {
	return &Client{hosts: c.hosts, keychain: c.keychain, now: c.now, fence: c.fence, http: c.http, requests: c.requests, idle: func() {}, content: c.content, lobby: c.lobby}
}

// look runs one look-up for each verb and name, whoever asks.
func (c *Client) look(ctx context.Context, verb string, r image.Ref, key string, work func(context.Context, target) (answer, error)) (answer, error) {
	t, err := c.hosts.target(r)
	if err != nil {
		return answer{}, err
	}
	return c.answers.do(ctx, verb+" "+t.repo.String()+key, func(ctx context.Context) (answer, error) {
		return work(ctx, t)
	})
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
