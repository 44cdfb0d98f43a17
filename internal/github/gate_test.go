package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const octo = `{"id":1,"login":"octo","type":"User"}`

func ask(t *testing.T, c *Client) error {
	t.Helper()
	_, _, err := c.UserByLogin(t.Context(), "octo")
	return err
}

func TestLimits(t *testing.T) {
	secondary := `{"message":"You have exceeded a secondary rate limit."}`
	reset := func(r *rig, d time.Duration) []string {
		return []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Resource", "core", "X-RateLimit-Reset", fmt.Sprint(r.now().Add(d).Unix())}
	}
	for _, c := range []struct {
		name  string
		first func(r *rig) http.HandlerFunc
		waits []time.Duration // of the question that met the limit
		after time.Duration   // it is too long to wait for
	}{
		{"short secondary limit", func(*rig) http.HandlerFunc { return says(403, secondary, "Retry-After", "20") }, []time.Duration{20 * time.Second}, 0},
		{"secondary limit of a minute", func(*rig) http.HandlerFunc { return says(403, secondary) }, []time.Duration{time.Minute}, 0},
		{"too quickly", func(*rig) http.HandlerFunc { return says(403, `{"message":"was submitted too quickly"}`) }, []time.Duration{time.Minute}, 0},
		{"long secondary limit", func(*rig) http.HandlerFunc { return says(429, secondary, "Retry-After", "600") }, nil, 10 * time.Minute},
		{"short primary limit", func(r *rig) http.HandlerFunc {
			return says(403, `{"message":"API rate limit exceeded"}`, reset(r, 30*time.Second)...)
		}, []time.Duration{31 * time.Second}, 0},
		{"long primary limit", func(r *rig) http.HandlerFunc {
			return says(403, `{"message":"API rate limit exceeded"}`, reset(r, 30*time.Minute)...)
		}, nil, 30*time.Minute + time.Second},
	} {
		for _, write := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, write %v", c.name, write), func(t *testing.T) {
				r := newRig(t)
				r.script("GET /users/octo", c.first(r), says(200, octo))
				r.script("POST /repos/acme/config/issues/3/comments", c.first(r), says(201, `{"id":1}`))
				client := r.client()
				do := func() error { return ask(t, client) }
				if write {
					do = func() error { _, err := client.Comment(t.Context(), config, 3, "x"); return err }
				}
				err := do()
				if diff := cmp.Diff(c.waits, r.slept()); diff != "" {
					t.Errorf("waits (-want +got):\n%s", diff)
				}
				if c.after == 0 {
					if err != nil || len(r.lines()) != 2 {
						t.Errorf("got %v after %d requests", err, len(r.lines()))
					}
					return
				}
				isOnly(t, err, promotion.ErrRateLimited)
				var d promotion.Delay
				if !errors.As(err, &d) || d.RetryAfter() != c.after {
					t.Errorf("RetryAfter %v, want %v", d.RetryAfter(), c.after)
				}
				r.pass(c.after / 2)
				err = do() // nobody is asked meanwhile
				isOnly(t, err, promotion.ErrRateLimited)
				if !errors.As(err, &d) || d.RetryAfter() != c.after/2 || len(r.lines()) != 1 {
					t.Errorf("RetryAfter %v, want %v, after %d requests", d.RetryAfter(), c.after/2, len(r.lines()))
				}
				r.pass(c.after / 2)
				if err := do(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// The last request of the hour closes the door before GitHub has to.
func TestUsedUp(t *testing.T) {
	r := newRig(t)
	h := says(200, octo, "X-RateLimit-Remaining", "0", "X-RateLimit-Resource", "core", "X-RateLimit-Reset", fmt.Sprint(r.now().Add(time.Hour).Unix()))
	r.handle("GET /users/octo", h)
	r.on("POST /graphql", 200, `{"data":{"x":{"id":"1"}}}`)
	client := r.client()
	if err := ask(t, client); err != nil {
		t.Fatal(err)
	}
	isOnly(t, ask(t, client), promotion.ErrRateLimited)
	if err := client.MarkReady(t.Context(), "PR_x"); err != nil {
		t.Errorf("GraphQL has a limit of its own: %v", err)
	}
	if n := len(r.lines()); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

// Limits that do not say how long they last are taken to double.
func TestStrikes(t *testing.T) {
	r := newRig(t)
	r.on("GET /users/octo", 403, `{"message":"You have exceeded a secondary rate limit."}`)
	o := r.options()
	o.MaxWait = -1
	client := r.with(o)
	var got []time.Duration
	for range 8 {
		var e *Error
		if !errors.As(ask(t, client), &e) {
			t.Fatal("got no *Error")
		}
		got = append(got, e.After)
		r.pass(e.After)
	}
	m := time.Minute
	if diff := cmp.Diff([]time.Duration{m, 2 * m, 4 * m, 8 * m, 16 * m, 32 * m, 32 * m, 32 * m}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.on("GET /users/octo", 200, octo)
	if err := ask(t, client); err != nil {
		t.Fatal(err)
	}
	r.on("GET /users/octo", 403, `{"message":"You have exceeded a secondary rate limit."}`)
	var e *Error
	if !errors.As(ask(t, client), &e) || e.After != m {
		t.Errorf("after a good answer: %v, want %v", e.After, m)
	}
}

// A server that always asks for a short wait is not asked for ever.
func TestLimitsEnd(t *testing.T) {
	r := newRig(t)
	r.handle("GET /users/octo", says(429, `{}`, "Retry-After", "1"))
	isOnly(t, ask(t, r.client()), promotion.ErrRateLimited)
	if n := len(r.lines()); n != maxLimits {
		t.Errorf("%d requests, want %d", n, maxLimits)
	}
}

func TestSpacing(t *testing.T) {
	for _, c := range []struct {
		name    string
		spacing time.Duration
		want    []time.Duration
	}{
		{"as GitHub asks", 0, []time.Duration{time.Second, time.Second}},
		{"wider", 5 * time.Second, []time.Duration{5 * time.Second, 5 * time.Second}},
		{"off", -1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.on("POST /repos/acme/config/issues/3/comments", 201, `{"id":1}`)
			r.on("GET /users/octo", 200, octo)
			o := r.options()
			o.Spacing, o.MaxWait = c.spacing, -1 // our own pace is kept, however short the patience
			client := r.with(o)
			for range 3 {
				if _, err := client.Comment(t.Context(), config, 3, "x"); err != nil {
					t.Fatal(err)
				}
				if err := ask(t, client); err != nil { // reads are not spaced
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(c.want, r.slept()); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
		})
	}
}

// No minute sees more than 900 points, 1 for a read and 5 for a write.
func TestPoints(t *testing.T) {
	r := newRig(t)
	r.on("GET /users/octo", 200, octo)
	o := r.options()
	o.Spacing, o.MaxWait = 0, -1
	client := r.with(o)
	var times []time.Time
	for range 2000 {
		if err := ask(t, client); err != nil {
			t.Fatal(err)
		}
		times = append(times, r.now())
	}
	for i := 901; i < len(times); i++ {
		if d := times[i].Sub(times[i-901]); d < time.Minute {
			t.Fatalf("901 reads within %v", d)
		}
	}
	if whole := times[len(times)-1].Sub(times[0]); whole > 3*time.Minute {
		t.Errorf("2,000 reads took %v", whole)
	}
}

func TestConcurrency(t *testing.T) {
	r := newRig(t)
	var mu sync.Mutex
	inside, most, writing := 0, 0, 0
	full := make(chan struct{})
	r.handle("GET /users/octo", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		if inside++; inside == concurrency {
			close(full)
		}
		most = max(most, inside)
		mu.Unlock()
		<-full
		mu.Lock()
		inside--
		mu.Unlock()
		_, _ = io.WriteString(w, octo)
	})
	r.handle("POST /repos/acme/config/issues/3/comments", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		if writing++; writing > 1 {
			t.Errorf("%d writes at once", writing)
		}
		mu.Unlock()
		defer func() { mu.Lock(); writing--; mu.Unlock() }()
		_, _ = io.WriteString(w, `{"id":1}`)
	})
	client := r.client()
	var all sync.WaitGroup
	for range concurrency {
		all.Go(func() {
			if err := ask(t, client); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for range 20 {
		all.Go(func() {
			if _, err := client.Comment(t.Context(), config, 3, "x"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most != concurrency {
		t.Errorf("%d reads at once, want %d", most, concurrency)
	}
}

// Who waits for a turn leaves when its context ends, and takes no place with it.
func TestWaitingEnds(t *testing.T) {
	r := newRig(t)
	inside, leave := make(chan struct{}), make(chan struct{})
	r.handle("POST /repos/acme/config/issues/3/comments", func(w http.ResponseWriter, _ *http.Request) {
		inside <- struct{}{}
		<-leave
		_, _ = io.WriteString(w, `{"id":1}`)
	})
	client := r.client()
	done := make(chan error)
	go func() { _, err := client.Comment(t.Context(), config, 3, "x"); done <- err }()
	<-inside
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client.Comment(ctx, config, 3, "y")
	isOnly(t, err, promotion.ErrTransient)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := len(client.gate.places) + len(client.gate.writer); n != 0 {
		t.Errorf("%d places are still taken", n)
	}
	if n := len(r.lines()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// A wait that the context cuts short is told as that, and the places are free again.
func TestSleepEnds(t *testing.T) {
	r := newRig(t)
	r.handle("GET /users/octo", says(429, `{}`, "Retry-After", "5"))
	o := r.options()
	ctx, cancel := context.WithCancel(t.Context())
	o.Sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
	client := r.with(o)
	_, _, err := client.UserByLogin(ctx, "octo")
	isOnly(t, err, promotion.ErrTransient)
	if n := len(client.gate.places); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %d places taken", err, n)
	}
}

func TestSleep(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	if err := sleep(ctx, time.Nanosecond); err != nil {
		t.Error(err)
	}
	cancel()
	if err := sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestHostileNames(t *testing.T) {
	r := newRig(t)
	c := r.client()
	ctx := t.Context()
	evil := []string{
		"", ".", "..", "../", "a/../b", "%2e%2e", "a%2Fb", "a%5cb", "a%0d%0aX: 1", "a?b=c", "a#b", `a\b`, "a\nb", "a\x00b", "a\x7fb",
		"\xff\xfe", strings.Repeat("x", 5000),
	}
	for _, s := range evil {
		repo := promotion.Repository{Owner: "acme", Name: "config"}
		calls := map[string]func() error{
			"owner":     func() error { _, _, err := c.Repository(ctx, s, "config"); return err },
			"name":      func() error { _, _, err := c.Repository(ctx, "acme", s); return err },
			"repo":      func() error { _, err := c.Comments(ctx, promotion.Repository{Owner: "acme", Name: s}, 1); return err },
			"branch":    func() error { _, _, err := c.Branch(ctx, repo, s); return err },
			"rules":     func() error { _, err := c.BranchRules(ctx, repo, s); return err },
			"file":      func() error { _, _, err := c.File(ctx, repo, s, ""); return err },
			"label":     func() error { return c.RemoveLabel(ctx, repo, 1, s) },
			"labels":    func() error { return c.AddLabels(ctx, repo, 1, s) },
			"ensure":    func() error { return c.EnsureLabel(ctx, repo, s, "ffffff", "") },
			"search":    func() error { _, err := c.IssuesWithLabel(ctx, repo, s); return err },
			"issue":     func() error { _, err := c.OpenIssue(ctx, repo, "t", "b", []string{s}); return err },
			"login":     func() error { _, _, err := c.UserByLogin(ctx, s); return err },
			"org":       func() error { _, _, err := c.IsMember(ctx, s, "team", promotion.Identity{ID: 1}); return err },
			"team":      func() error { _, _, err := c.IsMember(ctx, "acme", s, promotion.Identity{ID: 1}); return err },
			"sha":       func() error { _, err := c.CheckRuns(ctx, repo, s, ""); return err },
			"create":    func() error { return c.CreateRef(ctx, repo, s, shaA) },
			"create at": func() error { return c.CreateRef(ctx, repo, "main", s) },
			"update":    func() error { return c.UpdateRef(ctx, repo, s, shaA, false) },
			"delete":    func() error { return c.DeleteRef(ctx, repo, s) },
			"head": func() error {
				_, err := c.OpenPullRequest(ctx, repo, promotion.Draft{Head: s, Base: "main"})
				return err
			},
			"base":    func() error { _, err := c.OpenPullRequest(ctx, repo, promotion.Draft{Head: "x", Base: s}); return err },
			"amend":   func() error { _, err := c.AmendPullRequest(ctx, repo, 1, promotion.Amendment{Base: &s}); return err },
			"merge":   func() error { _, err := c.Merge(ctx, repo, promotion.MergeRequest{Number: 1, SHA: s}); return err },
			"node":    func() error { return c.MarkReady(ctx, s+"\n") },
			"enqueue": func() error { return c.Enqueue(ctx, "PR_x", s) },
		}
		if s != "" {
			calls["ref"] = func() error { _, _, err := c.File(ctx, repo, "a.yaml", s); return err }
			calls["query"] = func() error { _, err := c.PullRequests(ctx, repo, promotion.Query{Head: s}); return err }
			calls["deployments"] = func() error { _, err := c.Deployments(ctx, repo, "", s); return err }
		}
		for name, do := range calls {
			t.Run(fmt.Sprintf("%s %.20q", name, s), func(t *testing.T) { isOnly(t, do(), promotion.ErrInvalid) })
		}
	}
	for name, do := range map[string]func() error{
		"git branch":    func() error { _, _, err := c.Branch(ctx, config, "a..b"); return err },
		"lock branch":   func() error { _, _, err := c.Branch(ctx, config, "a.lock/b"); return err },
		"option":        func() error { _, _, err := c.Branch(ctx, config, "-x"); return err },
		"absolute file": func() error { _, _, err := c.File(ctx, config, "/etc/passwd", ""); return err },
		"git file":      func() error { _, _, err := c.File(ctx, config, "a/.GIT/config", ""); return err },
		"long label":    func() error { return c.RemoveLabel(ctx, config, 1, strings.Repeat("x", 51)) },
		"two labels":    func() error { _, err := c.IssuesWithLabel(ctx, config, "a,b"); return err },
		"number":        func() error { _, _, err := c.PullRequest(ctx, config, 0); return err },
		"id":            func() error { _, _, err := c.RepositoryByID(ctx, -1); return err },
		"state":         func() error { _, err := c.PullRequests(ctx, config, promotion.Query{State: "new"}); return err },
		"merged": func() error {
			s := promotion.Merged
			_, err := c.AmendPullRequest(ctx, config, 1, promotion.Amendment{State: &s})
			return err
		},
		"method": func() error {
			_, err := c.Merge(ctx, config, promotion.MergeRequest{Number: 1, SHA: shaA, Method: "ff"})
			return err
		},
		"nobody": func() error { _, err := c.Permission(ctx, config, promotion.Identity{Login: "octo"}); return err },
		"no member": func() error {
			_, _, err := c.IsMember(ctx, "acme", "team", promotion.Identity{Login: "octo"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) { isOnly(t, do(), promotion.ErrInvalid) })
	}
	if n := r.lines(); len(n) != 0 {
		t.Errorf("requests were sent: %q", n)
	}
}

func TestEscaping(t *testing.T) {
	r := newRig(t)
	c := r.client()
	ctx := t.Context()
	r.on("GET /repos/acme/config/git/ref/heads/feature/a+b%25c", 200, `{"ref":"refs/heads/feature/a+b%c","object":{"sha":"`+shaA+`"}}`)
	if sha, ok, err := c.Branch(ctx, config, "feature/a+b%c"); sha != shaA || !ok || err != nil {
		t.Errorf("branch: %q, %v, %v", sha, ok, err)
	}
	r.on("GET /repos/acme/config/rules/branches/release%2F1.x?per_page=100", 200, `[]`)
	r.on("GET /repos/acme/config/branches/release%2F1.x", 404, `{"message":"Branch not found"}`)
	if _, err := c.BranchRules(ctx, config, "release/1.x"); err != nil {
		t.Error(err)
	}
	r.on("DELETE /repos/acme/config/issues/1/labels/env%2Fprod%20%F0%9F%9A%A2", 200, `[]`)
	if err := c.RemoveLabel(ctx, config, 1, "env/prod 🚢"); err != nil {
		t.Error(err)
	}
	r.on("GET /users/pinnace%5Bbot%5D", 200, `{"id":9,"login":"pinnace[bot]","type":"Bot"}`)
	who, ok, err := c.UserByLogin(ctx, "pinnace[bot]")
	if diff := cmp.Diff(promotion.Identity{ID: 9, Login: "pinnace[bot]", Bot: true}, who); diff != "" || !ok || err != nil {
		t.Errorf("user: %v, %v\n%s", ok, err, diff)
	}
	r.on("GET /repos/acme/config/contents/a%20b/%5Bc%5D.yaml?ref=release%2F1.x", 200, `{"type":"file","encoding":"base64","size":2,"content":"aGk=\n"}`)
	if got, ok, err := c.File(ctx, config, "a b/[c].yaml", "release/1.x"); string(got) != "hi" || !ok || err != nil {
		t.Errorf("file: %q, %v, %v", got, ok, err)
	}
}
