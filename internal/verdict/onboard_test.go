package verdict_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// installed is what a server does at each look: it asks for leave where nothing is configured.
func (w *world) installed() []string {
	w.Helper()
	s := w.steward()
	s.Judge.Configured = true
	round, err := s.Run(context.Background())
	if !errors.Is(err, verdict.ErrUnconfigured) {
		if err != nil {
			w.Fatal(err)
		}
		return tell(round)
	}
	s.Proposer.App, s.Proposer.Author.Email = s.Judge.App, w.Email(w.app.Bot().Login)
	o, err := s.Proposer.Onboard(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	return []string{strings.TrimSuffix("asked: "+string(o.Action)+", "+o.Reason, ", ")}
}

// checks are the names of all check runs of our App on a head.
func (w *world) checks(sha string) []string {
	var out []string
	for _, c := range w.repo.Checks(sha) {
		if c.App == w.app.ID() {
			out = append(out, c.Name)
		}
	}
	slices.Sort(out)
	return out
}

// A repository is asked first: until the pull request is merged nothing else is done in it, not
// even for people who ask for something, and what was merged is no incident.
func TestOnboardingComesFirst(t *testing.T) {
	w := newWorld(t, map[string]string{
		"envs/dev/shop.yaml":  deployment("ghcr.io/acme/shop:1.1"),
		"envs/prod/shop.yaml": deployment("ghcr.io/acme/shop:1.0"),
	}, "shop:1.0", "shop:1.1")
	want := func(got []string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
	want(w.installed(), "asked: opened")
	w.repo.Commit("theirs", "bob", "by hand", map[string]string{"envs/prod/shop.yaml": deployment("ghcr.io/acme/shop:1.1")})
	if _, err := w.repo.OpenPullRequest("bob", "By hand", "", "theirs", "main"); err != nil {
		t.Fatal(err)
	}
	w.repo.Comment(2, "bob", "/promote shop to prod")
	w.ForgetRequests()
	want(w.installed(), "asked: unchanged")
	for _, q := range w.repo.PullRequests() {
		if got := w.checks(q.Head.SHA); len(got) > 0 {
			t.Errorf("#%d has the checks %v", q.Number, got)
		}
	}
	if n := w.Writes(); n > 0 {
		t.Errorf("%d writes before anybody said yes", n)
	}

	if _, err := w.repo.Merge(1, "ada", "squash"); err != nil {
		t.Fatal(err)
	}
	got := w.installed()
	for _, line := range got {
		if strings.HasPrefix(line, "incident") || strings.HasPrefix(line, "error") || strings.Contains(line, "failed") {
			t.Errorf("after the merge: %s", line)
		}
	}
	want(got[:2], "opened pin/dev #3", "opened pin/prod #4")
	for _, q := range w.repo.PullRequests() {
		if q.State == promotion.Open && !slices.Contains(w.checks(q.Head.SHA), "pinnace/promotion") {
			t.Errorf("#%d has no check", q.Number)
		}
	}
	if issues := w.repo.Issues(); len(issues) > 0 {
		t.Errorf("issues were opened: %v", issues)
	}
}

// The pull request that adds a first configuration is held to the guard by whoever looks at it
// with another configuration, or with none: it is a bot's, so that an admin approves it.
func TestGuardOfTheFirstConfiguration(t *testing.T) {
	w := newWorld(t, map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.0")}, "shop:1.0")
	w.installed()
	w.run() // pinnace reconcile, which needs no configuration
	head := w.repo.Tip(reconcile.OnboardBranch)
	red := func() bool {
		i := slices.IndexFunc(w.repo.Checks(head), func(c promotion.CheckRun) bool { return c.Name == "pinnace/config" })
		return i < 0 || w.repo.Checks(head)[i].Conclusion != "success"
	}
	if !red() {
		t.Error("the first configuration passes without an admin")
	}
	w.review(1, "bob", promotion.Approved) // who may write is no admin
	w.run()
	if !red() {
		t.Error("somebody without admin approves the first configuration")
	}
	w.review(1, "ada", promotion.Approved)
	w.run()
	if red() {
		t.Errorf("an admin's approval does not count: %+v", w.repo.Checks(head))
	}
}

// What people make of the branch is theirs to merge.
func TestOnboardingAsPeopleEditedIt(t *testing.T) {
	w := newWorld(t, map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.0")}, "shop:1.0")
	w.installed()
	w.repo.Commit(reconcile.OnboardBranch, "ada", "observe first", map[string]string{
		".pinnace/config.yaml": strings.Replace(configuration, "kind: Config\n", "kind: Config\nmode: observe\n", 1),
		"notes.txt":            sandbox.Removed,
	})
	if got := w.installed(); !strings.HasPrefix(got[0], "asked: diverged") {
		t.Fatalf("got %v", got)
	}
	if _, err := w.repo.Merge(1, "ada", "merge"); err != nil {
		t.Fatal(err)
	}
	if got := w.installed(); !slices.Contains(got, "opened pin/dev") {
		t.Errorf("got %v", got)
	}
	if len(w.repo.PullRequests()) != 1 {
		t.Error("mode: observe opened a pull request")
	}
}
