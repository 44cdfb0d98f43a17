package verdict_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// queueing is a deployment story on a branch with a merge queue, which asks for our check.
func queueing(t *testing.T, mode string, further map[string]string) *deployStory {
	t.Helper()
	s := deploying(t, mode, further)
	s.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{
		PullRequest: true, MergeQueue: true, Checks: []promotion.RequiredCheck{{Context: "pinnace/promotion", App: s.app.ID()}},
	}})
	return s
}

// groups returns what the queue is about to land, by the number of the last pull request.
func (s *deployStory) groups() map[int]string {
	out := map[int]string{}
	for ref, sha := range s.repo.Refs() {
		if _, rest, ok := strings.Cut(ref, "gh-readonly-queue/main/pr-"); ok {
			number := 0
			if _, err := fmt.Sscanf(rest, "%d-", &number); err != nil {
				s.Fatal(err)
			}
			out[number] = sha
		}
	}
	return out
}

// wantGroup requires a verdict on the group of a pull request, with words of it.
func (s *deployStory) wantGroup(number int, want string, words ...string) {
	s.Helper()
	c := s.check(s.groups()[number], "pinnace/promotion")
	if got := c.Conclusion; got != want {
		s.Errorf("the check of the group of #%d is %q %s, want %q:\n%s", number, c.Status, got, want, c.Title)
	}
	for _, w := range words {
		if !strings.Contains(c.Title+c.Summary, w) {
			s.Errorf("the check of the group of #%d does not say %q:\n%s\n%s", number, w, c.Title, c.Summary)
		}
	}
}

func (s *deployStory) wantLanded(want ...int) {
	s.Helper()
	if got := s.repo.LandGroups(); !slices.Equal(got, want) {
		s.Errorf("the queue landed %v, want %v", got, want)
	}
}

// Where a branch has a merge queue, Pinnace puts what may be merged into it, at the head that
// was judged, and judges what the queue makes of it.
func TestQueue(t *testing.T) {
	for _, method := range []string{"merge", "squash"} {
		t.Run(method, func(t *testing.T) {
			s := queueing(t, "auto", nil)
			s.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{
				PullRequest: true, MergeQueue: true, MergeQueueMethod: method, Checks: []promotion.RequiredCheck{{Context: "pinnace/promotion", App: s.app.ID()}},
			}})
			s.open()
			s.approve()
			s.step("#1 queued")
			s.wantLight(1, "success")
			s.wantSaid(1, "It is in the merge queue")
			s.step("#1 queued")
			s.repo.FormGroups()
			s.step("#1 queued")
			s.wantGroup(1, "success", "group of the merge queue with `#1`")
			s.wantProd("1.0")
			s.wantLanded(1)
			s.step()
			s.wantProd("1.1")
			if c := s.check(s.repo.Tip("main"), "pinnace/audit"); c.Conclusion != "success" || !strings.Contains(c.Summary, "whose verdict had passed") {
				t.Errorf("the audit says %s: %s", c.Conclusion, c.Title)
			}
		})
	}
}

// The answer to putting it there may be lost.
func TestQueueLostAnswer(t *testing.T) {
	s := queueing(t, "auto", nil)
	s.open()
	s.approve()
	s.Inject(func(c sandbox.Call) sandbox.Fault {
		if c.Route != "/graphql enqueuePullRequest" || c.Method != http.MethodPost {
			return sandbox.Fault{}
		}
		return sandbox.Fault{After: sandbox.Hangup()}
	})
	s.step("#1 queued")
	s.Inject(nil)
	s.step("#1 queued")
	s.repo.FormGroups()
	s.step("#1 queued")
	s.wantLanded(1)
	s.wantProd("1.1")
}

// A verdict that no longer holds takes it out of the queue, and the group is refused. Once it
// holds again, it is put there again.
func TestQueueVerdictEnds(t *testing.T) {
	s := queueing(t, "auto", nil)
	s.open()
	id := s.approve()
	s.step("#1 queued")
	s.repo.FormGroups()
	s.step("#1 queued")
	s.wantGroup(1, "success")
	if err := s.repo.Dismiss(1, id, "dave", "wait"); err != nil {
		t.Fatal(err)
	}
	s.step("#1 waiting: 0 of 1 approval")
	s.wantLight(1, "in_progress")
	if left := s.groups(); len(left) > 0 {
		t.Errorf("the queue still holds %v", left)
	}
	s.wantLanded()
	s.wantProd("1.0")
	s.pass(time.Minute)
	s.review(1, "dave", promotion.Approved)
	s.step("#1 queued")
	s.repo.FormGroups()
	s.step("#1 queued")
	s.wantLanded(1)
	s.wantProd("1.1")
}

