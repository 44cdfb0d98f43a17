package sandbox

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

func (c *call) thread() (*thread, *refusal) {
	if t := c.repo.threads[int(c.number("issue_number"))]; t != nil {
		return t, nil
	}
	return nil, notFound()
}

// issueList lists pull requests, too: each is an issue.
// https://docs.github.com/en/rest/issues/issues#list-repository-issues
func issueList(c *call) (any, error) {
	state := cmp.Or(c.query("state"), "open")
	var labels []string
	if l := c.query("labels"); l != "" {
		labels = strings.Split(l, ",")
	}
	since, _ := time.Parse(time.RFC3339, c.query("since"))
	var list []*thread
	for t := range c.repo.inOrder() {
		has := func(name string) bool {
			return slices.ContainsFunc(t.labels, func(l *label) bool { return strings.EqualFold(l.name, name) })
		}
		creator := c.query("creator")
		if state != "all" && t.state() != state || slices.ContainsFunc(labels, func(n string) bool { return !has(n) }) ||
			creator != "" && !strings.EqualFold(creator, t.author.Login) || t.updated.Before(since) {
			continue
		}
		list = append(list, t)
	}
	if c.query("sort") == "updated" {
		slices.SortStableFunc(list, func(a, b *thread) int { return a.updated.Compare(b.updated) })
	}
	if c.query("direction") != "asc" {
		slices.Reverse(list)
	}
	return page(c, list, func(t *thread) any {
		out := t.render()
		delete(out, "closed_by")
		return out
	}), nil
}

type issueInput struct {
	Title, Body, State *string
	StateReason        *string `json:"state_reason"`
	Labels             *[]json.RawMessage
	Assignees          *[]string
}

func (in issueInput) labelNames() []string {
	var names []string
	for _, raw := range *in.Labels {
		var name string
		var l struct{ Name string }
		if json.Unmarshal(raw, &name) == nil || json.Unmarshal(raw, &l) == nil {
			names = append(names, cmp.Or(name, l.Name))
		}
	}
	return names
}

func issueCreate(c *call) (any, error) {
	var in issueInput
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if deref(in.Title) == "" {
		return nil, invalid(fault("Issue", "title", "missing_field"))
	}
	if no := tooLong("Issue", *in.Title, deref(in.Body)); no != nil {
		return nil, no
	}
	t := c.repo.newThread(c.by, *in.Title, deref(in.Body))
	t.emit(c.by, "opened", nil)
	c.fill(t, in)
	return c.created(t.render())
}

// fill sets labels and assignees; those who cannot be assigned are passed over in silence.
func (c *call) fill(t *thread, in issueInput) {
	if in.Labels != nil && (c.by.install != nil || c.repo.role(c.by.who).AtLeast(triage)) {
		t.setLabels(c.by, in.labelNames())
	}
	if in.Assignees != nil {
		t.assignees = nil
		for _, login := range *in.Assignees {
			if a := c.s.people[strings.ToLower(login)]; a != nil && c.repo.role(a).AtLeast(triage) {
				t.assignees = append(t.assignees, a)
			}
		}
		t.touch()
	}
}

func (t *thread) setLabels(by *actor, names []string) {
	for _, l := range slices.Clone(t.labels) {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, l.name) }) {
			t.removeLabel(by, l.name)
		}
	}
	for _, name := range names {
		t.addLabel(by, name)
	}
}

func issueGet(c *call) (any, error) {
	t, no := c.thread()
	if no != nil {
		return nil, no
	}
	return t.render(), nil
}

func issueUpdate(c *call) (any, error) {
	t, no := c.thread()
	if no != nil {
		return nil, no
	}
	if no := c.mayEdit(t.author); no != nil {
		return nil, no
	}
	var in issueInput
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if no := tooLong("Issue", deref(in.Title), deref(in.Body)); no != nil {
		return nil, no
	}
	if s := deref(in.State); s != "" && s != t.state() {
		switch {
		case t.pull == nil:
			t.setOpen(c.by, s == "open", deref(in.StateReason))
		case s == "closed":
			t.pull.close(c.by)
		default:
			if no := t.pull.reopen(c.by); no != nil {
				return nil, no
			}
		}
	}
	t.rewrite(c.by, in.Title, in.Body)
	c.fill(t, in)
	return t.render(), nil
}

