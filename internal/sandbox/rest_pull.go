package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func (c *call) pull() (*pull, *refusal) {
	if t := c.repo.threads[int(c.number("pull_number"))]; t != nil && t.pull != nil {
		return t.pull, nil
	}
	return nil, notFound()
}

// pullList: by default the open ones, newest first; head is owner:branch and, without an
// owner, filters nothing.
// https://docs.github.com/en/rest/pulls/pulls#list-pull-requests
func pullList(c *call) (any, error) {
	state := cmp.Or(c.query("state"), "open")
	if !slices.Contains([]string{"open", "closed", "all"}, state) {
		return nil, invalid(fault("PullRequest", "state", "invalid"))
	}
	var list []*pull
	for t := range c.repo.inOrder() {
		p := t.pull
		if p == nil || state != "all" && p.state() != state {
			continue
		}
		if head := c.query("head"); strings.Contains(head, ":") && !strings.EqualFold(head, p.headLabel) {
			continue
		}
		if base := c.query("base"); base != "" && base != p.baseRef {
			continue
		}
		list = append(list, p)
	}
	by := c.query("sort")
	slices.SortStableFunc(list, func(a, b *pull) int {
		if by == "updated" {
			return a.updated.Compare(b.updated)
		}
		return cmp.Compare(a.number, b.number)
	})
	if c.query("direction") == "desc" || c.query("direction") == "" && (by == "" || by == "created") {
		slices.Reverse(list)
	}
	return page(c, list, func(p *pull) any { return p.render(false) }), nil
}

func pullCreate(c *call) (any, error) {
	var in struct {
		Title, Body, Head, Base string
		Draft                   bool
		MaintainerCanModify     *bool `json:"maintainer_can_modify"`
	}
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if a := c.by.app; a != nil && a.actions && !c.repo.o.ActionsPRs {
		return nil, refuse(http.StatusForbidden, "GitHub Actions is not permitted to create or approve pull requests.")
	}
	for _, f := range [][2]string{{"title", in.Title}, {"head", in.Head}, {"base", in.Base}} {
		if f[1] == "" {
			return nil, invalid(fault("PullRequest", f[0], "missing_field"))
		}
	}
	if no := tooLong("PullRequest", in.Title, in.Body); no != nil {
		return nil, no
	}
	if from, _, ok := c.repo.headOf(in.Head); ok && c.by.install == nil && !from.role(c.by.who).AtLeast(promotion.PermissionWrite) {
		return nil, refuse(http.StatusForbidden, "Must have push access to "+from.fullName()+".")
	}
	p, no := c.repo.openPull(c.by, in.Title, in.Body, in.Head, in.Base, in.Draft)
	if no != nil {
		return nil, no
	}
	p.maintainers = p.from != c.repo && (in.MaintainerCanModify == nil || *in.MaintainerCanModify)
	return c.created(p.render(true))
}

// tooLong refuses what GitHub's columns do not hold.
// https://docs.github.com/en/rest/issues/comments ("Body is too long (maximum is 65536 characters)")
func tooLong(resource, title, body string) *refusal {
	if len([]rune(title)) > 256 {
		return invalid(fields{"resource": resource, "field": "title", "code": "custom", "message": "title is too long (maximum is 256 characters)"})
	}
	if len([]rune(body)) > 65536 {
		return invalid(fields{"resource": resource, "field": "body", "code": "custom", "message": "body is too long (maximum is 65536 characters)"})
	}
	return nil
}

func pullGet(c *call) (any, error) {
	p, no := c.pull()
	if no != nil {
		return nil, no
	}
	return p.render(true), nil
}

// mayEdit: the author, and who may write.
func (c *call) mayEdit(author *account) *refusal {
	if c.by.install != nil || c.by.who == author || c.repo.role(c.by.who).AtLeast(promotion.PermissionTriage) {
		return nil
	}
	return refuse(http.StatusForbidden, "Must have admin rights to Repository.")
}

