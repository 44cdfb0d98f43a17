package verdict_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// TestRerun: GitHub shows a check as queued after "Re-run", until it is written again: so it is,
// once, though the verdict is the same. What an event says leads to nothing by itself.
func TestRerun(t *testing.T) {
	const locked = "apiVersion: pinnace.dev/v1alpha1\nkind: PullImageDigestPolicy\nname: pins\nallEnvironments: true\n"
	for name, c := range map[string]struct {
		file, text string
		runs       int // check runs of the head
	}{
		"no image":                    {"NOTES.md", "notes\n", 1},
		"an image":                    {"envs/dev/shop.yaml", deployment("{shop:1.1}"), 2},
		"an image that is not pinned": {"envs/dev/shop.yaml", deployment("ghcr.io/acme/shop:1.1"), 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil, "shop:1.0", "shop:1.1")
			w.start(map[string]string{
				".pinnace/config.yaml": configuration, ".pinnace/policies/pins.yaml": locked,
				"envs/dev/shop.yaml": deployment("{shop:1.0}"),
			})
			w.repo.Commit("theirs", "bob", "by hand", map[string]string{c.file: w.expand(c.text)})
			n, err := w.repo.OpenPullRequest("bob", "By hand", "", "theirs", "main")
			if err != nil {
				t.Fatal(err)
			}
			var head string
			for _, q := range w.repo.PullRequests() {
				head = q.Head.SHA
			}
			writes := 0
			w.Inject(func(c sandbox.Call) sandbox.Fault {
				if c.Method != http.MethodGet && strings.Contains(c.Path, "/check-runs") {
					writes++
				}
				return sandbox.Fault{}
			})
			// look judges as after an event about a pull request, 0 = none, and returns what it wrote.
			look := func(about int) int {
				t.Helper()
				writes = 0
				if _, err := w.steward().Judge.Run(context.Background(), about); err != nil {
					t.Fatal(err)
				}
				return writes
			}
			queued := func() bool {
				t.Helper()
				repo := promotion.Repository{ID: w.repo.ID(), Owner: "acme", Name: "config"}
				done, err := w.steward().Judge.Forge.SuitesCompleted(context.Background(), repo, head, w.app.ID())
				if err != nil {
					t.Fatal(err)
				}
				return !done
			}
			look(n)
			before := w.repo.Checks(head)
			if len(before) != c.runs || queued() {
				t.Fatalf("after the first look there are %d check runs and GitHub waits: %v; want %d, and that it does not: %+v", len(before), queued(), c.runs, before)
			}
			w.pass(time.Minute)
			if got := look(n); got != 0 {
				t.Errorf("an event without \"Re-run\" led to %d writes", got)
			}
			if err := w.repo.Rerequest(before[0].ID, "bob"); err != nil {
				t.Fatal(err)
			}
			if !queued() {
				t.Fatal("GitHub does not wait after \"Re-run\"")
			}
			if got := look(n + 100); got != 0 {
				t.Errorf("an event about another pull request led to %d writes", got)
			}
			if got := look(n); got != c.runs || queued() {
				t.Errorf("after \"Re-run\" %d check runs were written and GitHub waits: %v; want %d, and that it does not", got, queued(), c.runs)
			}
			w.pass(time.Minute)
			if got := look(n); got != 0 {
				t.Errorf("%d check runs were written once more", got)
			}
			for i, run := range w.repo.Checks(head) {
				was := before[i]
				if run.Completed.Equal(was.Completed) {
					t.Errorf("%s was completed %s, as before", run.Name, run.Completed)
				}
				run.Completed = was.Completed
				if got, want := fmt.Sprintf("%+v", run), fmt.Sprintf("%+v", was); got != want {
					t.Errorf("it says something else\n%s\nthan before\n%s", got, want)
				}
			}
		})
	}
}

// TestRerunOfTwo: a check run that is in progress keeps the suite from being completed, and
// nobody pressed anything.
func TestRerunOfTwo(t *testing.T) {
	w := newWorld(t, map[string]string{
		".pinnace/config.yaml": configuration, "envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.0"),
	}, "shop:1.0", "shop:1.1")
	w.repo.Commit("theirs", "bob", "by hand", map[string]string{"envs/dev/shop.yaml": w.expand(deployment("{shop:1.1}"))})
	n, err := w.repo.OpenPullRequest("bob", "By hand", "", "theirs", "main")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.steward().Judge.Run(context.Background(), n); err != nil {
		t.Fatal(err)
	}
	repo := promotion.Repository{ID: w.repo.ID(), Owner: "acme", Name: "config"}
	s := w.steward()
	if _, err := s.Judge.Forge.CreateCheckRun(context.Background(), repo, promotion.CheckRun{Name: "pinnace/elsewhere", SHA: w.repo.PullRequests()[0].Head.SHA, Status: "in_progress"}); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		if c.Method != http.MethodGet && strings.Contains(c.Path, "/check-runs") {
			t.Errorf("%s %s", c.Method, c.Path)
		}
		return sandbox.Fault{}
	})
	if _, err := w.steward().Judge.Run(context.Background(), n); err != nil {
		t.Fatal(err)
	}
}