func commentList(c *call) (any, error) {
	t, no := c.thread()
	if no != nil {
		return nil, no
	}
	since, _ := time.Parse(time.RFC3339, c.query("since"))
	list := slices.DeleteFunc(slices.Clone(t.comments), func(x *comment) bool { return x.updated.Before(since) })
	return page(c, list, func(x *comment) any { return x.render() }), nil
}

// commentsOfRepo lists the comments of all issues and pull requests, by number, or by the
// last change where sort is updated.
// https://docs.github.com/en/rest/issues/comments#list-issue-comments-for-a-repository
func commentsOfRepo(c *call) (any, error) {
	since, _ := time.Parse(time.RFC3339, c.query("since"))
	var list []*comment
	for _, t := range c.repo.threads {
		for _, x := range t.comments {
			if !x.updated.Before(since) {
				list = append(list, x)
			}
		}
	}
	slices.SortFunc(list, func(a, b *comment) int {
		if n := a.updated.Compare(b.updated); c.query("sort") == "updated" && n != 0 {
			return n
		}
		return cmp.Compare(a.id, b.id)
	})
	if c.query("direction") == "desc" {
		slices.Reverse(list)
	}
	return page(c, list, func(x *comment) any { return x.render() }), nil
}

func (c *call) commentBody() (string, *refusal) {
	var in struct{ Body string }
	if no := c.read(&in); no != nil {
		return "", no
	}
	if strings.TrimSpace(in.Body) == "" {
		return "", invalid(fields{"resource": "IssueComment", "code": "unprocessable", "field": "data", "message": "Body cannot be blank"})
	}
	return in.Body, tooLong("IssueComment", "", in.Body)
}

func commentCreate(c *call) (any, error) {
	t, no := c.thread()
	if no != nil {
		return nil, no
	}
	body, no := c.commentBody()
	if no != nil {
		return nil, no
	}
	return c.created(t.comment(c.by, body).render())
}

func (c *call) comment() (*comment, *refusal) {
	for _, t := range c.repo.threads {
		for _, x := range t.comments {
			if x.id == c.number("comment_id") {
				return x, nil
			}
		}
	}
	return nil, notFound()
}

func commentGet(c *call) (any, error) {
	x, no := c.comment()
	if no != nil {
		return nil, no
	}
	return x.render(), nil
}

// mayEditComment: its author, and any writer.
func (c *call) mayEditComment(x *comment) *refusal {
	if c.by.who == x.author || c.by.install != nil || c.repo.role(c.by.who).AtLeast(writer) {
		return nil
	}
	return refuse(http.StatusForbidden, "Must have admin rights to Repository.")
}

func commentUpdate(c *call) (any, error) {
	x, no := c.comment()
	if no != nil {
		return nil, no
	}
	if no := c.mayEditComment(x); no != nil {
		return nil, no
	}
	body, no := c.commentBody()
	if no != nil {
		return nil, no
	}
	x.edit(c.by, body)
	return x.render(), nil
}

func commentDelete(c *call) (any, error) {
	x, no := c.comment()
	if no != nil {
		return nil, no
	}
	if no := c.mayEditComment(x); no != nil {
		return nil, no
	}
	x.remove(c.by)
	return c.empty()
}

func threadLabels(c *call) (any, error) {
	t, no := c.thread()
	if no != nil {
		return nil, no
	}
	return page(c, t.labels, func(l *label) any { return t.r.renderLabel(l) }), nil
}

// labelsInput takes a bare array as well as an object.
func (c *call) labelsInput() ([]string, *refusal) {
	var bare []string
	if json.Unmarshal(c.body, &bare) == nil {
		return bare, nil
	}
	var in issueInput
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if in.Labels == nil {
		return nil, nil
	}
	return in.labelNames(), nil
}

func threadLabelsAdd(c *call) (any, error) {
	t, no := c.thread()
	if no != nil {
		return nil, no
	}
	names, no := c.labelsInput()
	if no != nil {
		return nil, no
	}
	for _, name := range names {
		t.addLabel(c.by, name)
	}
	return t.renderLabels(), nil
}

func threadLabelsSet(c *call) (any, error) {
	t, no := c.thread()
	if no != nil {
		return nil, no
	}
	names, no := c.labelsInput()
	if no != nil {
		return nil, no
	}
	t.setLabels(c.by, names)
	return t.renderLabels(), nil
}

func threadLabelRemove(c *call) (any, error) {
	t, no := c.thread()
	if no != nil {
		return nil, no
	}
	if !t.removeLabel(c.by, c.args["name"]) {
		return nil, refuse(404, "Label does not exist")
	}
	return t.renderLabels(), nil
}

