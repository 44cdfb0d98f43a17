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
	*ballot
	need    Need
	unknown []unknownParty
	result  promotion.Result
	met     time.Time // when the count was reached
	texts   []string  // why an opinion does not count where that names the policy, by opinion
}

// A ballot is what the opinions are for all needs of the same people, flags and length.
type ballot struct {
	allowRequester, allowBuilder, blocked bool // blocked by somebody unknown
	ttl                                   time.Duration
	roles                                 []Role
	who                                   string // holds one of the roles

	verdicts         []verdict // by opinion
	given            []time.Time
	certain          []time.Time // lapses of those that count, the last first
	possible         []time.Time // and of those that may
	refused          int
	seen, exclusions string
	children         []promotion.Result // of those that count or may
}

// A verdict says whether an opinion is an approval for a need.
type verdict struct {
	answer Answer
	cause  cause
	lapses time.Time
	text   string // of a cause that names no policy, once it was asked for
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

// ballot returns that of a need, made when first asked for.
func (c *count) ballot(n *Need, blocked bool) *ballot {
	roles := c.roles(*n)
	for _, b := range c.ballots {
		if b.allowRequester == n.AllowRequester && b.allowBuilder == n.AllowBuilder && b.blocked == blocked && b.ttl == n.ttl() &&
			slices.EqualFunc(b.roles, roles, sameRole) {
			return b
		}
	}
	b := &ballot{allowRequester: n.AllowRequester, allowBuilder: n.AllowBuilder, blocked: blocked, ttl: n.ttl(), roles: roles, who: Who(roles)}
	c.ballots = append(c.ballots, b)
	b.verdicts = make([]verdict, len(c.opinions))
	fit := func(o *opinion) bool { return o.as == promotion.Approved && o.void == "" }
	yes, perhaps := 0, 0
	for i := range c.opinions {
		if o := &c.opinions[i]; fit(o) {
			b.verdicts[i] = c.judge(b, o)
			switch b.verdicts[i].answer {
			case Yes:
				yes++
			case Unknown:
				perhaps++
			case No:
				b.refused++
			}
		}
	}
	var unsure []string
	counted := make([]string, 0, yes)
	b.certain, b.given, b.possible = make([]time.Time, 0, yes), make([]time.Time, 0, yes), make([]time.Time, 0, yes+perhaps)
	if yes+perhaps > 0 {
		b.children = make([]promotion.Result, 0, yes+perhaps)
	}
	for i := range c.opinions {
		o, v := &c.opinions[i], &b.verdicts[i]
		if !fit(o) {
			continue
		}
		switch v.answer {
		case Yes:
			b.certain, b.possible = append(b.certain, v.lapses), append(b.possible, v.lapses)
			b.given = append(b.given, o.review.Submitted)
			counted = append(counted, o.who)
			b.children = append(b.children, promotion.Result{
				Rule: "approval", Status: promotion.Passed, Until: v.lapses,
				Title: o.who + " approved, which counts until " + when(v.lapses),
			})
		case Unknown:
			b.possible = append(b.possible, v.lapses)
			unsure = append(unsure, o.who)
			v.text = unsureOf(b.roles, o)
			b.children = append(b.children, promotion.Result{
				Rule: "approval", Status: promotion.Unknown, Missing: []string{v.text},
				Title: o.who + " approved, and nobody can say whether it counts: " + v.text + " could not be read",
			})
		}
	}
	b.seen, b.exclusions = seen(counted, unsure), c.exclusions(n)
	for _, times := range [][]time.Time{b.certain, b.possible} {
		slices.SortFunc(times, func(a, b time.Time) int { return b.Compare(a) })
	}
	return b
}

func sameRole(a, b Role) bool {
	return a.Permission == b.Permission && slices.Equal(a.Users, b.Users) && slices.Equal(a.Teams, b.Teams)
}

// tally judges one need.
func (c *count) tally(n Need) tally {
	t := tally{need: n, unknown: c.unknown(n)}
	t.ballot = c.ballot(&n, len(t.unknown) > 0)
	certain, possible, unknown, who := t.certain, t.possible, t.unknown, t.who
	r := &t.result
	r.Children = c.children(&t)
	r.Rule, r.Policy, r.File, r.Line = "approvals", n.Policy, n.File, n.Line
	r.Seen = t.seen
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
	r.Wanted = approvals(n.Count) + " by " + who + t.exclusions
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
		r.Until, t.met = certain[n.Count-1], t.given[n.Count-1]
	case len(possible) >= n.Count:
		r.Status = promotion.Unknown
		for _, child := range r.Children {
			r.Missing = append(r.Missing, child.Missing...)
		}
		slices.Sort(r.Missing)
		r.Missing = slices.Compact(r.Missing)
		r.Until = possible[n.Count-1]
		r.Next = "give the App the permissions that docs/promotions.md lists; or somebody approves of whom all is known: " + who
	default:
		r.Status = promotion.Waiting
		r.Next = nextApproval(who, short)
	}
	if c.in.Draft && (r.Status == promotion.Passed || r.Status == promotion.Waiting) {
		r.Status, r.Until, t.met = promotion.Waiting, time.Time{}, time.Time{}
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
func (c *count) children(t *tally) []promotion.Result {
	if t.refused == 0 {
		return slices.Clip(t.ballot.children)
	}
	list := make([]promotion.Result, len(t.ballot.children), len(t.ballot.children)+min(t.refused, maxRefused+1))
	copy(list, t.ballot.children)
	refused := 0
	for i := range c.opinions {
		o := &c.opinions[i]
		if o.as != promotion.Approved || o.void != "" || t.verdicts[i].answer != No {
			continue
		}
		child := promotion.Result{Rule: "approval", Status: promotion.Skipped}
		if refused == maxRefused {
			child.Title = strconv.Itoa(t.refused-maxRefused) + " more approvals do not count"
			return append(list, child)
		}
		refused++
		child.Title = o.who + " approved, which does not count: " + c.why(t, i)
		list = append(list, child)
	}
	return list
}

// ttl is how long an approval lasts.
func (n *Need) ttl() time.Duration {
	if n.TTL <= 0 {
		return DefaultTTL
	}
	return n.TTL
}

// judge says whether an approval that is fit counts for the needs of a ballot.
func (c *count) judge(b *ballot, o *opinion) verdict {
	v := verdict{answer: No, lapses: o.review.Submitted.Add(b.ttl)}
	switch {
	case !b.allowRequester && c.requesters.has(o.review.Author):
		v.cause = asked
	case !b.allowBuilder && c.builders.has(o.review.Author):
		v.cause = built
	case b.blocked:
		v.cause = unknownParties
	case !v.lapses.After(c.in.Now):
		v.cause = lapsed
	default:
		v.answer = heldBy(b.roles, o)
		v.cause = [...]cause{Unknown: noFact, Yes: none, No: noRole}[v.answer]
	}
	return v
}

// why spells the cause of a verdict; of noFact it is the facts that are missing.
func (c *count) why(t *tally, i int) string {
	v, o := &t.verdicts[i], &c.opinions[i]
	if v.text != "" {
		return v.text
	}
	switch v.cause {
	case asked, built:
		if t.texts == nil {
			t.texts = make([]string, len(t.verdicts))
		}
		if t.texts[i] == "" {
			t.texts[i] = o.who + " asked for this change, and " + policyOf(t.need) + " lets nobody approve their own request: somebody else reviews"
			if v.cause == built {
				t.texts[i] = o.who + " built the image, and " + policyOf(t.need) + " lets no builder approve: somebody else reviews"
			}
		}
		return t.texts[i]
	case unknownParties:
		return t.unknown[0].text
	case lapsed:
		v.text = "it lapsed on " + when(v.lapses) + ", " + span(t.ttl) + " after it was given: review again"
	default:
		v.text = notHeld(t.roles, o, t.who)
	}
	return v.text
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
