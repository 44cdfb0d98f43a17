package verdict_test

import (
	"slices"
	"testing"
	"time"
)

// No label does anything: anybody with triage puts one on, and GitHub keeps no word of why.
func TestLabelsDoNothing(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.run(w.promote("bob", "prod"))
	for _, label := range []string{"pinnace", "pinnace-reviewed", "pinnace-break-glass", "pinnace-incident", "pinnace-requests", "approved", "deploy", "break-glass", "prod"} {
		w.pass(time.Minute)
		w.repo.AddLabel(1, "bob", label)
		if got, want := w.run(), []string{"#1 waiting: 0 of 1 approval"}; !slices.Equal(got, want) {
			t.Errorf("with the label %s: got %q, want %q", label, got, want)
		}
	}
}
