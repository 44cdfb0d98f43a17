package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/github"
)

// every opens each endpoint with its own secret.
func every(o *Options) {
	o.RegistrySecrets = map[Registry][]github.Secret{
		Distribution: {"secret-of-distribution"}, Harbor: {"secret-of-harbor"}, DockerHub: {"secret-of-dockerhub"}, Generic: {"new-of-generic", "secret-of-generic"},
	}
}

// notice makes a notification as a kind of registry makes it.
func notice(kind Registry, secret, body string) *http.Request {
	req := delivery("http://x", "ping", guid, []byte(body))
	req.URL.Path = "/webhooks/registry/" + string(kind)
	req.Header = http.Header{"Content-Type": {"application/json"}}
	switch kind {
	case Distribution:
		req.Header.Set("Content-Type", "application/vnd.docker.distribution.events.v2+json")
		req.Header.Set("Authorization", "Bearer "+secret)
	case Harbor:
		req.Header.Set("Authorization", secret)
	case DockerHub:
		req.URL.RawQuery = "token=" + secret
	case Generic:
		req.Header.Set("X-Hub-Signature-256", sign(secret, []byte(body)))
	}
	return req
}

func distributed(action, host, repository, tag string) string {
	return fmt.Sprintf(`{"action":%q,"target":{"mediaType":"application/vnd.oci.image.manifest.v1+json","repository":%q,"tag":%q},"request":{"host":%q}}`, action, repository, tag, host)
}

func TestNotices(t *testing.T) {
	for _, tc := range []struct {
		name string
		kind Registry
		body string
		want []string
		code int
	}{
		{"a push", Distribution, `{"events":[` + distributed("push", "r.example.com:5000", "acme/shop", "1.4") + `]}`, []string{"r.example.com:5000/acme/shop:1.4"}, 202},
		{"a blob, a pull and a push", Distribution, `{"events":[` + distributed("push", "r.example.com", "acme/shop", "") + "," + distributed("pull", "r.example.com", "acme/shop", "1.4") + "," + distributed("push", "r.example.com", "acme/shop", "2") + `]}`, []string{"r.example.com/acme/shop:2"}, 202},
		{"the same twice", Distribution, `{"events":[` + distributed("push", "r.example.com", "a/b", "1") + "," + distributed("push", "r.example.com", "a/b", "1") + `]}`, []string{"r.example.com/a/b:1"}, 202},
		{"no events", Distribution, `{"events":[]}`, nil, 202},
		{"null", Distribution, `{"events":null}`, nil, 202},
		{"no host", Distribution, `{"events":[` + distributed("push", "", "acme/shop", "1.4") + `]}`, nil, 202},
		{"a host that is none", Distribution, `{"events":[` + distributed("push", "r.example.com/@", "acme/shop", "1.4") + `]}`, nil, 202},
		{"events of another form", Distribution, `{"events":{"a":1}}`, nil, 400},
		{"an event of another form", Distribution, `{"events":[1]}`, nil, 400},
		{"no JSON", Distribution, `events`, nil, 400},
		{"an artifact", Harbor, `{"type":"PUSH_ARTIFACT","occur_at":1,"operator":"a","event_data":{"resources":[{"digest":"sha256:76","tag":"v1","resource_url":"hb.example.com/library/shop:v1"}],"repository":{"name":"shop"}}}`, []string{"hb.example.com/library/shop:v1"}, 202},
		{"a CloudEvent", Harbor, `{"specversion":"1.0","type":"harbor.artifact.pushed","data":{"resources":[{"tag":"v1","resource_url":"hb.example.com/library/shop:v1"}]}}`, []string{"hb.example.com/library/shop:v1"}, 202},
		{"an artifact without a tag", Harbor, `{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"resource_url":"hb.example.com/library/shop@sha256:76"}]}}`, nil, 202},
		{"a scan", Harbor, `{"type":"SCANNING_COMPLETED","event_data":{"resources":[{"tag":"v1","resource_url":"hb.example.com/library/shop:v1"}]}}`, nil, 202},
		{"Harbor's test", Harbor, `{"type":"TEST_ENDPOINT"}`, nil, 202},
		{"Harbor, no JSON", Harbor, `[`, nil, 400},
		{"a user's repository", DockerHub, `{"callback_url":"https://127.0.0.1:1/","push_data":{"pushed_at":1417566161,"tag":"latest"},"repository":{"repo_name":"acme/shop"}}`, []string{"docker.io/acme/shop:latest"}, 202},
		{"no tag", DockerHub, `{"push_data":{},"repository":{"repo_name":"acme/shop"}}`, nil, 202},
		{"Docker Hub, no JSON", DockerHub, `"`, nil, 400},
		{"an image", Generic, `{"image":"ghcr.io/acme/shop:1.4"}`, []string{"ghcr.io/acme/shop:1.4"}, 202},
		{"a digest", Generic, `{"image":"ghcr.io/acme/shop@sha256:` + strings.Repeat("a", 64) + `"}`, []string{"ghcr.io/acme/shop@sha256:" + strings.Repeat("a", 64)}, 202},
		{"a name only", Generic, `{"image":"ghcr.io/acme/shop"}`, nil, 202},
		{"a template", Generic, `{"image":"ghcr.io/acme/{{ .name }}:1"}`, nil, 202},
		{"a long one", Generic, `{"image":"ghcr.io/acme/` + strings.Repeat("a", 5000) + `:1"}`, nil, 202},
		{"no image", Generic, `{}`, nil, 400},
		{"an image of another form", Generic, `{"image":["a"]}`, nil, 400},
	} {
		t.Run(string(tc.kind)+" "+tc.name, func(t *testing.T) {
			r := newRig(t, every)
			w := r.ask(notice(tc.kind, "secret-of-"+string(tc.kind), tc.body), "")
			if w.Code != tc.code {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tc.code)
			}
			if d := cmp.Diff(tc.want, r.pushed()); d != "" {
				t.Error(d)
			}
			if len(r.box.all()) != 0 {
				t.Error("a registry's notification was kept as a delivery")
			}
		})
	}
}

