package verdict_test

import (
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// A person changes the image in prod in a pull request of their own, among other things. It
// needs the approvals that a promotion needs, by those who may give them: neither a /deploy
// nor an approval of somebody with write makes up for one.
func TestBypassByHand(t *testing.T) {
	w := attacked(t, nil)
	n := w.hand("bob", "typo", map[string]string{"README.md": "teh\n", "envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.refuses(n, "change by hand in prod: shop:1.1", "0 of 1 approval", "carol, dave or anybody with admin approves")
	w.approve(n, "erin")
	w.comment(n, "bob", "/deploy")
	w.refuses(n, "erin is not an approver", "approvals are still needed")
	w.harmless()
}

// An image that no earlier environment runs comes from the registry, whoever writes it: that
// needs leave, too.
func TestBypassByHandSkipping(t *testing.T) {
	w := attacked(t, map[string]string{".pinnace/policies/prod.yaml": twoPeople + "promotions: [sequential]\n"})
	n := w.hand("bob", "hotfix", map[string]string{"envs/prod/shop.yaml": deployment("{shop:6.6}")})
	w.approve(n, "carol")
	w.refuses(n, "no policy of prod governs direct promotions", "pinnace promote shop --to prod --from staging --repo acme/config")
	w.harmless()
}

// A digest that no registry has is refused however many approve it.
func TestBypassByHandDigest(t *testing.T) {
	w := attacked(t, nil)
	n := w.hand("bob", "quick", map[string]string{"envs/prod/shop.yaml": deployment("ghcr.io/acme/shop:1.1@sha256:" + zeros)})
	w.approve(n, "carol")
	w.refuses(n, "is no longer in its registry", "push the same digest again")
	w.harmless()
}

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

// Who may pass by the branch rules pushes to main. GitHub does not ask, so that it is reported
// afterwards: once.
func TestBypassDirectPush(t *testing.T) {
	w := attacked(t, nil)
	w.edit("bob", "main", map[string]string{"envs/prod/shop.yaml": deployment("{shop:6.6}")})
	w.reports("direct push changed 1 image in prod", "without a pull request", "shop")
	w.still()
	w.reports()
}

// An administrator merges past the rules. It is reported with what the verdict was.
func TestBypassMergeByForce(t *testing.T) {
	w := attacked(t, nil)
	n := w.hand("bob", "typo", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.refuses(n)
	w.pass(time.Minute)
	if _, err := w.repo.MergeByForce(n, "ada", "squash"); err != nil {
		t.Fatal(err)
	}
	w.reports("was merged although its verdict was waiting", "ada")
	w.still()
	w.reports()
}

// A pull request that is merged before anybody judged it has no verdict on record.
func TestBypassMergeUnjudged(t *testing.T) {
	w := attacked(t, nil)
	n := w.hand("bob", "typo", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	if _, err := w.repo.MergeByForce(n, "ada", "squash"); err != nil {
		t.Fatal(err)
	}
	w.reports("no verdict of it is on record")
	w.still()
	w.reports()
}

// The button Revert makes a pull request by whoever presses it. That the image stood there
// before gives it no approval.
func TestBypassRevertButton(t *testing.T) {
	w := attacked(t, nil)
	w.run(w.promote("bob", "prod"))
	w.approve(1, "carol")
	w.lines(w.run(), "#1 merged")
	w.pass(time.Hour)
	n, err := w.repo.Revert(1, "erin")
	if err != nil {
		t.Fatal(err)
	}
	w.refuses(n, "change by hand in prod: shop:1.0", "0 of 1 approval", "a direct change, from the registry", "not by who asked (erin)")
	if got, _ := w.repo.File("main", "envs/prod/shop.yaml"); got != w.expand(deployment("{shop:1.1}")) {
		t.Errorf("prod holds\n%s", got)
	}
	w.still()
}

// A pull request from a fork is judged as every other; that its author may not write here
// gives nobody leave.
func TestBypassFork(t *testing.T) {
	w := attacked(t, nil)
	fork := w.repo.Fork("mallory")
	fork.Commit("main", "mallory", "an innocent change", map[string]string{"envs/prod/shop.yaml": w.expand(deployment("{shop:1.1}"))})
	n, err := w.repo.OpenPullRequest("mallory", "An innocent change", "", "mallory:main", "main")
	if err != nil {
		t.Fatal(err)
	}
	w.refuses(n, "0 of 1 approval")
	w.harmless()
}

// A branch of a fork is called as those of Pinnace are. It is no promotion: Pinnace merges
// nothing of it by itself, whoever approved.
func TestBypassForkCopiedBranch(t *testing.T) {
	w := attacked(t, nil)
	fork := w.repo.Fork("mallory")
	fork.Commit("pinnace/promote/prod/shop", "mallory", "promote\n\nPinnace-Seal: "+zeros+"\n", map[string]string{"envs/prod/shop.yaml": w.expand(deployment("{shop:1.1}"))})
	n, err := w.repo.OpenPullRequest("mallory", "Promote shop to prod", "", "mallory:pinnace/promote/prod/shop", "main")
	if err != nil {
		t.Fatal(err)
	}
	w.refuses(n, "change by hand in prod: shop:1.1")
	w.approve(n, "carol")
	w.refuses(n, "nobody said /deploy yet")
	w.harmless()
}

// A branch with a name of Pinnace is made before Pinnace makes it. It is judged as what it
// is: a change by hand, whose author does not approve it.
func TestBypassCopiedBranchName(t *testing.T) {
	w := attacked(t, nil)
	n := w.hand("carol", "pinnace/promote/prod/shop", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.refuses(n, "change by hand in prod: shop:1.1", "0 of 1 approval")
	w.approve(n, "dave")
	w.refuses(n, "nobody said /deploy yet")
	// The name being taken, what bob asks for is not written over it.
	w.run(w.promote("bob", "prod"))
	if sha := w.pullOf(n).Head.SHA; w.repo.Tip("pinnace/promote/prod/shop") != sha || len(w.repo.PullRequests()) != 1 {
		t.Errorf("the branch was moved, or there are %d pull requests", len(w.repo.PullRequests()))
	}
	w.harmless()
}

// Checks belong to a commit: a second pull request with the head of an approved one would be
// green with it. It takes the first one's green with it instead.
func TestBypassSameHead(t *testing.T) {
	w := attacked(t, map[string]string{
		".pinnace/config.yaml": swap(t, configuration, "deploy: auto", "deploy: button", "environments:", "branches: [release]\nenvironments:"),
	})
	w.edit("ada", "release", map[string]string{"README.md": "the release\n"})
	w.repo.Protect("release", sandbox.Protection{Rules: promotion.Rules{Checks: []promotion.RequiredCheck{{Context: "pinnace/promotion (main)", App: w.app.ID()}}}})
	first := w.hand("bob", "one", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.run()
	w.approve(first, "carol")
	sha := w.pullOf(first).Head.SHA
	w.run()
	if c, _ := w.checkAt(sha, "pinnace/promotion (main)"); c.Conclusion != "success" {
		t.Fatalf("the first pull request is %q: %s", c.Conclusion, c.Summary)
	}
	// The same commit under another name: a pull request that nobody approved.
	w.repo.Branch("two", "mallory", sha)
	second, err := w.repo.OpenPullRequest("mallory", "Another one", "", "two", "main")
	if err != nil {
		t.Fatal(err)
	}
	w.run()
	c, _ := w.checkAt(sha, "pinnace/promotion (main)")
	if c.Conclusion == "success" {
		t.Errorf("#%d is green by the approval of #%d:\n%s", second, first, c.Summary)
	}
	w.tells("the check", c.Summary+c.Text, "#1", "#2", "0 of 1 approval")
	if _, err := w.repo.Merge(second, "mallory", "squash"); err == nil {
		t.Error("GitHub let it be merged")
	}
	w.harmless()
}
