package setup

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// TestLoopback: a person opens the page, agrees on GitHub, and comes back.
func TestLoopback(t *testing.T) {
	r := newRig(t)
	o := r.options()
	p, done := r.loopback(o)
	b := newBrowser(t, true)
	status, page := b.get(p.URL())
	if status != http.StatusOK {
		t.Fatalf("got %d %s", status, page)
	}
	for _, x := range Permissions() {
		if strings.Contains(page, x.Reason) == x.Extra {
			t.Errorf("permission %s: its reason is on the page: %v", x.Name, !x.Extra)
		}
	}
	_, manifest := b.form(page)
	var m struct {
		Name        string
		Public      bool
		Permissions map[string]string `json:"default_permissions"`
		Events      []string          `json:"default_events"`
		Hook        struct {
			URL    string
			Active bool
		} `json:"hook_attributes"`
		Redirect string `json:"redirect_url"`
	}
	if err := json.Unmarshal([]byte(manifest), &m); err != nil {
		t.Fatal(err)
	}
	if m.Name != "Pinnace of acme" || m.Public || m.Hook.URL != webhook || !m.Hook.Active || m.Redirect != p.URL()+"done" ||
		m.Permissions["checks"] != "write" || m.Permissions["administration"] != "" || !slices.Contains(m.Events, "merge_group") || slices.Contains(m.Events, "installation") {
		t.Errorf("got %+v", m)
	}
	status, last := b.get(b.agree(page))
	if status != http.StatusOK || !strings.Contains(last, "The App is registered") || leaks(last) {
		t.Fatalf("got %d %s", status, last)
	}
	got := <-done
	app := r.RegisteredApp("pinnace-of-acme")
	if got.App.ID != app.ID() || got.App.WebhookSecret.Reveal() != app.Secret() || len(got.Places) != 3 {
		t.Errorf("got %+v", got)
	}
	if want := r.URL() + "/apps/pinnace-of-acme/installations/new"; got.Install(r.web) != want || !strings.Contains(last, want) {
		t.Errorf("got %s, want %s", got.Install(r.web), want)
	}
	dir := o.Keep.(Files).Dir
	for name, want := range map[string]string{
		KeyFile: string(app.PrivateKey()), SecretFile: app.Secret() + "\n",
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(text) != want {
			t.Errorf("%s: got %q, %v", name, text, err)
		}
	}
	if _, err := http.Get(p.URL()); err == nil {
		t.Error("the page is still there")
	}
}

// TestStrangers: whoever does not know the path, comes by another name, or brings another
// state gets nothing.
func TestStrangers(t *testing.T) {
	r := newRig(t)
	o := r.options()
	keep := &shelf{}
	o.Keep = keep
	p, _ := r.loopback(o)
	ask := func(method, address string, change func(*http.Request)) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(context.Background(), method, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(req)
		}
		b := newBrowser(t, false)
		return b.read(b.Do(req))
	}
	root := "http://" + p.host
	code := "?code=" + strings.Repeat("a", 40)
	for _, row := range []struct {
		name, method, address string
		change                func(*http.Request)
		want                  int
	}{
		{"the root", "GET", root + "/", nil, 404},
		{"a guessed path", "GET", root + "/" + random() + "/", nil, 404},
		{"a part of the path", "GET", strings.TrimSuffix(p.URL(), "/"), nil, 404},
		{"a path below", "GET", p.URL() + "x", nil, 404},
		{"another method", "POST", p.URL(), nil, 405},
		{"another host", "GET", p.URL(), func(q *http.Request) { q.Host = "attacker.example" }, 421},
		{"localhost", "GET", p.URL(), func(q *http.Request) { q.Host = strings.Replace(p.host, "127.0.0.1", "localhost", 1) }, 421},
		{"no host's port", "GET", p.URL(), func(q *http.Request) { q.Host = "127.0.0.1" }, 421},
		{"no state", "GET", p.URL() + "done" + code, nil, 403},
		{"another state", "GET", p.URL() + "done" + code + "&state=" + random(), nil, 403},
		{"the state of the head of a request", "HEAD", p.URL() + "done" + code + "&state=" + p.flow.state, nil, 404},
		{"no code", "GET", p.URL() + "done?state=" + p.flow.state, nil, 502},
		{"a code of nobody", "GET", p.URL() + "done" + code + "&state=" + p.flow.state, nil, 502},
		{"a code that leads elsewhere", "GET", p.URL() + "done?code=..%2F..%2Fuser&state=" + p.flow.state, nil, 502},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, text := ask(row.method, row.address, row.change)
			if status != row.want || strings.Contains(text, p.flow.state) && row.want != 502 || leaks(text) {
				t.Errorf("got %d %s, want %d", status, text, row.want)
			}
		})
	}
	if keep.kept != nil {
		t.Errorf("kept %v", keep.kept)
	}
}

