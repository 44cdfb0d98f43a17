package setup

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A server of a test, behind an address of its own.
type server struct {
	*rig
	link string
	told []Result
	now  time.Time
}

func newServer(t *testing.T, below string) *server {
	t.Helper()
	s := &server{rig: newRig(t), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	var h http.Handler
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.StripPrefix(below, h).ServeHTTP(w, r) }))
	t.Cleanup(hs.Close)
	o := ServerOptions{Options: s.options(), Root: hs.URL + below, Now: func() time.Time { return s.now }, Done: func(r Result) { s.told = append(s.told, r) }}
	var err error
	if h, s.link, err = Handler(o); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestHandler: the browser that opens the link registers the App, also behind a proxy that
// puts a path before the server's own.
func TestHandler(t *testing.T) {
	for _, below := range []string{"", "/pinnace"} {
		t.Run("below "+below, func(t *testing.T) {
			s := newServer(t, below)
			b := newBrowser(t, true)
			status, page := b.get(s.link)
			if status != http.StatusOK {
				t.Fatalf("got %d %s", status, page)
			}
			status, last := b.get(b.agree(page))
			if status != http.StatusOK || !strings.Contains(last, "The App is registered") || leaks(last) {
				t.Fatalf("got %d %s", status, last)
			}
			if len(s.told) != 1 || s.told[0].App.ID != s.RegisteredApp("pinnace-of-acme").ID() {
				t.Errorf("got %+v", s.told)
			}
			if status, again := b.get(s.link); status != http.StatusOK || !strings.Contains(again, "is registered") || len(s.told) != 1 {
				t.Errorf("again: got %d %s", status, again)
			}
		})
	}
}

// TestLinkServesOnce: no second browser, nobody without the link, and nobody late.
func TestLinkServesOnce(t *testing.T) {
	s := newServer(t, "")
	root := strings.TrimSuffix(s.link, s.link[strings.LastIndex(s.link, "/"):])
	stranger := newBrowser(t, true)
	for _, path := range []string{"/app", "/done", "/done?state=x&code=y", "/" + random(), "/"} {
		want := http.StatusForbidden
		if path == "/" || len(path) > 30 {
			want = http.StatusNotFound
		}
		if status, text := stranger.get(root + path); status != want {
			t.Errorf("%s: got %d %s, want %d", path, status, text, want)
		}
	}
	first := newBrowser(t, true)
	_, page := first.get(s.link)
	if status, text := stranger.get(s.link); status != http.StatusGone || !strings.Contains(text, "If that was not you") {
		t.Errorf("a second browser: got %d %s", status, text)
	}
	if status, _ := first.get(s.link); status != http.StatusOK {
		t.Errorf("the same browser: got %d", status)
	}
	back := first.agree(page)
	if status, _ := stranger.get(back); status != http.StatusForbidden {
		t.Errorf("a stranger with the code: got %d", status)
	}
	s.now = s.now.Add(time.Hour)
	if status, _ := first.get(back); status != http.StatusForbidden {
		t.Errorf("late: got %d", status)
	}
	if status, _ := first.get(s.link); status != http.StatusGone {
		t.Errorf("late: got %d", status)
	}
	if s.told != nil {
		t.Errorf("got %+v", s.told)
	}
}

// TestCookie: the session is for the server's own pages, and no script reads it.
func TestCookie(t *testing.T) {
	s := newServer(t, "/pinnace")
	resp, err := newBrowser(t, false).Get(s.link)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	cookies := resp.Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/pinnace/setup/" || cookies[0].MaxAge != 3600 {
		t.Errorf("got %v", cookies)
	}
	if resp.Header.Get("Location") != "/pinnace/setup/app" || resp.Header.Get("Referrer-Policy") != "origin" {
		t.Errorf("got %v", resp.Header)
	}
}

// TestRoot: the code goes through the browser, so the address must keep it.
func TestRoot(t *testing.T) {
	r := newRig(t)
	for root, want := range map[string]string{
		"https://pinnace.example.com": "", "https://example.com/pinnace/": "", "http://127.0.0.1:8080": "", "http://localhost": "",
		"http://pinnace.example.com": "must begin with https", "ftp://localhost": "must begin with https",
		"": "want one such as", "pinnace": "want one such as", "https://user@host": "want one such as", "https://host?a=b": "want one such as",
	} {
		_, link, err := Handler(ServerOptions{Options: r.options(), Root: root})
		switch {
		case want == "" && (err != nil || !strings.HasPrefix(link, strings.TrimSuffix(root, "/")+"/setup/")):
			t.Errorf("%s: got %q, %v", root, link, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: got %v, want %q", root, err, want)
		}
	}
}

// TestRootAsWebhook: a server below a path takes its deliveries there.
func TestRootAsWebhook(t *testing.T) {
	r := newRig(t)
	o := r.options()
	o.App.Webhook = "https://acme.dev/pinnace/"
	h, link, err := Handler(ServerOptions{Options: o, Root: "https://acme.dev/pinnace"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", strings.TrimPrefix(link, "https://acme.dev/pinnace"), nil))
	cookies := w.Result().Cookies()
	if len(cookies) != 1 || !cookies[0].Secure {
		t.Fatalf("got %v", cookies)
	}
	req := httptest.NewRequest("GET", Prefix+"app", nil)
	req.AddCookie(cookies[0])
	w = httptest.NewRecorder()
	h.ServeHTTP(w, req)
	if !strings.Contains(w.Body.String(), "<dd>https://acme.dev/pinnace/webhooks/github</dd>") {
		t.Errorf("got %s", w.Body)
	}
}