// With deploy: button a person queues. What holds no longer when the group is formed is
// refused at once, and not waited for.
func TestQueueByPerson(t *testing.T) {
	s := queueing(t, "button", frozen("10:00"))
	s.open()
	s.approve()
	s.step("#1 all rules hold")
	hub := s.hubOf("erin")
	if err := hub.Enqueue(t.Context(), s.nodeOf(1), s.pull(1).Head.SHA); err != nil {
		t.Fatal(err)
	}
	s.now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	s.repo.FormGroups()
	s.step("#1 waiting: freeze launch holds: Launch day")
	s.wantGroup(1, "failure", "Not in the merge queue yet: waiting: freeze launch holds: Launch day")
	s.wantLanded()
	s.wantProd("1.0")
	s.now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s.step("#1 all rules hold")
	if err := hub.Enqueue(t.Context(), s.nodeOf(1), s.pull(1).Head.SHA); err != nil {
		t.Fatal(err)
	}
	s.repo.FormGroups()
	s.step("#1 all rules hold")
	s.wantGroup(1, "success")
	s.wantLanded(1)
	s.wantProd("1.1")
}

// hubOf is GitHub as a person's own token sees it.
func (s *deployStory) hubOf(login string) *github.Client {
	hub, err := github.New(github.Options{URL: s.URL(), Tokens: github.StaticToken(github.Secret(s.Token(login))), Spacing: -1, MaxWait: -1, Now: func() time.Time { return s.now }})
	if err != nil {
		s.Fatal(err)
	}
	return hub
}

func (s *deployStory) nodeOf(number int) string {
	q, _, err := s.hubOf("erin").PullRequest(s.Context(), s.repo.Noun(), number)
	if err != nil {
		s.Fatal(err)
	}
	return q.NodeID
}

// Who takes it out of the queue is heeded: it is put there again only when somebody asks.
func TestQueueTakenOut(t *testing.T) {
	s := queueing(t, "auto", nil)
	s.open()
	s.approve()
	s.step("#1 queued")
	if err := s.hubOf("erin").Dequeue(t.Context(), s.nodeOf(1)); err != nil {
		t.Fatal(err)
	}
	const out = "#1 all rules hold: erin took it out of the merge queue: comment /deploy or /judge, and Pinnace queues it again"
	s.step(out)
	s.wantLight(1, "in_progress")
	s.pass(24 * time.Hour)
	s.repo.Commit("main", "erin", "beside", map[string]string{"README.md": "# Config\n"})
	s.step(out)
	s.says("dave", "/deploy")
	s.step("#1 queued")
	s.repo.FormGroups()
	s.step("#1 queued")
	s.wantLanded(1)
	s.wantProd("1.1")
}

// What the queue itself takes out is put there again when something has changed, or after an
// hour.
func TestQueueDropped(t *testing.T) {
	s := queueing(t, "auto", nil)
	s.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{
		PullRequest: true, MergeQueue: true, Checks: []promotion.RequiredCheck{{Context: "pinnace/promotion", App: s.app.ID()}, {Context: "ci"}},
	}})
	s.open()
	s.repo.Status(s.pull(1).Head.SHA, "erin", "ci", "success")
	s.approve()
	s.step("#1 queued")
	s.repo.FormGroups()
	s.repo.Status(s.groups()[1], "erin", "ci", "failure")
	s.step("#1 queued")
	s.wantLanded()
	const out = "#1 all rules hold: the merge queue took it out, since a check of its group failed or it conflicts with what is before it: look at the group's checks, and comment /judge to queue it again"
	s.step(out)
	s.step(out)
	s.pass(time.Hour)
	s.step("#1 queued")
	s.repo.FormGroups()
	s.repo.Status(s.groups()[1], "erin", "ci", "success")
	s.step("#1 queued")
	s.wantLanded(1)
	s.wantProd("1.1")
}

