package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/openapi"
)

// described is GitHub's own description of its API, where PINNACE_OPENAPI names it.
var described = sync.OnceValues(func() (*openapi.Description, error) {
	if openapi.File() == "" {
		return nil, nil
	}
	return openapi.Load(openapi.File())
})

// A rig is a sandbox with a repository acme/config, an App that is installed there, and
// people: alice (admin), bob (write), carol (read). Every exchange is held against GitHub's
// description where that is there.
type rig struct {
	*Sandbox
	t     *testing.T
	repo  *Repository
	app   *App
	inst  int64
	clock *clock
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// mute collects what a sandbox says against a test that means to break a rule.
type mute struct{}

func (mute) Helper()               {}
func (mute) Errorf(string, ...any) {}

var allPermissions = map[string]string{
	"contents": "write", "pull_requests": "write", "issues": "write", "checks": "write", "statuses": "write", "deployments": "write",
	"members": "read", "administration": "read",
}

var allEvents = []string{
	"push", "pull_request", "pull_request_review", "issues", "issue_comment", "check_run", "status", "deployment", "deployment_status", "merge_group", "repository", "membership", "repository_dispatch",
}

func newRig(t *testing.T, change ...func(*Options)) *rig {
	t.Helper()
	c := &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	o := Options{Now: c.now, T: t}
	description, err := described()
	if err != nil {
		t.Fatal(err)
	}
	if description != nil {
		o.Observe = func(x Exchange) {
			if err := description.Exchange(x.Request, x.Body, x.Status, x.Header, x.Response); err != nil {
				t.Errorf("against GitHub's description: %v\n%s", err, x.Response)
			}
		}
	}
	for _, f := range change {
		f(&o)
	}
	s := New(o)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.Org("acme", "alice")
	r := &rig{Sandbox: s, t: t, clock: c}
	r.repo = s.Repository("acme", "config", RepositoryOptions{Files: map[string]string{
		"README.md": "config\n", "envs/dev/app.yaml": "image: shop:1\n", "envs/prod/app.yaml": "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7\n",
	}})
	r.repo.Permission("bob", "write")
	r.repo.Permission("carol", "read")
	r.app = s.App(AppOptions{Name: "Pinnace", Permissions: allPermissions, Events: allEvents, Secret: "It's a Secret to Everybody"})
	r.inst = r.app.Install("acme")
	return r
}

// client speaks with a token.
func (r *rig) client(token string) *github.Client {
	c, err := github.NewClient(nil).WithAuthToken(token).WithEnterpriseURLs(r.URL(), r.URL())
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

func (r *rig) bot() *github.Client { return r.client(r.app.InstallationToken("acme")) }

func (r *rig) user(login string) *github.Client { return r.client(r.Token(login)) }

// ask sends a request to a path of the REST API, or below /api/, and returns the status, the header and the body.
func (r *rig) ask(token, method, path string, body any, header ...string) (int, http.Header, string) {
	r.t.Helper()
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			r.t.Fatal(err)
		}
		in = bytes.NewReader(text)
	}
	if !strings.HasPrefix(path, "/api/") {
		path = "/api/v3" + path
	}
	req, err := http.NewRequest(method, r.URL()+path, in)
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil, err.Error()
	}
	return resp.StatusCode, resp.Header, string(out)
}

// refused fails the test unless the error is of that status and holds that text.
func refused(t *testing.T, err error, status int, text string) {
	t.Helper()
	resp, ok := err.(*github.ErrorResponse)
	if !ok {
		t.Fatalf("got %v, want a refusal %d %q", err, status, text)
	}
	if resp.Response.StatusCode != status || !strings.Contains(err.Error(), text) {
		t.Fatalf("got %v, want %d %q", err, status, text)
	}
}

// branch makes a branch with one change of prod by the App, and returns its tip.
func (r *rig) branch(name, line string) string {
	return r.repo.Commit(name, "pinnace[bot]", "pin shop", map[string]string{"envs/prod/app.yaml": strings.Replace("a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7\n", line, line+"0", 1)})
}

// pull opens a pull request of the App from a new branch.
func (r *rig) pull(name, line string) *github.PullRequest {
	r.t.Helper()
	r.branch(name, line)
	p, _, err := r.bot().PullRequests.Create(r.t.Context(), "acme", "config", &github.NewPullRequest{
		Title: github.String("Pin " + name), Head: &name, Base: github.String("main"), Body: github.String("body"),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func must[T any](t *testing.T) func(v T, resp *github.Response, err error) T {
	return func(v T, _ *github.Response, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
