package verdict_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// sees lets Pinnace do what is to be done, and holds it to what that is.
func (w *world) sees(want ...string) {
	w.Helper()
	if got := w.run(); !slices.Equal(got, want) {
		w.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// rests holds Pinnace to writing nothing more, and the whole story to the rules of GitHub.
func (w *world) rests() {
	w.Helper()
	before, requests := w.Writes(), len(w.Requests())
	w.run()
	if w.Writes() != before {
		var what []string
		for _, r := range w.Requests()[requests:] {
			if r.Write() {
				what = append(what, r.Method+" "+r.Path)
			}
		}
		w.Errorf("a run at rest wrote: %s", strings.Join(what, ", "))
	}
	if v := w.Violations(); len(v) > 0 {
		w.Error(v)
	}
}

// opens opens a pull request by a person, of one commit by the same person.
func (w *world) opens(by, branch string, edits map[string]string) int {
	w.Helper()
	for path, text := range edits {
		edits[path] = w.expand(text)
	}
	w.repo.Commit(branch, by, "change "+branch, edits)
	number, err := w.repo.OpenPullRequest(by, "Change "+branch, "", branch, "main")
	if err != nil {
		w.Fatal(err)
	}
	return number
}

// pull returns a pull request as it is now.
func (w *world) pull(number int) promotion.PullRequest {
	w.Helper()
	for _, q := range w.repo.PullRequests() {
		if q.Number == number {
			return q
		}
	}
	w.Fatalf("there is no #%d", number)
	return promotion.PullRequest{}
}

// checked returns the newest check run of a name on the head of a pull request.
func (w *world) checked(number int, name string) promotion.CheckRun {
	w.Helper()
	return w.checkedAt(w.pull(number).Head.SHA, name)
}

// checkedAt returns that of a commit.
func (w *world) checkedAt(sha, name string) promotion.CheckRun {
	w.Helper()
	var out promotion.CheckRun
	for _, c := range w.repo.Checks(sha) {
		if c.Name == name {
			out = c
		}
	}
	return out
}

// conclusion says how the check run of a name on the head of a pull request ended, or what it
// does.
func (w *world) conclusion(number int, name string) string {
	w.Helper()
	c := w.checked(number, name)
	if c.Conclusion != "" {
		return c.Conclusion
	}
	return c.Status
}

// holds asks for the text of a file of main.
func (w *world) holds(path, want string) {
	w.Helper()
	got, _ := w.repo.File("main", path)
	if want = w.expand(want); got != want {
		w.Errorf("main has %s\n%s\nwant\n%s", path, got, want)
	}
}

// A person's change of an image is judged as a promotion: it is sequential where it equals
// what stands in the source, and direct elsewhere. In an environment where Pinnace merges it
// does so by hand, too, once a deployer says so.
func TestByHandSequential(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.opens("bob", "ship", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	if got := w.checked(1, "pinnace/promotion"); got.Conclusion != "" || !strings.Contains(got.Text, "stands in staging") {
		t.Errorf("the check is %q and says\n%s", got.Conclusion, got.Text)
	}
	w.pass(time.Minute)
	w.review(1, "erin", promotion.Approved) // no promoter
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	w.pass(time.Minute)
	w.review(1, "carol", promotion.Approved)
	w.sees("#1 waiting: nobody said /deploy yet")
	w.rests()
	w.pass(time.Minute)
	w.repo.Comment(1, "carol", "/deploy") // approvers do not deploy
	w.sees("#1 waiting: /deploy of carol does not count: carol approved, and policy prod lets no approver deploy")
	w.pass(time.Minute)
	head := w.pull(1).Head.SHA
	w.repo.Comment(1, "bob", "/deploy")
	w.sees("#1 merged")
	w.holds("envs/prod/shop.yaml", deployment("{shop:1.1}"))
	if got := w.checkedAt(head, "pinnace/promotion").Conclusion; got != "success" {
		t.Errorf("the check of the merged head is %q", got)
	}
	last := w.repo.Log("main")[0].Message
	for _, trailer := range []string{"Pinnace-Env: prod", "Pinnace-Kind: by-hand", "Requested-by: bob#", "Approved-by: carol#", "Deployed-by: bob#", "Policy: prod", "Pinnace-Seal: "} {
		if !strings.Contains(last, "\n"+trailer) {
			t.Errorf("the merge does not say %s:\n%s", trailer, last)
		}
	}
	w.rests()
}

// A direct change needs a bound policy that governs direct promotions.
func TestByHandDirect(t *testing.T) {
	files := standing()
	files[".pinnace/policies/prod.yaml"] = twoPeople + "promotions: [sequential]\n"
	w := newWorld(t, files, "shop:1.0", "shop:1.1", "shop:2.0")
	w.opens("bob", "hotfix", map[string]string{"envs/prod/shop.yaml": deployment("{shop:2.0}")})
	w.sees("#1 denied: no policy of prod governs direct promotions, and ghcr.io/acme/shop:2.0@" + w.digests["shop:2.0"][:19] + " comes from the registry")
	if got := w.conclusion(1, "pinnace/promotion"); got != "failure" {
		t.Errorf("the check is %s", got)
	}
	w.rests()
}

// What comes and what goes is judged as well: an added image is a direct promotion of it, a
// removal needs the approvals.
func TestByHandAddsAndRemoves(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1", "side:1.0")
	w.opens("bob", "add", map[string]string{"envs/prod/side.yaml": deployment("{side:1.0}")})
	w.opens("bob", "remove", map[string]string{"envs/prod/shop.yaml": sandbox.Removed})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet", "#2 waiting: 0 of 1 approval; nobody said /deploy yet")
	w.pass(time.Minute)
	w.review(2, "carol", promotion.Approved)
	w.pass(time.Minute)
	w.repo.Comment(2, "bob", "/deploy")
	w.sees("#2 merged", "#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	if _, ok := w.repo.File("main", "envs/prod/shop.yaml"); ok {
		t.Error("the file is still there")
	}
	w.rests()
}

// Where no promotion policy is bound, and where there is nothing to judge, the check is green
// at once.
func TestByHandFree(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1", "shop:2.0")
	w.opens("bob", "readme", map[string]string{"README.md": "# Config"})
	w.opens("bob", "dev", map[string]string{"envs/dev/shop.yaml": deployment("{shop:2.0}")})
	w.sees("#1 all rules hold", "#2 all rules hold")
	for number, note := range map[int]string{1: "no image changes", 2: "no promotion policy is bound in dev: a change by hand needs no approval"} {
		if c := w.checked(number, "pinnace/promotion"); c.Conclusion != "success" || !strings.Contains(c.Summary+c.Text, note) {
			t.Errorf("#%d: the check is %q and says\n%s\n%s", number, c.Conclusion, c.Summary, c.Text)
		}
	}
	w.rests()
}

// A draft waits, and whatever else it needs is told already; a fork is judged like any other.
func TestByHandDraftAndFork(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.opens("bob", "draft", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	if err := w.repo.SetDraft(1, "bob", true); err != nil {
		t.Fatal(err)
	}
	w.User("mallory")
	fork := w.repo.Fork("mallory")
	fork.Commit("ship", "mallory", "ship", map[string]string{"envs/prod/shop.yaml": w.expand(deployment("{shop:1.1}"))})
	if _, err := w.repo.OpenPullRequest("mallory", "Ship it", "", "mallory:ship", "main"); err != nil {
		t.Fatal(err)
	}
	w.sees(
		"#1 waiting: the pull request is a draft; 0 of 1 approval, and the pull request is a draft; nobody said /deploy yet",
		"#2 waiting: 0 of 1 approval; nobody said /deploy yet",
	)
	w.rests()
	w.pass(time.Minute)
	w.review(2, "carol", promotion.Approved)
	w.pass(time.Minute)
	w.repo.Comment(2, "mallory", "/deploy") // without write
	w.sees(
		"#1 waiting: the pull request is a draft; 0 of 1 approval, and the pull request is a draft; nobody said /deploy yet",
		"#2 waiting: /deploy of mallory does not count: mallory is no deployer",
	)
	w.pass(time.Minute)
	w.repo.Comment(2, "dave", "/deploy")
	w.sees("#2 merged", "#1 waiting: the pull request is a draft; 0 of 1 approval, and the pull request is a draft; nobody said /deploy yet")
	w.holds("envs/prod/shop.yaml", deployment("{shop:1.1}"))
	w.rests()
}

// Approvals are bound to the whole diff: one more push voids them, whatever it changes, and so
// does none that leaves the diff equal.
func TestByHandApprovalsAreOfTheWholeDiff(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.opens("bob", "ship", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	w.pass(time.Minute)
	w.review(1, "carol", promotion.Approved)
	w.sees("#1 waiting: nobody said /deploy yet")

	// A base update that leaves the diff equal keeps them.
	w.pass(time.Minute)
	w.repo.Commit("main", "erin", "notes", map[string]string{"NOTES.md": "notes"})
	if err := w.repo.UpdateBranch(1, "bob"); err != nil {
		t.Fatal(err)
	}
	w.sees("#1 waiting: nobody said /deploy yet")

	// Another file in the pull request voids them.
	w.pass(time.Minute)
	w.repo.Commit("ship", "bob", "and this", map[string]string{"README.md": "# Config"})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	if got := w.checked(1, "pinnace/promotion"); !strings.Contains(got.Summary, "carol") {
		t.Errorf("why carol's approval does not count is not said:\n%s", got.Summary)
	}
	w.rests()
}

// Whoever made a commit of it never approves, and a commit of nobody whom GitHub knows keeps
// everybody from approving.
func TestByHandAuthorsNeverApprove(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.opens("bob", "ship", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.repo.Commit("ship", "carol", "words", map[string]string{"README.md": "# Config"})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	w.pass(time.Minute)
	w.review(1, "carol", promotion.Approved)
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	w.pass(time.Minute)
	w.review(1, "dave", promotion.Approved)
	w.sees("#1 waiting: nobody said /deploy yet")

	w.pass(time.Minute)
	w.User("ghostly")
	w.repo.Commit("ship", "ghostly", "more words", map[string]string{"README.md": "# Configuration"})
	w.DeleteUser("ghostly")
	w.sees("#1 denied: 1 approval asked, and nobody can give them: a commit is of nobody that GitHub knows, and authors never approve")
	w.pass(time.Minute)
	w.review(1, "dave", promotion.Approved)
	w.sees("#1 denied: 1 approval asked, and nobody can give them: a commit is of nobody that GitHub knows, and authors never approve")
	if got := w.checked(1, "pinnace/promotion"); !strings.Contains(got.Summary, "commit again with an e-mail address of a GitHub account") {
		t.Errorf("what to do is not said:\n%s", got.Summary)
	}
	w.rests()
}

// A bot's pull request has no person behind it: who says /deploy, or merges, stands in.
func TestByHandOfABot(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	renovate := w.App(sandbox.AppOptions{Name: "Renovate", Permissions: map[string]string{"contents": "write", "pull_requests": "write", "metadata": "read"}})
	renovate.Install("acme")
	w.opens(renovate.Bot().Login, "renovate/shop", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	w.pass(time.Minute)
	w.review(1, "carol", promotion.Approved)
	w.sees("#1 waiting: nobody said /deploy yet")
	w.pass(time.Minute)
	w.repo.Comment(1, "erin", "/deploy")
	w.sees("#1 merged")
	w.rests()
}

// A pull request that leaves for another base and comes back is another one: what was approved
// there was approved of another difference.
func TestByHandMovedAwayAndBack(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.repo.Branch("playground", "bob", w.repo.Tip("main"))
	w.opens("bob", "ship", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	for i, base := range []string{"playground", "main"} {
		w.pass(time.Minute)
		if err := w.repo.Retarget(1, "bob", base); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			w.sees()
			w.pass(time.Minute)
			w.review(1, "carol", promotion.Approved)
		}
	}
	w.pass(time.Minute)
	w.repo.Comment(1, "bob", "/deploy")
	w.sees("#1 waiting: 0 of 1 approval; /deploy of bob does not count: approvals are still needed")
	w.rests()
	w.pass(time.Minute)
	w.review(1, "carol", promotion.Approved)
	w.sees("#1 waiting: /deploy of bob does not count: it is not newer than the last needed approval, of " + w.now.Format("2006-01-02 15:04 UTC"))
	w.rests()
}

// A head that cannot be judged is told so in its check, where it would else stay green.
func TestByHandCannotBeJudged(t *testing.T) {
	files := standing()
	files[".pinnace/config.yaml"] = strings.Replace(configuration, `["envs/prod/**"]`, `["envs/prod/**", "envs/*/prod.yaml"]`, 1)
	w := newWorld(t, files, "shop:1.0", "shop:1.1")
	w.opens("bob", "both", map[string]string{"envs/dev/prod.yaml": deployment("{shop:1.1}")})
	got := w.run()
	if len(got) != 1 || !strings.HasPrefix(got[0], "#1 failed: ") {
		t.Errorf("got %q", got)
	}
	if c := w.checked(1, "pinnace/promotion"); c.Conclusion != "failure" || !strings.Contains(c.Summary, "envs/dev/prod.yaml") {
		t.Errorf("the check is %q and says\n%s", c.Conclusion, c.Summary)
	}
	w.rests()
}
