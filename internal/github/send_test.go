package github

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func TestURL(t *testing.T) {
	for _, c := range []struct{ in, root, graphql, fault string }{
		{"", "https://api.github.com", "https://api.github.com/graphql", ""},
		{"https://api.github.com/", "https://api.github.com", "https://api.github.com/graphql", ""},
		{"https://github.com", "https://api.github.com", "https://api.github.com/graphql", ""},
		{"https://git.acme.test", "https://git.acme.test/api/v3", "https://git.acme.test/api/graphql", ""},
		{"https://git.acme.test/api/v3/", "https://git.acme.test/api/v3", "https://git.acme.test/api/graphql", ""},
		{"https://GIT.acme.test:8443", "https://git.acme.test:8443/api/v3", "https://git.acme.test:8443/api/graphql", ""},
		{"https://acme.ghe.com", "https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql", ""},
		{"https://api.acme.ghe.com", "https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql", ""},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080", "http://127.0.0.1:8080/graphql", ""},
		{"http://localhost:8080/api/v3", "http://localhost:8080/api/v3", "http://localhost:8080/api/graphql", ""},
		{"http://[::1]:8080", "http://[::1]:8080", "http://[::1]:8080/graphql", ""},
		{"http://git.acme.test", "", "", "https://"},
		{"http://127.0.0.1.evil.test", "", "", "https://"},
		{"ftp://127.0.0.1", "", "", "https://"},
		{"https://user:" + canary + "@git.acme.test", "", "", "only"},
		{"https://git.acme.test/?x=1", "", "", "only"},
		{"https://git.acme.test/#x", "", "", "only"},
		{"git.acme.test", "", "", "only"},
		{"https://", "", "", "only"},
		{"https://git.acme.test/api/../x", "", "", "path"},
		{"https://github.com/acme", "", "", "api.github.com"},
		{"https://\x7f", "", "", "not a URL"},
	} {
		client, err := New(Options{URL: c.in})
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) || strings.Contains(err.Error(), canary) {
				t.Errorf("%s: got %v, want an error that says %q", c.in, err, c.fault)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
		} else if client.root != c.root || client.graphql != c.graphql {
			t.Errorf("%s: got %s and %s, want %s and %s", c.in, client.root, client.graphql, c.root, c.graphql)
		}
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"cache without a tenant": {Cache: NewMemoryETags(1000)},
		"user agent":             {UserAgent: "pinnace\r\nX-Evil: 1"},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestHeaders(t *testing.T) {
	r := newRig(t)
	r.on("GET /users/octo", 200, `{"id":1,"login":"octo","type":"User"}`)
	if _, _, err := r.client().UserByLogin(t.Context(), "octo"); err != nil {
		t.Fatal(err)
	}
	got := r.requests()[0].header
	for name, want := range map[string]string{
		"Accept": "application/vnd.github+json", "X-Github-Api-Version": "2022-11-28", "User-Agent": "pinnace", "Authorization": "Bearer " + canary,
	} {
		if diff := cmp.Diff([]string{want}, got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestWithoutToken(t *testing.T) {
	r := newRig(t)
	r.on("GET /users/octo", 401, `{"message":"Requires authentication"}`)
	o := r.options()
	o.Tokens = nil
	_, _, err := r.with(o).UserByLogin(t.Context(), "octo")
	isOnly(t, err, promotion.ErrUnauthenticated)
	if _, ok := r.requests()[0].header["Authorization"]; ok || !strings.Contains(err.Error(), "no token was sent") {
		t.Errorf("got %v", err)
	}
}

func TestUnusableTokens(t *testing.T) {
	r := newRig(t)
	for _, token := range []string{canary + "\n", "a b", "tok\u00e9n", strings.Repeat("x", 9000)} {
		o := r.options()
		o.Tokens = StaticToken(Secret(token))
		_, _, err := r.with(o).UserByLogin(t.Context(), "octo")
		isOnly(t, err, promotion.ErrUnauthenticated)
	}
	o := r.options()
	o.Tokens = failing{}
	_, _, err := r.with(o).UserByLogin(t.Context(), "octo")
	isOnly(t, err, promotion.ErrUnauthenticated)
	if n := len(r.lines()); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}

type failing struct{}

func (failing) Token(context.Context) (Secret, error) { return "", errors.New("no such file") }

// Reads are repeated after what passes; writes are not, since nobody knows what they did.
func TestRetries(t *testing.T) {
	gateway := says(502, "<html>")
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"id":`)
		panic(http.ErrAbortHandler)
	}
	good := says(200, `{"id":1,"login":"octo","number":3,"state":"open"}`)
	for _, c := range []struct {
		name   string
		first  []http.HandlerFunc
		reads  int // requests of a read
		writes int // of a write
		want   error
		fails  error // what the write fails with
	}{
		{"passing status", []http.HandlerFunc{gateway, says(503, `{}`), says(504, `{}`), good}, 4, 1, nil, promotion.ErrTransient},
		{"hang-up", []http.HandlerFunc{hangup, good}, 2, 1, nil, promotion.ErrTransient},
		{"half an answer", []http.HandlerFunc{cut, good}, 2, 1, nil, promotion.ErrTransient},
		{"for ever", []http.HandlerFunc{gateway}, 4, 1, promotion.ErrTransient, promotion.ErrTransient},
		{"server error", []http.HandlerFunc{says(500, `{"message":"Server Error"}`), good}, 1, 1, promotion.ErrTransient, promotion.ErrTransient},
		{"refusal", []http.HandlerFunc{says(403, `{"message":"Resource not accessible by integration"}`), good}, 1, 1, promotion.ErrForbidden, promotion.ErrForbidden},
		{"another form", []http.HandlerFunc{says(200, `[]`), good}, 1, 1, promotion.ErrTransient, promotion.ErrTransient},
		{"nothing", []http.HandlerFunc{says(200, ``), good}, 1, 1, promotion.ErrTransient, promotion.ErrTransient},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.script("GET /users/octo", c.first...)
			r.script("POST /repos/acme/config/pulls", c.first...)
			client := r.client()
			_, _, err := client.UserByLogin(t.Context(), "octo")
			if c.want != nil {
				isOnly(t, err, c.want)
			} else if err != nil {
				t.Error(err)
			}
			if n := len(r.lines()); n != c.reads {
				t.Errorf("%d reads, want %d", n, c.reads)
			}
			_, err = client.OpenPullRequest(t.Context(), config, promotion.Draft{Title: "x", Head: "a", Base: "main"})
			isOnly(t, err, c.fails)
			if n := len(r.lines()) - c.reads; n != c.writes {
				t.Errorf("%d writes, want %d", n, c.writes)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	r := newRig(t)
	r.handle("PUT /repos/acme/config/pulls/3/merge", func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	r.handle("GET /users/octo", func(_ http.ResponseWriter, req *http.Request) { cancel(); <-req.Context().Done() })
	_, _, err := r.client().UserByLogin(ctx, "octo")
	isOnly(t, err, promotion.ErrTransient)
	if !errors.Is(err, context.Canceled) || len(r.lines()) != 1 {
		t.Errorf("got %v after %d requests, want the context's end after one", err, len(r.lines()))
	}
	late := roundTrip(func(req *http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded })
	o := r.options()
	o.Transport = late
	_, err = r.with(o).Merge(t.Context(), config, promotion.MergeRequest{Number: 3, SHA: shaA})
	isOnly(t, err, promotion.ErrTransient)
	if !strings.Contains(err.Error(), "no answer in time") || !strings.Contains(err.Error(), "read again") {
		t.Errorf("got %v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestBounds(t *testing.T) {
	r := newRig(t)
	r.handle("GET /users/big", func(w http.ResponseWriter, _ *http.Request) {
		chunk := bytes.Repeat([]byte(" "), 1<<20)
		for range 20 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	r.handle("GET /users/failing", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(404)
		_, _ = io.WriteString(w, `{"message":"Not Found"}`+strings.Repeat(" ", 1<<20))
	})
	_, _, err := r.client().UserByLogin(t.Context(), "big")
	isOnly(t, err, promotion.ErrInvalid)
	if _, ok, err := r.client().UserByLogin(t.Context(), "failing"); ok || err != nil {
		t.Errorf("got %v, %v, want no such user", ok, err)
	}
}

func TestRedirects(t *testing.T) {
	moved := func(status int, location string) http.HandlerFunc { return says(status, "", "Location", location) }
	for _, status := range []int{301, 302, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			r := newRig(t)
			r.handle("GET /repos/acme/old", moved(status, r.server.URL+"/repositories/7"))
			r.on("GET /repositories/7", 200, `{"id":7,"name":"config","owner":{"login":"acme"},"size":5}`)
			got, ok, err := r.client().Repository(t.Context(), "acme", "old")
			if err != nil || !ok || got.FullName() != "acme/config" {
				t.Errorf("got %+v, %v, %v", got, ok, err)
			}
			if got := r.requests()[1].header.Get("Authorization"); got != "Bearer "+canary {
				t.Errorf("Authorization %q on the same host", got)
			}
		})
	}
	t.Run("write keeps method and body", func(t *testing.T) {
		r := newRig(t)
		r.handle("POST /repos/acme/config/issues/3/comments", moved(307, "/repositories/7/issues/3/comments"))
		r.on("POST /repositories/7/issues/3/comments", 201, `{"id":1}`)
		if _, err := r.client().Comment(t.Context(), config, 3, "hello"); err != nil {
			t.Fatal(err)
		}
		if got := r.body()["body"]; got != "hello" {
			t.Errorf("body %q", got)
		}
	})
	t.Run("elsewhere", func(t *testing.T) {
		var reached []string
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			reached = append(reached, req.Header.Get("Authorization"))
		}))
		defer other.Close()
		elsewhere, err := url.Parse(other.URL)
		if err != nil {
			t.Fatal(err)
		}
		r := newRig(t)
		for _, location := range []string{
			other.URL + "/users/octo", "//" + elsewhere.Host + "/x", strings.Replace(r.server.URL, "http://", "https://", 1) + "/x",
			strings.Replace(r.server.URL, "http://", "http://u:p@", 1) + "/x", "", "http://[", "file:///etc/passwd",
		} {
			r.handle("GET /users/octo", moved(302, location))
			_, _, err := r.client().UserByLogin(t.Context(), "octo")
			isOnly(t, err, promotion.ErrInvalid)
			r.handle("POST /repos/acme/config/issues/3/comments", moved(307, location))
			_, err = r.client().Comment(t.Context(), config, 3, "hello")
			isOnly(t, err, promotion.ErrInvalid)
		}
		if len(reached) > 0 {
			t.Errorf("another host was asked: %q", reached)
		}
	})
	t.Run("out of the API", func(t *testing.T) {
		r := newRig(t)
		r.handle("GET /api/v3/users/octo", moved(302, "/login"))
		o := r.options()
		o.URL += "/api/v3"
		_, _, err := r.with(o).UserByLogin(t.Context(), "octo")
		isOnly(t, err, promotion.ErrInvalid)
	})
	t.Run("circle", func(t *testing.T) {
		r := newRig(t)
		r.handle("GET /users/octo", moved(301, "/users/octo"))
		_, _, err := r.client().UserByLogin(t.Context(), "octo")
		isOnly(t, err, promotion.ErrInvalid)
		if n := len(r.lines()); n != maxHops+1 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("a change by 302", func(t *testing.T) {
		r := newRig(t)
		r.handle("POST /repos/acme/config/issues/3/comments", moved(302, "/x"))
		_, err := r.client().Comment(t.Context(), config, 3, "hello")
		isOnly(t, err, promotion.ErrInvalid)
	})
	t.Run("another kind", func(t *testing.T) {
		r := newRig(t)
		r.handle("GET /users/octo", moved(303, "/x"))
		_, _, err := r.client().UserByLogin(t.Context(), "octo")
		isOnly(t, err, promotion.ErrInvalid)
	})
}

func TestPages(t *testing.T) {
	page := func(r *rig, n, last int) http.HandlerFunc {
		link := fmt.Sprintf(`<%s/repos/acme/config/issues/3/comments?per_page=100&page=1>; rel="prev", <%s/repositories/7/issues/3/comments?page=%d>; rel="next"`, r.server.URL, r.server.URL, n+1)
		if n == last {
			link = ""
		}
		return says(200, fmt.Sprintf(`[{"id":%d}]`, n), "Link", link)
	}
	r := newRig(t)
	r.handle("GET /repos/acme/config/issues/3/comments?per_page=100", page(r, 1, 3))
	r.handle("GET /repositories/7/issues/3/comments?page=2", page(r, 2, 3))
	r.handle("GET /repositories/7/issues/3/comments?page=3", page(r, 3, 3))
	got := must[[]promotion.Comment](t)(r.client().Comments(t.Context(), config, 3))
	var ids []int64
	for _, c := range got {
		ids = append(ids, c.ID)
	}
	if diff := cmp.Diff([]int64{1, 2, 3}, ids); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	t.Run("a page fails", func(t *testing.T) {
		r := newRig(t)
		r.handle("GET /repos/acme/config/issues/3/comments?per_page=100", page(r, 1, 3))
		r.on("GET /repositories/7/issues/3/comments?page=2", 404, `{"message":"Not Found"}`)
		got, err := r.client().Comments(t.Context(), config, 3)
		isOnly(t, err, promotion.ErrNotFound)
		if got != nil {
			t.Errorf("got a part of the list: %v", got)
		}
	})
	t.Run("endless", func(t *testing.T) {
		r := newRig(t)
		n := 0
		r.handle("GET /repos/acme/config/issues/3/comments", func(w http.ResponseWriter, _ *http.Request) {
			n++
			w.Header().Set("Link", fmt.Sprintf(`<%s/repos/acme/config/issues/3/comments?page=%d>; rel="next"`, r.server.URL, n))
			_, _ = io.WriteString(w, `[{"id":1}]`)
		})
		_, err := r.client().Comments(t.Context(), config, 3)
		isOnly(t, err, promotion.ErrInvalid)
		if n != maxPages || !strings.Contains(err.Error(), "more than 100 pages") {
			t.Errorf("%d pages; %v", n, err)
		}
	})
	for name, link := range map[string]string{
		"circle":    `</repos/acme/config/issues/3/comments?page=2>; rel="next"`,
		"elsewhere": `<https://evil.test/x>; rel="next"`,
		"nonsense":  `<http://[>; rel="next"`,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			link = strings.Replace(link, "</", "<"+r.server.URL+"/", 1)
			r.handle("GET /repos/acme/config/issues/3/comments", says(200, `[]`, "Link", link))
			_, err := r.client().Comments(t.Context(), config, 3)
			isOnly(t, err, promotion.ErrTransient)
		})
	}
}

func TestNextPage(t *testing.T) {
	for link, want := range map[string]string{
		"":                                      "",
		`<a>; rel="next"`:                       "a",
		`<a>; rel="last", <b>; rel="next"`:      "b",
		`<a>; rel="last"`:                       "",
		`a; rel="next"`:                         "",
		`<>; rel="next"`:                        "",
		`<a>;type="x" ; rel="next" ; title="y"`: "a",
	} {
		if got := nextPage(link); got != want {
			t.Errorf("%s: got %q, want %q", link, got, want)
		}
	}
}

// The second question costs nothing where nothing changed, and another tenant asks anew.
func TestConditionalRequests(t *testing.T) {
	r := newRig(t)
	version := `"v1"`
	r.handle("GET /repos/acme/config/issues/3/comments", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("ETag", version)
		if req.Header.Get("If-None-Match") == version {
			w.WriteHeader(304)
			return
		}
		if req.URL.Query().Get("page") == "" {
			w.Header().Set("Link", fmt.Sprintf(`<%s/repos/acme/config/issues/3/comments?page=2>; rel="next"`, r.server.URL))
		}
		_, _ = fmt.Fprintf(w, `[{"id":1,"body":%s}]`, version)
	})
	cache := NewMemoryETags(1 << 20)
	of := func(tenant string) *Client {
		o := r.options()
		o.Cache, o.Tenant = cache, tenant
		return r.with(o)
	}
	sent := func() []string {
		var all []string
		for _, s := range r.requests() {
			all = append(all, s.header.Get("If-None-Match"))
		}
		return all
	}
	one := of("1")
	for range 2 {
		got := must[[]promotion.Comment](t)(one.Comments(t.Context(), config, 3))
		if len(got) != 2 || got[1].Body != "v1" {
			t.Errorf("got %+v", got)
		}
	}
	if diff := cmp.Diff([]string{"", "", version, version}, sent()); diff != "" {
		t.Errorf("If-None-Match (-want +got):\n%s", diff)
	}
	must[[]promotion.Comment](t)(of("2").Comments(t.Context(), config, 3))
	if diff := cmp.Diff([]string{"", ""}, sent()[4:]); diff != "" {
		t.Errorf("another tenant's If-None-Match (-want +got):\n%s", diff)
	}
	version = `"v2"`
	if got := must[[]promotion.Comment](t)(one.Comments(t.Context(), config, 3)); got[0].Body != "v2" {
		t.Errorf("after a change: got %+v", got)
	}
}

