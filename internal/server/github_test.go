package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/github"
)

const guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958"

func TestDelivery(t *testing.T) {
	r := newRig(t, nil).serve()
	if status, _, text := r.send(delivery(r.url, "pull_request", guid, payload(7, 42, 3))); status != http.StatusAccepted || text != "accepted\n" {
		t.Fatalf("got %d %q", status, text)
	}
	want := map[string]event.Delivery{guid: {
		GUID: guid, Event: "pull_request", Action: "opened",
		Looks: []event.Look{{Subject: event.Subject{Installation: 7, Repository: 42}, Owner: "acme", Name: "config", Pull: 3}},
	}}
	got := r.box.all()
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(event.Delivery{}, "Received")); d != "" {
		t.Error(d)
	}
	if got[guid].Received.IsZero() {
		t.Error("it was received at no time")
	}
	if status, _, text := r.send(delivery(r.url, "pull_request", guid, payload(7, 42, 3))); status != http.StatusOK || text != "known already\n" {
		t.Errorf("again: got %d %q", status, text)
	}
	if status, _, text := r.send(delivery(r.url, "balloon", "b", payload(7, 42, 3))); status != http.StatusAccepted || !strings.Contains(text, "nothing") {
		t.Errorf("an unknown event: got %d %q", status, text)
	}
	if d := r.box.all()["b"]; d.Event != "balloon" || d.Looks != nil {
		t.Errorf("an unknown event: kept %+v", d)
	}
	if r.counts.of("pull_request accepted") != 1 || r.counts.of("pull_request duplicate") != 1 || r.counts.of("balloon ignored") != 1 || r.counts.kept != 3 {
		t.Errorf("counted %v, %d", r.counts.seen, r.counts.kept)
	}
	r.logged(`"delivery":"`+guid+`"`, `"event":"pull_request"`, `"action":"opened"`, `"installation":7`, `"repo":"acme/config"`, `"duration_ms":`, `"outcome":"accepted"`, `"outcome":"duplicate"`)
}

// TestSignature: only the body's very bytes, signed with one of the secrets, count.
func TestSignature(t *testing.T) {
	// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
	hello := []byte("Hello, World!")
	const vector = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	body := payload(7, 42, 3)
	right := sign(key, body)
	for name, tc := range map[string]struct {
		secrets []github.Secret
		body    []byte
		headers []string
		want    int
	}{
		// The signature is right, and then the body is none of GitHub's.
		"GitHub's own example":              {[]github.Secret{key}, hello, []string{vector}, http.StatusBadRequest},
		"GitHub's own example, changed":     {[]github.Secret{key}, []byte("Hello, World?"), []string{vector}, http.StatusUnauthorized},
		"right":                             {[]github.Secret{key}, body, []string{right}, http.StatusAccepted},
		"the old secret":                    {[]github.Secret{"new", key}, body, []string{right}, http.StatusAccepted},
		"the new secret":                    {[]github.Secret{key, "old"}, body, []string{right}, http.StatusAccepted},
		"another secret":                    {[]github.Secret{"new", "old"}, body, []string{right}, http.StatusUnauthorized},
		"the empty secret":                  {[]github.Secret{key}, body, []string{sign("", body)}, http.StatusUnauthorized},
		"capitals in its digits":            {[]github.Secret{key}, body, []string{"sha256=" + strings.ToUpper(right[7:])}, http.StatusAccepted},
		"a space at the end":                {[]github.Secret{key}, append(body[:len(body):len(body)], ' '), []string{right}, http.StatusUnauthorized},
		"no body":                           {[]github.Secret{key}, nil, []string{right}, http.StatusUnauthorized},
		"no header":                         {[]github.Secret{key}, body, nil, http.StatusUnauthorized},
		"an empty header":                   {[]github.Secret{key}, body, []string{""}, http.StatusUnauthorized},
		"twice":                             {[]github.Secret{key}, body, []string{right, right}, http.StatusUnauthorized},
		"a wrong one first":                 {[]github.Secret{key}, body, []string{sign("x", body), right}, http.StatusUnauthorized},
		"two in one":                        {[]github.Secret{key}, body, []string{right + "," + right}, http.StatusUnauthorized},
		"SHA-1":                             {[]github.Secret{key}, body, []string{"sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59"}, http.StatusUnauthorized},
		"no prefix":                         {[]github.Secret{key}, body, []string{right[7:]}, http.StatusUnauthorized},
		"a prefix in capitals":              {[]github.Secret{key}, body, []string{"SHA256=" + right[7:]}, http.StatusUnauthorized},
		"short":                             {[]github.Secret{key}, body, []string{right[:70]}, http.StatusUnauthorized},
		"long":                              {[]github.Secret{key}, body, []string{right + "00"}, http.StatusUnauthorized},
		"no digits":                         {[]github.Secret{key}, body, []string{"sha256=" + strings.Repeat("z", 64)}, http.StatusUnauthorized},
		"zeros":                             {[]github.Secret{key}, body, []string{"sha256=" + strings.Repeat("0", 64)}, http.StatusUnauthorized},
		"of the body without its last sign": {[]github.Secret{key}, body, []string{sign(key, body[:len(body)-1])}, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.Secrets = tc.secrets })
			req := delivery("http://x", "pull_request", guid, tc.body)
			req.Header["X-Hub-Signature-256"] = tc.headers
			if w := r.ask(req, ""); w.Code != tc.want {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tc.want)
			}
			if kept := len(r.box.all()); kept > 0 != (tc.want == http.StatusAccepted) {
				t.Errorf("kept %d", kept)
			}
		})
	}
}

