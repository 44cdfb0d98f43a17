package approval

import (
	"slices"
	"strconv"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// maxRefused is how many of the approvals that do not count a result has as children.
const maxRefused = 5

// A tally is what the opinions are for one need.
type tally struct {
	need     Need
	roles    []Role
	who      string // holds one of the roles
	unknown  []unknownParty
	result   promotion.Result
	verdicts []verdict // by opinion
}

// A verdict says whether an opinion is an approval for a need.
type verdict struct {
	answer Answer
	cause  cause
	lapses time.Time
	text   string // of the cause, once it was asked for
}

// A cause is why an approval does not count, or may not.
type cause int8

const (
	none cause = iota
	asked
	built
	unknownParties
	lapsed
	noRole
	noFact
)

// roles are those of which an approver holds one.
func (c *count) roles(n Need) []Role {
	switch {
	case len(n.Approvers) > 0:
		return n.Approvers
	case len(c.in.Approvers) > 0:
		return c.in.Approvers
	}
	return []Role{{}}
}

// tally judges one need.
func (c *count) tally(n Need) tally {
	t := tally{need: n, roles: c.roles(n), unknown: c.unknown(n), verdicts: make([]verdict, len(c.opinions))}
	t.who = whoHolds(t.roles)
	certain, possible := make([]time.Time, 0, len(c.opinions)), make([]time.Time, 0, len(c.opinions))
	counted, unsure := make([]string, 0, len(c.opinions)), make([]string, 0, len(c.opinions))
	refused := 0
	for i := range c.opinions {
		o := &c.opinions[i]
		if o.as != promotion.Approved || o.void != "" {
			continue
		}
		v := c.judge(&t, o)
		t.verdicts[i] = v
		switch v.answer {
		case Yes:
			certain, possible = append(certain, v.lapses), append(possible, v.lapses)
			counted = append(counted, o.who)
		case Unknown:
			possible = append(possible, v.lapses)
			unsure = append(unsure, o.who)
		case No:
			refused++
		}
	}
	who, unknown := t.who, t.unknown
	r := &t.result
	r.Children = c.children(&t, len(possible), refused)
	r.Rule, r.Policy, r.File, r.Line = "approvals", n.Policy, n.File, n.Line
	r.Seen = seen(counted, unsure)
	switch {
	case n.Count < 0 || n.Count > MaxCount:
		r.Status, r.Title = promotion.Denied, "approverCount is "+strconv.Itoa(n.Count)
		r.Wanted = "0 to " + strconv.Itoa(MaxCount) + " approvals"
		r.Who, r.Next = owner(n), "set approverCount"+at(n)+" to a number from 0 to "+strconv.Itoa(MaxCount)
		return t
	case n.Count == 0:
		r.Status, r.Title = promotion.Passed, "no approval is asked"
		return t
	}
	r.Wanted = c.wanted(n, who)
	r.Who = who
	short := n.Count - len(certain)
	r.Title = strconv.Itoa(min(len(certain), n.Count)) + " of " + approvals(n.Count)
	switch {
	case len(unknown) > 0:
		r.Status = promotion.Denied
		for i, u := range unknown {
			r.Missing = append(r.Missing, u.fact)
			if i > 0 {
				r.Next += "; and "
			}
			r.Next += u.next + ", or set " + u.key + ": ignore" + at(n)
		}
		r.Title = approvals(n.Count) + " asked, and nobody can give them: " + unknown[0].text
		r.Who = owner(n)
	case short <= 0:
		r.Status = promotion.Passed
		r.Until = lapse(certain, n.Count)
	case len(possible) >= n.Count:
		r.Status = promotion.Unknown
		for _, child := range r.Children {
			r.Missing = append(r.Missing, child.Missing...)
		}
		slices.Sort(r.Missing)
		r.Missing = slices.Compact(r.Missing)
		r.Until = lapse(possible, n.Count)
		r.Next = "pinnace doctor names the permission that the App lacks; or somebody approves of whom all is known: " + who
	default:
		r.Status = promotion.Waiting
		r.Next = nextApproval(who, short)
	}
	if c.in.Draft && (r.Status == promotion.Passed || r.Status == promotion.Waiting) {
		r.Status, r.Until = promotion.Waiting, time.Time{}
		r.Title += ", and the pull request is a draft"
		next := "mark the pull request as ready for review"
		if r.Next != "" {
			next += "; then " + r.Next
		}
		r.Next = next
	}
	return t
}

// children has a result for each approval: those that count or may count by time, then some
// of those that do not.
func (c *count) children(t *tally, possible, refused int) []promotion.Result {
	if possible+refused == 0 {
		return nil
	}
	list := make([]promotion.Result, 0, possible+min(refused, maxRefused+1))
	for i := range c.opinions {
		o, v := &c.opinions[i], t.verdicts[i]
		switch {
		case o.as != promotion.Approved || o.void != "" || v.answer == No:
		case v.answer == Yes:
			list = append(list, promotion.Result{
				Rule: "approval", Status: promotion.Passed, Policy: t.need.Policy, Until: v.lapses,
				Title: o.who + " approved, which counts until " + when(v.lapses),
			})
		default:
			fact := c.why(t, i)
			list = append(list, promotion.Result{
				Rule: "approval", Status: promotion.Unknown, Policy: t.need.Policy, Missing: []string{fact},
				Title: o.who + " approved, and nobody can say whether it counts: " + fact + " could not be read",
			})
		}
	}
	for i := range c.opinions {
		o := &c.opinions[i]
		if o.as != promotion.Approved || o.void != "" || t.verdicts[i].answer != No {
			continue
		}
		child := promotion.Result{Rule: "approval", Status: promotion.Skipped, Policy: t.need.Policy}
		if len(list) == possible+maxRefused {
			child.Title = strconv.Itoa(refused-maxRefused) + " more approvals do not count"
			return append(list, child)
		}
		child.Title = o.who + " approved, which does not count: " + c.why(t, i)
		list = append(list, child)
	}
	return list
}

// lapse returns when fewer than n approvals are left.
func lapse(times []time.Time, n int) time.Time {
	times = slices.Clone(times)
	slices.SortFunc(times, func(a, b time.Time) int { return b.Compare(a) })
	return times[n-1]
}

// ttl is how long an approval lasts.
func (n *Need) ttl() time.Duration {
	if n.TTL <= 0 {
		return DefaultTTL
	}
	return n.TTL
}

// judge says whether an approval that is fit counts for a need.
func (c *count) judge(t *tally, o *opinion) verdict {
	v := verdict{answer: No, lapses: o.review.Submitted.Add(t.need.ttl())}
	switch {
	case !t.need.AllowRequester && c.requesters.has(o.review.Author):
		v.cause = asked
	case !t.need.AllowBuilder && c.builders.has(o.review.Author):
		v.cause = built
	case len(t.unknown) > 0:
		v.cause = unknownParties
	case !v.lapses.After(c.in.Now):
		v.cause = lapsed
	default:
		v.answer = heldBy(t.roles, o)
		v.cause = [...]cause{Unknown: noFact, Yes: none, No: noRole}[v.answer]
	}
	return v
}

// why spells the cause of a verdict; of noFact it is the facts that are missing.
func (c *count) why(t *tally, i int) string {
	v := &t.verdicts[i]
	if v.text == "" {
		v.text = c.spell(t, &c.opinions[i], *v)
	}
	return v.text
}

func (c *count) spell(t *tally, o *opinion, v verdict) string {
	switch v.cause {
	case asked:
		return o.who + " asked for this change, and " + policyOf(t.need) + " lets nobody approve their own request: somebody else reviews"
	case built:
		return o.who + " built the image, and " + policyOf(t.need) + " lets no builder approve: somebody else reviews"
	case unknownParties:
		return t.unknown[0].text
	case lapsed:
		return "it lapsed on " + when(v.lapses) + ", " + span(t.need.ttl()) + " after it was given: review again"
	case noFact:
		return unsureOf(t.roles, o)
	}
	return notHeld(t.roles, o, t.who)
}

// An unknownParty is one that lets nobody approve.
type unknownParty struct{ fact, text, key, next string }

// unknown returns the parties that are unknown where that matters to a need.
func (c *count) unknown(n Need) []unknownParty {
	if n.Count == 0 {
		return nil
	}
	var list []unknownParty
	if n.UnknownRequester != Ignore {
		if c.requesters.unknown && !n.AllowRequester {
			list = append(list, unknownParty{"requester", "who asked is unknown, and " + policyOf(n) + " lets nobody approve their own request", "unknownRequester", "a person asks again: pinnace promote"})
		}
		if c.authors.unknown {
			list = append(list, unknownParty{"author", "a commit is of nobody that GitHub knows, and authors never approve", "unknownRequester", "commit again with an e-mail address of a GitHub account"})
		}
	}
	if n.UnknownBuilder != Ignore && c.builders.unknown && !n.AllowBuilder {
		list = append(list, unknownParty{"builder", "who built the image is unknown, and " + policyOf(n) + " lets no builder approve", "unknownBuilder", "build the image with provenance that Pinnace can verify"})
	}
	return list
}
