package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A source that has moved on keeps what was asked for before; one that was rolled back, or of
// which nobody knows, does not. Soak ends where the images gave way.
func TestSourceOnward(t *testing.T) {
	for name, c := range map[string]struct {
		onward Answer
		stood  time.Duration
		want   promotion.Status
		says   string
	}{
		"moved on after its soak":  {approval.Yes, 2 * time.Hour, promotion.Passed, "which has moved on to something newer since"},
		"moved on before its soak": {approval.Yes, 30 * time.Minute, promotion.Denied, "ran it for less than 1h"},
		"rolled back":              {approval.No, 2 * time.Hour, promotion.Denied, "no longer runs"},
		"nobody knows":             {approval.Unknown, 2 * time.Hour, promotion.Unknown, "nobody knows whether it moved on or was rolled back"},
	} {
		in := promote(t, twoPeople)
		in.Soak = time.Hour
		in.Changes[0].Stands = Known([]string{})
		until := in.Now.Add(-24 * time.Hour)
		in.Sources = []Source{{Env: "staging", App: in.Changes[0].NewApp, Since: Known(until.Add(-c.stood)), Until: until, Onward: c.onward}}
		d := Decide(in)
		if d.Status != c.want || !strings.Contains(render(d), c.says) {
			t.Errorf("%s: got %s %s\n%s\nwant %s with %q", name, d.Status, d.Summary, render(d), c.want, c.says)
		}
	}
}
