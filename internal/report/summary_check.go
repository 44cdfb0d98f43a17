package report

import (
	"io"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/check"
)

// Summary writes the findings, as the Markdown of a job's summary.
func (c Check) Summary(w io.Writer) {
	what := count(c.Images, "image") + " in " + count(c.Files, "file")
	var out page
	switch {
	case len(c.Findings) > 0:
		sign := "⚠️"
		if slices.ContainsFunc(c.Findings, func(f check.Finding) bool { return f.Severity == check.Error }) {
			sign = "❌"
		}
		out.head(sign, count(len(c.Findings), "finding")+" in "+what)
	case len(c.Unanswered) > 0:
		out.head("⚠️", "No finding in "+what+", but "+count(len(c.Unanswered), "image")+" could not be checked")
	default:
		out.head("✅", "No finding in "+what)
	}
	if c.Offline {
		out.say("No registry was asked.")
	}
	type broken struct {
		rule check.Rule
		n    int
	}
	var rules []broken
	for _, r := range check.Rules() {
		n := 0
		for _, f := range c.Findings {
			if f.Code == r.Code {
				n++
			}
		}
		if n > 0 {
			rules = append(rules, broken{r, n})
		}
	}
	out.table("rule", []string{"Rule", "Findings", "What it means", "What mends it"}, len(rules), func(i int) []string {
		r := rules[i]
		mends := "edit by hand"
		if cmd := c.next(r.rule.Code); cmd != mends {
			mends = code(cmd)
		}
		return []string{string(r.rule.Code), count(r.n, "finding"), r.rule.Short, mends}
	})
	if len(c.Findings) > 0 {
		out.section("Findings")
	}
	out.table("finding", []string{"Where", "Rule", "Image", "What"}, len(c.Findings), func(i int) []string {
		f := c.Findings[i]
		return []string{at(f.Path, f.Position.Line), code(string(f.Code)), code(shortened(f.Image)), prose(f.Message)}
	})
	if len(c.Unanswered) > 0 {
		out.section("Images that could not be checked")
		out.table("image", []string{"Image", "Why"}, len(c.Unanswered), func(i int) []string {
			return []string{code(shortened(c.Unanswered[i].Image)), prose(c.Unanswered[i].Error)}
		})
	}
	if len(c.Findings) > 0 {
		out.next("run the commands above in a checkout and commit what they change, or let the action do it with `command: pin` and `create-pr: true`.")
	}
	out.write(w)
}
