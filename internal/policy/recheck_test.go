package policy

import (
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// TestRecheck: the earliest moment at which time alone may change the verdict.
func TestRecheck(t *testing.T) {
	zero := policyDoc("zero", "applyTo: [{env: prod}]")
	freeze := func(window string) string {
		return zero + "\n---\napiVersion: pinnace.dev/v1alpha1\nkind: Freeze\nname: f\nproduction: true\nwindow: " + window + "\nreason: r\nowner: dave\n"
	}
	for _, row := range []struct {
		name   string
		docs   string
		change func(*Input)
		want   time.Duration // from now; 0 for never
	}{
		{"nothing depends on the time", zero, nil, 0},
		{"the first approval that is needed lapses", twoPeople, nil, 7*24*time.Hour - 2*time.Hour},
		{"soak ends", zero, func(in *Input) { in.Sources[0].Since = Known(now.Add(-45 * time.Minute)) }, 15 * time.Minute},
		{"soak has ended", zero, func(in *Input) { in.Sources[0].Since = Known(now.Add(-time.Hour)) }, 0},
		{"a freeze begins", freeze("{cron: \"30 14 * * *\", duration: 1h}"), nil, 150 * time.Minute},
		{"a freeze ends", freeze("{from: 2026-11-18T00:00, to: 2026-11-18T12:40}"), nil, 40 * time.Minute},
		{"a freeze has ended for good", freeze("{to: 2026-11-18T12:00}"), nil, 0},
		{"the earliest of several", freeze("{cron: \"30 14 * * *\", duration: 1h}"), func(in *Input) { in.Sources[0].Since = Known(now.Add(-45 * time.Minute)) }, 15 * time.Minute},
		{"a condition reads the time", policyDoc("a", "passCondition: now > timestamp(\"2020-01-01T00:00:00Z\")\napplyTo: [{env: prod}]"), nil, 5 * time.Minute},
		{"the first approval that a condition saw lapses", policyDoc("a", "approvalTTL: 1d\npassCondition: approvals.size() >= 2\napplyTo: [{env: prod}]"), nil, 22 * time.Hour},
		{"no condition looks at approvals that nothing needs", policyDoc("a", "approvalTTL: 1d\npassCondition: isProdEnv\napplyTo: [{env: prod}]"), nil, 0},
		{"an exception expires", policyDoc("a", "exceptions: [{path: k.yaml, reason: r, expires: \"2026-11-18T13:00:00Z\"}]\napplyTo: [{env: prod}]"), func(in *Input) {
			in.Kind, in.Opaque = promotion.ByHand, []Opaque{{Path: "k.yaml", What: "a patch"}}
		}, time.Hour},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := promote(t, row.docs)
			if row.change != nil {
				row.change(&in)
			}
			d := Decide(in)
			want := time.Time{}
			if row.want != 0 {
				want = now.Add(row.want)
			}
			if !d.Recheck.Equal(want) {
				t.Errorf("got %s, want %s\n%s", d.Recheck, want, render(d))
			}
			if row.want > 0 { // and until then nothing changes
				in.Now = want.Add(-time.Second)
				if got := Decide(in); got.Status != d.Status && row.want < 24*time.Hour {
					t.Errorf("a second before: got %s, want %s", got.Status, d.Status)
				}
			}
		})
	}
}
