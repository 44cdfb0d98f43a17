package sandbox

import (
	"iter"
	"slices"
	"strings"
	"time"
)

// A fields is a JSON object.
type fields = map[string]any

// A thread is an issue or, where pull is set, a pull request: they share their numbers.
// https://docs.github.com/en/rest/issues/issues
type thread struct {
	r                *Repository
	id               int64
	number           int
	title, body      string
	open             bool
	reason           string // state_reason
	locked           bool
	author           *account
	app              *App // performed_via_github_app
	closedBy         *account
	created, updated time.Time
	closed           time.Time
	labels           []*label
	assignees        []*account
	comments         []*comment
	moments          []moment
	pull             *pull
}

type label struct {
	id                       int64
	name, color, description string
}

type comment struct {
	id               int64
	t                *thread
	author           *account
	app              *App
	body             string
	created, updated time.Time
}

// A moment is an event of the timeline that is neither commit, comment nor review.
// https://docs.github.com/en/rest/using-the-rest-api/issue-event-types
type moment struct {
	id    int64
	event string
	at    time.Time
	actor *account
	app   *App
	sha   string // commit_id
	more  fields
}

func (t *thread) state() string {
	if t.open {
		return "open"
	}
	return "closed"
}

// touch says that the thread changed now.
func (t *thread) touch() {
	t.updated = t.r.s.now()
	t.r.s.version++
}

func (t *thread) record(by *actor, event, sha string, more fields) *moment {
	t.moments = append(t.moments, moment{
		id: t.r.s.next(), event: event, at: t.r.s.now(), actor: by.who, app: by.viaApp(), sha: sha, more: more,
	})
	t.touch()
	return &t.moments[len(t.moments)-1]
}

func (r *Repository) newThread(by *actor, title, body string) *thread {
	r.numbers++
	now := r.s.now()
	t := &thread{
		r: r, id: r.s.next(), number: r.numbers, title: title, body: body, open: true,
		author: by.who, app: by.viaApp(), created: now, updated: now,
	}
	r.threads[t.number] = t
	r.s.version++
	return t
}

// inOrder are the issues and pull requests, by number.
func (r *Repository) inOrder() iter.Seq[*thread] {
	return func(yield func(*thread) bool) {
		for n := 1; n <= r.numbers; n++ {
			if t := r.threads[n]; t != nil && !yield(t) {
				return
			}
		}
	}
}

// label returns the label of that name, made if there is none: GitHub makes what is added
// to an issue and does not exist, and compares names without regard to case.
// https://docs.github.com/en/rest/issues/labels#add-labels-to-an-issue
func (r *Repository) label(name string) *label {
	for _, l := range r.labels {
		if strings.EqualFold(l.name, name) {
			return l
		}
	}
	l := &label{id: r.s.next(), name: name, color: "ededed"}
	r.labels = append(r.labels, l)
	return l
}

func (t *thread) addLabel(by *actor, name string) {
	l := t.r.label(name)
	if slices.Contains(t.labels, l) {
		return
	}
	t.labels = append(t.labels, l)
	t.record(by, "labeled", "", fields{"label": fields{"name": l.name, "color": l.color}})
	t.emit(by, "labeled", fields{"label": t.r.renderLabel(l)})
}

func (t *thread) removeLabel(by *actor, name string) bool {
	i := slices.IndexFunc(t.labels, func(l *label) bool { return strings.EqualFold(l.name, name) })
	if i < 0 {
		return false
	}
	l := t.labels[i]
	t.labels = slices.Delete(t.labels, i, i+1)
	t.record(by, "unlabeled", "", fields{"label": fields{"name": l.name, "color": l.color}})
	t.emit(by, "unlabeled", fields{"label": t.r.renderLabel(l)})
	return true
}

func (t *thread) comment(by *actor, body string) *comment {
	now := t.r.s.now()
	if by.install != nil && slices.ContainsFunc(t.comments, func(c *comment) bool { return c.author == by.who && c.body == body }) {
		t.r.s.violation("%s: duplicate comment: %s wrote the same a second time on #%d: %.60q", t.r.fullName(), by.name(), t.number, body)
	}
	c := &comment{id: t.r.s.next(), t: t, author: by.who, app: by.viaApp(), body: body, created: now, updated: now}
	t.comments = append(t.comments, c)
	t.touch()
	t.r.s.emit(t.r, by, "issue_comment", "created", fields{"issue": t.render(), "comment": c.render()})
	return c
}

func (c *comment) edit(by *actor, body string) {
	from := c.body
	c.body, c.updated = body, c.t.r.s.now()
	c.t.r.s.version++
	c.t.r.s.emit(c.t.r, by, "issue_comment", "edited", fields{
		"issue": c.t.render(), "comment": c.render(), "changes": fields{"body": fields{"from": from}},
	})
}

func (c *comment) remove(by *actor) {
	c.t.comments = slices.DeleteFunc(c.t.comments, func(x *comment) bool { return x == c })
	c.t.touch()
	c.t.r.s.emit(c.t.r, by, "issue_comment", "deleted", fields{"issue": c.t.render(), "comment": c.render()})
}

// setOpen closes or reopens an issue; pull requests have their own way.
func (t *thread) setOpen(by *actor, open bool, reason string) {
	if t.open == open {
		return
	}
	t.open, t.closed, t.closedBy, t.reason = open, time.Time{}, nil, "reopened"
	event := "reopened"
	if !open {
		event, t.closed, t.closedBy, t.reason = "closed", t.r.s.now(), by.who, reason
		if reason == "" {
			t.reason = "completed"
		}
	}
	t.record(by, event, "", fields{"state_reason": nil})
	t.emit(by, event, nil)
}

// emit sends the event of the issue or of the pull request.
func (t *thread) emit(by *actor, action string, more fields) {
	if t.pull != nil {
		t.pull.emit(by, action, more)
		return
	}
	payload := fields{"issue": t.render()}
	for k, v := range more {
		payload[k] = v
	}
	t.r.s.emit(t.r, by, "issues", action, payload)
}
