package guard

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// skew is how far GitHub's clock may be ahead of ours.
const skew = 5 * time.Minute

// alone says whether an admin may pass a change of their own, and why.
func (j *judge) alone() (approval.Answer, string) {
	switch {
	case !j.in.HasConfig:
		return approval.Yes, "the tip has no Config yet"
	case j.asked().AllowAuthor:
		return approval.Yes, "guard.allowAuthor is true"
	case j.in.AdminsKnown && j.in.Admins == 1:
		return approval.Yes, "there is one admin only"
	case !j.in.AdminsKnown:
		return approval.Unknown, "how many admins there are is unknown"
	}
	return approval.No, "there are " + strconv.Itoa(j.in.Admins) + " admins, and guard.allowAuthor is false"
}

// author says whether an author who is an admin passes by a comment, and whether that way
// is open at all. Where it is not, there is a result for comments in vain.
func (j *judge) author() (r *promotion.Result, open bool) {
	may, why := j.alone()
	comment := ApproveCommand + " " + j.in.HeadSHA
	r = &promotion.Result{Rule: "approve-config", Wanted: "a new comment by an author who is an admin: " + comment, Seen: "no such comment"}
	if may == approval.No {
		if len(j.in.Comments) == 0 {
			return nil, false
		}
		r.Status, r.Wanted = promotion.Skipped, ""
		r.Title, r.Seen = "comments "+ApproveCommand+" do not count: "+why, ""
		return r, false
	}

	var unsure []string
	comments := slices.Clone(j.in.Comments)
	slices.SortStableFunc(comments, func(a, b Comment) int { return b.At.Compare(a.At) })
	for _, c := range comments {
		answer, reason := j.judge(c)
		who := name(c.By)
		child := promotion.Result{Rule: "comment", Status: promotion.Skipped, Title: "the comment of " + who + " does not count: " + reason}
		switch answer {
		case approval.Yes:
			child.Status, child.Title, child.Until = promotion.Passed, who+" commented "+comment, c.At.Add(Lifetime)
			if r.Status == "" {
				r.Until = child.Until
				r.Status, r.Seen = promotion.Passed, who+" on "+stamp(c.At)
				r.Title = who + ", an admin and an author, approved " + short(j.in.HeadSHA) + " by comment: " + why
			}
		case approval.Unknown:
			child.Status, child.Title, child.Missing = promotion.Unknown, "nobody can say whether the comment of "+who+" counts", []string{reason}
			unsure = append(unsure, reason)
		}
		if len(r.Children) < maxComments {
			r.Children = append(r.Children, child)
		}
	}
	switch {
	case r.Status == promotion.Passed && may == approval.Unknown:
		r.Status, r.Until = promotion.Unknown, time.Time{}
		r.Title, r.Missing = "an author who is an admin approved by comment, which counts only of the one admin there is: "+why, []string{"how many people hold the role admin"}
		r.Who, r.Next = "who operates Pinnace", "give the App the permissions that docs/promotions.md lists"
	case r.Status == promotion.Passed:
		j.wake(r.Until)
	case len(unsure) > 0:
		r.Status, r.Title = promotion.Unknown, "nobody can say whether an author who is an admin approved by comment"
		r.Missing = slices.Compact(slices.Sorted(slices.Values(unsure)))
		r.Who, r.Next = "who operates Pinnace", "give the App the permissions that docs/promotions.md lists"
	default:
		admins := slices.DeleteFunc(slices.Clone(j.authors), func(a promotion.Identity) bool {
			p, known := j.people[a.ID]
			return known && approval.Holds(j.roles, a, p) == approval.No
		})
		if len(admins) == 0 && len(j.authors) > 0 {
			if len(j.in.Comments) == 0 {
				return nil, false
			}
			r.Status, r.Wanted, r.Seen = promotion.Skipped, "", ""
			r.Title = "comments " + ApproveCommand + " do not count: no author is an admin"
			return r, false
		}
		r.Status, r.Title = promotion.Waiting, "no author who is an admin approved this head by comment ("+why+")"
		r.Who = "an author who is an admin" + names(admins)
		if may == approval.Unknown {
			r.Who += ", if there is no other admin"
		}
		r.Next = "comment: " + comment
	}
	return r, true
}

// judge says whether a comment passes the head, else why not or what is unknown.
func (j *judge) judge(c Comment) (approval.Answer, string) {
	p := j.people[c.By.ID]
	switch {
	case c.By.ID == 0 || c.By.ID == ghost || p.Ghost:
		return approval.No, "it is of a deleted account"
	case c.By.Bot || p.Bot:
		return approval.No, "it is of a bot, and bots never approve"
	case p.ServiceAccount:
		return approval.No, "it is of a service account of the configuration, and those never approve"
	case !slices.ContainsFunc(j.authors, func(a promotion.Identity) bool { return a.ID == c.By.ID }):
		return approval.No, "it is by nobody who wrote this: others approve by a review"
	case c.Edited:
		return approval.No, "it was edited: comment anew"
	case j.in.HeadSHA == "" || !strings.EqualFold(c.SHA, j.in.HeadSHA):
		if c.SHA != "" && len(c.SHA) < len(j.in.HeadSHA) && strings.HasPrefix(j.in.HeadSHA, strings.ToLower(c.SHA)) {
			return approval.No, "it holds a part of the head's SHA: write all of it, " + j.in.HeadSHA
		}
		return approval.No, "it is of another commit than the head " + j.in.HeadSHA
	case c.At.Before(j.since()):
		return approval.No, "it is older than when the pull request came to this base: comment anew"
	case c.At.After(j.in.Now.Add(skew)):
		j.wake(c.At.Add(-skew))
		return approval.No, "it is dated " + stamp(c.At) + ", which is to come"
	case !c.At.Add(Lifetime).After(j.in.Now):
		return approval.No, "it lapsed on " + stamp(c.At.Add(Lifetime)) + ": comment anew"
	}
	switch approval.Holds(j.roles, c.By, p) {
	case approval.Yes:
		return approval.Yes, ""
	case approval.Unknown:
		return approval.Unknown, "whether " + name(c.By) + " is an admin"
	}
	return approval.No, name(c.By) + " is no admin by the documents of the tip"
}
