package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// TestLater: a condition that is not met waits where time, or who approves, can still make it
// met, and is denied where neither can.
func TestLater(t *testing.T) {
	const old, fresh = 60 * day, time.Hour
	for _, row := range []struct {
		name, keys string
		age        time.Duration // of the image
		want       promotion.Status
		next       string
	}{
		{"too old: age only grows", `passCondition: age(image.created) < duration("720h")`, old, denied, "promote another image"},
		{"too old, and approvals are missing", `passCondition: age(image.created) < duration("720h") && approvals.size() >= 3`, old, denied, "promote another image"},
		{"too young", `passCondition: age(image.created) > duration("24h")`, fresh, waiting, "is met on 2026-11-19 11:0"},
		{"too young, by a fail condition", `failCondition: age(image.created) < duration("24h")`, fresh, waiting, "is met on 2026-11-19 11:0"},
		{"too old, by a fail condition", `failCondition: age(image.created) > duration("720h")`, old, denied, "promote another image"},
		{"within an age that is still to come", `passCondition: age(image.created) > duration("48h") && age(image.created) < duration("72h")`, fresh, waiting, "is met on 2026-11-20 11:0"},
		{"soak grows", `passCondition: source.soak >= duration("96h")`, fresh, waiting, "is met on 2026-11-19 12:0"},
		{"soak does not shrink", `passCondition: source.soak < duration("24h")`, fresh, denied, "promote another image"},
		{"a day that is past", `passCondition: now < timestamp("2026-01-01T00:00:00Z")`, fresh, denied, "promote another image"},
		{"a day that comes", `passCondition: now >= timestamp("2031-01-01T00:00:00Z")`, fresh, waiting, "is met on 2031-01-01 00:0"},
		{"a day of the week", `passCondition: now.getDayOfWeek() == 5`, fresh, waiting, "is met on 2026-11-20 00:0"},
		{"an hour of a month", `passCondition: now.getMonth() == 0 && now.getHours() == 3`, fresh, waiting, "is met on 2027-01-"},
		{"a few minutes of each hour", `passCondition: now.getMinutes() >= 50 && now.getMinutes() < 55`, fresh, waiting, "is met on 2026-11-18 "},
		{"approvals alone", `passCondition: approvals.size() >= 3`, fresh, waiting, "approve: the condition depends on who approved"},
		{"a time and approvals", `passCondition: now.getHours() < 6 && approvals.size() >= 3`, fresh, waiting, "wait, and approve"},
		{"more work than is worth it", `passCondition: lists.range(2000).all(x, x >= 0) && age(image.created) < duration("720h")`, old, waiting, "wait: the condition depends on the time"},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := promote(t, policyDoc("a", strings.ReplaceAll(strings.Replace(row.keys, ": ", ": '", 1)+"'", "\n", "")+"\napplyTo: [{env: prod}]"))
			in.Changes[0].Image.Created = Known(now.Add(-row.age))
			d := Decide(in)
			r, ok := find(d.Results, row.want, "condition of a")
			for ok && len(r.Children) > 0 {
				r = r.Children[0]
			}
			if d.Status != row.want || !strings.Contains(r.Next, row.next) {
				t.Errorf("got %s, next %q, want %s, %q\n%s", d.Status, r.Next, row.want, row.next, render(d))
			}
			if timed := strings.Contains(row.keys, "now") || strings.Contains(row.keys, "age(") || strings.Contains(row.keys, "soak"); timed && !d.Recheck.Equal(now.Add(tick)) {
				t.Errorf("recheck %s", d.Recheck)
			}
		})
	}
}

// TestReturns: request.rollback is true where the change is judged as a rollback.
func TestReturns(t *testing.T) {
	for _, row := range []struct {
		name  string
		kind  promotion.Kind
		stood Answer
		want  promotion.Status // of request.rollback as a pass condition
	}{
		{"to what stood here", promotion.Rollback, Is(true), passed},
		{"to what never stood here", promotion.Rollback, Is(false), denied},
		{"to what may have stood here", promotion.Rollback, 0, unknown},
		{"a promotion", promotion.Promotion, Is(true), denied},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := promote(t, policyDoc("a", "passCondition: request.rollback\napplyTo: [{env: prod}]"))
			in.Kind, in.Rollback = row.kind, RollbackFacts{Stood: row.stood, Verified: Is(true)}
			d := Decide(in)
			if _, ok := find(d.Results, row.want, "pass condition of a"); !ok || d.Status != row.want {
				t.Errorf("got %s, want %s\n%s", d.Status, row.want, render(d))
			}
		})
	}
}

// TestSeen: what is shown of a long condition ends with what decided, and with the whole.
func TestSeen(t *testing.T) {
	long := ""
	for i := range 40 {
		long += fmt.Sprintf(`(containerImageTag + "%d%s").size() > 0 && `, i, strings.Repeat("x", 100))
	}
	long += `isProdEnv && envName == "dev"`
	d := Decide(promote(t, policyDoc("a", "passCondition: '"+long+"'\napplyTo: [{env: prod}]")))
	r, ok := find(d.Results, denied, "does not meet the pass condition of a")
	if !ok || !strings.HasPrefix(r.Seen, "..., ") || !strings.Contains(r.Seen, `, isProdEnv = true, envName = "prod", envName == "dev" = false, `) || !strings.HasSuffix(r.Seen, "... = false") {
		t.Errorf("seen %q", r.Seen)
	}
	if len(r.Seen) > 10*2*(maxPart+5) {
		t.Errorf("%d bytes are shown", len(r.Seen))
	}
}
