package verdict_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// sealed has a promotion to prod open as #1, which needs two approvals, and has carol's.
func sealed(t *testing.T, pairs ...string) *tale {
	t.Helper()
	w := newTale(t, with(standing(), append([]string{".pinnace/policies/prod.yaml", strings.Replace(twoPeople, "approverCount: 1", "approverCount: 2", 1)}, pairs...)...))
	w.did(w.asks("bob", "shop", "prod"), "opened promote/prod/shop #1", noneOfTwo)
	w.approves(1, "carol")
	w.does(oneOfTwo)
	w.pass(time.Minute)
	return w
}

const (
	noneOfTwo = "#1 waiting: 0 of 2 approvals"
	oneOfTwo  = "#1 waiting: 1 of 2 approvals"
	branch    = "pinnace/promote/prod/shop"
	prodFile  = "envs/prod/shop.yaml"
)

// ignored requires that the check shows a review as one that does not count, and why.
func (w *tale) ignored(number int, by, why string) {
	w.Helper()
	w.tells("the check", w.verdictOf(number).Summary, "**Reviews that do not count**", "- `"+w.User(by).String()+"`: "+why)
}

// The base moves elsewhere: the head stays, and so does the approval.
func TestSealBaseMovesElsewhere(t *testing.T) {
	w := sealed(t)
	head := w.repo.Tip(branch)
	w.commits("main", "erin", map[string]string{"README.md": "hello\n"})
	w.does(oneOfTwo)
	if now := w.repo.Tip(branch); now != head {
		t.Errorf("the head moved from %s to %s", head, now)
	}
	w.approves(1, "dave")
	w.does("#1 merged")
	w.rests()
}

// The same file changes elsewhere: the commit is written anew on the base, its seal is the
// same, and the approval stays, also where GitHub dismissed it because of our push.
func TestSealRenderedAnew(t *testing.T) {
	for name, rules := range map[string]promotion.Rules{"approvals stay": {}, "GitHub dismisses": {Approvals: 1, DismissStale: true}} {
		t.Run(name, func(t *testing.T) {
			w := sealed(t)
			if rules.DismissStale {
				w.repo.Protect("main", sandbox.Protection{Rules: rules})
			}
			head := w.repo.Tip(branch)
			w.commits("main", "erin", map[string]string{prodFile: "# the shop\n" + deployment("{shop:1.0}")})
			w.does("updated promote/prod/shop #1: rendered again on main", oneOfTwo)
			if now := w.repo.Tip(branch); now == head {
				t.Error("the head stayed")
			}
			if dismissed := w.repo.Reviews(1)[0].State == promotion.Dismissed; dismissed != rules.DismissStale {
				t.Errorf("carol's review is %s", w.repo.Reviews(1)[0].State)
			}
			w.approves(1, "dave")
			w.does("#1 merged")
			got, _ := w.repo.File("main", prodFile)
			if want := "# the shop\n" + w.expand(deployment("{shop:1.1}")); got != want {
				t.Errorf("got\n%s", got)
			}
			w.rests()
		})
	}
}

// A person's dismissal is final, whatever we push later.
func TestSealDismissedByAPerson(t *testing.T) {
	w := sealed(t)
	if err := w.repo.Dismiss(1, w.repo.Reviews(1)[0].ID, "erin", "not yet"); err != nil {
		t.Fatal(err)
	}
	w.does(noneOfTwo)
	w.commits("main", "erin", map[string]string{prodFile: "# the shop\n" + deployment("{shop:1.0}")})
	w.does("updated promote/prod/shop #1: rendered again on main", noneOfTwo)
	w.ignored(1, "carol", "dismissed by erin: \"not yet\": review again")
	w.rests(noneOfTwo)
}

