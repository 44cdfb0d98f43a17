package verdict_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// judged fails the test unless a harmless pull request gets its verdict in this run.
func (w *siege) judged(why string) {
	w.Helper()
	n := w.hand("bob", "harmless", map[string]string{"README.md": why})
	w.pass(time.Minute)
	got := w.run()
	if c, ok := w.checkAt(w.pullOf(n).Head.SHA, "pinnace/promotion"); !ok || c.Conclusion != "success" {
		w.TB.Errorf("%s: nothing was judged: %q", why, got)
	}
}

// An answer that GitHub does not take stops nothing: the thread is locked, gone or limited.
func TestAnswerRefused(t *testing.T) {
	for _, code := range []int{403, 404, 410, 422} {
		w := attacked(t, nil)
		n := w.repo.Issue("erin", "x", "x")
		w.pass(time.Minute)
		w.repo.Comment(n, "erin", "/promote shop to nowhere")
		w.Inject(func(c sandbox.Call) sandbox.Fault {
			if c.Method == "POST" && strings.Contains(c.Route, "comments") {
				return sandbox.Fault{Before: sandbox.Status(code)}
			}
			return sandbox.Fault{}
		})
		w.judged("an answer was refused")
	}
}

// Whoever comments three hundred times is answered a few times in a run.
func TestAnswersAreFew(t *testing.T) {
	w := attacked(t, nil)
	w.User("mallory")
	w.repo.Permission("mallory", promotion.PermissionRead)
	n := w.repo.Issue("mallory", "x", "x")
	for range 300 {
		w.pass(time.Second)
		w.repo.Comment(n, "mallory", "/promote shop to prod")
	}
	posts := 0
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		if c.Method == "POST" && strings.Contains(c.Route, "comments") {
			posts++
		}
		return sandbox.Fault{}
	})
	w.judged("three hundred comments")
	if posts > 5 {
		t.Errorf("%d answers in one run", posts)
	}
}

// A fork's pull request with the head of a promotion keeps it from nothing: it holds the same,
// and the check is green only while Pinnace merges.
func TestForkTwin(t *testing.T) {
	w := attacked(t, nil)
	w.run(w.promote("bob", "prod"))
	fork := w.repo.Fork("mallory")
	fork.Branch("twin", "mallory", w.pullOf(1).Head.SHA)
	if _, err := w.repo.OpenPullRequest("mallory", "x", "", "mallory:twin", "main"); err != nil {
		t.Fatal(err)
	}
	w.run()
	w.approve(1, "carol")
	if got := w.run(); w.pullOf(1).State != promotion.Merged {
		t.Errorf("#1 is %s: %q", w.pullOf(1).State, got)
	}
}

// A branch from before a file was moved to an environment waits: a merge may follow the file.
func TestBranchFromBeforeAMove(t *testing.T) {
	w := attacked(t, map[string]string{"legacy/worker.yaml": deployment("{shop:1.0}")})
	w.edit("bob", "old", map[string]string{"legacy/worker.yaml": deployment("{shop:6.6}")})
	w.edit("ada", "main", map[string]string{"legacy/worker.yaml": sandbox.Removed, "envs/prod/worker.yaml": deployment("{shop:1.0}")})
	w.run()
	n, err := w.repo.OpenPullRequest("bob", "x", "", "old", "main")
	if err != nil {
		t.Fatal(err)
	}
	w.run()
	if c, _ := w.checkAt(w.pullOf(n).Head.SHA, "pinnace/promotion"); c.Conclusion == "success" || !strings.Contains(c.Summary, "main no longer has") {
		t.Errorf("got %s %s\n%s", c.Conclusion, c.Title, c.Summary)
	}
}

// A head that is too large to fetch is one pull request's own trouble.
func TestHeadTooLarge(t *testing.T) {
	w := attacked(t, nil)
	w.git = git.NewMemory(git.Limits{PackSize: 1 << 20})
	w.run()
	fork := w.repo.Fork("mallory")
	big := make([]byte, 2<<20)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range big {
		big[i] = byte(r.Uint32())
	}
	fork.Commit("main", "mallory", "big", map[string]string{"x.bin": string(big)})
	if _, err := w.repo.OpenPullRequest("mallory", "x", "", "mallory:main", "main"); err != nil {
		t.Fatal(err)
	}
	w.judged("a large head")
}

// Somebody without the role of a requester touches nothing of what is approved: their wish is
// judged before it takes the place of another, or waits for one.
func TestNewerByAReader(t *testing.T) {
	for _, onNewer := range []string{"supersede", "queue"} {
		files := with(standing(), ".pinnace/config.yaml", strings.Replace(configuration, "production: true", "production: true, onNewer: "+onNewer, 1),
			".pinnace/policies/prod.yaml", strings.Replace(twoPeople, "approverCount: 1", "approverCount: 2", 1))
		w := attacked(t, files)
		w.lines(w.run(w.promote("bob", "prod")), "opened promote/prod/shop #1", "#1 waiting: 0 of 2 approvals")
		w.approve(1, "carol")
		w.User("mallory")
		w.repo.Permission("mallory", promotion.PermissionRead)
		n := w.repo.Issue("mallory", "x", "x")
		w.pass(time.Minute)
		w.repo.Comment(n, "mallory", "/promote shop to prod image ghcr.io/acme/shop:6.6")
		got := w.run()
		if w.pullOf(1).State != promotion.Open || strings.Contains(w.pullOf(1).Body, "newer candidate") {
			t.Errorf("%s: #1 is %s: %q\n%s", onNewer, w.pullOf(1).State, got, w.pullOf(1).Body)
		}
	}
}

// A pull request that changes an environment with a button and one that is deployed by command is
// deployed by command: no green check is left standing for whoever presses.
func TestDeployTogether(t *testing.T) {
	w := attacked(t, map[string]string{
		".pinnace/config.yaml":        swap(t, configuration, "deploy: auto", "deploy: command"),
		".pinnace/policies/prod.yaml": strings.Replace(twoPeople, "env: prod}", "env: prod}, {env: staging}", 1),
	})
	n := w.hand("bob", "both", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}"), "envs/staging/shop.yaml": deployment("{shop:1.0}")})
	w.run()
	w.approve(n, "carol")
	w.run()
	if c, _ := w.checkAt(w.pullOf(n).Head.SHA, "pinnace/promotion"); c.Conclusion == "success" {
		t.Error("green without a /deploy")
	}
	w.comment(n, "erin", "/deploy")
	if got := w.run(); w.pullOf(n).State != promotion.Merged {
		t.Errorf("#%d is %s: %q", n, w.pullOf(n).State, got)
	}
}
