package registry

import (
	"context"
	"net/http"
	"net/url"
)

const maxRedirects = 3

// A lane says on whose behalf a request runs. Every request has one in its context.
type lane struct {
	registry *url.URL // the registry of the look-up
	owner    origin   // the one place that this request's credentials may go to
	auth     string   // the Authorization for owner; empty leaves what the request has
}

type laneKey struct{}

func withLane(ctx context.Context, l lane) context.Context {
	return context.WithValue(ctx, laneKey{}, l)
}

// The fence lets requests out under the rules for schemes, redirects and
// credentials. It sits below every http.Client, go-containerregistry's included, and
// judges each step of a chain of redirects by itself.
type fence struct {
	next  http.RoundTripper
	hosts *hosts
	agent string
}

func (f *fence) RoundTrip(in *http.Request) (*http.Response, error) {
	l, ok := in.Context().Value(laneKey{}).(lane)
	if !ok {
		return nil, refuse("refused a request without a lane") // unreachable: every caller sets one
	}
	here := originOf(in.URL)
	if err := f.admit(in, l, here); err != nil {
		return nil, err
	}
	out := in.Clone(in.Context())
	out.Host = in.URL.Host
	out.Header.Set("User-Agent", f.agent)
	out.Header.Del("Referer")
	out.Header.Del("Cookie")
	switch {
	case here != l.owner || strayed(in, l.owner):
		out.Header.Del("Authorization")
	case l.auth != "":
		out.Header.Set("Authorization", l.auth)
	}
	resp, err := f.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	if location := resp.Header.Get("Location"); location != "" {
		if _, err := url.Parse(location); err != nil {
			resp.Body.Close()
			return nil, refuse("refused a redirect by %s: its address cannot be parsed", here)
		}
	}
	return resp, nil
}

// admit says whether the request may be sent at all.
func (f *fence) admit(in *http.Request, l lane, here origin) error {
	hops := 0
	for r := in; r.Response != nil && r.Response.Request != nil; r = r.Response.Request {
		hops++
		if originOf(r.Response.Request.URL).scheme == "https" && originOf(r.URL).scheme != "https" {
			return refuse("refused a redirect from https to %s://%s", clean(here.scheme), here)
		}
	}
	first := l.owner
	if first == (origin{}) {
		first = originOf(l.registry)
	}
	switch {
	case hops > maxRedirects:
		return refuse("refused to follow more than %d redirects", maxRedirects)
	case here.scheme != "https" && here.scheme != "http":
		return refuse("refused scheme %q", clean(here.scheme))
	case in.URL.User != nil:
		return refuse("refused an address at %s that carries a user name", here)
	case here.scheme == "http" && !f.hosts.plain(in.URL):
		return refuse("refused plain http to %s: it is not among the insecure registries allowed", here)
	case here != first && in.Body != nil && in.Body != http.NoBody:
		return refuse("refused to send a token request on to %s", here)
	case f.hosts.server && f.hosts.anywhere(in.URL) && !f.hosts.anywhere(l.registry):
		return refuse("refused to be sent to private registry %s by %s", here, originOf(l.registry))
	}
	return nil
}

// strayed reports whether an earlier step of the chain was anywhere but at owner.
func strayed(in *http.Request, owner origin) bool {
	for r := in; r.Response != nil && r.Response.Request != nil; r = r.Response.Request {
		if originOf(r.Response.Request.URL) != owner {
			return true
		}
	}
	return false
}
