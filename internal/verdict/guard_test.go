package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Whoever changes the rules needs the approval of an admin by the rules of the base's tip, on
// that head. Until then both checks wait.
func TestGuardApproval(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.repo.Permission("erin", promotion.PermissionAdmin)
	w.opens("bob", "relax", map[string]string{".pinnace/policies/prod.yaml": strings.Replace(twoPeople, "approverCount: 1", "approverCount: 0", 1)})
	w.sees("#1 waiting: pinnace/config of this head waits for an admin")
	c := w.checked(1, "pinnace/config")
	if c.Conclusion == "success" || w.conclusion(1, "pinnace/promotion") == "success" {
		t.Errorf("config is %s %s, promotion is %s", c.Status, c.Conclusion, w.conclusion(1, "pinnace/promotion"))
	}
	for _, text := range []string{"0 of 1 approval of", "approverCount is 0, which was 1", "it loosens a rule"} {
		if !strings.Contains(c.Summary+c.Text, text) {
			t.Errorf("the check does not say %q:\n%s\n%s", text, c.Summary, c.Text)
		}
	}
	w.rests()
	w.pass(time.Minute)
	w.review(1, "carol", promotion.Approved) // no admin
	w.sees("#1 waiting: pinnace/config of this head waits for an admin")
	w.pass(time.Minute)
	w.review(1, "erin", promotion.Approved)
	w.sees("#1 all rules hold")
	if got := w.conclusion(1, "pinnace/config"); got != "success" {
		t.Errorf("config is %s", got)
	}
	w.rests()

	// Another head is another change.
	w.pass(time.Minute)
	w.repo.Commit("relax", "bob", "and more", map[string]string{".pinnace/policies/prod.yaml": strings.Replace(twoPeople, "approverCount: 1", "approverCount: 0\ndescription: more", 1)})
	w.sees("#1 waiting: pinnace/config of this head waits for an admin")
	w.rests()
}

// An error of the head is shown with its place.
func TestGuardValidation(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.opens("bob", "broken", map[string]string{".pinnace/policies/prod.yaml": twoPeople + "aproverCount: 2\n"})
	w.sees("#1 denied: pinnace/config of this head is red")
	c := w.checked(1, "pinnace/config")
	if c.Conclusion != "failure" || !strings.Contains(c.Summary+c.Text, ".pinnace/policies/prod.yaml:7") || !strings.Contains(c.Text, "approverCount") {
		t.Errorf("config is %s:\n%s\n%s", c.Conclusion, c.Summary, c.Text)
	}
	w.rests()
}

// A configuration that puts a file into the paths of two environments would stop everything.
func TestGuardOverlap(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.opens("bob", "overlap", map[string]string{".pinnace/config.yaml": strings.Replace(configuration, `"envs/dev/**"`, `"envs/**"`, 1)})
	w.sees("#1 denied: pinnace/config of this head is red")
	if c := w.checked(1, "pinnace/config"); c.Conclusion != "failure" || !strings.Contains(c.Text, "envs/prod/shop.yaml") {
		t.Errorf("config is %s:\n%s\n%s", c.Conclusion, c.Summary, c.Text)
	}
	w.rests()
}

// The check shows what the change does: to roles, to where images belong, and to the open
// promotions.
func TestGuardDifference(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.run()
	w.run(w.promote("bob", "prod"))
	w.pass(time.Minute)
	w.opens("erin", "relax", map[string]string{
		".pinnace/policies/prod.yaml": strings.Replace(twoPeople, "approverCount: 1", "approverCount: 0", 1),
		".pinnace/config.yaml":        strings.NewReplacer(`["envs/dev/**"]`, `["envs/test/**"]`, "users: [carol, dave]", "users: [carol, dave, erin]").Replace(configuration),
	})
	w.sees("#1 waiting: 0 of 1 approval", "#2 waiting: pinnace/config of this head waits for an admin")
	c := w.checked(2, "pinnace/config")
	for _, text := range []string{
		"images of envs/dev/shop.yaml are in no environment, which was dev",
		"promotion of shop:1.1 to prod, would be passed, and is waiting",
		"erin",
	} {
		if !strings.Contains(c.Text, text) {
			t.Errorf("the check does not say %q:\n%s", text, c.Text)
		}
	}
	w.rests()
}

