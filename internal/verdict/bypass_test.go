package verdict_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// Files bypass_*_test.go are the ways around Pinnace that somebody with write could try, one
// test for each. Every test takes the attacker's steps and asks for one of two ends: nothing
// was merged and the check that a branch rule asks for is not green; or, where GitHub merges
// without asking, exactly one incident is on record. mutant_test.go holds each of them to
// failing as soon as its defence is gone.

// shopOnly binds shop alone, so that nothing but the rules about what stands beside it judges
// other images.
const shopOnly = `apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: prod
approverCount: 1
unknownBuilder: ignore
applyTo: [{app: shop, env: prod}]
`

// A siege is a world with an attacker in it.
type siege struct{ *world }

// attacked is the world of most attacks: shop 1.1 has reached staging, prod runs 1.0. The
// branch rule that setup asks for is in force: the check, by our App and nobody else.
func attacked(t *testing.T, changes map[string]string) *siege {
	t.Helper()
	files := standing()
	for path, text := range changes {
		if files[path] = text; text == sandbox.Removed {
			delete(files, path)
		}
	}
	w := &siege{newWorld(t, files, "shop:1.0", "shop:1.1", "shop:6.6", "miner:6.6")}
	w.demand(promotion.Rules{})
	w.run()
	w.pass(time.Minute)
	return w
}

// demand protects main with the check, and with further rules.
func (w *siege) demand(r promotion.Rules) {
	r.Checks = []promotion.RequiredCheck{{Context: "pinnace/promotion", App: w.app.ID()}}
	w.repo.Protect("main", sandbox.Protection{Rules: r})
}

