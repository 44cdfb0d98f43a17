package policy

import (
	"strconv"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// more compiles the conditions of the items at a pointer. They are asked before anybody's
// approval is counted, and so may not read approvals.
func (l *loader) more(r *reader, p parsed, o Origin, pointer string, all []More) {
	for i := range all {
		m := &all[i]
		m.pointer = pointer + "/" + strconv.Itoa(i)
		if strings.TrimSpace(m.When) == "" {
			if p.marks[m.pointer+"/when"].Line > 0 { // else the schema says so
				l.problem(o, Error, m.pointer+"/when", "is empty: write a condition, or delete the item")
			}
			continue
		}
		m.Condition = r.expression(p, m.pointer+"/when", m.When)
		if m.Condition != nil && m.Condition.Condition.Reads("approvals") {
			l.problem(o, Error, m.pointer+"/when", "it reads approvals, and says how many are needed: use passCondition")
		}
	}
}

// checkMore warns of items that raise nothing.
func (l *loader) checkMore(d *ImagePromotionPolicy) {
	for _, block := range []*Needs{&d.Needs, d.Rollback} {
		if block == nil {
			continue
		}
		for _, m := range block.More {
			inherited := block == d.Rollback && !strings.HasPrefix(m.pointer, "/rollback/")
			if m.ApproverCount > 0 && m.ApproverCount <= block.ApproverCount && !inherited {
				l.problem(d.Origin, Warning, m.pointer+"/approverCount", "%d is not more than approverCount, which is %d: it changes nothing", m.ApproverCount, block.ApproverCount)
			}
		}
	}
}

// raise asks the conditions under which a rule needs more approvals, of every image whose
// conditions are asked. The highest count that holds is the rule's. What nobody can say
// matters where it could raise the count further. Each condition may hold for a change that
// cannot be read, which needs the highest count.
func (j *judge) raise(r *rule, of func(*judged) *asking) {
	least := r.needs.ApproverCount
	results := make([]promotion.Result, len(r.needs.More))
	for i := range r.needs.More {
		m := &r.needs.More[i]
		if m.ApproverCount <= least || len(r.places) == 0 && !r.unread {
			continue
		}
		results[i] = j.raises(r, m, of)
		if results[i].Status == promotion.Passed && m.ApproverCount > r.needs.ApproverCount {
			r.needs.ApproverCount, r.raised = m.ApproverCount, m.pointer
		}
	}
	for i, c := range results {
		if c.Status != "" && (c.Status != promotion.Unknown || r.needs.More[i].ApproverCount > r.needs.ApproverCount) {
			r.more = append(r.more, c)
		}
	}
}

// raises asks one of them.
func (j *judge) raises(r *rule, m *More, of func(*judged) *asking) promotion.Result {
	o, e := r.policy.Origin, m.Condition
	count, shown := strconv.Itoa(m.ApproverCount)+plural(m.ApproverCount, " approval", " approvals"), clipTo(e.shown, maxPart)
	c := promotion.Result{
		Rule: "more", Status: promotion.Skipped, Policy: o.Name, File: o.File, Line: e.Line,
		Title: count + " where " + shown + ": it holds for no image",
	}
	if e.timed {
		j.until(j.in.Now.Truncate(tick).Add(tick))
	}
	if r.unread {
		c.Status, c.Title = promotion.Passed, count+" where "+shown+": it may hold for what cannot be read"
		return c
	}
	for _, p := range r.places {
		asked := of(p)
		verdict := e.Condition.Verdict(asked.subject)
		if verdict == condition.False || verdict == condition.Indeterminate && c.Status == promotion.Unknown {
			continue
		}
		outcome := e.Condition.Explain(asked.subject)
		c.Seen = steps(outcome)
		if verdict == condition.True {
			c.Status, c.Title = promotion.Passed, count+" where "+shown+": it holds for "+name(p.change.New)
			c.Missing, c.Who, c.Next = nil, "", ""
			return c
		}
		c.Status, c.Missing = promotion.Unknown, j.lacking(outcome.Missing, p)
		c.Title = "nobody can say whether " + name(p.change.New) + " needs " + count + ": "
		if len(c.Missing) == 0 {
			c.Title += clip(outcome.Err)
			c.Missing = []string{document.Dotted(m.pointer) + " of " + o.Name}
		} else {
			c.Title += clip(list(c.Missing, "and")) + plural(len(c.Missing), " is", " are") + " unknown"
		}
		c.Who, c.Next = "the owner of "+o.File, "pinnace policy explain shows each value; give the App the permissions that docs/promotions.md lists"
	}
	return c
}