func pullUpdate(c *call) (any, error) {
	p, no := c.pull()
	if no != nil {
		return nil, no
	}
	if no := c.mayEdit(p.author); no != nil {
		return nil, no
	}
	var in struct {
		Title, Body, State, Base *string
		MaintainerCanModify      *bool `json:"maintainer_can_modify"`
	}
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if no := tooLong("PullRequest", deref(in.Title), deref(in.Body)); no != nil {
		return nil, no
	}
	if in.State != nil && *in.State != "open" && *in.State != "closed" {
		return nil, invalid(fault("PullRequest", "state", "invalid"))
	}
	if in.Title != nil && *in.Title == "" {
		return nil, invalid(fault("PullRequest", "title", "missing_field"))
	}
	if in.Base != nil {
		if no := p.retarget(c.by, *in.Base); no != nil {
			return nil, no
		}
	}
	if in.State != nil && *in.State != p.state() {
		if *in.State == "closed" {
			p.close(c.by)
		} else if no := p.reopen(c.by); no != nil {
			return nil, no
		}
	}
	p.rewrite(c.by, in.Title, in.Body)
	if in.MaintainerCanModify != nil && p.from != c.repo {
		p.maintainers = *in.MaintainerCanModify
	}
	return p.render(true), nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// rewrite changes the title and the body, where they differ.
func (t *thread) rewrite(by *actor, title, body *string) {
	changes := fields{}
	if title != nil && *title != t.title {
		changes["title"] = fields{"from": t.title}
		t.record(by, "renamed", "", fields{"rename": fields{"from": t.title, "to": *title}})
		t.title = *title
	}
	if body != nil && *body != t.body {
		changes["body"] = fields{"from": t.body}
		t.body = *body
	}
	if len(changes) > 0 {
		t.touch()
		t.emit(by, "edited", fields{"changes": changes})
	}
}

// pullCommits lists at most 250 commits.
// https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request
func pullCommits(c *call) (any, error) {
	p, no := c.pull()
	if no != nil {
		return nil, no
	}
	list := p.r.between(p.since(), p.head)
	return page(c, list[:min(250, len(list))], func(x *gitCommit) any { return p.r.renderCommit(x) }), nil
}

// pullFiles lists at most 3000 files.
// https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files
func pullFiles(c *call) (any, error) {
	p, no := c.pull()
	if no != nil {
		return nil, no
	}
	list := p.r.changes(p.since(), p.head)
	return page(c, list[:min(3000, len(list))], func(x change) any { return x.render(p.r, p.head) }), nil
}

func pullMerged(c *call) (any, error) {
	p, no := c.pull()
	if no != nil {
		return nil, no
	}
	if !p.merged {
		return nil, notFound()
	}
	return c.empty()
}

func pullMerge(c *call) (any, error) {
	p, no := c.pull()
	if no != nil {
		return nil, no
	}
	var in struct {
		Title   string `json:"commit_title"`
		Message string `json:"commit_message"`
		SHA     string `json:"sha"`
		Method  string `json:"merge_method"`
	}
	if no := c.read(&in); no != nil {
		return nil, no
	}
	h, no := p.merge(c.by, in.Method, in.SHA, in.Title, in.Message)
	if no != nil {
		return nil, no
	}
	return fields{"sha": h.String(), "merged": true, "message": "Pull Request successfully merged"}, nil
}

func pullUpdateBranch(c *call) (any, error) {
	p, no := c.pull()
	if no != nil {
		return nil, no
	}
	var in struct {
		Expected string `json:"expected_head_sha"`
	}
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if no := p.update(c.by, in.Expected); no != nil {
		return nil, no
	}
	c.status = http.StatusAccepted
	return fields{"message": "Updating pull request branch.", "url": p.r.url("/pulls/%d", p.number)}, nil
}

func reviewersGet(c *call) (any, error) {
	p, no := c.pull()
	if no != nil {
		return nil, no
	}
	return fields{"users": c.s.renderUsers(p.asked), "teams": p.renderTeams()}, nil
}

type reviewersInput struct {
	Reviewers     []string
	TeamReviewers []string `json:"team_reviewers"`
}

// reviewersAdd asks people and teams; one who cannot read the repository refuses all.
// https://docs.github.com/en/rest/pulls/review-requests#request-reviewers-for-a-pull-request
func reviewersAdd(c *call) (any, error) {
	p, no := c.pull()
	if no != nil {
		return nil, no
	}
	var in reviewersInput
	if no := c.read(&in); no != nil {
		return nil, no
	}
	unknown := unprocessable("Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the " + c.repo.fullName() + " repository.")
	var people []*account
	var teams []*Team
	for _, login := range in.Reviewers {
		a := c.s.people[strings.ToLower(login)]
		if a == nil || c.repo.people[a.ID] == "" && c.repo.role(a) != promotion.PermissionAdmin && !c.repo.role(a).AtLeast(promotion.PermissionTriage) {
			return nil, unknown
		}
		if a == p.author {
			return nil, unprocessable("Review cannot be requested from pull request author.")
		}
		people = append(people, a)
	}
	for _, slug := range in.TeamReviewers {
		t := c.repo.owner.teams[slug]
		if t == nil || c.repo.teams[slug] == "" {
			return nil, unknown
		}
		teams = append(teams, t)
	}
	for _, a := range people {
		if !slices.Contains(p.asked, a) {
			p.asked = append(p.asked, a)
			p.record(c.by, "review_requested", "", fields{"review_requester": c.s.renderUser(c.by.who), "requested_reviewer": c.s.renderUser(a)})
			p.emit(c.by, "review_requested", fields{"requested_reviewer": c.s.renderUser(a)})
		}
	}
	for _, t := range teams {
		if !slices.Contains(p.askedTeams, t) {
			p.askedTeams = append(p.askedTeams, t)
			p.record(c.by, "review_requested", "", fields{"review_requester": c.s.renderUser(c.by.who), "requested_team": t.render()})
			p.emit(c.by, "review_requested", fields{"requested_team": t.render()})
		}
	}
	return c.created(p.render(false))
}

func reviewersRemove(c *call) (any, error) {
	p, no := c.pull()
	if no != nil {
		return nil, no
	}
	var in reviewersInput
	if no := c.read(&in); no != nil {
		return nil, no
	}
	p.asked = slices.DeleteFunc(p.asked, func(a *account) bool {
		return slices.ContainsFunc(in.Reviewers, func(l string) bool { return strings.EqualFold(l, a.Login) })
	})
	p.askedTeams = slices.DeleteFunc(p.askedTeams, func(t *Team) bool { return slices.Contains(in.TeamReviewers, t.slug) })
	p.touch()
	return p.render(false), nil
}

func (c *call) review() (*pull, *review, *refusal) {
	p, no := c.pull()
	if no != nil {
		return nil, nil, no
	}
	for _, v := range p.reviews {
		if v.id == c.number("review_id") && (v.state != "PENDING" || v.author == c.by.who) {
			return p, v, nil
		}
	}
	return nil, nil, notFound()
}

// reviewList is in chronological order; a pending review is its author's alone.
// https://docs.github.com/en/rest/pulls/reviews#list-reviews-for-a-pull-request
func reviewList(c *call) (any, error) {
	p, no := c.pull()
	if no != nil {
		return nil, no
	}
	list := slices.DeleteFunc(slices.Clone(p.reviews), func(v *review) bool { return v.state == "PENDING" && v.author != c.by.who })
	return page(c, list, func(v *review) any { return v.render() }), nil
}

func reviewGet(c *call) (any, error) {
	_, v, no := c.review()
	if no != nil {
		return nil, no
	}
	return v.render(), nil
}

type reviewInput struct {
	Event, Body string
	CommitID    string `json:"commit_id"`
	Comments    []struct {
		Path, Body string
		Line       int
		StartLine  int    `json:"start_line"`
		Side       string // RIGHT is the head's
		StartSide  string `json:"start_side"`
	}
}

// lineComments lists the comments on lines, oldest first.
// https://docs.github.com/en/rest/pulls/comments#list-review-comments-on-a-pull-request
func lineComments(c *call) (any, error) {
	p, no := c.pull()
	if no != nil {
		return nil, no
	}
	var all []*lineComment
	for _, v := range p.reviews {
		if v.state != "PENDING" {
			all = append(all, v.lines...)
		}
	}
	return page(c, all, func(l *lineComment) any { return l.render() }), nil
}

func reviewCreate(c *call) (any, error) {
	p, no := c.pull()
	if no != nil {
		return nil, no
	}
	var in reviewInput
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if a := c.by.app; a != nil && a.actions && in.Event == "APPROVE" && !c.repo.o.ActionsPRs {
		return nil, unprocessable("Unprocessable Entity", "GitHub Actions is not permitted to approve pull requests.")
	}
	var lines []*lineComment
	for _, l := range in.Comments {
		one := &lineComment{path: l.Path, body: l.Body, start: cmp.Or(l.StartLine, l.Line), line: l.Line}
		if l.Side != "RIGHT" || l.StartLine != 0 && l.StartSide != "RIGHT" || !p.shows(one, cmp.Or(in.CommitID, p.head.String())) {
			return nil, unprocessable("Unprocessable Entity", "Pull request review thread line must be part of the diff")
		}
		lines = append(lines, one)
	}
	v, no := p.review(c.by, in.Event, in.Body, in.CommitID)
	if no != nil {
		return nil, no
	}
	v.comment(lines)
	return v.render(), nil
}

func reviewSubmit(c *call) (any, error) {
	p, v, no := c.review()
	if no != nil {
		return nil, no
	}
	var in reviewInput
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if v.state != "PENDING" || in.Event == "" {
		return nil, unprocessable("Unprocessable Entity", "Can not submit a review that is not pending")
	}
	if v, no = p.review(c.by, in.Event, cmp.Or(in.Body, v.body), v.commit); no != nil {
		return nil, no
	}
	return v.render(), nil
}

// reviewDismiss needs a message, and a review that says yes or no.
// https://docs.github.com/en/rest/pulls/reviews#dismiss-a-review-for-a-pull-request
func reviewDismiss(c *call) (any, error) {
	_, v, no := c.review()
	if no != nil {
		return nil, no
	}
	var in struct{ Message string }
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if in.Message == "" {
		return nil, unprocessable("Invalid request.\n\n\"message\" wasn't supplied.")
	}
	if v.state != "APPROVED" && v.state != "CHANGES_REQUESTED" {
		return nil, unprocessable("Unprocessable Entity", "Can not dismiss a "+strings.ToLower(v.state)+" pull request review")
	}
	v.dismiss(c.by, in.Message, "")
	return v.render(), nil
}
