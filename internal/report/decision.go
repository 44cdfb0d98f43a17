package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fatih/color"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Decision is a verdict on one change, with what was judged.
type Decision struct {
	Case     string             `json:"case,omitempty"` // of a suite
	Subject  string             `json:"subject"`        // what was judged, in one line
	At       time.Time          `json:"at"`             // when it is judged
	Decision promotion.Decision `json:"decision"`
}

// JSON writes the decision as one object; docs/output.md describes it.
func (d Decision) JSON(w io.Writer) error {
	d.Decision = filledDecision(d.Decision)
	return writeJSON(w, d)
}

// filledDecision has lists where others have nil.
func filledDecision(d promotion.Decision) promotion.Decision {
	d.Results, d.Approvals, d.Ignored = filled(d.Results), filled(d.Approvals), filled(d.Ignored)
	return d
}

// Text writes the verdict, the tree of rules, and what time alone changes.
func (d Decision) Text(w io.Writer) {
	if d.Subject != "" {
		fmt.Fprintln(w, Plain(d.Subject))
	}
	if !d.At.IsZero() {
		fmt.Fprintf(w, "judged at %s\n", stamp(d.At))
	}
	if d.Subject != "" || !d.At.IsZero() {
		fmt.Fprintln(w)
	}
	tree{w: w}.decision(d.Decision)
}

// A mark is how a status looks: a sign for the eye, and the word beside it for everybody.
type mark struct {
	sign  string
	paint color.Attribute
}

var marks = map[promotion.Status]mark{
	promotion.Passed:  {"✓", color.FgGreen},
	promotion.Skipped: {"-", color.Faint},
	promotion.Waiting: {"…", color.FgYellow},
	promotion.Unknown: {"?", color.FgMagenta},
	promotion.Denied:  {"✗", color.FgRed},
}

// A tree writes results, each a step to the right of the rule that it is part of.
type tree struct {
	w      io.Writer
	indent string
	margin string // before the reasons of a result; "": as wide as a status
}

func (t tree) gap() string { return cmp.Or(t.margin, strings.Repeat(" ", wide+2)) }

func (t tree) decision(d promotion.Decision) {
	m := marks[d.Status]
	fmt.Fprintf(t.w, "%s%s %s\n", t.indent, color.New(m.paint, color.Bold).Sprint(m.sign+" "+string(d.Status)), wrapped(Plain(strings.TrimPrefix(d.Summary, string(d.Status)+": ")), len(t.indent)+3+len(d.Status)))
	t.results(d.Results, "  ")
	t.ignored(d)
	if !d.Recheck.IsZero() {
		fmt.Fprintf(t.w, "%sjudged again by itself on %s\n", t.indent, stamp(d.Recheck.UTC()))
	}
}

// brief writes the verdict, and of the rules only those that make it what it is, with what
// merges the change once they hold.
func (t tree) brief(d promotion.Decision) {
	var all []promotion.Result
	var then string
	var walk func(results []promotion.Result)
	walk = func(results []promotion.Result) {
		for _, r := range results {
			switch {
			case r.Rule == "deploy" && r.Status == promotion.Passed:
				then = r.Title
			case r.Status != d.Status || r.Status == promotion.Passed:
			case slices.ContainsFunc(r.Children, func(c promotion.Result) bool { return c.Status == r.Status }):
				walk(r.Children)
			default:
				all = append(all, r)
			}
		}
	}
	walk(d.Results)
	m := marks[d.Status]
	summary := strings.TrimPrefix(d.Summary, string(d.Status)+": ")
	fmt.Fprintf(t.w, "%s %s\n", color.New(m.paint, color.Bold).Sprint(m.sign+" "+string(d.Status)), wrapped(Plain(summary), 3+len(d.Status)))
	t.margin = "  "
	for _, r := range all {
		step := ""
		if r.Title != summary || len(all) > 1 {
			fmt.Fprintf(t.w, "  %s%s\n", wrapped(Plain(r.Title), 2), place(r))
			step = "  "
		} else if r.File != "" {
			t.line(step, "rule", fmt.Sprintf("%s:%d", r.File, r.Line))
		}
		t.reasons(r, step)
	}
	if then != "" && d.Status != promotion.Denied {
		t.line("", "then", then)
	}
}

