package registry

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/pinnace-dev/pinnace/internal/image"
)

var secrets = []string{password, refreshToken, "canary-token", (wallet{authn.AuthConfig{Username: user, Password: password}}).basic()}

// Every kind of redirect, to every kind of place, under every kind of credentials:
// the look-up works or is refused, and nobody but the registry sees a secret.
func TestRedirects(t *testing.T) {
	places := []struct {
		name, to string
		follows  bool // the answer there is accepted
		authed   bool // and it came with credentials
	}{
		{"same host", "https://registry.example.com/moved/v2/acme/api/manifests/1", true, true},
		{"same host by path", "/moved/v2/acme/api/manifests/1", true, true},
		{"same host, spelled with port", "https://registry.example.com:443/moved/x", true, true},
		{"same host in upper case", "https://REGISTRY.Example.COM/moved/x", true, true},
		{"other host", "https://cdn.example.net/x?X-Signature=s", true, false},
		{"subdomain", "https://sub.registry.example.com/x", true, false},
		{"parent domain", "https://example.com/x", true, false},
		{"name that ends alike", "https://evilregistry.example.com/x", true, false},
		{"other port", "https://registry.example.com:8443/x", true, false},
		{"trailing dot", "https://registry.example.com./x", true, false},
		{"plain http, same host", "http://registry.example.com/x", false, false},
		{"plain http, other host", "http://cdn.example.net/x", false, false},
		{"plain http to loopback", "http://127.0.0.1:80/x", false, false},
		{"user name in the address", "https://canary-user:x@cdn.example.net/x", false, false},
		{"other scheme", "ftp://cdn.example.net/x", false, false},
		{"file", "file:///etc/passwd", false, false},
		{"there and back", "https://bounce.example.net/x", true, false},
	}
	for _, code := range []int{301, 302, 307, 308} {
		for _, place := range places {
			for _, kind := range []string{"basic", "bearer", "refresh"} {
				t.Run(fmt.Sprint(code, " ", place.name, " ", kind), func(t *testing.T) {
					w := newWorld(t)
					tokens := &tokenServer{realm: "https://registry.example.com/token"}
					good := odd{head: headers("Content-Type", image.OCIManifest, "Docker-Content-Digest", string(hash("sha256", plainManifest)), "Set-Cookie", "a=canary-cookie")}
					authed := false
					registry := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
						switch {
						case strings.HasPrefix(r.URL.Path, "/moved/"):
							authed = r.Header.Get("Authorization") != ""
							good.ServeHTTP(rw, r)
						case r.URL.Path == "/token":
							tokens.ServeHTTP(rw, r)
						case r.Header.Get("Authorization") == "" && kind == "basic":
							rw.Header().Set("WWW-Authenticate", "Basic realm=x")
							rw.WriteHeader(401)
						case r.URL.Path == "/v2/" && kind == "basic":
						case kind == "basic":
							rw.Header().Set("Set-Cookie", "a=canary-cookie; Domain=example.com")
							http.Redirect(rw, r, place.to, code)
						default:
							tokens.guard(http.RedirectHandler(place.to, code)).ServeHTTP(rw, r)
						}
					})
					w.https("registry.example.com", registry)
					for _, other := range []string{"cdn.example.net", "sub.registry.example.com", "example.com", "evilregistry.example.com", "registry.example.com:8443", "registry.example.com."} {
						w.https(other, good)
					}
					w.http("127.0.0.1", good)
					w.http("registry.example.com:80", good)
					w.https("bounce.example.net", http.RedirectHandler("https://registry.example.com/moved/back", code))
					w.keys["registry.example.com"] = authn.AuthConfig{Username: user, Password: password}
					if kind == "refresh" {
						w.keys["registry.example.com"] = authn.AuthConfig{IdentityToken: refreshToken}
					}
					_, err := w.client(Options{}).Resolve(t.Context(), ref(t, "registry.example.com/acme/api:1"))
					if (err == nil) != place.follows || authed != place.authed {
						t.Errorf("got error %v and credentials %v, want followed %v with credentials %v", err, authed, place.follows, place.authed)
					}
					if err != nil {
						is(t, err, ErrRefused)
						if strings.Contains(err.Error(), "canary") {
							t.Errorf("the message holds a secret: %v", err)
						}
					}
					w.leaked(append(secrets, "canary-cookie"), "registry.example.com")
					for _, s := range w.log {
						if s.host != "registry.example.com" && s.method != http.MethodHead {
							t.Errorf("redirected HEAD arrived as %s", s.method)
						}
						if s.scheme == "http" {
							t.Errorf("plain request to %s", s.host)
						}
					}
				})
			}
		}
	}
}

