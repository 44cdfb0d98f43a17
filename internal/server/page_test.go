package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/github"
)

const (
	inside  = "10.1.2.3:4444"
	outside = "203.0.113.9:4444"
)

// pages gives a server everything that it can serve.
func pages(o *Options) {
	o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("pinnace_up 1\n")) })
	o.Status = func(context.Context) (any, error) { return map[string]int{"waiting": 3}, nil }
	o.Setup = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		_, _ = w.Write([]byte("setup of " + r.URL.Path))
	})
}

func TestPages(t *testing.T) {
	r := newRig(t, pages)
	for _, tc := range []struct{ path, from, want string }{
		{"/healthz", outside, "200 alive\n"},
		{"/readyz", outside, "200 ready\n"},
		{"/metrics", inside, "200 pinnace_up 1\n"},
		{"/metrics", outside, "404 404 page not found\n"},
		{"/status", inside, "200 {\n  \"waiting\": 3\n}\n"},
		{"/status", outside, "404 404 page not found\n"},
		{"/setup/x", outside, "200 setup of /setup/x"},
	} {
		w := r.ask(get("http://x"+tc.path), tc.from)
		if got := http.StatusText(w.Code); got == "" || strings.TrimSpace(strings.Join([]string{itoa(w.Code), w.Body.String()}, " ")) != strings.TrimSpace(tc.want) {
			t.Errorf("%s from %s: got %d %q, want %q", tc.path, tc.from, w.Code, w.Body, tc.want)
		}
	}
	w := r.ask(get("http://x/"), outside)
	if text := w.Body.String(); w.Code != 200 || !strings.Contains(text, "Version 1.2.3") || !strings.Contains(text, "https://github.com/pinnace-dev/pinnace") || strings.Contains(text, "<script") {
		t.Errorf("home: got %d %s", w.Code, text)
	}
	if h := r.ask(get("http://x/setup/x"), outside).Header().Get("Content-Security-Policy"); h != "default-src 'self'" {
		t.Errorf("setup has no say in its policy: %s", h)
	}
	r = newRig(t, func(o *Options) { o.Version = "<script>" })
	if text := r.ask(get("http://x/"), outside).Body.String(); strings.Contains(text, "<script") {
		t.Errorf("got %s", text)
	}
}

// TestRelease: who has the token frees what was put aside; nobody else does, from wherever.
func TestRelease(t *testing.T) {
	var freed []event.Subject
	r := newRig(t, func(o *Options) {
		o.Token = "operator"
		o.Release = func(_ context.Context, s event.Subject) error {
			freed = append(freed, s)
			return nil
		}
	})
	for _, tc := range []struct {
		path, token string
		want        int
	}{
		{"/release/7/42", "", 404},
		{"/release/7/42", "other", 404},
		{"/release/7/x", "operator", 400},
		{"/release/0/42", "operator", 400},
		{"/release/7/42", "operator", 202},
	} {
		req := get("http://x" + tc.path)
		req.Method = http.MethodPost
		req.Header.Set("Authorization", "Bearer "+tc.token)
		if w := r.ask(req, inside); w.Code != tc.want {
			t.Errorf("%s with %q: got %d %s", tc.path, tc.token, w.Code, w.Body)
		}
	}
	if want := []event.Subject{{Installation: 7, Repository: 42}}; !cmp.Equal(freed, want) {
		t.Errorf("freed %v, want %v", freed, want)
	}
	r = newRig(t, func(o *Options) { o.Release = func(context.Context, event.Subject) error { return nil } })
	req := get("http://x/release/7/42")
	req.Method = http.MethodPost
	if w := r.ask(req, inside); w.Code != 404 {
		t.Errorf("without a token: got %d", w.Code)
	}
}