func TestUnaskedNotModified(t *testing.T) {
	r := newRig(t)
	r.on("GET /users/octo", 304, "")
	_, _, err := r.client().UserByLogin(t.Context(), "octo")
	isOnly(t, err, promotion.ErrTransient)
}

func TestMemoryETags(t *testing.T) {
	m := NewMemoryETags(1000)
	keep := func(tenant, request string, size int) {
		m.Keep(tenant, request, Cached{ETag: "x", Body: make([]byte, size)})
	}
	has := func(want map[string]bool) {
		t.Helper()
		for key, ok := range want {
			tenant, request, _ := strings.Cut(key, "/")
			if _, got := m.Recall(tenant, request); got != ok {
				t.Errorf("%s: got %v, want %v", key, got, ok)
			}
		}
	}
	keep("a", "1", 200)
	keep("a", "2", 200)
	has(map[string]bool{"a/1": true, "a/2": true, "b/1": false})
	m.Recall("a", "1")
	keep("b", "1", 200)
	has(map[string]bool{"a/1": true, "a/2": false, "b/1": true})
	keep("a", "1", 2000) // too large to be kept; what it replaces is over, too
	has(map[string]bool{"a/1": false, "b/1": true})
}

// Whatever fails, the token reaches neither error nor log, nor another host.
func TestTokenNeverShown(t *testing.T) {
	r := newRig(t)
	var log bytes.Buffer
	echo := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("X-GitHub-Request-Id", req.Header.Get("Authorization"))
			w.Header().Set("X-Accepted-GitHub-Permissions", "contents=write")
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"message":%q}`, "you sent "+req.Header.Get("Authorization"))
		}
	}
	handlers := []http.HandlerFunc{
		hangup, says(200, "not JSON"), says(200, "<html>"+canary), says(302, "", "Location", "https://"+canary+".evil.test/"),
		says(200, "", "Content-Length", "9"),
	}
	for _, status := range []int{200, 304, 400, 401, 403, 404, 405, 409, 410, 422, 429, 500, 502, 503} {
		handlers = append(handlers, echo(status))
	}
	o := r.options()
	o.MaxWait = -1
	o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for i, h := range handlers {
		r.handle("GET /repos/acme/config/issues/3/comments", h)
		client := r.with(o)
		if _, err := client.Comments(t.Context(), config, 3); err == nil {
			t.Errorf("%d: got no error", i)
		} else if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, canary) {
			t.Errorf("%d: the error shows the token: %s", i, text)
		}
		fmt.Fprintf(&log, "%v %+v %#v", o, o, client)
	}
	o.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("proxy refuses %s: %w", req.Header.Get("Authorization"), &tls.CertificateVerificationError{Err: errors.New("x")})
	})
	_, err := r.with(o).Comments(t.Context(), config, 3)
	isOnly(t, err, promotion.ErrTransient)
	if strings.Contains(log.String(), canary) || !strings.Contains(log.String(), "op=") {
		t.Errorf("the log shows the token, or nothing: %.2000s", log.String())
	}
}

func TestSecret(t *testing.T) {
	s := Secret(canary)
	type holder struct {
		S Secret
		T TokenSource
		M map[Secret]Secret
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s, "h", holder{S: s})
	text := fmt.Sprintf("%v %s %q %x %#v %d %v %+v %#v %s", s, s, s, s, s, s, holder{s, StaticToken(s), map[Secret]Secret{s: s}},
		holder{S: s}, holder{s, StaticToken(s), nil}, log.String())
	if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
		t.Errorf("it shows itself: %s", text)
	}
	if s.Reveal() != canary || s.String() != "[secret]" || s.GoString() != "[secret]" {
		t.Errorf("got %q", s.Reveal())
	}
}

func TestDefaults(t *testing.T) {
	c, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c.gate.maxWait != time.Minute || c.gate.spacing != time.Second || c.agent != "pinnace" {
		t.Errorf("got %v, %v, %q", c.gate.maxWait, c.gate.spacing, c.agent)
	}
}