// place is where the rule stands.
func place(r promotion.Result) string {
	if r.File == "" {
		return ""
	}
	return "  " + color.New(color.Faint).Sprint(Plain(fmt.Sprintf("%s:%d", r.File, r.Line)))
}

// ignored lists the reviews that do not count, unless the tree has said why.
func (t tree) ignored(d promotion.Decision) {
	said := map[string]bool{}
	var walk func(all []promotion.Result)
	walk = func(all []promotion.Result) {
		for _, r := range all {
			if !folded(r) {
				walk(r.Children)
			}
			said[r.Title] = true
		}
	}
	walk(d.Results)
	headed := false
	for _, i := range d.Ignored {
		if said[i.By.Login+" approved, which does not count: "+i.Reason] {
			continue
		}
		if !headed {
			fmt.Fprintf(t.w, "%sreviews that do not count:\n", t.indent)
			headed = true
		}
		fmt.Fprintf(t.w, "%s  %s: %s\n", t.indent, Plain(i.By.Login), Plain(i.Reason))
	}
}

func (t tree) results(all []promotion.Result, step string) {
	for _, r := range all {
		t.result(r, step)
	}
}

// wide is the longest status, so that titles stand in a column.
const wide = len(promotion.Waiting)

func (t tree) result(r promotion.Result, step string) {
	m := marks[r.Status]
	word := fmt.Sprintf("%s %-*s", m.sign, wide, r.Status)
	fmt.Fprintf(t.w, "%s%s%s  %s%s\n", t.indent, step, color.New(m.paint).Sprint(word), wrapped(Plain(r.Title), len(t.indent)+len(step)+wide+4), place(r))
	inner := step + strings.Repeat(" ", 2)
	if r.Status != promotion.Passed && r.Status != promotion.Skipped {
		t.reasons(r, inner)
	}
	if !folded(r) {
		t.results(r.Children, inner)
	}
}

// reasons writes why a result stands in the way, less what a part of it says as well.
func (t tree) reasons(r promotion.Result, step string) {
	r = own(r)
	t.line(step, "seen", r.Seen)
	t.line(step, "wanted", r.Wanted)
	t.line(step, "missing", strings.Join(r.Missing, ", "))
	t.line(step, "who", r.Who)
	t.next(step, r.Next)
	if !r.Until.IsZero() && r.Status == promotion.Waiting && !strings.HasPrefix(r.Next, "wait until ") {
		t.line(step, "until", stamp(r.Until.UTC()))
	}
}

// own is a result without the reasons that a part of it gives as well.
func own(r promotion.Result) promotion.Result {
	for _, c := range r.Children {
		if c.Status != r.Status {
			continue
		}
		if c.Seen == r.Seen {
			r.Seen = ""
		}
		if c.Wanted == r.Wanted {
			r.Wanted = ""
		}
		if c.Who == r.Who {
			r.Who = ""
		}
		if c.Next == r.Next {
			r.Next = ""
		}
		if c.Until.Equal(r.Until) {
			r.Until = time.Time{}
		}
	}
	return r
}

// folded reports whether the parts of a result say no more than it does.
func folded(r promotion.Result) bool {
	if r.Status != promotion.Passed && r.Status != promotion.Skipped {
		return false
	}
	switch r.Rule {
	case "policies", "policy", "filters", "filter", "approvals", "environment", "opaque":
		return false
	}
	return true
}

func (t tree) line(step, name, text string) {
	if text = strings.TrimSpace(text); text != "" {
		fmt.Fprintf(t.w, "%s%s%s %s\n", t.indent, step+t.gap(), color.New(color.Faint).Sprint(name+":"), wrapped(Plain(text), t.column(step, name)))
	}
}

// column is where the text of a reason begins.
func (t tree) column(step, name string) int {
	return len(t.indent) + len(step) + len(t.gap()) + len(name) + 2
}

func (t tree) next(step, text string) {
	if text != "" {
		fmt.Fprintf(t.w, "%s%s%s %s\n", t.indent, step+t.gap(), color.New(color.FgCyan).Sprint("next:"), color.New(color.Bold).Sprint(wrapped(Plain(text), t.column(step, "next"))))
	}
}

// stamp spells a time in the zone that it is given in.
func stamp(t time.Time) string { return t.Format("2006-01-02 15:04 MST") }
