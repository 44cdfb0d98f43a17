package message

import (
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// The checks that goldens show.
var checks = map[string]Check{
	"check-denied": {
		Name: "pinnace/promotion", Subject: "Promote shop 1.5.0 to prod, from staging", Decision: *decided(), Seal: seal,
		Notes: []string{"A newer version, 1.5.1, is queued behind this pull request."},
	},
	"check-waiting": {
		Name: "pinnace/promotion (main)", Subject: "Roll shop back to 1.4 in prod", Advisory: true, Seal: seal,
		Decision: promotion.Decision{
			Status: promotion.Waiting, Summary: "waiting: 0 of 1 approvals",
			Results: []promotion.Result{
				{Rule: "seal", Status: promotion.Passed, Title: "the head is the sealed change and nothing else"},
				{Rule: "approvals", Status: promotion.Waiting, Title: "0 of 1 approvals", Seen: "none", Wanted: "1 approval by anybody with write", Who: "anybody with write", Next: "approve this pull request"},
			},
		},
	},
	"check-held": {
		Name: "pinnace/promotion", Subject: "Promote shop 1.5.0 to prod, from staging", Hold: "waiting for /deploy", Seal: seal,
		Decision: promotion.Decision{
			Status: promotion.Passed, Summary: "all rules hold", Results: decided().Results[:2], Approvals: decided().Approvals,
		},
	},
	"check-nothing": {
		Name: "pinnace/promotion", Subject: "No image changes here",
		Decision: promotion.Decision{Status: promotion.Passed, Summary: "nothing is to be judged"},
	},
}

func TestCheckGolden(t *testing.T) {
	for name, c := range checks {
		t.Run(name, func(t *testing.T) {
			status, conclusion := c.Conclusion()
			golden(t, name, &txtar.Archive{Files: []txtar.File{
				{Name: "conclusion", Data: []byte(status + " " + conclusion + "\n")},
				{Name: "title", Data: []byte(c.Title() + "\n")},
				{Name: "summary.md", Data: []byte(c.Summary())},
				{Name: "text.md", Data: []byte(c.Text())},
			}})
		})
	}
}

// Nothing but a verdict that passed, and that nothing holds, is ever green.
func TestConclusion(t *testing.T) {
	for _, tc := range []struct {
		status              promotion.Status
		hold                string
		status2, conclusion string
	}{
		{promotion.Passed, "", "completed", "success"},
		{promotion.Passed, "waiting for /deploy", "in_progress", ""},
		{promotion.Waiting, "", "in_progress", ""},
		{promotion.Waiting, "x", "in_progress", ""},
		{promotion.Denied, "", "completed", "failure"},
		{promotion.Denied, "x", "completed", "failure"},
		{promotion.Unknown, "", "completed", "action_required"},
		{promotion.Skipped, "", "completed", "action_required"},
		{"", "", "completed", "action_required"},
		{"other", "", "completed", "action_required"},
	} {
		c := Check{Decision: promotion.Decision{Status: tc.status}, Hold: tc.hold}
		if status, conclusion := c.Conclusion(); status != tc.status2 || conclusion != tc.conclusion {
			t.Errorf("%q held %q: got %s %q, want %s %q", tc.status, tc.hold, status, conclusion, tc.status2, tc.conclusion)
		}
	}
}

// A tree that is too long loses the deepest of what holds, then of what does not, and says
// how much.
func TestTreeRoom(t *testing.T) {
	leaf := func(s promotion.Status, title string) promotion.Result {
		return promotion.Result{Status: s, Title: title}
	}
	results := []promotion.Result{
		{Status: promotion.Denied, Title: "outer", Children: []promotion.Result{
			leaf(promotion.Denied, "denied"),
			{Status: promotion.Passed, Title: "holds", Children: []promotion.Result{leaf(promotion.Denied, "under what holds")}},
			leaf(promotion.Passed, "holds too"),
		}},
		leaf(promotion.Skipped, "skipped"),
	}
	whole := (&tree{}).list(results, 1<<20)
	if want := "- ❌ outer\n  - ❌ denied\n  - ✅ holds\n    - ❌ under what holds\n  - ✅ holds too\n- ➖ skipped"; whole != want {
		t.Errorf("got the whole tree\n%s\nwant\n%s", whole, want)
	}
	for over, want := range map[int]string{
		1:  "- ❌ outer\n  - ❌ denied\n  - ✅ holds\n  - ✅ holds too\n- ➖ skipped\n- and 1 more rule, none of which stands in the way",
		30: "- ❌ outer\n  - ❌ denied\n  - ✅ holds\n- ➖ skipped\n- and 2 more rules, none of which stands in the way",
		80: "- ❌ outer\n- and 5 more rules, 1 of which in the way",
	} {
		if got := fitted(results, len(whole)+1-over); got != want {
			t.Errorf("%d bytes over, got\n%s\nwant\n%s", over, got, want)
		}
	}
}

// fitted is a tree in room bytes besides those that say what is missing.
func fitted(results []promotion.Result, room int) string {
	t := &tree{}
	t.grow(results, 0, false, "")
	t.fit(room)
	return t.String()
}

// The largest checks stay below their limits, and leave room for the record.
func TestCheckBounds(t *testing.T) {
	for _, s := range []string{strings.Repeat("𝔘", 3000), strings.Repeat("|", 3000), "@a #1 "} {
		d := hostileDecision(s)
		for range 4 {
			for range 5 {
				d.Results = append(d.Results, promotion.Result{Status: promotion.Denied, Title: s, Children: d.Results[:6]})
			}
		}
		for range 300 {
			d.Approvals, d.Ignored = append(d.Approvals, d.Approvals[0]), append(d.Ignored, d.Ignored[0])
		}
		deep := promotion.Result{Status: promotion.Waiting, Title: s}
		for range 50 {
			deep.Children = []promotion.Result{deep}
		}
		d.Results = append(d.Results, deep)
		checked(t, Check{Name: s, Subject: s, Decision: d, Hold: s, Advisory: true, Notes: []string{s, s}, Seal: s})
	}
}
