package sandbox

import (
	"fmt"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// A queued pull request waits in the merge queue of its base.
// https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue
type queued struct {
	id    int64
	p     *pull
	by    *actor
	head  plumbing.Hash // as enqueued
	group plumbing.ReferenceName
	sha   plumbing.Hash // of the group; zero until it was formed
	base  plumbing.Hash
}

// enqueue adds a pull request to the queue of its base: an expected head that is not its
// head, and whatever else stands against a merge, refuses.
// https://docs.github.com/en/graphql/reference/mutations#enqueuepullrequest
func (p *pull) enqueue(by *actor, expected string) (*queued, *refusal) {
	d := p.r.rules(p.baseRef)
	switch {
	case expected != "" && expected != p.head.String():
		return nil, unprocessable("Head branch was modified. Review and try the merge again.")
	case !d.MergeQueue:
		return nil, unprocessable("The merge queue is not enabled for this branch")
	case !p.open || p.draft:
		return nil, unprocessable("Pull request is not in a mergeable state")
	case p.queued() != nil:
		return nil, unprocessable("Pull request is already in the queue")
	}
	why := slices.DeleteFunc(p.obstacles(nil), func(s string) bool { return s == "Changes must be made through the merge queue" })
	if len(why) > 0 {
		return nil, unprocessable("Pull request " + why[0])
	}
	q := &queued{id: p.r.s.next(), p: p, by: by, head: p.head}
	p.r.queue = append(p.r.queue, q)
	p.record(by, "added_to_merge_queue", "", nil)
	p.emit(by, "enqueued", nil)
	return q, nil
}

func (p *pull) queued() *queued {
	for _, q := range p.r.queue {
		if q.p == p {
			return q
		}
	}
	return nil
}

// leave takes a pull request out of the queue; its group's branch goes.
func (q *queued) leave(by *actor, reason string) {
	r := q.p.r
	r.queue = slices.DeleteFunc(r.queue, func(x *queued) bool { return x == q })
	q.dissolve(reason)
	q.p.record(by, "removed_from_merge_queue", "", nil)
	q.p.emit(by, "dequeued", fields{"reason": reason})
}

// dissolve takes the group of a pull request that stays in the queue, or leaves it.
func (q *queued) dissolve(reason string) {
	if q.sha.IsZero() {
		return
	}
	r := q.p.r
	r.emitGroup(r.s.queueBot(), q, "destroyed", reason)
	r.apply(r.s.queueBot(), update{ref: q.group, old: q.sha})
	q.sha = plumbing.ZeroHash
}

func (r *Repository) emitGroup(by *actor, q *queued, action, reason string) {
	payload := fields{"merge_group": fields{
		"head_sha": q.sha.String(), "head_ref": q.group.String(), "base_sha": q.base.String(), "base_ref": branch(q.p.baseRef).String(),
		"head_commit": r.simpleCommit(q.sha),
	}}
	if reason != "" {
		payload["reason"] = reason
	}
	r.s.emit(r, by, "merge_group", action, payload)
}

// FormGroups makes the next merge group of each waiting pull request: a branch
// gh-readonly-queue/BASE/pr-N-SHA with everything before it in the queue, whose checks are
// asked for. A group whose base is no longer what is before it is made anew. It returns the
// new refs with their commits.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#merge_group
func (r *Repository) FormGroups() map[string]string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	formed := map[string]string{}
	tips := map[string]plumbing.Hash{}
	for _, q := range slices.Clone(r.queue) {
		p := q.p
		base, ok := tips[p.baseRef]
		if !ok {
			base = r.tip(p.baseRef)
		}
		if !q.sha.IsZero() && q.base == base {
			tips[p.baseRef] = q.sha
			continue
		}
		q.dissolve("invalidated")
		tree, ok := r.merged(base, p.head)
		if !ok || p.head != q.head || !p.open {
			q.leave(q.by, "merge_conflict")
			continue
		}
		parents := []plumbing.Hash{base, p.head}
		if r.rules(p.baseRef).MergeQueueMethod == "squash" {
			parents = parents[:1]
		}
		message := fmt.Sprintf("Merge pull request #%d from %s\n\n%s", p.number, p.headRef, p.title)
		q.base = base
		q.sha = r.commit(tree, parents, r.s.github(), r.s.github(), message, true)
		q.group = branch(fmt.Sprintf("gh-readonly-queue/%s/pr-%d-%s", p.baseRef, p.number, base))
		tips[p.baseRef] = q.sha
		r.apply(r.s.queueBot(), update{ref: q.group, now: q.sha})
		r.emitGroup(r.s.queueBot(), q, "checks_requested", "")
		formed[q.group.String()] = q.sha.String()
	}
	return formed
}

// LandGroups merges, in order, the groups whose required checks pass on the group's own
// commit, and drops the pull requests whose checks failed; the groups behind those are gone
// until FormGroups makes them anew. It returns the numbers of those that were merged.
func (r *Repository) LandGroups() []int {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var done []int
	for _, q := range slices.Clone(r.queue) {
		p := q.p
		if q.sha.IsZero() || r.tip(p.baseRef) != q.base {
			continue
		}
		switch r.groupState(q) {
		case "failing":
			behind := slices.Clone(r.queue[slices.Index(r.queue, q)+1:])
			q.leave(r.s.queueBot(), "ci_failure")
			for _, later := range behind {
				if later.p.baseRef == p.baseRef {
					later.dissolve("invalidated")
				}
			}
		case "":
			r.queue = slices.DeleteFunc(r.queue, func(x *queued) bool { return x == q })
			r.emitGroup(r.s.queueBot(), q, "destroyed", "merged")
			p.finish(r.s.queueBot(), q.sha)
			r.apply(r.s.queueBot(), update{ref: q.group, old: q.sha})
			done = append(done, p.number)
		}
	}
	return done
}

// groupState is failing where any required check fails, else what is missing, "" if nothing.
func (r *Repository) groupState(q *queued) string {
	state := ""
	for _, c := range r.rules(q.p.baseRef).Checks {
		switch x := r.checkState(c, q.sha); x {
		case "failing":
			return x
		case "":
		default:
			state = x
		}
	}
	return state
}

// queueBot is who merges what the queue lets through.
func (s *Sandbox) queueBot() *actor {
	return &actor{who: s.known(118344674, "github-merge-queue[bot]", "Bot")}
}

func (p *pull) setDraft(by *actor, draft bool) {
	if p.draft == draft {
		return
	}
	p.draft = draft
	event, action := "ready_for_review", "ready_for_review"
	if draft {
		event, action = "convert_to_draft", "converted_to_draft"
	}
	p.record(by, event, "", nil)
	p.emit(by, action, nil)
}
