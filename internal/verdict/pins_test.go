package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const locked = `apiVersion: pinnace.dev/v1alpha1
kind: PullImageDigestPolicy
name: pinned
environments: [dev]
`

// lockedDev has dev locked, and no promotion policy.
func lockedDev() map[string]string {
	return map[string]string{
		".pinnace/config.yaml":          strings.Replace(configuration, "deploy: auto", "deploy: button", 1),
		".pinnace/policies/pinned.yaml": locked,
		"envs/dev/shop.yaml":            deployment("{shop:1.0}"),
		"envs/staging/shop.yaml":        deployment("{shop:1.0}"),
	}
}

// In a locked environment an image without a digest is red, with a suggestion on its line. A
// click makes exactly the edit that pinnace pin makes, and the check is green.
func TestPinsSuggestion(t *testing.T) {
	w := newWorld(t, lockedDev(), "shop:1.0", "shop:1.1")
	w.opens("bob", "plain", map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.1")})
	w.sees("#1 denied: pinnace/pins of this head is red, and policy pinned locks dev")
	if got := [2]string{w.conclusion(1, "pinnace/pins"), w.conclusion(1, "pinnace/promotion")}; got != [2]string{"failure", "failure"} {
		t.Errorf("pins and promotion are %q", got)
	}
	notes := w.checked(1, "pinnace/pins").Annotations
	if len(notes) != 1 || notes[0].Path != "envs/dev/shop.yaml" || notes[0].Start != 9 || notes[0].Level != "failure" || !strings.Contains(notes[0].Message, "Policy pinned locks an environment of this file") {
		t.Errorf("annotations %+v", notes)
	}
	lines := w.repo.LineComments(1)
	if len(lines) != 1 || lines[0].Line != 9 || lines[0].Author != w.app.Bot() || !strings.Contains(lines[0].Body, "```suggestion\n"+w.expand("          image: {shop:1.1}")+"\n```") {
		t.Fatalf("line comments %+v", lines)
	}
	reviews := w.repo.Reviews(1)
	if len(reviews) != 1 || reviews[0].State != promotion.Commented || !strings.HasPrefix(reviews[0].Body, "One image of `") {
		t.Errorf("reviews %+v", reviews)
	}
	w.rests()

	w.pass(time.Minute)
	if _, err := w.repo.PressSuggestion(1, "bob", lines[0].ID); err != nil {
		t.Fatal(err)
	}
	w.sees("#1 all rules hold")
	if got := w.conclusion(1, "pinnace/pins"); got != "success" {
		t.Errorf("pins is %s", got)
	}
	if got, _ := w.repo.File("plain", "envs/dev/shop.yaml"); got != w.pinnedBy(deployment("ghcr.io/acme/shop:1.1")) {
		t.Errorf("the click made\n%s\nand pinnace pin makes\n%s", got, w.pinnedBy(deployment("ghcr.io/acme/shop:1.1")))
	}
	w.rests()
}

// pinnedBy is what pinnace pin makes of a file of dev: what its pull request brings.
func (w *world) pinnedBy(text string) string {
	w.Helper()
	files := lockedDev()
	files["envs/dev/shop.yaml"] = text
	other := newWorld(w.TB, files, "shop:1.0", "shop:1.1")
	other.run()
	got, ok := other.repo.File("pinnace/pin/dev", "envs/dev/shop.yaml")
	if !ok {
		w.Fatal("nothing was pinned")
	}
	return got
}

// Suggestions are written once for a line and what it holds: a push that leaves the line alone
// brings none, one that adds another image brings one.
func TestPinsSuggestionOnce(t *testing.T) {
	w := newWorld(t, lockedDev(), "shop:1.0", "shop:1.1", "side:1.0")
	w.opens("bob", "plain", map[string]string{"envs/dev/more.yaml": deployment("ghcr.io/acme/shop:1.1")})
	w.run()
	w.pass(time.Minute)
	w.repo.Commit("plain", "bob", "words", map[string]string{"README.md": "# Config", "envs/dev/more.yaml": "# More.\n" + deployment("ghcr.io/acme/shop:1.1")})
	w.run()
	if got := len(w.repo.LineComments(1)); got != 1 {
		t.Errorf("%d comments on lines", got)
	}
	w.rests()
	w.pass(time.Minute)
	w.repo.Commit("plain", "bob", "more", map[string]string{"envs/dev/side.yaml": strings.ReplaceAll(deployment("ghcr.io/acme/side:1.0"), "name: shop", "name: side")})
	w.run()
	lines := w.repo.LineComments(1)
	if len(lines) != 2 || lines[1].Path != "envs/dev/side.yaml" {
		t.Errorf("comments on lines %+v", lines)
	}
	w.rests()
}

// Where no policy locks an environment the check tells, and is not red; nobody is bothered with
// a review.
func TestPinsElsewhere(t *testing.T) {
	w := newWorld(t, lockedDev(), "shop:1.0", "shop:1.1")
	w.opens("bob", "plain", map[string]string{"envs/staging/shop.yaml": deployment("ghcr.io/acme/shop:1.1")})
	w.sees("#1 all rules hold")
	if got := w.conclusion(1, "pinnace/pins"); got != "neutral" {
		t.Errorf("pins is %s", got)
	}
	if got := len(w.repo.LineComments(1)) + len(w.repo.Reviews(1)); got != 0 {
		t.Errorf("%d reviews and comments", got)
	}
	w.rests()
}

// A locked environment has no way out but the exceptions of the policy.
func TestPinsNoWayOut(t *testing.T) {
	for _, test := range []struct {
		name, config, policy, text, want, says string
	}{
		{"pin.exclude", "pin: {exclude: [\"envs/dev/**\"]}\n", "", deployment("ghcr.io/acme/shop:1.1"), "failure", "pin.exclude names this file, which the policy makes void"},
		{"pin.ignore", "pin: {ignore: [\"ghcr.io/acme/*\"]}\n", "", deployment("ghcr.io/acme/shop:1.1"), "failure", "pin.ignore names this image, which the policy makes void"},
		{"a comment on the line", "", "", deployment("ghcr.io/acme/shop:1.1 # pinnace:ignore"), "failure", "A comment on the line says pinnace:ignore, which the policy makes void"},
		{"what cannot be edited", "", "", deployment("$(IMAGE)"), "failure", "PIN006"},
		{"an exception", "", "exceptions: [{path: envs/dev/shop.yaml, reason: built here, expires: 2027-01-01}]\n", deployment("$(IMAGE)"), "neutral", "an exception of it lets this pass"},
		{"a lapsed exception", "", "exceptions: [{path: envs/dev/shop.yaml, reason: built here, expires: 2026-01-01}]\n", deployment("$(IMAGE)"), "failure", "PIN006"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := lockedDev()
			files[".pinnace/config.yaml"] += test.config
			files[".pinnace/policies/pinned.yaml"] += test.policy
			w := newWorld(t, files, "shop:1.0", "shop:1.1")
			w.opens("bob", "out", map[string]string{"envs/dev/shop.yaml": test.text})
			w.run()
			c := w.checked(1, "pinnace/pins")
			said := c.Summary
			for _, a := range c.Annotations {
				said += "\n" + a.Title + "\n" + a.Message
			}
			if c.Conclusion != test.want || !strings.Contains(said, test.says) {
				t.Errorf("pins is %s, and says\n%s\nwant %s: %s", c.Conclusion, said, test.want, test.says)
			}
			w.rests()
		})
	}
}

// Un-pinning is a failure there as well.
func TestPinsDigestTakenAway(t *testing.T) {
	w := newWorld(t, lockedDev(), "shop:1.0")
	w.opens("bob", "unpin", map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.0")})
	w.run()
	c := w.checked(1, "pinnace/pins")
	if c.Conclusion != "failure" || len(c.Annotations) != 1 || !strings.Contains(c.Annotations[0].Message, "This pull request takes the digest away.") {
		t.Errorf("pins is %s: %+v", c.Conclusion, c.Annotations)
	}
	w.rests()
}
