package approval

import (
	"cmp"
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// An opinion is the latest review of a person that is not a comment.
type opinion struct {
	review    *Review
	who       string                // for people
	as        promotion.ReviewState // as submitted: Approved, ChangesRequested, or "" where nobody knows
	dismissed bool
	moments   []promotion.Moment // its dismissal; none: the timeline does not have it
	person    Person
	level     level
	void      string // why it can be no approval of any need; "" = it can
}

// A silenced review is of somebody who has spoken since, or is of no consequence.
type silenced struct {
	review *Review
	reason string
}

// opinionated says whether a state is an opinion, which a dismissal can be of.
func opinionated(s promotion.ReviewState) bool {
	return s == promotion.Approved || s == promotion.ChangesRequested
}

// stateOf returns what a review said when it was submitted, and whether it was dismissed.
// Of a dismissed review it is "" where nobody knows; comments are never dismissed.
func stateOf(r *Review, moments []promotion.Moment) (as promotion.ReviewState, dismissed bool) {
	dismissed = r.State == promotion.Dismissed || len(moments) > 0
	if !dismissed || opinionated(r.State) {
		return r.State, dismissed
	}
	if opinionated(r.As) {
		return r.As, dismissed
	}
	for _, m := range moments {
		if opinionated(m.Was) {
			return m.Was, dismissed
		}
	}
	return "", dismissed
}

// opinions returns the opinion of each person, in the order of submission, and the reviews
// that are none. Reviews that GitHub shows as its ghost's stand each by itself, since nobody
// can tell whose they are.
func opinions(in *Input) ([]opinion, []silenced) {
	moments := map[int64][]promotion.Moment{}
	for _, m := range in.Moments {
		if m.Event == "review_dismissed" && m.Review != 0 {
			moments[m.Review] = append(moments[m.Review], m)
		}
	}
	for _, list := range moments {
		slices.SortStableFunc(list, func(a, b promotion.Moment) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Actor.ID, b.Actor.ID), cmp.Compare(a.DismissalCommit, b.DismissalCommit), cmp.Compare(a.Was, b.Was), cmp.Compare(a.Message, b.Message))
		})
	}
	type entry struct {
		opinion
		next int // the index of the same person's next opinion, 0 = none
	}
	reviews := slices.Clone(in.Reviews)
	slices.SortStableFunc(reviews, byTime)

	var (
		quiet  []silenced
		latest = make(map[int64]int, len(reviews))
		said   = map[int64]*Review{} // the latest comment
	)
	list := make([]entry, 0, len(reviews))
	for i := range reviews {
		r := &reviews[i]
		if i > 0 && r.ID == reviews[i-1].ID && r.Author == reviews[i-1].Author && r.Submitted.Equal(reviews[i-1].Submitted) && r.State == reviews[i-1].State {
			continue // the same one, of two pages
		}
		dismissals := moments[r.ID]
		as, dismissed := stateOf(r, dismissals)
		switch {
		case r.PullRequest != in.PullRequest:
			if as != promotion.Commented && as != promotion.Pending {
				quiet = append(quiet, silenced{r, otherPull(r, in.PullRequest)})
			}
			continue
		case as == promotion.Commented:
			said[r.Author.ID] = r
			continue
		case !dismissed && !opinionated(as):
			continue
		}
		list = append(list, entry{opinion: opinion{review: r, who: name(r.Author), as: as, dismissed: dismissed, moments: dismissals, person: in.People[r.Author.ID]}})
		o := &list[len(list)-1]
		o.person.Bot = o.person.Bot || r.Author.Bot
		o.person.Ghost = deleted(r.Author, &o.person)
		o.level = levelOf(o.person.Permission)
		if nameless(r.Author) {
			continue
		}
		if before, ok := latest[r.Author.ID]; ok {
			list[before].next = len(list) - 1
		}
		latest[r.Author.ID] = len(list) - 1
	}

	out := make([]opinion, 0, len(list))
	for _, e := range list {
		if e.next == 0 {
			out = append(out, e.opinion)
		} else if newer := list[e.next].review; newer.ID != e.review.ID {
			quiet = append(quiet, silenced{e.review, superseded(newer)})
		}
	}
	for id, r := range said {
		if _, spoke := latest[id]; !spoke && !nameless(r.Author) {
			quiet = append(quiet, silenced{r, onlyComment})
		}
	}
	return out, quiet
}

// byTime orders reviews by submission, then by number; what was dismissed comes last, so
// that of two views of one review the later one is taken.
func byTime(a, b Review) int {
	last := func(r Review) int {
		if r.State == promotion.Dismissed {
			return 1
		}
		return 0
	}
	return cmp.Or(a.Submitted.Compare(b.Submitted), cmp.Compare(a.ID, b.ID), cmp.Compare(last(a), last(b)), cmp.Compare(a.State, b.State),
		cmp.Compare(a.Author.ID, b.Author.ID), cmp.Compare(a.SealAt, b.SealAt), cmp.Compare(a.As, b.As),
		cmp.Compare(a.HadStanding, b.HadStanding), cmp.Compare(a.SubmittedCommit, b.SubmittedCommit), cmp.Compare(a.PullRequest, b.PullRequest))
}

// unfit says why an approval can count for no need, "" if it can.
func (c *count) unfit(o *opinion) string {
	r := o.review
	switch {
	case o.as == promotion.ChangesRequested:
		return "" // judged as a veto
	case o.person.Ghost:
		return "of a deleted account: nobody knows who approved"
	case o.person.Bot:
		return "of a bot, and bots never approve: a person reviews"
	case o.person.ServiceAccount:
		return "of a service account of the configuration, and those never approve: a person reviews"
	case c.authors.has(r.Author):
		return o.who + " also wrote a commit of this pull request, and never approves it: somebody else reviews"
	case o.dismissed && !c.ownPush(o):
		return dismissedBy(o)
	case o.as == "":
		return "it was dismissed, and what it said is not on record: review again"
	case r.SealAt == "" || c.in.Seal == "":
		return "what it approved is not on record: review again"
	case r.SealAt != c.in.Seal:
		return otherContent(r, c.in.Seal)
	case c.in.SealedAt.IsZero():
		return "when this content was sealed is not on record: review again"
	case r.Submitted.Before(c.in.SealedAt.Truncate(time.Second)): // GitHub's times are of whole seconds
		return tooEarly(r, c.in.SealedAt)
	case r.Submitted.After(c.in.Now.Add(skew)):
		return fromFuture(r, c.in.Now)
	}
	return ""
}

// ownPush says whether nothing but our own pushes of the same seal dismissed a review.
func (c *count) ownPush(o *opinion) bool {
	for _, m := range o.moments {
		if m.DismissalCommit == "" || c.in.Seal == "" || c.in.Heads[m.DismissalCommit] != c.in.Seal {
			return false
		}
	}
	return len(o.moments) > 0
}
