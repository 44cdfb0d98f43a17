package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// audited says what the check pinnace/audit of a commit of main concluded, n commits before the
// tip.
func (w *world) audited(n int) string {
	w.Helper()
	c := w.checkedAt(w.repo.Log("main")[n].SHA, "pinnace/audit")
	return c.Conclusion + ": " + c.Title
}

// reported lists the bodies of the issues about what broke the rules.
func (w *world) reported() []string {
	w.Helper()
	var out []string
	for _, i := range w.repo.Issues() {
		for _, l := range i.Labels {
			if l == "pinnace-incident" {
				out = append(out, i.Body)
			}
		}
	}
	return out
}

// A push that changes an image under policy is reported, once, with what it changed and what to
// do. One that does not is looked at, and nothing is said.
func TestAuditPush(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1", "shop:2.0")
	w.sees()
	if got := w.audited(0); got != "success: No image under policy changed" {
		t.Errorf("the first tip: %s", got)
	}
	w.rests()
	w.repo.Commit("main", "erin", "dev", map[string]string{"envs/dev/shop.yaml": w.expand(deployment("{shop:2.0}"))})
	w.repo.Commit("main", "erin", "prod", map[string]string{"envs/prod/shop.yaml": w.expand(deployment("{shop:2.0}"))})
	w.repo.Commit("main", "erin", "words", map[string]string{"README.md": "# Config"})
	w.sees("incident: It was pushed, without a pull request.")
	for n, want := range []string{"success: No image under policy changed", "failure: Images changed against the rules", "success: No image under policy changed"} {
		if got := w.audited(n); got != want {
			t.Errorf("%d before the tip: %s, want %s", n, got, want)
		}
	}
	all := w.reported()
	if len(all) != 1 || !strings.Contains(all[0], "pushed directly") || !strings.Contains(all[0], "shop") || !strings.Contains(all[0], w.digests["shop:2.0"][7:19]) {
		t.Errorf("issues %q", all)
	}
	w.rests()
	if got := len(w.reported()); got != 1 {
		t.Errorf("%d issues", got)
	}
}

// A push of what cannot be read is reported as well, and so is one that lets prod reach a file.
func TestAuditPushUnread(t *testing.T) {
	for name, test := range map[string]struct{ kustomization, says string }{
		"a patch": {"resources: [shop.yaml]\npatches:\n  - {target: {kind: Deployment}, patch: \"- {op: replace, path: /spec/x, value: evil}\"}\n", "What cannot be read for images: a patch in envs/prod/kustomization.yaml:3"},
		"a base":  {"resources: [shop.yaml, ../../base/worker]\n", "worker"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, layered(), "shop:1.0", "shop:1.1", "worker:1.0")
			w.run()
			w.repo.Commit("main", "erin", name, map[string]string{"envs/prod/kustomization.yaml": test.kustomization})
			w.sees("incident: It was pushed, without a pull request.")
			if all := w.reported(); len(all) != 1 || !strings.Contains(all[0], test.says) {
				t.Errorf("issues %q", all)
			}
			w.rests()
		})
	}
}

// An administrator merges past a red check: the issue says who, and what the verdict was.
func TestAuditMergeByForce(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1", "shop:2.0")
	w.run()
	w.opens("bob", "force", map[string]string{"envs/prod/shop.yaml": deployment("{shop:2.0}")})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	if _, err := w.repo.MergeByForce(1, "ada", "squash"); err != nil {
		t.Fatal(err)
	}
	w.sees("incident: #1 was merged although its verdict was waiting.")
	if all := w.reported(); len(all) != 1 || !strings.Contains(all[0], "ada") {
		t.Errorf("issues %q", all)
	}
	w.rests()
}

// Several commits that one pull request brought, each put on main by itself, are judged as one.
func TestAuditRebaseMerge(t *testing.T) {
	files := standing()
	files[".pinnace/config.yaml"] = strings.Replace(configuration, "deploy: auto", "deploy: button", 1)
	w := newWorld(t, files, "shop:1.0", "shop:1.1", "shop:2.0")
	w.run()
	w.opens("bob", "two", map[string]string{"envs/prod/shop.yaml": deployment("{shop:2.0}")})
	w.repo.Commit("two", "bob", "no, this one", map[string]string{"envs/prod/shop.yaml": w.expand(deployment("{shop:1.1}"))})
	w.sees("#1 waiting: 0 of 1 approval")
	w.pass(time.Minute)
	w.review(1, "carol", promotion.Approved)
	w.sees("#1 all rules hold")
	if _, err := w.repo.Merge(1, "bob", "rebase"); err != nil {
		t.Fatal(err)
	}
	w.sees()
	for n, want := range []string{"success: The images came as they were judged", "success: A part of #1"} {
		if got := w.audited(n); got != want {
			t.Errorf("%d before the tip: %s, want %s", n, got, want)
		}
	}
	w.rests()

	// Merged past the check, the last one tells of all.
	w.opens("bob", "more", map[string]string{"envs/prod/shop.yaml": deployment("{shop:2.0}")})
	w.repo.Commit("more", "bob", "words", map[string]string{"README.md": "# Config"})
	w.run()
	if _, err := w.repo.MergeByForce(2, "ada", "rebase"); err != nil {
		t.Fatal(err)
	}
	w.sees("incident: #2 was merged although its verdict was waiting.")
	w.rests()
}

// A push that takes the policy away does not take the commit before it out of sight, and is
// shown itself.
func TestAuditPushOfRules(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1", "shop:2.0")
	w.run()
	w.repo.Commit("main", "erin", "prod", map[string]string{"envs/prod/shop.yaml": w.expand(deployment("{shop:2.0}"))})
	w.repo.Commit("main", "erin", "no rules", map[string]string{".pinnace/policies/prod.yaml": sandbox.Removed})
	w.sees("incident: It was pushed, without a pull request.")
	for n, want := range []string{"neutral: The rules changed by a push", "failure: Images changed against the rules"} {
		if got := w.audited(n); got != want {
			t.Errorf("%d before the tip: %s, want %s", n, got, want)
		}
	}
	w.rests()
}

// main is rewritten by force: what is new on it is looked at.
func TestAuditForcePush(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1", "shop:2.0")
	w.run()
	root := w.repo.Tip("main")
	w.repo.Commit("main", "erin", "words", map[string]string{"README.md": "# Config"})
	w.run()
	w.repo.ForcePush("main", "erin", "rewritten", root, map[string]string{"envs/prod/shop.yaml": w.expand(deployment("{shop:2.0}"))})
	w.sees("incident: It was pushed, without a pull request.")
	w.rests()
}

// Of a repository that Pinnace sees for the first time nothing is said but of its tip.
func TestAuditFirstSight(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1", "shop:2.0")
	for _, image := range []string{"shop:1.1", "shop:2.0", "shop:1.0"} {
		w.repo.Commit("main", "erin", image, map[string]string{"envs/prod/shop.yaml": w.expand(deployment("{" + image + "}"))})
	}
	w.repo.Commit("main", "erin", "words", map[string]string{"README.md": "# Config"})
	w.sees()
	if got := w.audited(0); got != "success: No image under policy changed" {
		t.Errorf("the tip: %s", got)
	}
	if got := w.audited(1); got != ": " {
		t.Errorf("the commit before: %s", got)
	}
	w.rests()
}
