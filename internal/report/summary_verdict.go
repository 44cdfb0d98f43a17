package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// treesShown is how many verdicts have their rules on the page.
const treesShown = 20

// Summary writes the verdicts with their rules, as the Markdown of a job's summary.
func (v Verdicts) Summary(w io.Writer) {
	var out page
	switch len(v.Verdicts) {
	case 0:
		out.head("✅", "No open pull request to judge in "+code(v.Repository))
	case 1:
		one := v.Verdicts[0]
		out.head(one.sign(), numbered(one.PullRequest, one.URL)+" "+one.word())
	default:
		worst := promotion.Skipped
		for _, one := range v.Verdicts {
			worst = promotion.Worst(worst, one.status())
		}
		out.head(sign(worst), "Pull requests: "+verdictTally(v.Verdicts))
	}
	if v.Advisory != "" {
		out.say("**The verdicts are advisory**, and Pinnace merges nothing here that needs approvals: " + prose(v.Advisory) + ".")
	}
	if len(v.Verdicts) > 1 {
		out.verdicts(v.Verdicts)
	}
	trees := v.Verdicts
	if len(trees) > 1 {
		trees = nil
		for _, one := range v.Verdicts {
			if st := one.status(); st != promotion.Passed && st != promotion.Skipped && len(one.Decision.Results) > 0 && len(trees) < treesShown {
				trees = append(trees, one)
			}
		}
	}
	for _, one := range trees {
		if out.b.Len() >= summaryRoom {
			break
		}
		if len(v.Verdicts) > 1 {
			out.section(numbered(one.PullRequest, one.URL) + " " + prose(one.Title))
		} else {
			out.say(prose(one.Title))
			out.say(one.what())
		}
		out.decision(one.Decision)
	}
	out.write(w)
}

// Summary writes one verdict with its rules, as the Markdown of a job's summary.
func (v Verdict) Summary(w io.Writer) { Verdicts{Verdicts: []Verdict{v}}.Summary(w) }

// verdicts adds a row for each of several.
func (p *page) verdicts(all []Verdict) {
	p.table("pull request", []string{"Pull request", "Result", "What", "Environments", "Why"}, len(all), func(i int) []string {
		v := all[i]
		return []string{numbered(v.PullRequest, v.URL), v.sign() + " " + v.word(), prose(v.Title), code(strings.Join(v.Environments, ", ")), v.what()}
	})
}

func verdictTally(all []Verdict) string {
	var words []string
	n := map[string]int{}
	for _, v := range all {
		w := v.word()
		if n[w]++; n[w] == 1 {
			words = append(words, w)
		}
	}
	counts := make([]int, len(words))
	for i, w := range words {
		counts[i] = n[w]
	}
	return tally(counts, words)
}

// status is that of the decision, or Unknown where there is none.
func (v Verdict) status() promotion.Status {
	if v.Error != "" || signs[v.Decision.Status] == "" {
		return promotion.Unknown
	}
	return v.Decision.Status
}

func (v Verdict) sign() string {
	if v.Action == "failed" || v.Error != "" {
		return signs[promotion.Denied]
	}
	return sign(v.status())
}

// word is what became of the pull request: merged, queued, failed, or the status.
func (v Verdict) word() string {
	switch v.Action {
	case "", "judged":
		return word(v.status())
	}
	return prose(v.Action)
}

// what says why.
func (v Verdict) what() string {
	switch {
	case v.Error != "":
		return prose(v.Error)
	case v.Reason != "":
		return prose(v.Reason)
	}
	return prose(strings.TrimPrefix(v.Decision.Summary, string(v.Decision.Status)+": "))
}

// Summary writes what waits for somebody, as the Markdown of a job's summary.
func (a Approvals) Summary(w io.Writer) {
	var out page
	if len(a.Pending) == 0 {
		out.head("✅", "Nothing waits for anybody in "+code(a.Repository))
		out.write(w)
		return
	}
	verb := " wait for somebody"
	if len(a.Pending) == 1 {
		verb = " waits for somebody"
	}
	out.head("⏳", fmt.Sprintf("%s%s", count(len(a.Pending), "pull request"), verb))
	all := make([]Verdict, len(a.Pending))
	for i, p := range a.Pending {
		all[i] = p.Verdict
	}
	out.verdicts(all)
	out.write(w)
}