// TestRegistrySecrets: each endpoint opens to its own secret, in its own place, and to no other.
func TestRegistrySecrets(t *testing.T) {
	bodies := map[Registry]string{
		Distribution: `{"events":[]}`, Harbor: `{"type":"x"}`, DockerHub: `{"push_data":{}}`, Generic: `{"image":"ghcr.io/acme/shop:1"}`,
	}
	kinds := []Registry{Distribution, Harbor, DockerHub, Generic}
	for _, kind := range kinds {
		for _, of := range kinds {
			r := newRig(t, every)
			want := 401
			if kind == of {
				want = 202
			}
			if w := r.ask(notice(kind, "secret-of-"+string(of), bodies[kind]), ""); w.Code != want {
				t.Errorf("%s with the secret of %s: got %d, want %d", kind, of, w.Code, want)
			}
		}
		for _, secret := range []string{"", key, "secret-of", "SECRET-OF-" + strings.ToUpper(string(kind)), "secret-of-" + string(kind) + "x"} {
			r := newRig(t, every)
			if w := r.ask(notice(kind, secret, bodies[kind]), ""); w.Code != 401 {
				t.Errorf("%s with %q: got %d, want 401", kind, secret, w.Code)
			}
		}
	}
	for name, tc := range map[string]struct {
		kind   Registry
		change func(*http.Request)
		want   int
	}{
		"in the path":                     {DockerHub, func(r *http.Request) { r.URL.RawQuery = ""; r.URL.Path += "/secret-of-dockerhub" }, 202},
		"wrong in the path":               {DockerHub, func(r *http.Request) { r.URL.RawQuery = ""; r.URL.Path += "/secret-of-harbor" }, 401},
		"wrong in the path, right behind": {DockerHub, func(r *http.Request) { r.URL.Path += "/x" }, 401},
		"twice in the query":              {DockerHub, func(r *http.Request) { r.URL.RawQuery += "&token=x" }, 401},
		"in the wrong place":              {DockerHub, func(r *http.Request) { r.URL.RawQuery = ""; r.Header.Set("Authorization", "secret-of-dockerhub") }, 401},
		"a bearer":                        {Harbor, func(r *http.Request) { r.Header.Set("Authorization", "bearer secret-of-harbor") }, 202},
		"two headers":                     {Harbor, func(r *http.Request) { r.Header.Add("Authorization", "x") }, 401},
		"no header":                       {Harbor, func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		"another type":                    {Harbor, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415},
		"the old secret of two":           {Generic, func(*http.Request) {}, 202},
		"two signatures":                  {Generic, func(r *http.Request) { r.Header.Add("X-Hub-Signature-256", "x") }, 401},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, every)
			req := notice(tc.kind, "secret-of-"+string(tc.kind), bodies[tc.kind])
			tc.change(req)
			if w := r.ask(req, ""); w.Code != tc.want {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tc.want)
			}
		})
	}
}

