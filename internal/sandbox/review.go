package sandbox

import (
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A review of a pull request.
//
// What is relied on, from https://docs.github.com/en/rest/pulls/reviews: anyone who may read
// may approve, except the author; a review keeps the head that it was submitted on, until
// "Update branch" moves it on; a dismissed review says DISMISSED in place of its state.
type review struct {
	id        int64
	p         *pull
	author    *account
	state     string
	body      string
	commit    string
	submitted time.Time
	lines     []*lineComment
}

var reviewEvents = map[string]string{"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED", "": "PENDING"}

func (p *pull) review(by *actor, event, body, commit string) (*review, *refusal) {
	state, ok := reviewEvents[event]
	switch {
	case !ok:
		return nil, unprocessable("Unprocessable Entity", "Variable $event was provided invalid value")
	case state == "APPROVED" && by.who == p.author:
		return nil, unprocessable("Unprocessable Entity", "Review Can not approve your own pull request")
	case state == "CHANGES_REQUESTED" && by.who == p.author:
		return nil, unprocessable("Unprocessable Entity", "Review Can not request changes on your own pull request")
	case (state == "CHANGES_REQUESTED" || state == "COMMENTED") && body == "":
		return nil, unprocessable("Unprocessable Entity", "Review body can't be blank")
	}
	if commit == "" {
		commit = p.head.String()
	}
	inside := slices.ContainsFunc(p.r.between(p.since(), p.head), func(c *gitCommit) bool { return c.Hash.String() == commit })
	if !inside {
		return nil, unprocessable("Unprocessable Entity", "Commit "+commit+" is not part of the pull request")
	}
	for _, v := range p.reviews {
		if v.author == by.who && v.state == "PENDING" {
			if state != "PENDING" {
				v.body = body
				v.submit(by, state)
				return v, nil
			}
			return nil, unprocessable("Unprocessable Entity", "User can only have one pending review per pull request")
		}
	}
	v := &review{id: p.r.s.next(), p: p, author: by.who, state: "PENDING", body: body, commit: commit}
	p.reviews = append(p.reviews, v)
	p.r.s.version++
	if state != "PENDING" {
		v.submit(by, state)
	}
	return v, nil
}

func (v *review) submit(by *actor, state string) {
	v.state, v.submitted = state, v.p.r.s.now()
	v.p.asked = slices.DeleteFunc(v.p.asked, func(a *account) bool { return a == by.who })
	v.p.askedTeams = slices.DeleteFunc(v.p.askedTeams, func(t *Team) bool { return t.state(by.who.ID) == "active" })
	v.p.touch()
	v.emit(by, "submitted")
}

// dismiss takes a review's force. By a push, sha is the head that did it.
// https://docs.github.com/en/rest/using-the-rest-api/issue-event-types#review_dismissed
func (v *review) dismiss(by *actor, message, sha string) {
	was := map[string]string{"APPROVED": "approved", "CHANGES_REQUESTED": "changes_requested"}[v.state]
	v.state = "DISMISSED"
	dismissed := fields{"state": was, "review_id": v.id, "dismissal_message": nil}
	if message != "" {
		dismissed["dismissal_message"] = message
	}
	if sha != "" {
		dismissed["dismissal_commit_id"] = sha
	}
	v.p.record(by, "review_dismissed", "", fields{"dismissed_review": dismissed})
	v.emit(by, "dismissed")
}

func (v *review) emit(by *actor, action string) {
	render := v.render()
	render["state"] = lower(v.state) // webhooks spell the state so
	v.p.r.s.emit(v.p.r, by, "pull_request_review", action, fields{"review": render, "pull_request": v.p.render(false)})
}

// standing is the newest opinion of each reviewer: comments do not count, a dismissed
// review does and revives none before it.
// https://docs.github.com/en/graphql/reference/objects#pullrequest (latestOpinionatedReviews)
func (p *pull) standing() []*review {
	latest := map[*account]*review{}
	var order []*account
	for _, v := range p.reviews {
		if v.state == "COMMENTED" || v.state == "PENDING" {
			continue
		}
		if latest[v.author] == nil {
			order = append(order, v.author)
		}
		latest[v.author] = v
	}
	var list []*review
	for _, a := range order {
		list = append(list, latest[a])
	}
	return list
}

// approvals counts those of people who may write, and says whether one of them asked for
// changes.
// https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/about-pull-request-reviews
func (p *pull) approvals() (list []*account, changes bool) {
	for _, v := range p.standing() {
		if !p.r.role(v.author).AtLeast(promotion.PermissionWrite) {
			continue
		}
		switch v.state {
		case "APPROVED":
			list = append(list, v.author)
		case "CHANGES_REQUESTED":
			changes = true
		}
	}
	return list, changes
}
