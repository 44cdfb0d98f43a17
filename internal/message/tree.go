package message

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const (
	maxDepth = 10   // levels of a tree that are shown
	maxTwigs = 2000 // rules of a tree that are looked at
	restRoom = 200  // bytes that say what is missing
)

// marks tell the statuses apart by shape, not by colour alone.
var marks = map[promotion.Status]string{
	promotion.Passed: "✅", promotion.Skipped: "➖", promotion.Waiting: "⏳", promotion.Unknown: "❔", promotion.Denied: "❌",
}

// mark shows a status; one that nobody knows is unknown.
func mark(s promotion.Status) string { return cmp.Or(marks[s], marks[promotion.Unknown]) }

// settled says that nobody has to do anything.
func settled(r promotion.Result) bool {
	return r.Status == promotion.Passed || r.Status == promotion.Skipped
}

// A twig is one rule as it is shown. It is settled where it, or a rule that it is part of,
// is.
type twig struct {
	row     string
	depth   int
	settled bool
}

// A tree shows rules as a nested list. Brief shows of what is settled only that it holds.
type tree struct {
	brief bool
	twigs []twig
	more  int // rules that are not among the twigs
	still int // those of them that are not settled
}

// list returns at most room bytes.
func (t *tree) list(results []promotion.Result, room int) string {
	t.grow(results, 0, false, "")
	size := 0
	for _, w := range t.twigs {
		size += len(w.row)
	}
	if size > room-restRoom {
		t.fit(room - restRoom)
	}
	return t.String()
}

// fit leaves out what does not fit: what is settled before what is not, of these the
// deepest first, of these the last.
func (t *tree) fit(room int) {
	size := 0
	order := make([]int, len(t.twigs))
	for n, w := range t.twigs {
		size += len(w.row)
		order[n] = n
	}
	rank := func(n int) int {
		if t.twigs[n].settled {
			return 0
		}
		return 1
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(rank(a)-rank(b), t.twigs[b].depth-t.twigs[a].depth, b-a)
	})
	for _, n := range order {
		if size <= room {
			break
		}
		size -= len(t.twigs[n].row)
		t.leave(t.twigs[n].settled)
		t.twigs[n].row = ""
	}
}