// Two apps on neighbouring lines of one manifest: the first promotion merges, and the second,
// which conflicts with it on GitHub, is written anew. It keeps its approvals, and nobody has to
// resolve a conflict.
func TestSealNeighbours(t *testing.T) {
	two := func(shop, web string) string {
		text, _, _ := strings.Cut(deployment(""), "        - name")
		return text + "        - {name: shop, image: " + shop + "}\n        - {name: web, image: " + web + "}\n"
	}
	w := newTale(t, with(standing(),
		"envs/dev/shop.yaml", two("{shop:1.1}", "{web:1.1}"), "envs/staging/shop.yaml", two("{shop:1.1}", "{web:1.1}"), prodFile, two("{shop:1.0}", "{web:1.0}"),
	), "shop:1.0", "shop:1.1", "web:1.0", "web:1.1")
	w.did(w.asks("bob", "shop", "prod"), "opened promote/prod/shop #1", "#1 "+waits)
	w.did(w.asks("bob", "web", "prod"), "opened promote/prod/web #2", "#1 "+waits, "#2 "+waits)
	w.approves(1, "carol")
	w.approves(2, "carol")
	w.does("updated promote/prod/web #2: rendered again on main", "#1 merged", "#2 merged")
	if got, _ := w.repo.File("main", prodFile); got != w.expand(two("{shop:1.1}", "{web:1.1}")) {
		t.Errorf("got\n%s", got)
	}
	w.rests()
}

// The place no longer holds what the promotion replaces: the seal is broken, which the check
// says with the place. /reseal seals what stands there now; who says it becomes a requester,
// and approvals start anew.
func TestSealOldValueChanges(t *testing.T) {
	w := sealed(t)
	w.push("shop:0.9")
	w.commits("main", "erin", map[string]string{prodFile: deployment("{shop:0.9}")})
	broken := "denied: the seal is broken at envs/prod/shop.yaml:9, where main no longer holds ghcr.io/acme/shop:1.0@" + image.Digest(w.digests["shop:1.0"]).Short()
	stuck := "waiting promote/prod/shop #1: what #1 was sealed on has changed in main: comment /reseal on it, and have it reviewed again"
	w.does(stuck, "#1 "+broken, "incident: It was pushed, without a pull request.")
	w.tells("the check", w.verdictOf(1).Summary, "- anybody with write: comment /reseal: the change is made anew on the base")
	w.rests(stuck, "#1 "+broken)

	w.says(1, "dave", "/reseal")
	w.does("updated promote/prod/shop #1", noneOfTwo)
	w.tells("the pull request", w.pr(1).Body, "`0.9` → `1.1`", "Asked for by `"+w.User("dave").String()+"` and `"+w.User("bob").String()+"`")
	w.ignored(1, "carol", "it approved other content")
	w.approves(1, "carol")
	w.approves(1, "dave")
	w.does(oneOfTwo)
	w.ignored(1, "dave", "dave asked for this change")
	w.rests(oneOfTwo)
}

// Somebody pushes on our branch: nothing is merged, the check names the commit, and /reseal
// drops it and keeps it under a ref. What was approved before is to be approved again.
func TestSealForeignCommit(t *testing.T) {
	w := sealed(t)
	foreign := w.commits(branch, "erin", map[string]string{prodFile: deployment("{shop:1.1}") + "# mine\n"})
	diverged := "diverged promote/prod/shop #1: branch pinnace/promote/prod/shop holds a commit by erin (" + foreign[:10] + "): nothing was overwritten"
	denied := "#1 denied: the seal is broken at commit " + foreign[:10] + ", which holds a commit by erin"
	w.does(diverged, denied)
	w.tells("the check", w.verdictOf(1).Summary, "promotion of shop to prod", "❌ the seal is broken at commit `"+foreign[:10]+"`")
	w.tells("the pull request", w.pr(1).Body, foreign[:7])
	w.approves(1, "dave")
	w.rests(diverged, denied)

	w.says(1, "bob", "/reseal")
	w.does("updated promote/prod/shop #1", noneOfTwo)
	if got := w.repo.Refs()["refs/pinnace/saved/"+foreign]; got != foreign {
		t.Errorf("the commit of erin is kept as %q", got)
	}
	if strings.Contains(w.pr(1).Body, foreign[:7]) {
		t.Error("the pull request still speaks of the foreign commit")
	}
	w.ignored(1, "carol", "given on")
	w.ignored(1, "dave", "what it approved is not on record: review again")
	w.rests(noneOfTwo)
	w.approves(1, "carol")
	w.approves(1, "dave")
	w.does("#1 merged")
	w.holds(prodFile, "{shop:1.1}")
	w.rests()
}

