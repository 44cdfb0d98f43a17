package guard

import (
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// count counts the reviews. The seal is the head itself, which nobody can have reviewed
// before it was there.
func (j *judge) count() {
	reviews := slices.Clone(j.in.Reviews)
	for i := range reviews {
		reviews[i].SealAt = reviews[i].SubmittedCommit
	}
	n := approval.Need{
		Count: j.asked().ApproverCount, Approvers: j.roles, TTL: Lifetime,
		// An unknown author is told in our own words.
		AllowRequester: true, AllowBuilder: true, UnknownRequester: approval.Ignore, UnknownBuilder: approval.Ignore,
	}
	if j.in.Base != nil && j.in.Base.Config != nil && j.in.HasConfig {
		n.File = j.in.Base.Config.File()
		n.Line, _ = j.in.Base.Config.Locate("/guard/approverCount")
	}
	j.out = approval.Count(approval.Input{
		Needs: []approval.Need{n}, PullRequest: j.in.PullRequest, Seal: j.in.HeadSHA, SealedAt: j.since(),
		Reviews: reviews, Moments: j.in.Moments, People: j.people, Authors: j.authors, Now: j.in.Now,
	})
	j.wake(j.out.Recheck)
}

// since is when the head was first one of the base.
func (j *judge) since() time.Time {
	if j.in.Since.IsZero() {
		return time.Unix(0, 0)
	}
	return j.in.Since
}

// wake has the verdict looked at again.
func (j *judge) wake(at time.Time) {
	if !at.IsZero() && (j.recheck.IsZero() || at.Before(j.recheck)) {
		j.recheck = at
	}
}

// approvals says whether enough admins, or where that will do an author, approved the head.
func (j *judge) approvals() promotion.Result {
	reviews := j.reviews()
	own, open := j.author()
	if !open {
		if own != nil {
			reviews.Children = append(reviews.Children, *own)
		}
		return reviews
	}
	r := promotion.Result{
		Rule: "approvals", File: reviews.File, Line: reviews.Line, Children: []promotion.Result{reviews, *own},
		Wanted: reviews.Wanted + ", or a comment by an author who is an admin",
	}
	for _, s := range []promotion.Status{promotion.Passed, promotion.Unknown, promotion.Waiting, promotion.Denied} {
		if reviews.Status == s || own.Status == s {
			r.Status = s
			break
		}
	}
	switch {
	case reviews.Status == promotion.Passed:
		r.Title, r.Until = reviews.Title, reviews.Until
		if own.Status == promotion.Passed && own.Until.After(r.Until) {
			r.Until = own.Until
		}
	case own.Status == promotion.Passed:
		r.Title, r.Until = own.Title, own.Until
	case j.scarce() && reviews.Status == promotion.Waiting:
		r.Title, r.Missing, r.Who, r.Next = own.Title, own.Missing, own.Who, own.Next
	default:
		r.Title = reviews.Title + ", and " + own.Title
		r.Missing = append(slices.Clone(reviews.Missing), own.Missing...)
		r.Who, r.Next = join(reviews.Who, own.Who), join(reviews.Next, own.Next)
	}
	return r
}

func join(a, b string) string {
	if a == "" || b == "" || a == b {
		return a + strings.TrimPrefix(b, a)
	}
	return a + "; or " + b
}

// reviews says what the reviews come to.
func (j *judge) reviews() promotion.Result {
	r := j.out.Results[0]
	if j.asked().ApproverCount == 0 {
		return r
	}
	r.Title += " of " + short(j.in.HeadSHA) + " by admins"
	r.Wanted += ", on this head and by none of its authors" + names(j.authors)
	if j.unknown {
		r.Status, r.Until = promotion.Denied, time.Time{}
		r.Title = "nobody can approve: an author of this pull request is unknown, and authors never approve"
		r.Missing = []string{"who wrote every commit"}
		r.Who, r.Next = "an author of this pull request", "commit again with an e-mail address of a GitHub account"
		return r
	}
	if j.scarce() && r.Status == promotion.Waiting {
		r.Title += "; there are too few other admins, and authors never approve"
		r.Next = "somebody who is no admin opens the same change as a pull request, or the role admin is given to more people"
	}
	return r
}

// scarce reports whether there are fewer admins who are no authors than are asked.
func (j *judge) scarce() bool {
	if !j.in.AdminsKnown {
		return false
	}
	n := j.in.Admins
	seen := map[int64]bool{}
	for _, a := range j.authors {
		if seen[a.ID] || a.Bot {
			continue
		}
		seen[a.ID] = true
		switch approval.Holds(j.roles, a, j.people[a.ID]) {
		case approval.Yes:
			n--
		case approval.Unknown:
			return false
		}
	}
	return n < j.asked().ApproverCount
}