// hand opens a pull request of a person with one commit on the tip of main.
func (w *siege) hand(by, branch string, edits map[string]string) int {
	w.Helper()
	w.edit(by, branch, edits)
	n, err := w.repo.OpenPullRequest(by, "A small change", "", branch, "main")
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// edit commits to a branch, in whose texts {NAME:TAG} is the reference of an image.
func (w *siege) edit(by, branch string, edits map[string]string) string {
	w.Helper()
	w.pass(time.Second)
	expanded := map[string]string{}
	for path, text := range edits {
		expanded[path] = w.expand(text)
	}
	return w.repo.Commit(branch, by, "a small change", expanded)
}

// comment writes a comment a minute later.
func (w *siege) comment(number int, by, body string) {
	w.pass(time.Minute)
	w.repo.Comment(number, by, body)
}

// approve reviews a minute later.
func (w *siege) approve(number int, by string) int64 {
	w.Helper()
	w.pass(time.Minute)
	return w.review(number, by, promotion.Approved)
}

// pullOf returns a pull request as it is.
func (w *siege) pullOf(number int) promotion.PullRequest {
	w.Helper()
	for _, q := range w.repo.PullRequests() {
		if q.Number == number {
			return q
		}
	}
	w.Fatalf("there is no #%d", number)
	return promotion.PullRequest{}
}

// checkAt returns the check run of our App on a commit.
func (w *siege) checkAt(sha, name string) (promotion.CheckRun, bool) {
	for _, c := range w.repo.Checks(sha) {
		if c.App == w.app.ID() && c.Name == name {
			return c, true
		}
	}
	return promotion.CheckRun{}, false
}

// refuses runs Pinnace and asks that it merged nothing, that its check on the pull request is
// there and not green, that it says each of the texts and what to do next, and that GitHub
// does not let the button be pressed.
func (w *siege) refuses(number int, says ...string) {
	w.Helper()
	w.refusesCheck("pinnace/promotion", number, says...)
}

func (w *siege) refusesCheck(name string, number int, says ...string) {
	w.Helper()
	before := w.repo.Tip("main")
	lines := w.run()
	if now := w.repo.Tip("main"); now != before {
		w.Errorf("main moved from %s to %s:\n  %s", before[:10], now[:10], strings.Join(lines, "\n  "))
	}
	q := w.pullOf(number)
	if q.State != promotion.Open {
		w.Errorf("#%d is %s:\n  %s", number, q.State, strings.Join(lines, "\n  "))
	}
	for _, one := range slices.Compact([]string{"pinnace/promotion", name}) {
		if c, ok := w.checkAt(q.Head.SHA, one); !ok || c.Conclusion == "success" || c.Conclusion == "neutral" {
			w.Errorf("check %s of #%d is %q (%s):\n  %s", one, number, c.Conclusion, c.Title, strings.Join(lines, "\n  "))
		}
	}
	c, _ := w.checkAt(q.Head.SHA, name)
	w.tells("check "+name, c.Title+"\n"+c.Summary+"\n"+c.Text, says...)
	if !strings.Contains(c.Summary, "**Next**") {
		w.Errorf("the check does not say what to do next:\n%s", c.Summary)
	}
	if _, err := w.repo.Merge(number, "ada", "squash"); err == nil {
		w.Errorf("GitHub let #%d be merged", number)
	}
}

// tells asks that a text says each of some texts.
func (w *siege) tells(what, text string, says ...string) {
	w.Helper()
	for _, s := range says {
		if !strings.Contains(text, s) {
			w.Errorf("%s does not say %q:\n%s", what, s, text)
		}
	}
}

// reports runs Pinnace and asks for exactly one incident that says each of the texts.
func (w *siege) reports(says ...string) {
	w.Helper()
	lines := w.run()
	all := w.incidents()
	if len(all) != 1 {
		w.Fatalf("there are %d incidents, want 1:\n  %s", len(all), strings.Join(lines, "\n  "))
	}
	w.tells("the incident", all[0].Title+"\n"+all[0].Body, append(says, "**What to do**")...)
}

// incidents are the issues about what got past the rules.
func (w *siege) incidents() []promotion.Issue {
	var out []promotion.Issue
	for _, i := range w.repo.Issues() {
		if slices.Contains(i.Labels, "pinnace-incident") {
			out = append(out, i)
		}
	}
	return out
}

// harmless ends an attack: prod runs what it did, nothing was reported, further runs write
// nothing, and GitHub saw nothing that a client may not do.
func (w *siege) harmless() {
	w.Helper()
	got, _ := w.repo.File("main", "envs/prod/shop.yaml")
	if want := w.expand(deployment("{shop:1.0}")); got != want {
		w.Errorf("prod holds\n%s\nwant\n%s", got, want)
	}
	if all := w.incidents(); len(all) > 0 {
		w.Errorf("%d incidents, such as %s", len(all), all[0].Title)
	}
	w.still()
}

// still asks that a further run writes nothing.
func (w *siege) still() {
	w.Helper()
	w.run()
	writes := w.Writes()
	if lines := w.run(); w.Writes() != writes {
		w.Errorf("a run at rest wrote %d times:\n  %s", w.Writes()-writes, strings.Join(lines, "\n  "))
	}
	if v := w.Violations(); len(v) > 0 {
		w.Error(v)
	}
}

// lines holds what Pinnace did to what is wanted.
func (w *siege) lines(got []string, want ...string) {
	w.Helper()
	if !slices.Equal(got, want) {
		w.Fatalf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// call lets an account ask GitHub's API for something, as a script with its token does.
func (w *siege) call(token, method, path, body string) {
	w.Helper()
	r, err := http.NewRequest(method, w.URL()+"/api/v3"+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer a.Body.Close()
	if a.StatusCode >= 300 {
		w.Fatal(fmt.Errorf("%s %s: %s", method, path, a.Status))
	}
}

// swap replaces texts that have to be there.
func swap(t testing.TB, text string, pairs ...string) string {
	t.Helper()
	for p := range slices.Chunk(pairs, 2) {
		if !strings.Contains(text, p[0]) {
			t.Fatalf("there is no %q in\n%s", p[0], text)
		}
		text = strings.ReplaceAll(text, p[0], p[1])
	}
	return text
}