// Whoever replaces the head by something else breaks the seal, whatever the new commit says of
// itself, and nothing on record says any more whose request it was. Whoever puts the head back
// that was approved gets the pull request back as it was; what was approved meanwhile was
// something else.
func TestSealForcePush(t *testing.T) {
	for name, test := range map[string]struct {
		message func(ours string) string
		image   string
		why     string
	}{
		"something else":       {func(string) string { return "mine" }, "{shop:1.2}", "a commit by erin"},
		"with forged trailers": {func(ours string) string { return ours }, "{shop:1.2}", "images that its commit does not name"},
	} {
		t.Run(name, func(t *testing.T) {
			w := sealed(t)
			head := w.repo.Tip(branch)
			ours := w.repo.Log(head)[0]
			w.pass(time.Minute)
			foreign := w.repo.ForcePush(branch, "erin", test.message(ours.Message), ours.Parents[0], map[string]string{prodFile: w.expand(deployment(test.image))})
			diverged := "diverged promote/prod/shop #1: branch pinnace/promote/prod/shop holds " + test.why + " (" + foreign[:10] + "): nothing was overwritten"
			w.does(diverged, "#1 denied: the seal is broken at commit "+foreign[:10]+", which holds "+test.why)
			w.approves(1, "dave")
			w.rests(diverged, "#1 denied: the seal is broken at commit "+foreign[:10]+", which holds "+test.why)

			w.says(1, "bob", "/reseal")
			w.run()
			w.answered(1, 0, "❌ Not done.\n- nothing is on record of the head `"+foreign[:10]+"`, so that nobody knows what to seal: close this pull request, and ask anew with /promote or /rollback")
			w.pass(time.Minute)
			w.repo.Branch(branch, "erin", head)
			w.run()
			w.rests(oneOfTwo)
			w.ignored(1, "dave", "what it approved is not on record: review again")
			w.approves(1, "dave")
			w.does("#1 merged")
			w.holds(prodFile, "{shop:1.1}")
			w.rests()
		})
	}
}

