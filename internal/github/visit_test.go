package github

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Each kind of write asks the fence right before it is sent, and reads do not.
func TestFence(t *testing.T) {
	for _, c := range []struct {
		name  string
		do    func(context.Context, *Client) error
		route string // "" where it is a read
	}{
		{"read", func(ctx context.Context, c *Client) error { _, _, err := c.UserByLogin(ctx, "octo"); return err }, ""},
		{"comment", func(ctx context.Context, c *Client) error { _, err := c.Comment(ctx, config, 3, "x"); return err }, "POST /repos/acme/config/issues/3/comments"},
		{"merge", func(ctx context.Context, c *Client) error {
			_, err := c.Merge(ctx, config, promotion.MergeRequest{Number: 3, SHA: shaA, Method: "squash", Title: "x"})
			return err
		}, "PUT /repos/acme/config/pulls/3/merge"},
		{"labels", func(ctx context.Context, c *Client) error { return c.SetLabels(ctx, config, 3, "a") }, "PUT /repos/acme/config/issues/3/labels"},
		{"deletion of a branch", func(ctx context.Context, c *Client) error { return c.DeleteRef(ctx, config, "b") }, "DELETE /repos/acme/config/git/refs/heads/b"},
		{"mutation", func(ctx context.Context, c *Client) error { return c.Enqueue(ctx, "PR_x", shaA) }, "POST /graphql"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.on("GET /users/octo", 200, octo)
			if c.route != "" {
				r.handle(c.route, says(200, `{"id":1,"sha":"`+shaB+`","merged":true,"data":{"x":1}}`))
			}
			r.on("PUT /repos/acme/config/issues/3/labels", 200, `[]`)
			over := error(nil)
			asked := 0
			v := r.client().Visit(t.Context(), VisitOptions{Fence: func() error { asked++; return over }})
			defer v.Close()
			if err := c.do(t.Context(), v); err != nil {
				t.Fatal(err)
			}
			writes := 0
			if c.route != "" {
				writes = 1
			}
			if asked != writes || v.Writes() != writes {
				t.Errorf("the fence was asked %d times and %d writes were counted, want %d", asked, v.Writes(), writes)
			}
			over = errors.New("the lease ended at 12:00")
			before := len(r.lines())
			err := c.do(t.Context(), v)
			if c.route == "" {
				if err != nil {
					t.Errorf("a read needs no lease: %v", err)
				}
				return
			}
			isOnly(t, err, promotion.ErrConflict)
			if !strings.Contains(err.Error(), "the lease ended at 12:00") {
				t.Errorf("got %v", err)
			}
			if got := r.lines()[before:]; len(got) != 0 || v.Writes() != 1 {
				t.Errorf("sent %q beyond the fence; %d writes counted", got, v.Writes())
			}
		})
	}
}

