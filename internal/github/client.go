package github

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const (
	defaultURL     = "https://api.github.com"
	defaultMaxWait = time.Minute
	defaultSpacing = time.Second
	attemptTimeout = 30 * time.Second
)

// Options say how a Client asks. Tokens is the only one that most callers need.
type Options struct {
	// URL is the root of the REST API: "" for github.com; https://host or
	// https://host/api/v3 for GitHub Enterprise Server. Plain http is for loopback only.
	URL string
	// Transport replaces our own http.Transport, see NewTransport.
	Transport http.RoundTripper
	// Tokens gives the tokens; nil asks without one.
	Tokens TokenSource
	// Cache remembers answers, so that asking again costs nothing where nothing changed; nil
	// remembers none. It needs a Tenant.
	Cache ETags
	// Tenant names whose answers these are, such as the number of an installation. Answers
	// of one tenant are never given to another.
	Tenant string
	// UserAgent is sent with each request; "" means "pinnace".
	UserAgent string
	// Observe is told of each request that was sent, redirects and retries among them, by the
	// goroutine that sent it; nil tells nobody.
	Observe func(Call)
	// Log gets a line for each request, at debug level; nil drops them.
	Log *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Sleep waits until the duration has passed or the context ended; nil means a timer.
	Sleep func(context.Context, time.Duration) error
	// MaxWait is the longest wait for GitHub's limits and for retries that one request may
	// add up to; what would take longer is promotion.ErrRateLimited or the failure itself.
	// 0 means a minute, negative none.
	MaxWait time.Duration
	// Spacing is the time between two writes; 0 means the second that GitHub asks for
	// (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api),
	// negative turns off this and the limit of requests a minute, for a server without limits.
	Spacing time.Duration
}

// A Client asks GitHub with one source of tokens. It is safe for use by several goroutines.
type Client struct {
	root    string // without a slash at its end
	graphql string
	base    *url.URL
	tokens  TokenSource
	cache   ETags
	tenant  string
	agent   string
	log     *slog.Logger
	now     func() time.Time
	next    http.RoundTripper
	gate    *gate
	watch   func(Call) // nil: nobody
	visit   *visit     // nil: none
	mine    *own
}

// New returns a client, or an error that names the option that is wrong.
func New(o Options) (*Client, error) {
	base, graphql, err := roots(o.URL)
	if err != nil {
		return nil, fmt.Errorf("github URL %q: %w", clean(o.URL, ""), err)
	}
	if o.Cache != nil && o.Tenant == "" {
		return nil, errors.New("github cache: it needs a tenant, so that answers are not given to others")
	}
	if o.Tokens == nil {
		o.Tokens = StaticToken("")
	}
	if o.UserAgent == "" {
		o.UserAgent = "pinnace"
	}
	if strings.ContainsFunc(o.UserAgent, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, errors.New("github user agent: it has characters that no header has")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.MaxWait == 0 {
		o.MaxWait = defaultMaxWait
	}
	if o.Spacing == 0 {
		o.Spacing = defaultSpacing
	}
	if o.Transport == nil {
		o.Transport = NewTransport()
	}
	return &Client{
		root: strings.TrimSuffix(base.String(), "/"), graphql: graphql, base: base,
		tokens: o.Tokens, cache: o.Cache, tenant: o.Tenant, agent: o.UserAgent, log: o.Log,
		now: o.Now, next: o.Transport, gate: newGate(o), watch: o.Observe, mine: newOwn(o.Now),
	}, nil
}

// roots returns the roots of the REST and of the GraphQL API.
func roots(text string) (*url.URL, string, error) {
	if text == "" {
		text = defaultURL
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, "", errors.New("it is not a URL; write https://api.github.com or https://host/api/v3")
	}
	if u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return nil, "", errors.New("write a scheme, a host and a path only, such as https://host/api/v3")
	}
	host := strings.ToLower(u.Hostname())
	local := loopback(host)
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return nil, "", errors.New("it must begin with https://, so that nobody else reads the token")
	}
	u.Host = strings.ToLower(u.Host)
	path := strings.TrimRight(u.Path, "/")
	if strings.Contains(path, "..") || strings.ContainsAny(path, "%\\") {
		return nil, "", errors.New("its path is not one of an API")
	}
	cloud := host == "api.github.com" || strings.HasPrefix(host, "api.") && strings.HasSuffix(host, ".ghe.com")
	switch {
	case host == "github.com" || strings.HasSuffix(host, ".ghe.com") && !cloud:
		if path != "" {
			return nil, "", errors.New("github.com's API is https://api.github.com")
		}
		u.Host = "api." + u.Host
	case path == "" && !cloud && !local:
		path = "/api/v3"
	}
	u.Path, u.RawPath = path, ""
	graphql := *u
	graphql.Path = strings.TrimSuffix(path, "/v3") + "/graphql"
	return u, graphql.String(), nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// NewTransport returns the transport of a client that is given none, to be wrapped.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  attemptTimeout,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    concurrency,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
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