// Rules and what they judge are changed apart.
func TestGuardApart(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.opens("bob", "both", map[string]string{
		".pinnace/config.yaml": configuration + "# more\n",
		"envs/dev/shop.yaml":   deployment("{shop:1.0}"),
	})
	w.sees("#1 denied: pinnace/config of this head is red")
	if c := w.checked(1, "pinnace/config"); c.Conclusion != "failure" || !strings.Contains(c.Summary, "rules and what they judge are changed apart") {
		t.Errorf("config is %s:\n%s", c.Conclusion, c.Summary)
	}
	w.rests()
}

// The only admin approves a change of their own by a comment that names the head.
func TestGuardSoleAdmin(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.opens("ada", "mine", map[string]string{".pinnace/config.yaml": configuration + "# more\n"})
	w.sees("#1 waiting: pinnace/config of this head waits for an admin")
	head := w.pull(1).Head.SHA
	if c := w.checked(1, "pinnace/config"); !strings.Contains(c.Summary, "/approve-config `"+head+"`") {
		t.Errorf("what to do is not said:\n%s", c.Summary)
	}
	w.pass(time.Minute)
	w.repo.Comment(1, "ada", "/approve-config "+head)
	w.sees("#1 all rules hold")
	w.rests()
}

// A workflow that runs Pinnace is guarded as the rules are, and so is an action; others are not.
func TestGuardWorkflow(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.opens("bob", "flow", map[string]string{".github/workflows/p.yaml": "on: push\njobs: {x: {runs-on: x, steps: [{run: pinnace pin}]}}\n"})
	w.opens("bob", "action", map[string]string{"tools/action.yml": "runs: {using: composite, steps: [{run: pinnace pin}]}\n"})
	w.opens("bob", "other", map[string]string{".github/workflows/o.yaml": "on: push\njobs: {x: {runs-on: x, steps: [{run: make}]}}\n"})
	w.sees("#1 waiting: pinnace/config of this head waits for an admin", "#2 waiting: pinnace/config of this head waits for an admin", "#3 all rules hold")
	w.rests()
}

// The configuration cannot be taken away by the way: nobody would be named in it any more.
func TestGuardConfigDeleted(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.opens("bob", "gone", map[string]string{".pinnace/config.yaml": "\x00removed"})
	w.sees("#1 denied: pinnace/config of this head is red")
	if c := w.checked(1, "pinnace/config"); !strings.Contains(c.Text, ".pinnace/config.yaml is deleted") || !strings.Contains(c.Text, "images of envs/prod/shop.yaml are in no environment, which was prod") {
		t.Errorf("what it does is not said:\n%s", c.Text)
	}
	w.rests()
}

// An admin's approval of a pull request to another base, which holds the loosened rules already,
// is none of what it does to main.
func TestGuardMovedFromAnotherBase(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.repo.Permission("erin", promotion.PermissionAdmin)
	w.repo.Commit("playground", "bob", "relax", map[string]string{".pinnace/policies/prod.yaml": strings.Replace(twoPeople, "approverCount: 1", "approverCount: 0", 1)})
	w.repo.Branch("words", "bob", w.repo.Tip("playground"))
	w.repo.Commit("words", "bob", "words", map[string]string{"README.md": "# Config"})
	if _, err := w.repo.OpenPullRequest("bob", "Words", "", "words", "main"); err != nil {
		t.Fatal(err)
	}
	w.sees("#1 waiting: pinnace/config of this head waits for an admin")
	w.pass(time.Minute)
	if err := w.repo.Retarget(1, "bob", "playground"); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	w.review(1, "erin", promotion.Approved)
	w.pass(time.Minute)
	if err := w.repo.Retarget(1, "bob", "main"); err != nil {
		t.Fatal(err)
	}
	w.sees("#1 waiting: pinnace/config of this head waits for an admin")
	w.rests()
	w.pass(time.Minute)
	w.review(1, "erin", promotion.Approved)
	w.sees("#1 all rules hold")
	w.rests()
}