// A write that waited for its turn asks after the wait: it may have lasted longer than the lease.
func TestFenceAfterTheWait(t *testing.T) {
	r := newRig(t)
	r.on("POST /repos/acme/config/issues/3/comments", 201, `{"id":1}`)
	o := r.options()
	o.Spacing = 0
	end := r.now().Add(defaultSpacing / 2)
	v := r.with(o).Visit(t.Context(), VisitOptions{Fence: func() error {
		if r.now().After(end) {
			return errors.New("over")
		}
		return nil
	}})
	defer v.Close()
	if _, err := v.Comment(t.Context(), config, 3, "one"); err != nil {
		t.Fatal(err)
	}
	_, err := v.Comment(t.Context(), config, 3, "two")
	isOnly(t, err, promotion.ErrConflict)
	if n := len(r.lines()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	end = r.now().Add(defaultSpacing) // the gate is free again
	if _, err := v.Comment(t.Context(), config, 3, "three"); err != nil {
		t.Fatal(err)
	}
}

// Each attempt of a write that is repeated asks again.
func TestFenceOfRetries(t *testing.T) {
	r := newRig(t)
	r.script("PUT /repos/acme/config/issues/3/labels", says(502, ""), says(200, `[]`))
	asked := 0
	v := r.client().Visit(t.Context(), VisitOptions{Fence: func() error {
		if asked++; asked > 1 {
			return errors.New("over")
		}
		return nil
	}})
	defer v.Close()
	isOnly(t, v.SetLabels(t.Context(), config, 3, "a"), promotion.ErrConflict)
	if n := len(r.lines()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// What GitHub refused is no write; what nobody knows the outcome of may be one.
func TestWritesAreCounted(t *testing.T) {
	r := newRig(t)
	r.script("POST /repos/acme/config/issues/3/comments",
		says(201, `{"id":1}`), says(422, `{"message":"Validation Failed"}`), says(403, `{"message":"Resource not accessible by integration"}`), says(502, ""), hangup, says(201, `{"id":2}`))
	v := r.client().Visit(t.Context(), VisitOptions{})
	defer v.Close()
	var got []int
	for range 6 {
		_, _ = v.Comment(t.Context(), config, 3, "x")
		got = append(got, v.Writes())
	}
	if diff := cmp.Diff([]int{1, 1, 1, 2, 3, 4}, got); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	if n := v.Visit(t.Context(), VisitOptions{}).Writes(); n != 0 {
		t.Errorf("another visit begins with %d writes", n)
	}
}

// A token that is made during a visit is no write, and needs no lease.
func TestFenceLeavesTokensAlone(t *testing.T) {
	r := newRig(t)
	r.on("POST /app/installations/5/access_tokens", 201, `{"token":"`+canary+`","expires_at":"2026-03-01T13:00:00Z"}`)
	r.on("GET /users/octo", 200, octo)
	o := r.options()
	o.Tokens = r.app().Tokens(5, nil, nil)
	v := r.with(o).Visit(t.Context(), VisitOptions{Fence: func() error { return errors.New("over") }})
	defer v.Close()
	if err := ask(t, v); err != nil {
		t.Fatal(err)
	}
	if v.Writes() != 0 {
		t.Errorf("%d writes", v.Writes())
	}
}

// A client without a visit has nothing to count and to close.
func TestNoVisit(t *testing.T) {
	r := newRig(t)
	r.on("GET /users/octo", 200, octo)
	c := r.client()
	if err := ask(t, c); err != nil {
		t.Fatal(err)
	}
	c.Anew()
	c.Close()
	if c.Reads() != nil || c.Writes() != 0 {
		t.Errorf("got %q and %d", c.Reads(), c.Writes())
	}
}

// Reads are those before the first change, as often as they were asked for, with their media
// types, and without those that failed.
func TestReads(t *testing.T) {
	r := newRig(t)
	r.on("GET /users/octo", 200, octo)
	r.on("GET /users/nobody", 404, `{"message":"Not Found"}`)
	r.on("GET /repos/acme/config/contents/a.yaml", 200, `{"type":"file","encoding":"base64","content":"","size":0}`)
	r.on("GET /repos/acme/config/issues/3/comments?per_page=100", 200, `[]`)
	r.on("POST /repos/acme/config/issues/3/comments", 201, `{"id":1}`)
	v := r.client().Visit(t.Context(), VisitOptions{})
	defer v.Close()
	_ = ask(t, v)
	_, _, _ = v.UserByLogin(t.Context(), "nobody")
	_, _, _ = v.File(t.Context(), config, "a.yaml", "")
	_, _ = v.Comments(t.Context(), config, 3)
	_ = ask(t, v)
	_, _ = v.Comment(t.Context(), config, 3, "x")
	_ = ask(t, v)
	want := []string{
		r.server.URL + "/users/octo",
		"application/vnd.github.object+json " + r.server.URL + "/repos/acme/config/contents/a.yaml",
		r.server.URL + "/repos/acme/config/issues/3/comments?per_page=100",
		r.server.URL + "/users/octo",
	}
	if diff := cmp.Diff(want, v.Reads()); diff != "" {
		t.Errorf("reads (-want +got):\n%s", diff)
	}
	many := r.client().Visit(t.Context(), VisitOptions{})
	defer many.Close()
	for range maxReads + 5 {
		_ = ask(t, many)
	}
	if n := len(many.Reads()); n != maxReads {
		t.Errorf("%d reads are remembered, want %d", n, maxReads)
	}
}

// Each request that is sent is told of once, with a kind of address that names nobody.
func TestObserve(t *testing.T) {
	r := newRig(t)
	reset := time.Unix(1_800_000_000, 0)
	head := []string{"X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "4321", "X-RateLimit-Reset", fmt.Sprint(reset.Unix()), "X-RateLimit-Resource", "core"}
	r.script("GET /repos/acme/config/pulls/3", hangup, says(502, ""), says(301, "", "Location", "/repositories/7/pulls/3"))
	r.script("GET /repositories/7/pulls/3", says(200, `{"number":3}`, append(head, "ETag", `"a"`)...), says(304, "", head...))
	r.on("POST /graphql", 200, `{"data":{"x":1}}`)
	var got []Call
	o := r.options()
	o.Cache, o.Tenant = NewMemoryETags(1<<20), "1"
	o.Observe = func(c Call) { c.Took = 0; got = append(got, c) }
	c := r.with(o)
	for range 2 {
		if _, err := c.read(t.Context(), call{op: "x", path: in(config).add("/pulls").number(3)}, &struct{}{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.MarkReady(t.Context(), "PR_x"); err != nil {
		t.Fatal(err)
	}
	const route = "/repos/{owner}/{repo}/pulls/{}"
	limited := Call{Method: "GET", Route: route, Status: 200, Resource: "core", Limit: 5000, Remaining: 4321, Reset: reset}
	same := limited
	same.Status, same.NotModified = 304, true
	want := []Call{
		{Method: "GET", Route: route},
		{Method: "GET", Route: route, Status: 502},
		{Method: "GET", Route: route, Status: 301},
		limited,
		{Method: "GET", Route: route, Status: 301},
		same,
		{Method: "POST", Route: "/graphql", Status: 200},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if len(got) != len(r.lines()) {
		t.Errorf("%d calls for %d requests", len(got), len(r.lines()))
	}
}

// The kinds of addresses are few, whatever the names in them.
func TestRoutes(t *testing.T) {
	c, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"":                                   "/{}",
		"/user":                              "/user",
		"/users/pulls%5Bbot%5D":              "/users/{}",
		"/repos/pulls/issues":                "/repos/{owner}/{repo}",
		"/repos/a/b/pulls?per_page=100":      "/repos/{owner}/{repo}/pulls",
		"/repositories/9/pulls?page=2":       "/repos/{owner}/{repo}/pulls",
		"/repos/a/b/pulls/7/reviews":         "/repos/{owner}/{repo}/pulls/{}/reviews",
		"/repos/a/b/contents/pulls/issues/x": "/repos/{owner}/{repo}/contents/{}",
		"/repos/a/b/git/ref/heads/pulls/x":   "/repos/{owner}/{repo}/git/ref/{}",
		"/repos/a/b/git/matching-refs/heads/gh-readonly-queue/main/pr-": "/repos/{owner}/{repo}/git/matching-refs/{}",
		"/repos/a/b/compare/" + shaA + "..." + shaB:                     "/repos/{owner}/{repo}/compare/{}",
		"/repos/a/b/rules/branches/release%2F1":                         "/repos/{owner}/{repo}/rules/branches/{}",
		"/repos/a/b/commits/" + shaA + "/check-runs":                    "/repos/{owner}/{repo}/commits/{}/check-runs",
		"/repos/a/b/collaborators/erin/permission":                      "/repos/{owner}/{repo}/collaborators/{}/permission",
		"/orgs/acme/teams/ops/memberships/erin":                         "/orgs/{}/teams/{}/memberships/{}",
		"/app/installations/5/access_tokens":                            "/app/installations/{}/access_tokens",
		"/app/hook/deliveries/5/attempts":                               "/app/hook/deliveries/{}/attempts",
		"/a/b/c/d/e/f/g/h/i":                                            "/{}/{}/{}/{}/{}/{}",
	} {
		if got := c.route(c.root + in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	if got := c.route("https://elsewhere.test/x"); got != "other" {
		t.Errorf("got %s", got)
	}
}