// TestMutatedSignatures: no signature but the right one opens, of many that are near it.
func TestMutatedSignatures(t *testing.T) {
	count := 100_000
	if testing.Short() || raceEnabled {
		count = 20_000
	}
	r := newRig(t, func(o *Options) { o.Log = nil; o.Observer = nil })
	body := []byte(`{}`)
	right := sign(key, body)
	random := rand.New(rand.NewPCG(7, 7))
	const signs = "0123456789abcdefABCDEFg =,"
	req := delivery("http://x", "ping", guid, body)
	for range count {
		b := []byte(right)
		for range 1 + random.IntN(3) {
			b[random.IntN(len(b))] = signs[random.IntN(len(signs))]
		}
		switch random.IntN(8) {
		case 0:
			b = b[:random.IntN(len(b))]
		case 1:
			b = append(b, signs[random.IntN(len(signs))])
		}
		if strings.EqualFold(string(b[min(7, len(b)):]), right[7:]) && strings.HasPrefix(string(b), "sha256=") {
			continue
		}
		req.Header["X-Hub-Signature-256"] = []string{string(b)}
		req.Body = io.NopCloser(bytes.NewReader(body))
		w := &sink{header: http.Header{}}
		r.server.Handler().ServeHTTP(w, req)
		if w.status != http.StatusUnauthorized {
			t.Fatalf("got %d for %s", w.status, b)
		}
	}
	if kept := len(r.box.all()); kept != 0 {
		t.Errorf("kept %d", kept)
	}
}

// A sink forgets an answer's body.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }

func TestHeaders(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(http.Header)
		want   int
	}{
		"as GitHub sends it":       {func(h http.Header) { h.Set("User-Agent", "GitHub-Hookshot/1") }, http.StatusAccepted},
		"with a charset":           {func(h http.Header) { h.Set("Content-Type", "application/json; charset=UTF-8") }, http.StatusAccepted},
		"another charset":          {func(h http.Header) { h.Set("Content-Type", "application/json; charset=utf-16") }, http.StatusUnsupportedMediaType},
		"a form":                   {func(h http.Header) { h.Set("Content-Type", "application/x-www-form-urlencoded") }, http.StatusUnsupportedMediaType},
		"no type":                  {func(h http.Header) { h.Del("Content-Type") }, http.StatusUnsupportedMediaType},
		"two types":                {func(h http.Header) { h.Add("Content-Type", "application/json") }, http.StatusUnsupportedMediaType},
		"a type that is none":      {func(h http.Header) { h.Set("Content-Type", ";;;") }, http.StatusUnsupportedMediaType},
		"compressed":               {func(h http.Header) { h.Set("Content-Encoding", "gzip") }, http.StatusUnsupportedMediaType},
		"no event":                 {func(h http.Header) { h.Del("X-GitHub-Event") }, http.StatusBadRequest},
		"two events":               {func(h http.Header) { h.Add("X-GitHub-Event", "push") }, http.StatusBadRequest},
		"an empty event":           {func(h http.Header) { h.Set("X-GitHub-Event", "") }, http.StatusBadRequest},
		"an event with a line end": {func(h http.Header) { h["X-Github-Event"] = []string{"push\nx"} }, http.StatusBadRequest},
		"a long event":             {func(h http.Header) { h.Set("X-GitHub-Event", strings.Repeat("a", 65)) }, http.StatusBadRequest},
		"no delivery":              {func(h http.Header) { h.Del("X-GitHub-Delivery") }, http.StatusBadRequest},
		"two deliveries":           {func(h http.Header) { h.Add("X-GitHub-Delivery", "x") }, http.StatusBadRequest},
		"a delivery of SQL":        {func(h http.Header) { h.Set("X-GitHub-Delivery", "' or 1=1") }, http.StatusBadRequest},
		"a long delivery":          {func(h http.Header) { h.Set("X-GitHub-Delivery", strings.Repeat("a", 65)) }, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			req := delivery("http://x", "pull_request", guid, payload(7, 42, 3))
			tc.change(req.Header)
			if w := r.ask(req, ""); w.Code != tc.want {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tc.want)
			}
		})
	}
}