// TestHeaders: no script, no frame, no cache, and no path in the referrer.
func TestHeaders(t *testing.T) {
	r := newRig(t)
	p, _ := r.loopback(r.options())
	resp, err := http.Get(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	policy := resp.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self' https: " + r.URL()} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(string(text), "<script") || strings.Contains(policy, "unsafe") {
		t.Error("the page may run scripts")
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "origin", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestStoredLater: credentials that could not be stored wait in memory for the next try, and
// the code is exchanged once.
func TestStoredLater(t *testing.T) {
	r := newRig(t)
	o := r.options()
	keep := &shelf{err: errors.New("no space left on device")}
	o.Keep = keep
	p, done := r.loopback(o)
	b := newBrowser(t, true)
	_, page := b.get(p.URL())
	back := b.agree(page)
	status, text := b.get(back)
	if status != http.StatusInternalServerError || !strings.Contains(text, "no space left") || !strings.Contains(text, "load this page again") || leaks(text) {
		t.Fatalf("got %d %s", status, text)
	}
	keep.err = nil
	if status, text := b.get(back); status != http.StatusOK {
		t.Fatalf("got %d %s", status, text)
	}
	if got := <-done; got.App.ID == 0 || len(keep.kept) != 1 {
		t.Errorf("got %+v, kept %d", got, len(keep.kept))
	}
}

// TestAnswerLater: an exchange that GitHub did not answer is tried again with the same code.
func TestAnswerLater(t *testing.T) {
	r := newRig(t)
	p, done := r.loopback(r.options())
	b := newBrowser(t, true)
	_, page := b.get(p.URL())
	back := b.agree(page)
	broken := true
	r.Inject(func(c sandbox.Call) sandbox.Fault {
		if broken && strings.HasSuffix(c.Route, "/conversions") {
			broken = false
			return sandbox.Fault{Before: sandbox.Status(503)}
		}
		return sandbox.Fault{}
	})
	if status, text := b.get(back); status != http.StatusBadGateway || !strings.Contains(text, "load this page again") {
		t.Fatalf("got %d %s", status, text)
	}
	if status, text := b.get(back); status != http.StatusOK {
		t.Fatalf("got %d %s", status, text)
	}
	<-done
}

// TestNoWebhook: an App without one gets no secret.
func TestNoWebhook(t *testing.T) {
	r := newRig(t)
	o := r.options()
	o.App.Webhook = ""
	p, done := r.loopback(o)
	b := newBrowser(t, true)
	_, page := b.get(p.URL())
	if _, manifest := b.form(page); strings.Contains(manifest, "hook_attributes") || !strings.Contains(manifest, `"default_events":[]`) || strings.Contains(page, "What it hears of") {
		t.Errorf("got %s", manifest)
	}
	b.get(b.agree(page))
	if got := <-done; got.App.WebhookSecret != "" || len(got.Places) != 2 {
		t.Errorf("got %+v", got)
	}
}

// TestInterrupted: without an App nothing is stored.
func TestInterrupted(t *testing.T) {
	r := newRig(t)
	o := r.options()
	p, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(o.Keep.(Files).Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