// timeline is every event in order of time: commits, comments, reviews and moments.
// https://docs.github.com/en/rest/issues/timeline
func timeline(c *call) (any, error) {
	t, no := c.thread()
	if no != nil {
		return nil, no
	}
	type event struct {
		at time.Time
		id int64
		is any
	}
	var list []event
	if p := t.pull; p != nil {
		for _, x := range p.r.between(p.since(), p.head) {
			out := p.r.gitCommit(x)
			out["event"] = "committed"
			list = append(list, event{x.Committer.When, 0, out})
		}
		for _, v := range p.reviews {
			if v.state == "PENDING" {
				continue
			}
			out := v.render()
			out["event"], out["state"], out["user"] = "reviewed", lower(v.state), p.r.s.renderUser(v.author)
			list = append(list, event{v.submitted, v.id, out})
		}
	}
	for _, x := range t.comments {
		out := x.render()
		out["event"], out["actor"] = "commented", out["user"]
		list = append(list, event{x.created, x.id, out})
	}
	for _, m := range t.moments {
		list = append(list, event{m.at, m.id, t.renderMoment(m)})
	}
	slices.SortStableFunc(list, func(a, b event) int {
		if n := a.at.Compare(b.at); n != 0 {
			return n
		}
		return cmp.Compare(a.id, b.id)
	})
	return page(c, list, func(e event) any { return e.is }), nil
}

func (t *thread) renderMoment(m moment) fields {
	out := fields{
		"id": m.id, "node_id": nodeID("EV", m.id), "url": t.r.url("/issues/events/%d", m.id), "actor": t.r.s.renderUser(m.actor), "event": m.event,
		"commit_id": nil, "commit_url": nil, "created_at": stamp(m.at), "performed_via_github_app": t.r.s.renderApp(m.app),
	}
	if m.sha != "" {
		out["commit_id"], out["commit_url"] = m.sha, t.r.url("/commits/%s", m.sha)
	}
	for k, v := range m.more {
		out[k] = v
	}
	return out
}

func labelList(c *call) (any, error) {
	return page(c, c.repo.labels, func(l *label) any { return c.repo.renderLabel(l) }), nil
}

func (c *call) label() (*label, *refusal) {
	name, _ := url.PathUnescape(c.args["name"])
	for _, l := range c.repo.labels {
		if strings.EqualFold(l.name, name) || strings.EqualFold(l.name, c.args["name"]) {
			return l, nil
		}
	}
	return nil, notFound()
}

type labelInput struct {
	Name, Color, Description string
	NewName                  string `json:"new_name"`
}

func labelCreate(c *call) (any, error) {
	var in labelInput
	if no := c.read(&in); no != nil {
		return nil, no
	}
	if in.Name == "" {
		return nil, invalid(fault("Label", "name", "missing_field"))
	}
	if len(in.Description) > 100 {
		return nil, invalid(fields{"resource": "Label", "code": "custom", "field": "description", "message": "description is too long (maximum is 100 characters)"})
	}
	for _, l := range c.repo.labels {
		if strings.EqualFold(l.name, in.Name) {
			return nil, invalid(fault("Label", "name", "already_exists"))
		}
	}
	l := c.repo.label(in.Name)
	l.color, l.description = cmp.Or(in.Color, l.color), in.Description
	c.s.version++
	return c.created(c.repo.renderLabel(l))
}

func labelGet(c *call) (any, error) {
	l, no := c.label()
	if no != nil {
		return nil, no
	}
	return c.repo.renderLabel(l), nil
}

func labelUpdate(c *call) (any, error) {
	l, no := c.label()
	if no != nil {
		return nil, no
	}
	var in labelInput
	if no := c.read(&in); no != nil {
		return nil, no
	}
	l.name, l.color, l.description = cmp.Or(in.NewName, l.name), cmp.Or(in.Color, l.color), cmp.Or(in.Description, l.description)
	c.s.version++
	return c.repo.renderLabel(l), nil
}

func labelDelete(c *call) (any, error) {
	l, no := c.label()
	if no != nil {
		return nil, no
	}
	drop := func(x *label) bool { return x == l }
	c.repo.labels = slices.DeleteFunc(c.repo.labels, drop)
	for _, t := range c.repo.threads {
		t.labels = slices.DeleteFunc(t.labels, drop)
	}
	c.s.version++
	return c.empty()
}
