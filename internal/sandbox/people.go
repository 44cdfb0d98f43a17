package sandbox

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// mustPull finds a pull request for what people do; a wrong number is a mistake in the test.
func (r *Repository) mustPull(number int) *pull {
	if t := r.threads[number]; t != nil && t.pull != nil {
		return t.pull
	}
	panic(fmt.Sprintf("sandbox: %s has no pull request %d", r.fullName(), number))
}

func (r *Repository) person(login string) *actor { return &actor{who: r.s.account(login, "User")} }

func asError(no *refusal) error {
	if no == nil {
		return nil
	}
	return no
}

// act runs what a person does to a pull request.
func (r *Repository) act(number int, do func(*pull) *refusal) error {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return asError(do(r.mustPull(number)))
}

// OpenPullRequest opens a pull request by a person, and returns its number. head is a branch,
// or owner:branch of a fork.
func (r *Repository) OpenPullRequest(by, title, body, head, base string) (int, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	p, no := r.openPull(r.person(by), title, body, head, base, false)
	if no != nil {
		return 0, fmt.Errorf("%s %v", no.message, no.errors)
	}
	return p.number, nil
}

// Review submits a review by a person on the head of now, and returns its number.
func (r *Repository) Review(number int, by string, state promotion.ReviewState, body string) (int64, error) {
	var id int64
	err := r.act(number, func(p *pull) *refusal {
		event := ""
		for e, s := range reviewEvents {
			if s == string(state) {
				event = e
			}
		}
		v, no := p.review(r.person(by), event, body, "")
		if no == nil {
			id = v.id
		}
		return no
	})
	return id, err
}

// Dismiss takes the force of a review.
func (r *Repository) Dismiss(number int, review int64, by, message string) error {
	return r.act(number, func(p *pull) *refusal {
		for _, v := range p.reviews {
			if v.id == review {
				v.dismiss(r.person(by), message, "")
				return nil
			}
		}
		return notFound()
	})
}

// Comment writes a comment on an issue or pull request, and returns its number.
func (r *Repository) Comment(number int, by, body string) int64 {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.threads[number].comment(r.person(by), body).id
}

// EditComment changes the text of a comment.
func (r *Repository) EditComment(id int64, by, body string) error {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	for _, t := range r.threads {
		for _, c := range t.comments {
			if c.id == id {
				c.edit(r.person(by), body)
				return nil
			}
		}
	}
	return notFound()
}

// Issue opens an issue by a person, and returns its number.
func (r *Repository) Issue(by, title, body string) int {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	t := r.newThread(r.person(by), title, body)
	t.emit(r.person(by), "opened", nil)
	return t.number
}

// Close closes an issue or pull request.
func (r *Repository) Close(number int, by string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	t := r.threads[number]
	if t.pull != nil {
		t.pull.close(r.person(by))
		return
	}
	t.setOpen(r.person(by), false, "completed")
}

// Reopen reopens an issue or pull request, or says why it cannot be.
func (r *Repository) Reopen(number int, by string) error {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	t := r.threads[number]
	if t.pull != nil {
		return asError(t.pull.reopen(r.person(by)))
	}
	t.setOpen(r.person(by), true, "")
	return nil
}

// Edit changes the title and the body.
func (r *Repository) Edit(number int, by, title, body string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.threads[number].rewrite(r.person(by), &title, &body)
}

// Retarget changes the base of a pull request.
func (r *Repository) Retarget(number int, by, base string) error {
	return r.act(number, func(p *pull) *refusal { return p.retarget(r.person(by), base) })
}

// SetDraft turns a pull request into a draft, or makes it ready for review.
func (r *Repository) SetDraft(number int, by string, draft bool) error {
	return r.act(number, func(p *pull) *refusal { p.setDraft(r.person(by), draft); return nil })
}

// Merge presses the button: "merge", "squash" or "rebase", under the rules of the branch.
func (r *Repository) Merge(number int, by, method string) (string, error) {
	var sha string
	err := r.act(number, func(p *pull) *refusal {
		h, no := p.merge(r.person(by), method, "", "", "")
		sha = h.String()
		return no
	})
	return sha, err
}

// MergeByForce merges past every rule, as an administrator may.
func (r *Repository) MergeByForce(number int, by, method string) (string, error) {
	var sha string
	err := r.act(number, func(p *pull) *refusal {
		p.settle()
		if p.test.IsZero() || !p.open {
			return refuse(405, "Pull Request is not mergeable")
		}
		h, ok := p.joined(r.person(by), method, "", "")
		if !ok {
			return refuse(405, "This branch can't be rebased")
		}
		p.finish(r.person(by), h)
		sha = h.String()
		return nil
	})
	return sha, err
}

// UpdateBranch presses "Update branch".
func (r *Repository) UpdateBranch(number int, by string) error {
	return r.act(number, func(p *pull) *refusal { return p.update(r.person(by), "") })
}

// EnableAutoMerge makes the pull request merge once everything holds; [Repository.AutoMerge] is the moment.
func (r *Repository) EnableAutoMerge(number int, by, method string) error {
	return r.act(number, func(p *pull) *refusal {
		p.auto = &autoMerge{by: r.s.account(by, "User"), method: method}
		p.record(r.person(by), "auto_merge_enabled", "", nil)
		p.emit(r.person(by), "auto_merge_enabled", nil)
		return nil
	})
}

// AutoMerge merges the pull requests whose time has come, and returns their numbers.
func (r *Repository) AutoMerge() []int {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var done []int
	for _, n := range slices.Sorted(maps.Keys(r.threads)) {
		p := r.threads[n].pull
		if p == nil || !p.open || p.auto == nil {
			continue
		}
		if _, no := p.merge(&actor{who: p.auto.by}, p.auto.method, "", p.auto.title, p.auto.message); no == nil {
			done = append(done, n)
		}
	}
	return done
}

// AddLabel puts a label on an issue or pull request.
func (r *Repository) AddLabel(number int, by, name string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.threads[number].addLabel(r.person(by), name)
}

// RemoveLabel takes a label off.
func (r *Repository) RemoveLabel(number int, by, name string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.threads[number].removeLabel(r.person(by), name)
}

// Status sets the status of a context on a commit, by a person or a machine user.
func (r *Repository) Status(sha, by, context, state string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.setStatus(r.person(by), sha, context, state, "", "")
}

// Rerequest presses "Re-run" of a check run.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#check_run
func (r *Repository) Rerequest(check int64, by string) error {
	return r.press(check, func(c *checkRun) { c.rerequest(r.person(by)) })
}

// PressAction presses a button of a check run.
func (r *Repository) PressAction(check int64, by, identifier string) error {
	return r.press(check, func(c *checkRun) {
		c.emit(r.person(by), "requested_action", fields{"requested_action": fields{"identifier": identifier}})
	})
}

func (r *Repository) press(check int64, do func(*checkRun)) error {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	for _, c := range r.checks {
		if c.id == check {
			do(c)
			return nil
		}
	}
	return notFound()
}
