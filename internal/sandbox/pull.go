package sandbox

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// A pull is the part of a thread that makes it a pull request.
//
// What is relied on, from https://docs.github.com/en/rest/pulls/pulls:
//   - the head follows its branch while the pull request is open, and stays where it was
//     once it is closed;
//   - base.sha is the base's tip when the head last moved, not the tip of now;
//   - merge_commit_sha is the test merge while it is open and mergeable, and the commit that
//     brought it into the base once it is merged;
//   - one open pull request for one head and base.
type pull struct {
	*thread
	from        *Repository // of the head; nil once the fork is gone
	headRef     string
	headLabel   string
	baseRef     string
	head, base  plumbing.Hash
	draft       bool
	merged      bool
	mergedAt    time.Time
	mergedBy    *account
	mergeCommit plumbing.Hash // of a merged one
	before      plumbing.Hash // the base's tip before it was merged
	test        plumbing.Hash // the test merge, zero where it conflicts
	testedHead  plumbing.Hash // what test was made of
	testedBase  plumbing.Hash
	told        [2]plumbing.Hash // the head and base for which mergeability was asked before
	lastPusher  *account
	reviews     []*review
	asked       []*account // requested reviewers
	askedTeams  []*Team
	auto        *autoMerge
	maintainers bool // may modify
}

type autoMerge struct {
	by             *account
	method         string
	title, message string
}

// headOf finds what a head names: "branch" or "owner:branch".
func (r *Repository) headOf(head string) (*Repository, string, bool) {
	owner, name, other := strings.Cut(head, ":")
	if !other {
		return r, head, true
	}
	if strings.EqualFold(owner, r.owner.Login) {
		return r, name, true
	}
	for _, id := range slices.Sorted(maps.Keys(r.s.repos)) {
		if f := r.s.repos[id]; f.parent == r && strings.EqualFold(f.owner.Login, owner) {
			return f, name, true
		}
	}
	return nil, "", false
}

// clash returns the open pull request from a head to a base, if there is one.
func (r *Repository) clash(from *Repository, head, base string, but *pull) *pull {
	for _, t := range r.threads {
		if p := t.pull; p != nil && p != but && p.open && p.from == from && p.headRef == head && p.baseRef == base {
			return p
		}
	}
	return nil
}

// openPull makes a pull request, or says why GitHub does not: a base or head that is not
// there, nothing between them, or another open one for the same two branches.
// https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request
func (r *Repository) openPull(by *actor, title, body, head, base string, draft bool) (*pull, *refusal) {
	from, name, ok := r.headOf(head)
	if r.tip(base).IsZero() {
		return nil, invalid(fault("PullRequest", "base", "invalid"))
	}
	if !ok || from.tip(name).IsZero() {
		return nil, invalid(fault("PullRequest", "head", "invalid"))
	}
	if p := r.clash(from, name, base, nil); p != nil {
		if by.install != nil {
			r.s.violation("%s: %s opened a second pull request from %s to %s beside #%d", r.fullName(), by.name(), name, base, p.number)
		}
		return nil, invalid(custom("PullRequest", fmt.Sprintf("A pull request already exists for %s:%s.", from.owner.Login, name)))
	}
	tip, onto := from.tip(name), r.tip(base)
	switch {
	case r.mergeBase(tip, onto).IsZero():
		return nil, invalid(custom("PullRequest", fmt.Sprintf("The %s branch has no history in common with %s", name, base)))
	case r.isAncestor(tip, onto):
		return nil, invalid(custom("PullRequest", fmt.Sprintf("No commits between %s and %s", base, name)))
	}
	t := r.newThread(by, title, body)
	p := &pull{
		thread: t, from: from, headRef: name, headLabel: from.owner.Login + ":" + name, baseRef: base,
		head: tip, base: onto, draft: draft, lastPusher: by.who,
	}
	t.pull = p
	p.follow()
	p.emit(by, "opened", nil)
	return p, nil
}

// follow points refs/pull/N/head at the head.
// https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/checking-out-pull-requests-locally
func (p *pull) follow() {
	name := p.refName("head")
	p.r.store.ReferenceStorage[name] = plumbing.NewHashReference(name, p.head)
}

