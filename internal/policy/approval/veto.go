package approval

import (
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// veto judges a change request, or a dismissed review of which nobody knows what it was.
// Where it stands in nobody's way there is a reason instead.
func (c *count) veto(o *opinion) (*Veto, string) {
	standing := o.review.HadStanding.or(c.mayVeto(o))
	if standing == No {
		return nil, "of somebody without write or an approver's role, then and now: it stops nothing"
	}
	lifted, how := c.lifted(o)
	if lifted == Yes {
		return nil, how
	}
	who := o.who
	r := promotion.Result{
		Rule: "veto", Status: promotion.Denied, Title: who + " requested changes",
		Seen: "changes requested on " + when(o.review.Submitted) + on(o.review.SubmittedCommit), Wanted: "no change request in force",
	}
	again := who + " reviews again"
	r.Who = who + ", or somebody who neither asked, built nor wrote this"
	r.Next = again + ", or somebody who neither asked, built nor wrote this dismisses the change request with a reason"
	if o.dismissed {
		r.Seen += "; " + how
		r.Who, r.Next = who, again+" (a review is dismissed only once), or close this pull request and ask anew"
	}
	switch {
	case o.as == "":
		r.Status, r.Title = promotion.Unknown, who+" may have requested changes"
		r.Missing = []string{"what " + who + "'s dismissed review said"}
	case standing == Unknown:
		r.Status, r.Title = promotion.Unknown, who+" requested changes, and nobody can say whether that counts"
		r.Missing = []string{"whether " + who + " had write or an approver's role then, or has it now"}
	case lifted == Unknown:
		r.Status, r.Title = promotion.Unknown, who+" requested changes, and nobody can say whether that is lifted"
		r.Missing = []string{"who dismissed " + who + "'s change request, as a person and nobody concerned"}
	}
	return &Veto{By: o.review.Author, Review: o.review.ID, At: o.review.Submitted, Result: r}, ""
}

// mayVeto says whether a person has write or an approver's role now.
func (c *count) mayVeto(o *opinion) Answer {
	if o.person.Ghost {
		return No
	}
	may := o.level.reaches(writing).or(heldBy(c.in.Approvers, o))
	for _, n := range c.in.Needs {
		if may == Yes {
			break
		}
		may = may.or(heldBy(n.Approvers, o))
	}
	return may
}

// lifted says whether a change request is lifted, and how its dismissal came about.
func (c *count) lifted(o *opinion) (Answer, string) {
	if !o.dismissed {
		return No, ""
	}
	if len(o.moments) == 0 {
		return Unknown, "dismissed, and the timeline does not say by whom"
	}
	var hows []string
	var unknown string
	for _, m := range o.moments {
		by := name(m.Actor)
		p, known := c.in.People[m.Actor.ID]
		var not string
		switch own := m.Actor.ID == o.review.Author.ID && !nameless(m.Actor); {
		case m.DismissalCommit != "":
			not = "a push dismissed it, and no person did"
		case own:
			hows = append(hows, "its author dismissed it")
			continue
		case deleted(m.Actor, &p):
			not = "dismissed by a deleted account"
		case m.Actor.Bot || p.Bot:
			not = "dismissed by the bot " + by + ", which lifts nothing"
		case p.ServiceAccount:
			not = "dismissed by the service account " + by + ", which lifts nothing"
		case c.requesters.has(m.Actor):
			not = "dismissed by " + by + ", who asked for this change, which lifts nothing"
		case c.builders.has(m.Actor):
			not = "dismissed by " + by + ", who built the image, which lifts nothing"
		case c.authors.has(m.Actor):
			not = "dismissed by " + by + ", who wrote a commit of this pull request, which lifts nothing"
		case !known:
			unknown = "dismissed by " + by + ", of whom nothing is known"
			continue
		default:
			hows = append(hows, by+" dismissed it"+said(m.Message))
			continue
		}
		return No, not
	}
	if unknown != "" {
		return Unknown, unknown
	}
	return Yes, "lifted: " + strings.Join(hows, "; ")
}