func TestRoutes(t *testing.T) {
	r := newRig(t, nil)
	for _, tc := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/webhooks/github", 405},
		{"PUT", "/webhooks/github", 405},
		{"DELETE", "/webhooks/github", 405},
		{"OPTIONS", "/webhooks/github", 405},
		{"POST", "/webhooks/github/", 404},
		{"POST", "/webhooks/", 404},
		{"POST", "/webhooks/registry/harbor", 404}, // it has no secret
		{"POST", "/webhooks/registry/quay", 404},
		{"POST", "/", 405},
		{"GET", "/nothing", 404},
		{"GET", "/metrics", 404},
		{"GET", "/status", 404},
		{"GET", "/setup/", 404},
		{"GET", "/debug/pprof/", 404},
	} {
		req := delivery("http://x", "ping", guid, []byte("{}"))
		req.Method, req.URL.Path = tc.method, tc.path
		w := r.ask(req, "")
		if w.Code != tc.want {
			t.Errorf("%s %s: got %d, want %d", tc.method, tc.path, w.Code, tc.want)
		}
		for _, h := range []string{"Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cache-Control"} {
			if w.Header().Get(h) == "" {
				t.Errorf("%s %s: no %s", tc.method, tc.path, h)
			}
		}
	}
	if kept := len(r.box.all()); kept != 0 {
		t.Errorf("kept %d", kept)
	}
}

// TestNotKept: what is not kept is not answered with 2xx, and counts as new when it comes again.
func TestNotKept(t *testing.T) {
	r := newRig(t, nil).serve()
	r.box.fail(errors.New("disk full"))
	status, h, text := r.send(delivery(r.url, "push", guid, payload(7, 42, 3)))
	if status != http.StatusServiceUnavailable || h.Get("Retry-After") == "" || strings.Contains(text, "disk") {
		t.Errorf("got %d %v %q", status, h, text)
	}
	r.logged("disk full", `"outcome":"failed"`)
	r.box.fail(nil)
	if status, _, _ := r.send(delivery(r.url, "push", guid, payload(7, 42, 3))); status != http.StatusAccepted {
		t.Errorf("again: got %d, want 202", status)
	}
	if r.counts.of("push failed") != 1 || r.counts.of("push accepted") != 1 {
		t.Errorf("counted %v", r.counts.seen)
	}
}

func TestInboxTakesTooLong(t *testing.T) {
	r := newRig(t, nil)
	l := usual
	l.accept = time.Millisecond
	r.server.bound(l)
	r.server.o.Inbox = stuck{}
	if w := r.ask(delivery("http://x", "push", guid, payload(7, 42, 3)), ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d, want 503", w.Code)
	}
}

type stuck struct{}

func (stuck) Accept(ctx context.Context, _ event.Delivery) (bool, error) {
	<-ctx.Done()
	return false, ctx.Err()
}

// TestPanic: it ends one request, is not answered with 2xx, and tells the client nothing.
func TestPanic(t *testing.T) {
	r := newRig(t, nil).serve()
	r.box.before = func(_ context.Context, d event.Delivery) {
		if d.GUID == "bad" {
			panic("of installation 8: boom")
		}
	}
	status, _, text := r.send(delivery(r.url, "push", "bad", payload(8, 42, 3)))
	if status != http.StatusInternalServerError || strings.Contains(text, "boom") {
		t.Errorf("got %d %q", status, text)
	}
	if status, _, _ := r.send(delivery(r.url, "push", guid, payload(7, 42, 3))); status != http.StatusAccepted {
		t.Errorf("the next one: got %d, want 202", status)
	}
	if r.counts.of("push failed") != 1 {
		t.Errorf("counted %v", r.counts.seen)
	}
	r.logged("boom", "github_test.go")
}

// TestClientLeaves: what is under way is kept although nobody waits for the answer.
func TestClientLeaves(t *testing.T) {
	r := newRig(t, nil).serve()
	ctx, leave := context.WithCancel(t.Context())
	began, done := make(chan struct{}), make(chan error, 1)
	r.box.before = func(ctx context.Context, _ event.Delivery) {
		close(began)
		leave()
		select {
		case <-ctx.Done():
			done <- ctx.Err()
		case <-time.After(50 * time.Millisecond): // long enough for the server to notice
			done <- nil
		}
	}
	_, err := http.DefaultClient.Do(delivery(r.url, "push", guid, payload(7, 42, 3)).WithContext(ctx))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-began
	if err := <-done; err != nil {
		t.Errorf("the inbox was told to stop: %v", err)
	}
	if err := r.halt(); err != nil {
		t.Error(err)
	}
	if len(r.box.all()) != 1 {
		t.Error("it was not kept")
	}
}