func (p *pull) refName(side string) plumbing.ReferenceName {
	return plumbing.ReferenceName(fmt.Sprintf("refs/pull/%d/%s", p.number, side))
}

// follow lets the pull requests follow a branch that moved: those of the repository, and those
// from it to the one that it is a fork of.
func (r *Repository) follow(by *actor, name string, u update) {
	bases := []*Repository{r}
	if r.parent != nil && r.s.repos[r.parent.id] == r.parent {
		bases = []*Repository{r.parent, r}
	}
	var held map[plumbing.Hash]bool // made when it is needed
	for _, base := range bases {
		for t := range base.inOrder() {
			p := t.pull
			if p == nil || !p.open {
				continue
			}
			if p.from == r && p.headRef == name {
				p.headMoved(by, u)
			}
			if p.open && base == r && p.baseRef == name {
				if held == nil {
					held = r.ancestors(u.now)
				}
				p.baseMoved(by, u, held)
			}
		}
	}
}

// headMoved: a deleted branch closes the pull request, as does one without commits of its
// own; else the head follows and approvals are dismissed where a rule says so.
func (p *pull) headMoved(by *actor, u update) {
	if u.now.IsZero() {
		p.record(by, "head_ref_deleted", "", nil)
		p.close(by)
		return
	}
	forced := u.forced(p.r)
	p.head, p.base = u.now, p.r.tip(p.baseRef)
	p.lastPusher = by.who
	p.follow()
	if forced {
		p.record(by, "head_ref_force_pushed", u.now.String(), nil)
	}
	p.touch()
	if p.r.isAncestor(p.head, p.base) {
		p.close(by)
		return
	}
	p.emit(by, "synchronize", fields{"before": u.old.String(), "after": u.now.String()})
	// https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/available-rules-for-rulesets#require-a-pull-request-before-merging
	if p.r.rules(p.baseRef).DismissStale {
		for _, v := range p.reviews {
			if v.state == "APPROVED" {
				v.dismiss(by, "", u.now.String())
			}
		}
	}
}

// baseMoved: a base that was deleted closes the pull request; one whose history, held, has the
// head has merged it, whichever way it came there.
// https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/about-pull-request-merges#indirect-merges
func (p *pull) baseMoved(by *actor, u update, held map[plumbing.Hash]bool) {
	switch {
	case u.now.IsZero():
		p.close(by)
	case held[p.head]:
		p.land(by, u.old, p.bringer(u))
	default:
		p.r.s.version++
	}
}

// bringer is the first commit of the base's first-parent line that holds the head.
func (p *pull) bringer(u update) plumbing.Hash {
	at := u.now
	for at != u.old {
		c := p.r.mustAt(at)
		if len(c.ParentHashes) == 0 || !p.r.isAncestor(p.head, c.ParentHashes[0]) {
			break
		}
		at = c.ParentHashes[0]
	}
	return at
}

func (p *pull) close(by *actor) {
	p.open, p.closed, p.closedBy, p.auto = false, p.r.s.now(), by.who, nil
	p.record(by, "closed", "", fields{"state_reason": nil})
	p.emit(by, "closed", nil)
}

// land marks the pull request as merged by a commit, on a base that was at another.
func (p *pull) land(by *actor, before, commit plumbing.Hash) {
	p.before = before
	now := p.r.s.now()
	p.merged, p.mergedAt, p.mergedBy, p.mergeCommit = true, now, by.who, commit
	p.open, p.closed, p.closedBy, p.auto = false, now, by.who, nil
	delete(p.r.store.ReferenceStorage, p.refName("merge"))
	p.record(by, "merged", commit.String(), nil)
	p.record(by, "closed", "", fields{"state_reason": nil})
	p.emit(by, "closed", nil)
}