// What is before it in the queue may change the rules: then it is judged by the new ones first,
// once those have landed.
func TestQueueBehindNewRules(t *testing.T) {
	s := queueing(t, "auto", nil)
	s.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{
		PullRequest: true, MergeQueue: true, Checks: []promotion.RequiredCheck{{Context: "pinnace/promotion", App: s.app.ID()}},
	}})
	s.open()
	s.repo.Commit("stricter", "frank", "two approvals", map[string]string{".pinnace/policies/prod.yaml": strings.Replace(twoPeople, "approverCount: 1", "approverCount: 2", 1)})
	if _, err := s.repo.OpenPullRequest("frank", "Stricter", "", "stricter", "main"); err != nil {
		t.Fatal(err)
	}
	s.step("#1 waiting: 0 of 1 approval", "#2 waiting: pinnace/config of this head waits for an admin")
	s.pass(time.Minute)
	s.review(2, "ada", promotion.Approved)
	s.step("#1 waiting: 0 of 1 approval", "#2 all rules hold")
	if err := s.hubOf("ada").Enqueue(t.Context(), s.nodeOf(2), s.pull(2).Head.SHA); err != nil {
		t.Fatal(err)
	}
	s.approve()
	s.step("#1 queued", "#2 all rules hold")
	s.repo.FormGroups()
	s.step("#1 queued", "#2 all rules hold")
	s.wantGroup(2, "success")
	s.wantGroup(1, "failure", "what is before it in the group changes the rules")
	s.wantLanded(2)
	s.step("updated promote/prod/shop #1", "#1 waiting: 1 of 2 approvals")
	s.wantProd("1.0")
	s.pass(time.Minute)
	s.review(1, "dave", promotion.Approved)
	s.step("#1 queued")
	s.repo.FormGroups()
	s.step("#1 queued")
	s.wantGroup(1, "success")
	s.wantLanded(1)
	s.wantProd("1.1")
}

// Two entries of the queue that each are judged may make a third thing together: what the
// second makes on top of the first is judged, and not only what it was alone.
func TestQueueComposes(t *testing.T) {
	s := queueing(t, "button", map[string]string{
		"envs/prod/kustomization.yaml": "resources: [shop.yaml]\n",
		"base/side.yaml":               "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: side}\n",
	})
	open := func(by, branch string, edits map[string]string) int {
		s.repo.Commit(branch, by, branch, edits)
		number, err := s.repo.OpenPullRequest(by, branch, "", branch, "main")
		if err != nil {
			t.Fatal(err)
		}
		return number
	}
	open("bob", "name", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml, ../../base/side.yaml]\n"})
	open("erin", "fill", map[string]string{"base/side.yaml": s.expand(deployment("{shop:evil}"))})
	both := []string{"#1 all rules hold", "#2 all rules hold"}
	s.step(both...)
	for number, by := range []string{1: "bob", 2: "erin"} {
		if number == 0 {
			continue
		}
		if err := s.hubOf(by).Enqueue(t.Context(), s.nodeOf(number), s.pull(number).Head.SHA); err != nil {
			t.Fatal(err)
		}
	}
	s.repo.FormGroups()
	s.step(both...)
	s.wantGroup(1, "success")
	s.wantGroup(2, "failure", "the group makes another change than the one that was judged: base/side.yaml")
	s.wantLanded(1)
	s.step("#2 waiting: 0 of 1 approval")
}

// Anybody who may write can make a branch that looks like the queue's. Nothing but what was
// judged is green there, and no verdict of a pull request is overwritten.
func TestQueueForged(t *testing.T) {
	s := queueing(t, "auto", nil)
	s.open()
	s.approve()
	s.step("#1 queued")
	head := s.pull(1).Head.SHA
	tip := s.repo.Tip("main")

	// The right edits on a commit that nobody judged, which the name says is the base.
	evil := s.repo.Commit("evil", "erin", "evil", map[string]string{"envs/prod/other.yaml": s.expand(deployment("{shop:evil}"))})
	on := s.repo.Commit("gh-readonly-queue/main/pr-1-"+evil, "erin", "x", map[string]string{"envs/prod/other.yaml": s.expand(deployment("{shop:evil}")), "envs/prod/shop.yaml": s.expand(deployment("{shop:1.1}"))})
	// Another tree on the right base.
	tree := s.repo.Commit("gh-readonly-queue/main/pr-1-"+tip, "erin", "x", map[string]string{"envs/prod/shop.yaml": s.expand(deployment("{shop:evil}"))})
	// The head itself.
	s.repo.Branch("gh-readonly-queue/main/pr-2-"+tip, "erin", head)
	s.step("#1 queued")
	for _, sha := range []string{on, tree, evil} {
		if c := s.check(sha, "pinnace/promotion"); c.Conclusion == "success" {
			t.Errorf("commit %s is green: %s", sha, c.Title)
		}
	}
	if c := s.check(tree, "pinnace/promotion"); c.Conclusion != "failure" || !strings.Contains(c.Title, "the group makes another tree than the sealed edits") {
		t.Errorf("the check of another tree is %s: %s", c.Conclusion, c.Title)
	}
	s.wantLight(1, "success")
}