func itoa(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

// TestInside: who may see what is for the inside.
func TestInside(t *testing.T) {
	for name, tc := range map[string]struct {
		from   string
		token  github.Secret
		header http.Header
		want   bool
	}{
		"loopback":                   {from: "127.0.0.1:1", want: true},
		"loopback, IPv6":             {from: "[::1]:1", want: true},
		"IPv4 in IPv6":               {from: "[::ffff:10.0.0.1]:1", want: true},
		"a private address":          {from: "192.168.1.1:1", want: true},
		"a private address, IPv6":    {from: "[fd00::1]:1", want: true},
		"a link's address":           {from: "[fe80::1%eth0]:1", want: true},
		"a Unix socket":              {from: "@", want: true},
		"a public address":           {from: "8.8.8.8:1"},
		"a public address, IPv6":     {from: "[2001:db8::1]:1"},
		"a public address in IPv6":   {from: "[::ffff:8.8.8.8]:1"},
		"no address":                 {from: "x"},
		"a proxy":                    {from: "10.0.0.1:1", header: http.Header{"X-Forwarded-For": {"8.8.8.8"}}},
		"a proxy that lies":          {from: "10.0.0.1:1", header: http.Header{"X-Forwarded-For": {"127.0.0.1"}}},
		"a proxy that says nothing":  {from: "10.0.0.1:1", header: http.Header{"X-Forwarded-For": {""}}},
		"a proxy of the standard":    {from: "10.0.0.1:1", header: http.Header{"Forwarded": {"for=x"}}},
		"the token":                  {from: "8.8.8.8:1", token: "operator", header: http.Header{"Authorization": {"Bearer operator"}}, want: true},
		"the token through a proxy":  {from: "10.0.0.1:1", token: "operator", header: http.Header{"Authorization": {"Bearer operator"}, "Via": {"x"}}, want: true},
		"another token":              {from: "127.0.0.1:1", token: "operator", header: http.Header{"Authorization": {"Bearer operators"}}},
		"no token, where one is set": {from: "127.0.0.1:1", token: "operator"},
		"a token where none is set":  {from: "8.8.8.8:1", header: http.Header{"Authorization": {"Bearer "}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *Options) {
				pages(o)
				o.Token = tc.token
				o.Ready = []Check{{"database", func(context.Context) error { return errors.New("at db.internal: no") }}}
			})
			for _, path := range []string{"/metrics", "/status"} {
				req := get("http://x" + path)
				req.Header = tc.header.Clone()
				if w := r.ask(req, tc.from); (w.Code == 200) != tc.want {
					t.Errorf("%s: got %d", path, w.Code)
				}
			}
			req := get("http://x/readyz")
			req.Header = tc.header.Clone()
			if w := r.ask(req, tc.from); w.Code != 503 || strings.Contains(w.Body.String(), "db.internal") != tc.want {
				t.Errorf("/readyz: got %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestReady(t *testing.T) {
	var broken error
	asked := 0
	r := newRig(t, func(o *Options) {
		o.Ready = []Check{
			{"database", func(context.Context) error {
				asked++
				return broken
			}},
			{"key", func(context.Context) error { return nil }},
		}
	})
	now := time.Unix(1000, 0)
	r.server.now = func() time.Time { return now }
	if w := r.ask(get("http://x/readyz"), inside); w.Code != 200 || w.Body.String() != "ready\nok    database\nok    key\n" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	broken = errors.New("write:\n disk is full")
	if w := r.ask(get("http://x/readyz"), inside); w.Code != 200 || asked != 1 {
		t.Errorf("within a second: got %d, asked %d times", w.Code, asked)
	}
	now = now.Add(time.Second)
	if w := r.ask(get("http://x/readyz"), inside); w.Code != 503 || w.Body.String() != "not ready\nwrong database: write: disk is full\nok    key\n" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	req := get("http://x/readyz")
	req.Header.Set("Accept", "application/json")
	w := r.ask(req, inside)
	want := map[string]any{"ready": false, "checks": []any{
		map[string]any{"name": "database", "ok": false, "reason": "write: disk is full"}, map[string]any{"name": "key", "ok": true},
	}}
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 503 || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got %d %v, %v", w.Code, w.Header(), err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if w := r.ask(req, outside); w.Body.String() != "{\"ready\":false}\n" {
		t.Errorf("outside: got %s", w.Body)
	}
}

// TestChecksThatMisbehave: one that hangs or panics is a reason, and the others are asked.
func TestChecksThatMisbehave(t *testing.T) {
	forever := make(chan struct{})
	defer close(forever)
	ctx, cancel := context.WithCancel(t.Context())
	got := check(ctx, []Check{
		{"panics", func(context.Context) error { panic("boom") }},
		{"fine", func(context.Context) error { return nil }},
		{"hangs", func(context.Context) error {
			cancel()
			<-forever
			return nil
		}},
	})
	// Those that answer may do so before or after the end of ctx.
	if got[2].OK || !strings.HasPrefix(got[2].Reason, "no answer in time") || got[0].OK {
		t.Errorf("got %+v", got)
	}
}

func TestStatusFails(t *testing.T) {
	for name, f := range map[string]func(context.Context) (any, error){
		"an error":         func(context.Context) (any, error) { return nil, errors.New("of db.internal") },
		"no value of JSON": func(context.Context) (any, error) { return func() {}, nil },
	} {
		r := newRig(t, func(o *Options) { o.Status = f })
		if w := r.ask(get("http://x/status"), inside); w.Code != 500 || strings.Contains(w.Body.String(), "db.internal") {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
		r.logged(`"error":`)
	}
}

// TestAbort: what gives an answer up is not answered.
func TestAbort(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Setup = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	})
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("got %v, want it passed on", p)
		}
	}()
	r.ask(get("http://x/setup/"), inside)
}

func TestClip(t *testing.T) {
	for in, want := range map[string]string{
		"short": "short", "bad \xff": "bad ?", strings.Repeat("a", 501): strings.Repeat("a", 500) + "...", strings.Repeat("a", 499) + "ä": strings.Repeat("a", 499) + "...",
	} {
		if got := clip(errors.New(in)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