func TestTooManyRedirects(t *testing.T) {
	for hops, ok := range map[int]bool{3: true, 4: false} {
		w := newWorld(t)
		w.https("ghcr.io", ping(func(rw http.ResponseWriter, r *http.Request) {
			if len(w.requests())-1 <= hops {
				http.Redirect(rw, r, fmt.Sprint("/hop/", len(w.requests())), http.StatusFound)
				return
			}
			odd{head: headers("Content-Type", image.OCIManifest, "Docker-Content-Digest", string(hash("sha256", plainManifest)))}.ServeHTTP(rw, r)
		}))
		_, err := w.client(Options{}).Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1"))
		if (err == nil) != ok {
			t.Errorf("%d redirects: got %v, want ok %v", hops, err, ok)
		}
		if !ok {
			is(t, err, ErrRefused)
			says(t, err, "more than 3 redirects")
		}
	}
}

// A token request that carries a refresh token in its body is not sent on.
func TestTokenRequestRedirected(t *testing.T) {
	for _, code := range []int{301, 302, 307, 308} {
		for _, key := range []authn.AuthConfig{{Username: user, Password: password}, {IdentityToken: refreshToken}} {
			w := newWorld(t)
			tokens := &tokenServer{realm: "https://registry.example.com/token"}
			w.https("registry.example.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/token" {
					http.Redirect(rw, r, "https://thief.example.com/token", code)
					return
				}
				tokens.guard(nil).ServeHTTP(rw, r)
			}))
			w.https("thief.example.com", &tokenServer{open: true})
			w.keys["registry.example.com"] = key
			_, err := w.client(Options{}).Resolve(t.Context(), ref(t, "registry.example.com/acme/api:1"))
			if err == nil {
				t.Errorf("%d: got no error", code)
			}
			w.leaked([]string{password, refreshToken, secrets[3]}, "registry.example.com")
		}
	}
}

// The fence has the last word on what leaves, whatever a caller above it does.
func TestFenceAlone(t *testing.T) {
	w := newWorld(t)
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	w.https("a.example", ok)
	w.https("b.example", ok)
	c := w.client(Options{})
	send := func(url string, l *lane) error {
		req, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if l != nil {
			req = req.WithContext(withLane(t.Context(), *l))
		}
		req.Host = "a.example" // a Host header that claims to be the owner
		req.Header.Set("Authorization", "Bearer canary-token")
		req.Header.Set("Cookie", "a=canary-cookie")
		req.Header.Set("Referer", "https://a.example/?canary-token")
		resp, err := c.fence.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	a, b := mustURL(t, "https://a.example/"), "https://b.example/"
	is(t, send(b, nil), ErrRefused)
	if err := send(b, &lane{registry: a, owner: originOf(a)}); err != nil {
		t.Error(err)
	}
	if err := send(a.String(), &lane{registry: a}); err != nil {
		t.Error(err)
	}
	w.leaked([]string{"canary-token"})
	if got := w.log[0].named; got != "b.example" {
		t.Errorf("b.example was addressed as %s", got)
	}
	w.http("a.example", ok)
	is(t, send("http://a.example/", &lane{registry: mustURL(t, "http://a.example/")}), ErrRefused)
	if err := send(a.String(), &lane{registry: a, owner: originOf(a)}); err != nil {
		t.Error(err)
	}
	if got := w.log[len(w.log)-1].auth; got != "Bearer canary-token" {
		t.Errorf("the owner got %q", got)
	}
}
