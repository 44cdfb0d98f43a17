package registry

import (
	"net/url"
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
)

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestMap(t *testing.T) {
	for _, tc := range []struct {
		ref  string
		to   map[string]string
		want string
	}{
		{"ghcr.io/acme/api:1", map[string]string{"ghcr.io": "mirror.local:5000/ghcr"}, "mirror.local:5000/v2/ghcr/acme/api/manifests/1"},
		{"ghcr.io/acme/api:1", map[string]string{"GHCR.IO": "Mirror.Local"}, "mirror.local/v2/acme/api/manifests/1"},
		{"nginx", map[string]string{"docker.io": "mirror.local/hub"}, "mirror.local/v2/hub/library/nginx/manifests/latest"},
		{"nginx", map[string]string{"index.docker.io": "mirror.local"}, "mirror.local/v2/library/nginx/manifests/latest"},
		{"quay.io/acme/api:1", map[string]string{"*": "mirror"}, "mirror/v2/acme/api/manifests/1"},
		{"ghcr.io/acme/api:1", map[string]string{"*": "mirror", "ghcr.io": "ghcr.io"}, "ghcr.io/v2/acme/api/manifests/1"},
		{"quay.io/acme/api:1", map[string]string{"ghcr.io": "mirror"}, "quay.io/v2/acme/api/manifests/1"},
		{"quay.io/acme/api:1", map[string]string{"quay.io": "docker.io"}, "index.docker.io/v2/acme/api/manifests/1"},
	} {
		w, s := newWorld(t), newShelf(t)
		for _, repo := range []string{"acme/api", "ghcr/acme/api"} {
			s.image(repo, "1", "linux/amd64")
		}
		s.image("hub/library/nginx", "latest", "linux/amd64")
		s.image("library/nginx", "latest", "linux/amd64")
		for _, host := range []string{"mirror.local:5000", "mirror.local", "mirror", "ghcr.io", "quay.io", "index.docker.io"} {
			w.https(host, s)
		}
		if _, err := w.client(Options{Map: tc.to}).Resolve(t.Context(), ref(t, tc.ref)); err != nil {
			t.Errorf("%s by %v: %v", tc.ref, tc.to, err)
			continue
		}
		if !slices.Contains(w.requests(), "HEAD "+tc.want) {
			t.Errorf("%s by %v: got %q, want HEAD %s", tc.ref, tc.to, w.requests(), tc.want)
		}
	}
}

// A mirror gets its own credentials, not those of the registry that it stands for; an
// error names what was written and where it was looked up.
func TestMirrorCredentials(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	s.image("acme/api", "1", "linux/amd64")
	w.https("mirror.local", s)
	w.keys["ghcr.io"] = authn.AuthConfig{Username: user, Password: password}
	c := w.client(Options{Map: map[string]string{"ghcr.io": "mirror.local"}})
	resolveAll(t, c, []string{"ghcr.io/acme/api:1"})
	w.leaked(secrets)

	w.keys["mirror.local"] = authn.AuthConfig{Username: user, Password: "canary-mirror"}
	c = w.client(Options{Map: map[string]string{"ghcr.io": "mirror.local"}})
	resolveAll(t, c, []string{"ghcr.io/acme/api:1"})
	if w.log[len(w.log)-1].auth == "" {
		t.Error("the mirror did not get its own credentials")
	}
	_, err := w.client(Options{Map: map[string]string{"*": "gone.local"}}).Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1"))
	says(t, err, "resolve ghcr.io/acme/api:1: gone.local: ")
}

func TestBadOptions(t *testing.T) {
	for _, tc := range []struct {
		o   Options
		say string
	}{
		{Options{Map: map[string]string{"ghcr.io": "https://mirror"}}, "without a scheme"},
		{Options{Map: map[string]string{"ghcr.io": ""}}, "is not a registry"},
		{Options{Map: map[string]string{"": "mirror"}}, "is not a registry"},
		{Options{Map: map[string]string{"ghcr.io/acme": "mirror"}}, `"ghcr.io/acme" is not a registry`},
		{Options{Map: map[string]string{"https://ghcr.io": "mirror"}}, "is not a registry"},
		{Options{Map: map[string]string{"ghcr.io": "mirror/"}}, "empty component"},
		{Options{Map: map[string]string{"ghcr.io": "mirror/Upper"}}, "upper case"},
		{Options{Map: map[string]string{"ghcr.io": "mirror/a?b=c"}}, "prefix"},
		{Options{Map: map[string]string{"ghcr.io": "user:password@mirror"}}, "registry map ghcr.io="},
		{Options{Map: map[string]string{"ghcr.io": "mir ror"}}, "registry map"},
		{Options{Map: map[string]string{"docker.io": "a", "index.docker.io": "b"}}, "two entries for docker.io"},
		{Options{Insecure: []string{"http://registry"}}, "insecure registry"},
		{Options{Insecure: []string{"10.0.0.0/8"}}, "insecure registry"},
		{Options{AllowPrivate: []string{"registry:port"}}, "private registry registry:port"},
		{Options{Concurrency: -1}, "negative"},
	} {
		_, err := New(tc.o)
		says(t, err, tc.say)
	}
	if _, err := New(Options{}); err != nil {
		t.Errorf("zero options: %v", err)
	}
}

func TestListed(t *testing.T) {
	h := &hosts{insecure: []string{"registry.corp", "other.corp:5000", "[fd00::1]", "docker.io", "full.corp:80"}}
	for u, want := range map[string]bool{
		"http://registry.corp/": true, "http://REGISTRY.corp:80/": true, "http://registry.corp:5000/": false,
		"http://other.corp:5000/": true, "http://other.corp/": false, "http://[fd00::1]/": true, "http://[fd00::1]:81/": false,
		"http://index.docker.io/": true, "http://full.corp/": true, "http://xregistry.corp/": false,
		"http://localhost:1/": true, "http://127.9.9.9/": true, "http://[::1]:3/": true, "http://localhost.evil/": false, "http://128.0.0.1/": false,
	} {
		if got := h.plain(mustURL(t, u)); got != want {
			t.Errorf("plain(%s) = %v, want %v", u, got, want)
		}
	}
}