// A commit with all that ours has, for another digest and with the seal that belongs to it:
// nothing is on record of it, so that nobody knows who asked, and nobody can approve. Asking
// anew replaces it.
func TestSealForgedWhole(t *testing.T) {
	w := sealed(t)
	ours := w.repo.Log(w.repo.Tip(branch))[0]
	ref := func(name string) image.Ref {
		r, err := image.Parse(strings.Trim(w.expand("{"+name+"}"), " "))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	sealing := promotion.Sealing{
		Repository: w.repo.ID(), Base: "main", Kind: promotion.Promotion, App: "shop", Env: "prod", From: "staging", Request: "cli-eve",
		Changes: []promotion.Change{{Path: prodFile, Pointer: "/spec/template/spec/containers/0/image", Old: ref("shop:1.0"), New: ref("shop:1.2")}},
	}
	var forged []string
	for line := range strings.Lines(ours.Message) {
		if key, _, ok := strings.Cut(line, ": "); ok && key == "Pinnace-Seal" {
			line = "Pinnace-Seal: " + sealing.Hash() + "\n"
		} else if ok && key == "Pinnace-Request" {
			line = "Pinnace-Request: cli-eve\n"
		}
		forged = append(forged, line)
	}
	w.pass(time.Minute)
	w.repo.ForcePush(branch, "erin", strings.Join(forged, ""), ours.Parents[0], map[string]string{prodFile: w.expand(deployment("{shop:1.2}"))})
	unknown := []string{
		"diverged promote/prod/shop #1: nobody knows whose request it is: close it, and ask anew",
		"#1 denied: 2 approvals asked, and nobody can give them: who asked is unknown, and policy prod lets nobody approve their own request",
	}
	w.does(unknown...)
	w.approves(1, "dave")
	w.approves(1, "carol")
	w.rests(unknown...)
	w.did(w.asks("bob", "shop", "prod"), "updated promote/prod/shop #1", noneOfTwo)
	w.rests(noneOfTwo)
}

// "Update branch" merges the base into our branch: a commit that is not ours. /reseal makes
// one commit of it again.
func TestSealUpdateBranch(t *testing.T) {
	w := sealed(t)
	w.commits("main", "erin", map[string]string{"README.md": "hello\n"})
	w.does(oneOfTwo)
	w.pass(time.Minute)
	if err := w.repo.UpdateBranch(1, "erin"); err != nil {
		t.Fatal(err)
	}
	merge := w.repo.Tip(branch)
	w.does("diverged promote/prod/shop #1: branch pinnace/promote/prod/shop holds a merge ("+merge[:10]+"): nothing was overwritten",
		"#1 denied: the seal is broken at commit "+merge[:10]+", which holds a merge")
	w.says(1, "bob", "/reseal")
	w.does("updated promote/prod/shop #1", noneOfTwo)
	w.rests(noneOfTwo)
}

// GitHub moves the commit of a review when somebody presses "Update branch". What counts is the
// commit that it was submitted on, as Pinnace saw it then; what Pinnace did not see in time is
// to be approved again.
func TestSealReviewThatMoves(t *testing.T) {
	w := sealed(t)
	w.approves(1, "dave") // nobody looks
	w.commits("main", "erin", map[string]string{"README.md": "hello\n"})
	if err := w.repo.UpdateBranch(1, "erin"); err != nil {
		t.Fatal(err)
	}
	merge := w.repo.Tip(branch)
	for _, r := range w.repo.Reviews(1) {
		if r.Commit != merge {
			t.Fatalf("GitHub did not move the review of %s", r.Author.Login)
		}
	}
	w.run()
	w.says(1, "bob", "/reseal")
	w.does("updated promote/prod/shop #1", noneOfTwo)
	w.ignored(1, "carol", "given on 2026-11-21 09:02 UTC, before this content was sealed")
	w.ignored(1, "dave", "what it approved is not on record: review again")
	w.rests(noneOfTwo)
}

// The record is lost with the text of our check run: nothing is guessed, and nothing that was
// approved counts. Asking anew seals the change anew.
func TestSealRecordLost(t *testing.T) {
	w := sealed(t)
	run := w.verdictOf(1)
	run.Text, run.Status, run.Conclusion = "damaged", "completed", "success"
	if _, err := w.steward().Judge.Forge.UpdateCheckRun(context.Background(), w.repo.Noun(), run); err != nil {
		t.Fatal(err)
	}
	lost := []string{
		"diverged promote/prod/shop #1: nobody knows whose request it is: close it, and ask anew",
		"#1 denied: 2 approvals asked, and nobody can give them: who asked is unknown, and policy prod lets nobody approve their own request",
	}
	got := w.run()
	w.did(got, lost...)
	w.ignored(1, "carol", "what it approved is not on record: review again")
	w.rests(lost...)
	w.did(w.asks("bob", "shop", "prod"), "updated promote/prod/shop #1", noneOfTwo)
	w.ignored(1, "carol", "what it approved is not on record: review again")
	w.approves(1, "carol")
	w.approves(1, "dave")
	w.does("#1 merged")
	w.rests()
}
