package reconcile_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// overlays is a repository with three environments and no configuration.
func overlays() map[string]string {
	return map[string]string{
		"envs/dev/shop.yaml":     deployment("ghcr.io/acme/shop:1.4"),
		"envs/staging/shop.yaml": deployment("ghcr.io/acme/shop:1.3"),
		"envs/prod/shop.yaml":    deployment("ghcr.io/acme/shop:1.3"),
		"tools/job.yaml":         deployment("ghcr.io/acme/tool:1"),
	}
}

// onboard asks once, and says what became of it.
func (w *world) onboard() string {
	w.Helper()
	p := w.proposer()
	p.App = 4711
	o, err := p.Onboard(context.Background())
	if err != nil {
		return "error: " + err.Error()
	}
	line := string(o.Action)
	if o.PullRequest.Number > 0 {
		line += fmt.Sprintf(" #%d", o.PullRequest.Number)
	}
	if o.Configured {
		line += " configured"
	}
	if o.Reason != "" {
		line += ": " + o.Reason
	}
	return line
}

// asks holds what became of it to what is wanted.
func (w *world) asks(want string) {
	w.Helper()
	if got := w.onboard(); got != want {
		w.Fatalf("got  %s\nwant %s", got, want)
	}
}

// still asks again and fails where anything is written.
func (w *world) still(want string) {
	w.Helper()
	w.ForgetRequests()
	w.asks(want)
	if n := w.Writes(); n > 0 {
		w.Errorf("a run with nothing new made %d writes", n)
	}
}

func TestOnboardingOpensOnePullRequest(t *testing.T) {
	w := newWorld(t, overlays())
	w.asks("opened #1")
	p := w.pull(1)
	if p.Head.Ref != reconcile.OnboardBranch || p.Base.Ref != "main" || p.Title != "Configure Pinnace" || !slices.Equal(p.Labels, []string{"pinnace"}) {
		t.Errorf("got %s to %s, %q, labels %v", p.Head.Ref, p.Base.Ref, p.Title, p.Labels)
	}
	t.Log(p.Body)
	t.Log(w.file(p.Head.Ref, ".pinnace/config.yaml"))
	if n := len(w.repo.Log(p.Head.Ref)); n != 2 {
		t.Errorf("the branch has %d commits, want one on top of the base", n)
	}
	if runs := w.repo.Checks(p.Head.SHA); len(runs) > 0 {
		t.Errorf("checks were written: %v", runs)
	}
	if got := branches(w.repo); !slices.Equal(got, []string{"main", reconcile.OnboardBranch}) {
		t.Errorf("branches %v", got)
	}
	w.still("unchanged #1")
	if _, err := w.repo.Merge(1, "ada", "squash"); err != nil {
		t.Fatal(err)
	}
	w.still("clean #1 configured: .pinnace/config.yaml is there")
	_ = strings.Contains
	_ = promotion.Open
}
