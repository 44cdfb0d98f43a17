package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/image"
)

func TestResolve(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	w.https("ghcr.io", s)
	w.https("index.docker.io", s)
	index, _ := s.index("acme/api", "1.4", "linux/amd64", "linux/arm64/v8", "unknown/unknown")
	single := s.image("library/nginx", "latest", "linux/amd64")
	c := w.client(Options{})
	for _, tc := range []struct {
		ref    string
		digest image.Digest
		media  string
	}{
		{"ghcr.io/acme/api:1.4", index, image.OCIIndex},
		{"GHCR.io/acme/api:1.4", index, image.OCIIndex},
		{"ghcr.io/acme/api:1.4@" + string(single), index, image.OCIIndex},
		{"nginx", single, image.OCIManifest},
		{"docker.io/library/nginx:latest", single, image.OCIManifest},
		{"index.docker.io/library/nginx", single, image.OCIManifest},
		{"registry-1.docker.io/library/nginx", single, image.OCIManifest},
	} {
		got, err := c.Resolve(t.Context(), ref(t, tc.ref))
		if err != nil {
			t.Errorf("%s: %v", tc.ref, err)
			continue
		}
		if got.Digest != tc.digest || got.MediaType != tc.media || got.Size == 0 || got.Children != nil {
			t.Errorf("%s: got %+v, want %s %s", tc.ref, got, tc.digest, tc.media)
		}
	}
	want := []string{
		"GET ghcr.io/v2/", "HEAD ghcr.io/v2/acme/api/manifests/1.4",
		"GET index.docker.io/v2/", "HEAD index.docker.io/v2/library/nginx/manifests/latest",
	}
	if diff := cmp.Diff(want, w.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if got := c.Requests(); got != 4 {
		t.Errorf("Requests() = %d, want 4", got)
	}
	head := w.log[1]
	if want := strings.Join([]string{image.DockerManifest, image.DockerIndex, image.OCIManifest, image.OCIIndex}, ", "); head.accept != want || head.agent != "pinnace" {
		t.Errorf("HEAD had Accept %q and User-Agent %q", head.accept, head.agent)
	}
}

func TestResolveErrors(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	w.https("ghcr.io", s)
	digest := s.image("acme/api", "1", "linux/amd64")
	c := w.client(Options{})
	ctx := t.Context()

	_, err := c.Resolve(ctx, ref(t, "ghcr.io/acme/api:2"))
	says(t, err, "resolve ghcr.io/acme/api:2: manifest unknown")
	is(t, err, ErrNotFound)

	_, err = c.Index(ctx, ref(t, "ghcr.io/acme/none:2"))
	says(t, err, "read ghcr.io/acme/none:2: repository unknown")
	is(t, err, ErrNotFound)

	_, err = c.Resolve(ctx, ref(t, "ghcr.io/acme/api@"+string(digest)))
	says(t, err, "no tag to ask for")
	_, err = c.Platform(ctx, ref(t, "ghcr.io/acme/api@"+string(digest)), image.Platform{OS: "linux", Architecture: "amd64"})
	says(t, err, "no tag to ask for")
	_, err = c.Stat(ctx, ref(t, "ghcr.io/acme/api:1"))
	says(t, err, "look up ghcr.io/acme/api:1: the reference has no digest")

	_, err = c.Resolve(ctx, ref(t, "nowhere.example/acme/api:1"))
	says(t, err, "nowhere.example", "no such host")
	if len(w.waits) != 0 {
		t.Errorf("tried again for a name that does not exist, after %v", w.waits)
	}

	_, err = c.Resolve(ctx, image.Ref{Name: "ghcr.io/../secret", Tag: "1"})
	is(t, err, ErrRefused)

	if _, err := c.Resolve(ctx, ref(t, "ghcr.io/acme/api:1")); err != nil {
		t.Errorf("an image beside those that failed: %v", err)
	}
}

func TestStat(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	w.https("ghcr.io", s)
	index, children := s.index("acme/api", "1", "linux/amd64")
	c := w.client(Options{})
	for digest, media := range map[image.Digest]string{index: image.OCIIndex, children[0]: image.OCIManifest} {
		got, err := c.Stat(t.Context(), ref(t, "ghcr.io/acme/api:other@"+string(digest)))
		if err != nil || got.Digest != digest || got.MediaType != media {
			t.Errorf("got %+v, %v; want %s %s", got, err, digest, media)
		}
	}
	gone := hash("sha256", []byte("gone"))
	_, err := c.Stat(t.Context(), ref(t, "ghcr.io/acme/api@"+string(gone)))
	is(t, err, ErrNotFound)
	if n := w.count("GET ghcr.io/v2/acme"); n != 0 {
		t.Errorf("%d GETs, want HEAD alone", n)
	}
}

func TestIndex(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	w.https("ghcr.io", s)
	index, children := s.index("acme/api", "1", "linux/amd64", "linux/arm64/v8", "unknown/unknown")
	c := w.client(Options{})
	want := []image.Child{
		{Digest: children[0], Platform: image.Platform{OS: "linux", Architecture: "amd64"}},
		{Digest: children[1], Platform: image.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}},
	}
	for _, name := range []string{"ghcr.io/acme/api:1", "ghcr.io/acme/api@" + string(index), "ghcr.io/acme/api:gone@" + string(index)} {
		got, err := c.Index(t.Context(), ref(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Children); diff != "" || got.Digest != index || got.Size == 0 {
			t.Errorf("%s: %s %d (-want +got):\n%s", name, got.Digest, got.Size, diff)
		}
		got.Children[0] = image.Child{} // ours to change
	}
	got, err := c.Index(t.Context(), ref(t, "ghcr.io/acme/api@"+string(children[0])))
	if err != nil || got.Children != nil || got.MediaType != image.OCIManifest {
		t.Errorf("single image: got %+v, %v", got, err)
	}
}

func TestPlatform(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	w.https("ghcr.io", s)
	_, children := s.index("acme/api", "many", "linux/amd64", "linux/arm64/v8", "windows/amd64", "unknown/unknown")
	s.index("acme/api", "twice", "linux/amd64", "linux/amd64")
	single := s.image("acme/api", "single", "linux/arm64")
	c := w.client(Options{})
	for _, tc := range []struct {
		ref, platform string
		want          image.Digest
		say           string
	}{
		{"many", "linux/amd64", children[0], ""},
		{"many", "linux/arm64", children[1], ""},
		{"many@" + string(single), "linux/arm64/v8", children[1], ""},
		{"many", "linux/s390x", "", "resolve ghcr.io/acme/api:many: for linux/s390x: the image has linux/amd64, linux/arm64/v8, windows/amd64"},
		{"twice", "linux/amd64", "", "refused to choose"},
		{"single", "linux/arm64/v8", single, ""},
		{"single", "linux/amd64", "", "the image has linux/arm64"},
		{"none", "linux/amd64", "", "manifest unknown"},
	} {
		p, _ := image.ParsePlatform(tc.platform)
		got, err := c.Platform(t.Context(), ref(t, "ghcr.io/acme/api:"+tc.ref), p)
		if tc.say != "" {
			says(t, err, tc.say)
			continue
		}
		if err != nil || got.Digest != tc.want || got.MediaType != image.OCIManifest || got.Size == 0 {
			t.Errorf("%s for %s: got %+v, %v; want %s", tc.ref, tc.platform, got, err, tc.want)
		}
	}
}

func TestConfigAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		blob func(http.ResponseWriter, *http.Request)
		kind error
		say  string
	}{
		"lying": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"os":"linux","architecture":"amd64"}`) }, ErrRefused, "was asked for, and the bytes are"},
		"gone":  {http.NotFound, ErrNotFound, "configuration sha256:"},
		"moved": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://cdn.example.net/blob?sig=canary", http.StatusTemporaryRedirect)
		}, nil, "(answered by cdn.example.net)"},
	} {
		w, s := newWorld(t), newShelf(t)
		s.image("acme/api", "1", "linux/amd64")
		w.https("cdn.example.net", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusForbidden) }))
		w.https("ghcr.io", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/blobs/") {
				tc.blob(rw, r)
				return
			}
			s.ServeHTTP(rw, r)
		}))
		_, err := w.client(Options{}).Platform(t.Context(), ref(t, "ghcr.io/acme/api:1"), image.Platform{OS: "linux", Architecture: "amd64"})
		if tc.kind != nil {
			is(t, err, tc.kind)
		}
		says(t, err, tc.say)
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the message holds a signature: %v", name, err)
		}
	}
}

func TestPingDenied(t *testing.T) {
	w := newWorld(t)
	w.https("ghcr.io", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusForbidden) }))
	w.https("quay.io", http.HandlerFunc(http.NotFound))
	c := w.client(Options{})
	_, err := c.Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1"))
	var denied *AuthError
	if !errors.As(err, &denied) || denied.Status != 403 {
		t.Errorf("got %v, want an AuthError", err)
	}
	says(t, err, "ghcr.io denies access")
	_, err = c.Resolve(t.Context(), ref(t, "quay.io/acme/api:1"))
	says(t, err, "quay.io answered 404 Not Found")
	if errors.Is(err, ErrNotFound) {
		t.Error("a host without a registry passes for a missing image")
	}
}

func TestOffered(t *testing.T) {
	var many []image.Child
	for i := range 30 {
		many = append(many, image.Child{Platform: image.Platform{OS: "linux", Architecture: fmt.Sprintf("a%02d", i)}})
	}
	if got := offered(many); !strings.HasSuffix(got, "linux/a19, ...") {
		t.Errorf("got %s", got)
	}
	if got := offered([]image.Child{{}}); got != "no platform" {
		t.Errorf("got %s", got)
	}
}

// Many callers, many images: each image and the registry itself are asked once.
func TestAskedOnce(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	w.https("ghcr.io", s)
	var names []string
	for i := range 500 {
		name := fmt.Sprintf("acme/app-%d", i%20)
		s.image(name, fmt.Sprint(i), "linux/amd64")
		names = append(names, fmt.Sprintf("ghcr.io/%s:%d", name, i))
	}
	c := w.client(Options{})
	resolveAll(t, c, append(names, names...))
	if pings, heads, all := w.count("GET ghcr.io/v2/"), w.count("HEAD ghcr.io/v2/"), len(w.requests()); pings != 1 || heads != 500 || all != 501 {
		t.Errorf("%d pings, %d heads, %d requests; want 1, 500, 501", pings, heads, all)
	}
}

func resolveAll(t *testing.T, c *Client, names []string) {
	t.Helper()
	var wg sync.WaitGroup
	for _, name := range names {
		r := ref(t, name)
		wg.Go(func() {
			if _, err := c.Resolve(t.Context(), r); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestErrorsAreRemembered(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	w.https("ghcr.io", s)
	c := w.client(Options{})
	for range 3 {
		_, err := c.Resolve(t.Context(), ref(t, "ghcr.io/acme/none:1"))
		is(t, err, ErrNotFound)
	}
	if n := w.count("HEAD"); n != 1 {
		t.Errorf("%d requests for one image, want 1", n)
	}
}

func TestCancel(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	s.image("acme/api", "1", "linux/amd64")
	arrived, open := make(chan struct{}, 10), make(chan struct{})
	w.https("ghcr.io", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			arrived <- struct{}{}
			select {
			case <-open:
			case <-r.Context().Done():
			}
		}
		s.ServeHTTP(rw, r)
	}))
	c := w.client(Options{})
	name := ref(t, "ghcr.io/acme/api:1")

	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := c.Resolve(ctx, name)
		failed <- err
	}()
	<-arrived
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled look-up: got %v", err)
	}

	close(open)
	if _, err := c.Resolve(t.Context(), name); err != nil {
		t.Errorf("look-up after one that was cancelled: %v", err)
	}
}

func TestPlainHTTP(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	s.image("acme/api", "1", "linux/amd64")
	for _, host := range []string{"localhost:5000", "127.0.0.9:5000", "[::1]:5000", "10.1.2.3:5000", "app.localhost:5000", "registry.corp:5000", "registry.corp"} {
		w.http(host, s)
	}
	for _, tc := range []struct {
		host     string
		insecure []string
		ok       bool
	}{
		{"localhost:5000", nil, true},
		{"127.0.0.9:5000", nil, true},
		{"[::1]:5000", nil, true},
		{"10.1.2.3:5000", nil, false},
		{"app.localhost:5000", nil, false},
		{"registry.corp:5000", nil, false},
		{"registry.corp:5000", []string{"registry.corp"}, false},
		{"10.1.2.3:5000", []string{"10.1.2.3:5000"}, true},
		{"registry.corp:5000", []string{"Registry.Corp:5000"}, true},
		{"registry.corp", []string{"registry.corp"}, true},
	} {
		_, err := w.client(Options{Insecure: tc.insecure}).Resolve(t.Context(), ref(t, tc.host+"/acme/api:1"))
		if (err == nil) != tc.ok {
			t.Errorf("%s with %q: got error %v, want ok %v", tc.host, tc.insecure, err, tc.ok)
		}
	}
	for _, s := range w.log {
		if s.host == "app.localhost:5000" {
			t.Errorf("plain request to %s", s.host)
		}
	}
}