func TestNoticesAreBounded(t *testing.T) {
	t.Run("images of one", func(t *testing.T) {
		r := newRig(t, every)
		var list []string
		for i := range 3000 {
			list = append(list, distributed("push", "r.example.com", "a/b", fmt.Sprint(i)))
		}
		if w := r.ask(notice(Distribution, "secret-of-distribution", `{"events":[`+strings.Join(list, ",")+`]}`), ""); w.Code != 202 {
			t.Errorf("got %d, want 202", w.Code)
		}
		if n := len(r.pushed()); n != maxImages {
			t.Errorf("told of %d, want %d", n, maxImages)
		}
	})
	t.Run("size", func(t *testing.T) {
		r := newRig(t, every)
		if w := r.ask(notice(Generic, "secret-of-generic", `{"image":"`+strings.Repeat("a", 1<<20)+`"}`), ""); w.Code != 413 {
			t.Errorf("got %d, want 413", w.Code)
		}
	})
	t.Run("pace", func(t *testing.T) {
		r := newRig(t, every)
		r.server.pace[Harbor] = newPacer(0, 3)
		for i := range 5 {
			want := 202
			if i > 2 {
				want = 429
			}
			w := r.ask(notice(Harbor, "secret-of-harbor", `{}`), "")
			if w.Code != want || want == 429 && w.Header().Get("Retry-After") == "" {
				t.Errorf("notification %d: got %d, want %d", i, w.Code, want)
			}
		}
		if w := r.ask(notice(Generic, "secret-of-generic", `{"image":"a/b:1"}`), ""); w.Code != 202 {
			t.Errorf("another registry: got %d, want 202", w.Code)
		}
		// Whoever has no secret does not use it up.
		r.server.pace[Harbor] = newPacer(0, 1)
		for range 5 {
			r.ask(notice(Harbor, "wrong", `{}`), "")
		}
		if w := r.ask(notice(Harbor, "secret-of-harbor", `{}`), ""); w.Code != 202 {
			t.Errorf("after strangers: got %d, want 202", w.Code)
		}
	})
	t.Run("at once", func(t *testing.T) {
		r := newRig(t, every)
		l := usual
		l.pushes, l.push = 1, 10*time.Millisecond
		r.server.bound(l)
		r.server.hints <- struct{}{}
		w := r.ask(notice(Generic, "secret-of-generic", `{"image":"a/b:1"}`), "")
		if w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("got %d, want 503", w.Code)
		}
		<-r.server.hints
		if w := r.ask(notice(Generic, "secret-of-generic", `{"image":"a/b:1"}`), ""); w.Code != 202 {
			t.Errorf("got %d, want 202", w.Code)
		}
	})
	t.Run("a watcher that fails", func(t *testing.T) {
		r := newRig(t, func(o *Options) {
			every(o)
			o.Pushed = func(context.Context, string) error { return errors.New("ledger locked") }
		})
		w := r.ask(notice(Generic, "secret-of-generic", `{"image":"a/b:1"}`), "")
		if w.Code != 503 || strings.Contains(w.Body.String(), "ledger") {
			t.Errorf("got %d %s, want 503", w.Code, w.Body)
		}
		r.logged("ledger locked")
		if r.counts.of("registry failed") != 1 {
			t.Errorf("counted %v", r.counts.seen)
		}
	})
	t.Run("nobody who watches", func(t *testing.T) {
		r := newRig(t, func(o *Options) {
			every(o)
			o.Pushed = nil
		})
		if w := r.ask(notice(Generic, "secret-of-generic", `{"image":"a/b:1"}`), ""); w.Code != 202 {
			t.Errorf("got %d, want 202", w.Code)
		}
	})
}

func FuzzNotice(f *testing.F) {
	f.Add([]byte(`{"events":[` + distributed("push", "r.example.com", "a/b", "1") + `]}`))
	f.Add([]byte(`{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"tag":"v1","resource_url":"a/b:v1"}]}}`))
	f.Add([]byte(`{"push_data":{"tag":"latest"},"repository":{"repo_name":"acme/shop"}}`))
	f.Add([]byte(`{"image":"ghcr.io/acme/shop:1.4"}`))
	r := newRig(f, every)
	f.Fuzz(func(t *testing.T, body []byte) {
		for kind := range registries {
			r.server.pace[kind] = newPacer(1000, 1000)
			w := r.ask(notice(kind, "secret-of-"+string(kind), string(body)), "")
			if w.Code != 202 && w.Code != 400 {
				t.Fatalf("%s: got %d", kind, w.Code)
			}
		}
	})
}
