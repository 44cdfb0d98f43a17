package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Summary writes the pull requests of a repository, as the Markdown of a job's summary.
func (r Reconcile) Summary(w io.Writer) {
	var out page
	sign, text := r.result()
	out.head(sign, code(r.Repository)+": "+text)
	if r.Repository != r.Asked && r.Asked != "" {
		out.say(code(r.Asked) + " is now " + code(r.Repository) + ".")
	}
	for _, b := range r.Bases {
		if len(r.Bases) > 1 {
			out.section("Branch " + code(b.Branch))
		}
		out.base(b)
	}
	if len(r.Verdicts) > 0 {
		out.section("Verdicts")
		out.verdicts(r.Verdicts)
	}
	if len(r.Incidents) > 0 {
		out.section("Changes against the rules")
		out.table("incident", []string{"Commit", "Branch", "Issue", "Why"}, len(r.Incidents), func(i int) []string {
			x := r.Incidents[i]
			return []string{code(x.Commit[:min(10, len(x.Commit))]), code(x.Base), numbered(x.Issue, x.URL), prose(x.Why)}
		})
	}
	out.write(w)
}

// result is what was done, in a line.
func (r Reconcile) result() (sign, text string) {
	var words []string
	var counts []int
	sign = "✅"
	failed := len(r.Incidents)
	for _, b := range r.Bases {
		if b.Error != "" {
			failed++
		}
		for _, q := range b.Proposals {
			if q.Error != "" || len(q.Failed) > 0 {
				failed++
			}
			if q.Action == "clean" {
				continue
			}
			verb := b.verb(q.Action)
			at := slices.Index(words, verb)
			if at < 0 {
				words, counts = append(words, verb), append(counts, 0)
				at = len(words) - 1
			}
			counts[at]++
		}
	}
	for _, v := range r.Verdicts {
		if v.Error != "" {
			failed++
		}
	}
	if failed > 0 {
		sign = signs[promotion.Denied]
	}
	if text = prose(tally(counts, words)); text == "" {
		return sign, "nothing to propose"
	}
	return sign, "pull requests: " + text
}

// base adds what was proposed to a branch.
func (p *page) base(b Base) {
	switch {
	case b.Observe:
		p.say("`mode: observe`: nothing is written.")
	case b.DryRun:
		p.say("This was a dry run: nothing is written.")
	}
	if b.Error != "" {
		for line := range strings.Lines(b.Error) {
			p.say("**failed:** " + prose(line))
		}
		return
	}
	p.list("note", len(b.Warnings), func(i int) string { return "note: " + prose(b.Warnings[i]) })
	var shown []Proposal
	for _, q := range b.Proposals {
		if q.Action != "clean" {
			shown = append(shown, q)
		}
	}
	p.table("pull request", []string{"Pull request", "Result", "What", "Images", "Why"}, len(shown), func(i int) []string {
		q := shown[i]
		why := prose(q.Reason)
		if q.Error != "" {
			why = prose(q.Error)
		}
		return []string{numbered(q.PullRequest, q.URL), prose(b.verb(q.Action)), code(q.name()), q.size(), why}
	})
	for _, q := range shown {
		if len(q.Changes) > 0 && (q.Action == "opened" || q.Action == "updated") {
			p.section(strings.TrimSpace(numbered(q.PullRequest, q.URL) + " " + code(q.name())))
			p.changes(q.Changes)
		}
	}
	p.leftOvers(b)
	if n := len(b.Unreached); n > 0 {
		p.say(fmt.Sprintf("%s in files of no environment: add their paths to one in `.pinnace/config.yaml`.", count(n, "image")))
	}
}

// leftOvers adds the places that are not edited, once each.
func (p *page) leftOvers(b Base) {
	type row struct {
		LeftOver
		result string
	}
	var all []row
	said := map[LeftOver]bool{}
	add := func(list []LeftOver, result string) {
		for _, l := range list {
			if !said[l] {
				said[l] = true
				all = append(all, row{l, result})
			}
		}
	}
	for _, q := range b.Proposals {
		add(q.Failed, "**failed**")
	}
	for _, q := range b.Proposals {
		add(q.Left, "left alone")
	}
	if len(all) == 0 {
		return
	}
	p.section("Not edited")
	p.table("place", []string{"Where", "Image", "Result", "Why"}, len(all), func(i int) []string {
		l := all[i]
		return []string{at(l.Path, l.Line), code(shortened(l.Image)), l.result, prose(l.Reason)}
	})
}
