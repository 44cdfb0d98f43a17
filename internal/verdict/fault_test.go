package verdict_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// settles runs Pinnace until it is at rest, each time as a process that was just started.
func (w *tale) settles() {
	w.Helper()
	for range 2 {
		w.git = git.NewMemory(git.Limits{})
		w.run()
	}
}

// result is all that a promotion leaves behind, for people and for machines.
func (w *tale) result() string {
	var b strings.Builder
	for _, q := range w.repo.PullRequests() {
		fmt.Fprintf(&b, "#%d %s %q %v %v\n%s\n", q.Number, q.State, q.Title, q.Labels, q.Reviewers, q.Body)
		for _, c := range w.repo.Checks(q.Head.SHA) {
			fmt.Fprintf(&b, "check %s %s %s %s\n%s\n", c.Name, c.Status, c.Conclusion, c.Title, c.Summary)
		}
		for _, c := range w.repo.Comments(q.Number) {
			fmt.Fprintf(&b, "comment %s %s\n", c.Author.Login, c.Body)
		}
	}
	for _, i := range w.repo.Issues() {
		fmt.Fprintf(&b, "issue %d %q\n", i.Number, i.Title)
		for _, c := range w.repo.Comments(i.Number) {
			fmt.Fprintf(&b, "comment %s %s\n", c.Author.Login, c.Body)
		}
	}
	for _, c := range w.repo.Log("main") {
		fmt.Fprintf(&b, "commit %s\n", c.Message)
	}
	for _, c := range w.repo.Checks(w.repo.Tip("main")) {
		fmt.Fprintf(&b, "check %s %s %s %s\n", c.Name, c.Status, c.Conclusion, c.Title)
	}
	for _, name := range slices.Sorted(maps.Keys(w.repo.Refs())) {
		if strings.HasPrefix(name, "refs/heads/") || strings.HasPrefix(name, "refs/pinnace/") {
			fmt.Fprintf(&b, "ref %s\n", name)
		}
	}
	return b.String()
}

// asksToWrite says whether a call asks GitHub to change something.
func asksToWrite(c sandbox.Call) bool {
	return c.Method != "GET" && c.Method != "HEAD" && !strings.HasPrefix(c.Route, "/v2/") && c.Route != "git-upload-pack" && !strings.HasPrefix(c.Route, "/graphql query")
}

// Every write of a story is failed, before its effect or after it; those of the way from a
// comment to the merge both ways. What is left in between is found by the next run, and the end
// is the same: one pull request, one answer, one check, one merge.
func TestFaultsOfPromotions(t *testing.T) {
	opened := func(w *tale) {
		issue := w.repo.Issue("bob", "Requests", "")
		w.says(issue, "bob", "/promote shop to prod")
		w.settles()
		w.pass(time.Minute)
	}
	approved := func(w *tale) {
		w.approves(2, "carol")
		w.settles()
		w.pass(time.Minute)
		w.settles()
	}
	for name, story := range map[string]struct{ before, act func(*tale) }{
		"from a comment to the merge": {func(*tale) {}, func(w *tale) { opened(w); approved(w) }},
		"rendered anew after an approval": {opened, func(w *tale) {
			w.drafts(true)
			w.approves(2, "carol")
			w.settles()
			w.commits("main", "erin", map[string]string{prodFile: "# the shop\n" + deployment("{shop:1.0}")})
			w.settles()
			w.drafts(false)
			w.settles()
		}},
		"sealed anew": {opened, func(w *tale) {
			w.commits(branch, "erin", map[string]string{"notes.txt": "mine\n"})
			w.settles()
			w.says(2, "bob", "/reseal")
			w.settles()
			approved(w)
		}},
		"rolled back": {func(w *tale) { opened(w); approved(w) }, func(w *tale) {
			w.says(1, "erin", "/rollback shop in prod")
			w.settles()
			w.approves(3, "dave")
			w.settles()
		}},
		"joined, and cancelled": {opened, func(w *tale) {
			w.says(1, "erin", "/promote shop to prod")
			w.settles()
			w.says(2, "erin", "/cancel")
			w.settles()
		}},
	} {
		t.Run(name, func(t *testing.T) { faultsOf(t, story.before, story.act, name == "from a comment to the merge") })
	}
}

// drafts turns #2 into a draft, which keeps it from being merged, or makes it ready.
func (w *tale) drafts(draft bool) {
	w.Helper()
	if err := w.repo.SetDraft(2, "bob", draft); err != nil {
		w.Fatal(err)
	}
}

func faultsOf(t *testing.T, before, act func(*tale), bothWays bool) {
	clean := newTale(t, standing())
	before(clean)
	var calls []string
	clean.Inject(func(c sandbox.Call) sandbox.Fault {
		if asksToWrite(c) {
			calls = append(calls, c.Method+" "+c.Route)
		}
		return sandbox.Fault{}
	})
	act(clean)
	want := clean.result()
	if len(calls) < 3 {
		t.Fatalf("only %d writes to fail", len(calls))
	}
	for at, call := range calls {
		for i, fault := range []sandbox.Fault{{Before: sandbox.Status(502)}, {After: sandbox.Hangup()}} {
			if !bothWays && at%2 != i {
				continue
			}
			how := []string{"before", "after"}[i]
			t.Run(fmt.Sprintf("%d %s, %s", at, call, how), func(t *testing.T) {
				w := newTale(t, standing())
				before(w)
				seen := 0
				w.Inject(func(c sandbox.Call) sandbox.Fault {
					if !asksToWrite(c) {
						return sandbox.Fault{}
					}
					if seen++; seen == at+1 {
						return fault
					}
					return sandbox.Fault{}
				})
				act(w)
				if seen <= at {
					t.Fatalf("write %d never came", at)
				}
				if got := w.result(); got != want {
					t.Errorf("another end (-clean +got):\n%s", cmp.Diff(want, got))
				}
				w.rests()
			})
		}
	}
}