func TestPackageIsAHint(t *testing.T) {
	body := []byte(`{"action":"published","installation":{"id":7},"repository":{"id":42,"full_name":"acme/shop"},"registry_package":{"name":"shop","package_type":"CONTAINER","owner":{"login":"Acme"},"package_version":{"container_metadata":{"tag":{"name":"1.4"}}}}}`)
	r := newRig(t, nil)
	if w := r.ask(delivery("http://x", "registry_package", guid, body), ""); w.Code != http.StatusAccepted || w.Body.String() != "accepted\n" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if d := cmp.Diff([]string{"ghcr.io/acme/shop:1.4"}, r.pushed()); d != "" {
		t.Error(d)
	}
	if d, ok := r.box.all()[guid]; !ok || d.Looks != nil {
		t.Errorf("kept %+v, want no looks", d)
	}
	// A hint that is lost harms nothing.
	r = newRig(t, func(o *Options) { o.Pushed = func(context.Context, string) error { return errors.New("no") } })
	if w := r.ask(delivery("http://x", "registry_package", guid, body), ""); w.Code != http.StatusAccepted || len(r.box.all()) != 1 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	// Without a watcher the image stays with the look.
	r = newRig(t, func(o *Options) { o.Pushed = nil })
	r.ask(delivery("http://x", "registry_package", guid, body), "")
	if d := r.box.all()[guid]; len(d.Looks) != 1 || d.Looks[0].Image != "ghcr.io/acme/shop:1.4" {
		t.Errorf("kept %+v", d)
	}
}

// TestTenantsStayApart: an answer has nothing in it of any delivery, its own or another's.
func TestTenantsStayApart(t *testing.T) {
	r := newRig(t, nil).serve()
	texts := map[string]bool{}
	for i, body := range [][]byte{
		payload(7, 42, 3), []byte(`{"installation":{"id":8},"repository":{"id":9,"full_name":"tenant-b/private"}}`),
		[]byte(`tenant-c is no JSON`), []byte(`{"installation":{"id":1},"installation":{"id":2},"x":"tenant-d"}`),
	} {
		for range 2 {
			_, h, text := r.send(delivery(r.url, "push", fmt.Sprint("tenant-", i), body))
			texts[text] = true
			for k, v := range h {
				if strings.Contains(k+strings.Join(v, ""), "tenant") {
					t.Errorf("header %s: %v", k, v)
				}
			}
		}
	}
	want := map[string]bool{"accepted\n": true, "known already\n": true, "the body is not what it should be\n": true}
	if d := cmp.Diff(want, texts); d != "" {
		t.Error(d)
	}
}

func TestGzip(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(payload(7, 42, 3))
	_ = z.Close()
	r := newRig(t, nil)
	req := delivery("http://x", "push", guid, b.Bytes())
	if w := r.ask(req, ""); w.Code != http.StatusBadRequest {
		t.Errorf("unmarked: got %d, want 400", w.Code)
	}
	req = delivery("http://x", "push", guid, b.Bytes())
	req.Header.Set("Content-Encoding", "gzip")
	if w := r.ask(req, ""); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("marked: got %d, want 415", w.Code)
	}
}

// FuzzDelivery: whatever is signed is answered, and what is not named rightly is not kept.
func FuzzDelivery(f *testing.F) {
	f.Add("push", guid, payload(7, 42, 3))
	f.Add("pull_request", "x", []byte(`{"installation":[]}`))
	f.Add("", "", []byte(`{`))
	f.Add("a\nb", "\x00", []byte("\xff"))
	f.Fuzz(func(t *testing.T, name, id string, body []byte) {
		r := newRig(t, nil)
		w := r.ask(delivery("http://x", name, id, body), "")
		kept := len(r.box.all())
		switch w.Code {
		case http.StatusAccepted:
			if kept != 1 || !spelled(name, 64, "_") || !spelled(id, 64, "-") {
				t.Fatalf("%q %q: accepted, kept %d", name, id, kept)
			}
		case http.StatusBadRequest:
			if kept != 0 {
				t.Fatalf("%q %q: refused, kept %d", name, id, kept)
			}
		default:
			t.Fatalf("%q %q: got %d", name, id, w.Code)
		}
	})
}