func (t *tree) String() string {
	var b strings.Builder
	for _, w := range t.twigs {
		b.WriteString(w.row)
	}
	switch {
	case t.more > 0 && t.still == 0:
		b.WriteString("- " + further(t.more, "rule") + ", none of which stands in the way\n")
	case t.more > 0:
		fmt.Fprintf(&b, "- %s, %d of which in the way\n", further(t.more, "rule"), t.still)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (t *tree) leave(settled bool) {
	t.more++
	if !settled {
		t.still++
	}
}

// grow adds rules below others, which are settled or not and of some policy.
func (t *tree) grow(results []promotion.Result, depth int, under bool, policy string) {
	for _, r := range results {
		under := under || settled(r)
		switch {
		case t.brief && r.Status == promotion.Skipped:
			continue
		case depth >= maxDepth || len(t.twigs) >= maxTwigs:
			t.leave(under)
		default:
			t.twigs = append(t.twigs, twig{t.row(r, depth, under, policy), depth, under})
		}
		if !t.brief || !under {
			t.grow(r.Children, depth+1, under, cmp.Or(r.Policy, policy))
		}
	}
}

// row is one item of the list, with its details on a line of their own.
func (t *tree) row(r promotion.Result, depth int, under bool, policy string) string {
	indent := strings.Repeat("  ", depth)
	row := indent + "- " + mark(r.Status) + " " + headed(r)
	var details []string
	if !t.brief || !under {
		details = facts(r)
	}
	if !under {
		details = append(details, steps(r)...)
	}
	if r.Policy == policy {
		r.Policy = ""
	}
	if t.brief {
		r.File = ""
	}
	row += origin(r)
	if len(details) > 0 {
		row += "\\\n" + indent + "  " + strings.Join(details, " · ")
	}
	return row + "\n"
}

// headed is what a rule asks, or its name.
func headed(r promotion.Result) string {
	return cmp.Or(text(r.Title, 300), code(r.Rule, 60), "a rule")
}

// facts are what was judged.
func facts(r promotion.Result) []string {
	var facts []string
	if s := text(r.Seen, 300); s != "" {
		facts = append(facts, "Seen: "+s)
	}
	if settled(r) {
		r.Wanted = ""
	}
	if s := text(r.Wanted, 300); s != "" {
		facts = append(facts, "Wanted: "+s)
	}
	if !r.Until.IsZero() && !strings.Contains(r.Title+r.Seen+r.Wanted, r.Until.UTC().Format("2006-01-02 15:04")) {
		if settled(r) {
			facts = append(facts, "Until "+stamp(r.Until))
		} else {
			facts = append(facts, "Changes by itself: "+stamp(r.Until))
		}
	}
	return facts
}

// steps are what is missing, who can change that, and how.
func steps(r promotion.Result) []string {
	var steps []string
	if len(r.Missing) > 0 {
		steps = append(steps, missing(r))
	}
	if s := text(r.Who, 200); s != "" {
		steps = append(steps, "Who: "+s)
	}
	if s := text(r.Next, 300); s != "" {
		steps = append(steps, "Next: "+s)
	}
	return steps
}

// missing names the facts without which nobody can say.
func missing(r promotion.Result) string {
	return "Missing: " + some(r.Missing, 5, func(s string) string { return text(s, 100) })
}

// origin is the policy that asks, unless the title has its name, and where that stands, in
// parentheses.
func origin(r promotion.Result) string {
	var parts []string
	if p := code(r.Policy, 100); p != "" && !strings.Contains(r.Title, r.Policy) {
		parts = append(parts, "policy "+p)
	}
	if file := r.File; file != "" {
		if r.Line > 0 {
			file += fmt.Sprint(":", r.Line)
		}
		parts = append(parts, code(file, 200))
	}
	if parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" }); len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// hurdles are the rules that stand in the way, without those that only hold others: the
// denied first, then the unknown, then the waiting.
func hurdles(results []promotion.Result) []promotion.Result {
	var found []promotion.Result
	var walk func(results []promotion.Result, depth int)
	walk = func(results []promotion.Result, depth int) {
		for _, r := range results {
			if settled(r) || len(found) >= maxTwigs {
				continue
			}
			if r.Rule != "approvals" && depth < maxDepth && slices.ContainsFunc(r.Children, func(c promotion.Result) bool { return !settled(c) }) {
				walk(r.Children, depth+1)
				continue
			}
			found = append(found, r)
		}
	}
	walk(results, 0)
	rank := map[promotion.Status]int{promotion.Denied: -2, promotion.Waiting: 1}
	slices.SortStableFunc(found, func(a, b promotion.Result) int { return rank[a.Status] - rank[b.Status] })
	return found
}

// obstacles are the rows of what stands in the way.
func obstacles(hurdles []promotion.Result) []string {
	var rows []string
	for _, r := range hurdles {
		row := "- " + mark(r.Status) + " " + headed(r) + origin(r)
		facts := facts(r)
		if len(r.Missing) > 0 {
			facts = append(facts, missing(r))
		}
		if len(facts) > 0 {
			row += "\\\n  " + strings.Join(facts, " · ")
		}
		rows = append(rows, row+"\n")
	}
	return rows
}

// moves are the rows of who can do what about it, each once.
func moves(hurdles []promotion.Result) []string {
	var rows []string
	seen := map[string]bool{}
	for _, r := range hurdles {
		who, what := text(r.Who, 200), text(r.Next, 300)
		switch {
		case who == "" && what == "":
			continue
		case who == "":
			who = unblocked(what)
		case what == "":
			who = unblocked(who) + " can change: " + headed(r)
		case strings.HasPrefix(what, who+" "):
			who = unblocked(what)
		default:
			who = unblocked(who) + ": " + what
		}
		if row := "- " + who + "\n"; !seen[row] {
			seen[row] = true
			rows = append(rows, row)
		}
	}
	return rows
}

// stamp spells a time in UTC, to the minute.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
