package approval

import (
	"cmp"
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// skew is how far GitHub's clock may be ahead of ours.
const skew = 5 * time.Minute

// A count is one call of [Count].
type count struct {
	in                            *Input
	requesters, builders, authors party
	opinions                      []opinion
	ballots                       []*ballot
}

// Count says which reviews count for which need, and what stands in the way. The result
// does not depend on the order of reviews, moments or identities.
func Count(in Input) Output {
	c := &count{
		in:         &in,
		requesters: newParty(in.Requesters, in.People, in.RequesterUnknown || onlyMachines(in.Requesters, in.People)),
		builders:   newParty(in.Builders, in.People, in.BuilderUnknown),
		authors:    newParty(in.Authors, in.People, in.AuthorUnknown),
	}
	var quiet []silenced
	c.opinions, quiet = opinions(&in)
	for i := range c.opinions {
		c.opinions[i].void = c.unfit(&c.opinions[i])
	}

	out := Output{Results: make([]promotion.Result, 0, len(in.Needs)), Approvals: make([]promotion.Approval, 0, len(c.opinions))}
	statuses := make([]promotion.Status, 0, len(in.Needs))
	tallies := make([]tally, 0, len(in.Needs))
	for _, n := range in.Needs {
		t := c.tally(n)
		tallies = append(tallies, t)
		out.Results = append(out.Results, t.result)
		out.Met = append(out.Met, t.met)
		statuses = append(statuses, t.result.Status)
		out.Recheck = earlier(out.Recheck, t.result.Until)
	}
	for i := range c.opinions {
		o := &c.opinions[i]
		r := o.review
		if o.as != promotion.Approved {
			veto, why := c.veto(o)
			switch {
			case veto != nil:
				out.Vetoes = append(out.Vetoes, *veto)
				statuses = append(statuses, veto.Result.Status)
			case o.as == "":
				quiet = append(quiet, silenced{r, o.void})
			default:
				quiet = append(quiet, silenced{r, why})
			}
			continue
		}
		if reason := c.ignored(i, tallies); reason != "" {
			quiet = append(quiet, silenced{r, reason})
			if at := r.Submitted.Add(-skew); r.Submitted.After(in.Now.Add(skew)) && at.After(in.Now) {
				out.Recheck = earlier(out.Recheck, at)
			}
			continue
		}
		out.Approvals = append(out.Approvals, promotion.Approval{By: r.Author, Review: r.ID, At: r.Submitted})
		var lapses time.Time
		for _, b := range c.ballots {
			if v := b.verdicts[i]; v.answer == Yes && v.lapses.After(lapses) {
				lapses = v.lapses
			}
		}
		out.Lapses = append(out.Lapses, lapses)
	}
	slices.SortStableFunc(quiet, func(a, b silenced) int {
		return cmp.Or(byTime(*a.review, *b.review), cmp.Compare(a.reason, b.reason))
	})
	out.Ignored = make([]promotion.Ignored, 0, len(quiet))
	for _, q := range quiet {
		out.Ignored = append(out.Ignored, promotion.Ignored{By: q.review.Author, Review: q.review.ID, Reason: q.reason})
	}
	out.Status = promotion.Worst(statuses...)
	return out
}

// ignored says why an approval counts for no need, "" if it counts for one.
func (c *count) ignored(i int, tallies []tally) string {
	if void := c.opinions[i].void; void != "" {
		return void
	}
	if len(tallies) == 0 {
		return "no policy asks for an approval here"
	}
	for _, b := range c.ballots {
		if b.verdicts[i].answer == Yes {
			return ""
		}
	}
	reason := func(need int) string {
		reason := c.why(&tallies[need], i)
		if tallies[need].verdicts[i].answer == Unknown {
			reason += " could not be read"
		}
		return reason
	}
	first := reason(0)
	for need := 1; need < len(tallies); need++ {
		if reason(need) != first {
			return eachReason(c.in.Needs, reason)
		}
	}
	return first
}

// earlier returns the earlier of two times, of which zero means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