// reopen is refused where the head branch is gone or does not descend from the head that
// was closed, and where another pull request took the place.
// https://github.com/isaacs/github/issues/361
func (p *pull) reopen(by *actor) *refusal {
	because := func(text string) *refusal {
		return invalid(custom("PullRequest", "state cannot be changed. "+text))
	}
	switch {
	case p.merged:
		return because("This pull request has already been merged.")
	case p.from == nil:
		return because("The repository that submitted this pull request has been deleted.")
	case p.from.tip(p.headRef).IsZero():
		return because(fmt.Sprintf("The %s branch has been deleted.", p.headRef))
	case p.r.tip(p.baseRef).IsZero():
		return because(fmt.Sprintf("The %s branch has been deleted.", p.baseRef))
	}
	if q := p.r.clash(p.from, p.headRef, p.baseRef, p); q != nil {
		return because(fmt.Sprintf("There is already an open pull request from %s to %s:%s.", p.headLabel, p.r.owner.Login, p.baseRef))
	}
	tip := p.from.tip(p.headRef)
	if !p.r.isAncestor(p.head, tip) {
		return because(fmt.Sprintf("The %s branch was force-pushed or recreated.", p.headRef))
	}
	if p.r.isAncestor(tip, p.r.tip(p.baseRef)) {
		return because(fmt.Sprintf("There are no new commits on the %s branch.", p.headLabel))
	}
	p.open, p.closed, p.closedBy = true, time.Time{}, nil
	p.head, p.base = tip, p.r.tip(p.baseRef)
	p.follow()
	p.record(by, "reopened", "", fields{"state_reason": nil})
	p.emit(by, "reopened", nil)
	return nil
}

// retarget changes the base.
func (p *pull) retarget(by *actor, base string) *refusal {
	if base == p.baseRef {
		return nil
	}
	switch {
	case !p.open:
		return invalid(custom("PullRequest", "Cannot change the base branch of a closed pull request."))
	case p.r.tip(base).IsZero():
		return invalid(fault("PullRequest", "base", "invalid"))
	case p.r.clash(p.from, p.headRef, base, p) != nil:
		return invalid(custom("PullRequest", fmt.Sprintf("A pull request already exists for base branch '%s' and head branch '%s'", base, p.headRef)))
	case p.r.isAncestor(p.head, p.r.tip(base)):
		return invalid(custom("PullRequest", fmt.Sprintf("There are no new commits between base branch '%s' and head branch '%s'", base, p.headRef)))
	}
	from, sha := p.baseRef, p.base
	p.baseRef, p.base = base, p.r.tip(base)
	p.record(by, "base_ref_changed", "", nil)
	p.emit(by, "edited", fields{"changes": fields{"base": fields{"ref": fields{"from": from}, "sha": fields{"from": sha.String()}}}})
	return nil
}

// settle brings the test merge up to date: refs/pull/N/merge is there while the pull
// request is open and merges without a conflict.
func (p *pull) settle() {
	if !p.open {
		return
	}
	base := p.r.tip(p.baseRef)
	if p.testedHead == p.head && p.testedBase == base {
		return
	}
	p.testedHead, p.testedBase, p.test = p.head, base, plumbing.ZeroHash
	name := p.refName("merge")
	delete(p.r.store.ReferenceStorage, name)
	tree, ok := p.r.merged(base, p.head)
	if !ok {
		return
	}
	sig := p.r.s.github()
	message := fmt.Sprintf("Merge %s into %s", p.head, base)
	p.test = p.r.commit(tree, []plumbing.Hash{base, p.head}, sig, sig, message, true)
	p.r.store.ReferenceStorage[name] = plumbing.NewHashReference(name, p.test)
}

// settle brings the test merges of all open pull requests up to date.
func (r *Repository) settle() {
	for t := range r.inOrder() {
		if t.pull != nil {
			t.pull.settle()
		}
	}
}

func (p *pull) emit(by *actor, action string, more fields) {
	if !p.r.s.heard(p.r, "pull_request") {
		return
	}
	payload := fields{"number": p.number, "pull_request": p.event()}
	for k, v := range more {
		payload[k] = v
	}
	p.r.s.emit(p.r, by, "pull_request", action, payload)
}

// since is where the pull request's own commits begin.
func (p *pull) since() plumbing.Hash {
	base := p.r.tip(p.baseRef)
	if !p.open || base.IsZero() {
		base = p.base
	}
	return cmp.Or(p.r.mergeBase(p.head, base), base)
}

func (p *pull) state() string { return p.thread.state() }
