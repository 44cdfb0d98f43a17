package setup

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

const webhook = "https://pinnace.example.com/webhooks/github"

// A rig is a GitHub, and a person's browser.
type rig struct {
	*sandbox.Sandbox
	t   *testing.T
	web *url.URL
}

func newRig(t *testing.T) *rig {
	t.Helper()
	s := sandbox.New(sandbox.Options{T: t})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.Org("acme", "ada")
	web, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	return &rig{s, t, web}
}

// options register an App into a directory of the test.
func (r *rig) options() Options {
	return Options{
		App: App{Name: "Pinnace of acme", Org: "acme", Webhook: webhook}, API: r.URL() + "/api/v3", Web: r.web,
		Keep: Files{Dir: filepath.Join(r.t.TempDir(), "app")}, Where: "to a directory of the test", UserAgent: "pinnace/test",
	}
}

// loopback runs the page until the test ends.
func (r *rig) loopback(o Options) (*Loopback, <-chan Result) {
	r.t.Helper()
	p, err := Listen(o)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done, ended := make(chan Result, 1), make(chan struct{})
	go func() {
		defer close(ended)
		if result, err := p.Run(ctx); err == nil {
			done <- result
		}
	}()
	r.t.Cleanup(func() { cancel(); <-ended })
	return p, done
}

// A browser keeps cookies, and follows redirects only where follow says so.
type browser struct {
	http.Client
	t *testing.T
}

func newBrowser(t *testing.T, follow bool) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{http.Client{Jar: jar}, t}
	if !follow {
		b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return b
}

func (b *browser) get(address string) (int, string) {
	b.t.Helper()
	return b.read(b.Get(address))
}

func (b *browser) read(resp *http.Response, err error) (int, string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]+)">`)
	formValue  = regexp.MustCompile(`name="manifest" value="([^"]*)"`)
)

// form returns where a page's form goes, and the manifest in it.
func (b *browser) form(page string) (action, manifest string) {
	b.t.Helper()
	a, m := formAction.FindStringSubmatch(page), formValue.FindStringSubmatch(page)
	if a == nil || m == nil {
		b.t.Fatalf("no form:\n%s", page)
	}
	return html.UnescapeString(a[1]), html.UnescapeString(m[1])
}

// agree posts the form of a page to GitHub and returns where that sends the browser back.
func (b *browser) agree(page string) string {
	b.t.Helper()
	action, manifest := b.form(page)
	was := b.CheckRedirect
	defer func() { b.CheckRedirect = was }()
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := b.PostForm(action, url.Values{"manifest": {manifest}})
	if err != nil {
		b.t.Fatal(err)
	}
	_ = resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		b.t.Fatalf("%s: %v", resp.Status, err)
	}
	return to.String()
}

// A shelf keeps credentials in memory, or fails.
type shelf struct {
	err  error
	kept []github.Registration
}

func (s *shelf) Ready() error { return nil }

func (s *shelf) Keep(r github.Registration) ([]string, error) {
	if s.err != nil {
		return nil, s.err
	}
	s.kept = append(s.kept, r)
	return []string{"memory"}, nil
}

// leaks says whether a text holds a credential.
func leaks(text string) bool { return strings.Contains(text, "PRIVATE KEY") }
