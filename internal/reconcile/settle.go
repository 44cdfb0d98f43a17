package reconcile

import (
	"context"
	"fmt"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// An Action says what became of a proposal.
type Action string

// The actions.
const (
	Opened    Action = "opened"    // a pull request was opened
	Updated   Action = "updated"   // its branch or its text was brought in step
	Unchanged Action = "unchanged" // it is in step
	Finished  Action = "finished"  // nothing is left to do: it was closed
	Declined  Action = "declined"  // somebody closed it: a "no" until the content changes
	Diverged  Action = "diverged"  // the branch holds what Pinnace did not write
	Waiting   Action = "waiting"   // it waits for other pull requests
	Failed    Action = "failed"    // Err says why
	Clean     Action = "clean"     // there is nothing to do
)

// Settled is a proposal with what became of it. In a dry run Action is what would become
// of it.
type Settled struct {
	plan.Proposal
	Action      Action
	PullRequest promotion.PullRequest // zero where there is none
	Reason      string
	Err         error
	Files       []FileChange // what its commit changes, where one is to be made
}

// A FileChange is a file before and after.
type FileChange struct {
	Path      string
	Old, Data []byte
}

// settleAll settles the proposals and then the branches that no proposal has any more.
func (p *pass) settleAll(ctx context.Context, proposals []plan.Proposal) {
	named := map[string]bool{}
	for _, q := range proposals {
		named[q.Branch] = true
	}
	for _, branch := range sorted(p.heads) {
		if kind, ok := plan.KindOf(branch, p.base.Branch, p.isDefault); ok && !named[branch] {
			proposals = append(proposals, plan.Proposal{Kind: kind, Branch: branch})
		}
	}
	for _, q := range proposals {
		s := Settled{Proposal: q}
		if ctx.Err() != nil {
			return
		}
		if err := p.one(ctx, &s); err != nil {
			s.Action, s.Err = Failed, err
		}
		p.base.Settled = append(p.base.Settled, s)
	}
}

// A head is a branch of ours as it stands.
type head struct {
	hash    git.Hash // zero where there is no branch
	derived derivation
	last    promotion.PullRequest // the newest pull request of the branch, zero where there is none
	open    bool                  // it is open
}

// one settles one proposal.
func (p *pass) one(ctx context.Context, s *Settled) error {
	h := head{hash: p.heads[s.Branch]}
	if h.hash == none && len(s.Changes) == 0 {
		s.Action = Clean
		return nil
	}
	var err error
	if h.hash != none {
		if h.derived, err = p.derive(ctx, h.hash, s.Kind); err != nil {
			return err
		}
	}
	if h.last, err = p.newest(ctx, s.Branch); err != nil {
		return err
	}
	h.open = h.last.State == promotion.Open
	s.PullRequest = h.last
	p.keepAnswers(s, h)
	switch {
	case h.hash != none && !h.derived.ours:
		return p.diverged(ctx, s, h)
	case len(s.Changes) == 0 && len(s.Failed) > 0:
		s.Action, s.Reason = Waiting, "a registry gave no answer: what is proposed stays as it is"
		return nil
	case len(s.Changes) == 0:
		return p.finish(ctx, s, h)
	}
	return p.propose(ctx, s, h)
}

// newest returns the newest pull request from a branch to the base, an open one first.
func (p *pass) newest(ctx context.Context, branch string) (promotion.PullRequest, error) {
	all, err := p.Forge.PullRequests(ctx, p.repo, promotion.Query{Head: branch, Base: p.base.Branch})
	if err != nil {
		return promotion.PullRequest{}, err
	}
	if i := slices.IndexFunc(all, func(q promotion.PullRequest) bool { return q.State == promotion.Open }); i >= 0 {
		return all[i], nil
	}
	if len(all) == 0 {
		return promotion.PullRequest{}, nil
	}
	return all[0], nil
}

// keepAnswers takes what the branch already says about images whose registry gives no
// answer now, so that an outage changes no pull request.
func (p *pass) keepAnswers(s *Settled, h head) {
	if !h.derived.ours || s.Kind != promotion.Pin {
		return
	}
	for _, l := range s.Failed {
		for _, c := range h.derived.changes {
			if l.Concerns(c) && !slices.Contains(s.Changes, c) {
				s.Changes = append(s.Changes, c)
			}
		}
	}
	promotion.SortChanges(s.Changes)
}

// diverged leaves a branch alone that holds what Pinnace did not write, and says so in its
// pull request.
func (p *pass) diverged(ctx context.Context, s *Settled, h head) error {
	s.Action = Diverged
	s.Reason = fmt.Sprintf("branch %s holds %s (%s): nothing was overwritten", s.Branch, h.derived.why, h.hash.String()[:10])
	if !h.open {
		s.Reason += "; no pull request of it is open: delete the branch, and Pinnace proposes anew"
		return nil
	}
	text := p.text(s)
	text.Diverged = &message.Diverged{Commit: h.hash.String(), Author: h.derived.author, Why: h.derived.why}
	if text.IsIn(h.last.Body) || !message.IsOurs(h.last.Body) || p.base.DryRun {
		return nil
	}
	p.describe(ctx, &text)
	body := text.Body()
	_, err := p.Forge.AmendPullRequest(ctx, p.repo, h.last.Number, promotion.Amendment{Body: &body})
	return err
}

// finish closes the pull request of a branch for which nothing is left to do.
func (p *pass) finish(ctx context.Context, s *Settled, h head) error {
	if !h.open && !(h.last.State == promotion.Closed && message.IsFinished(h.last.Body)) {
		s.Action = Clean
		return nil
	}
	s.Action, s.Reason = Finished, "nothing is left to do"
	if p.base.DryRun {
		return nil
	}
	if h.open {
		if err := p.close(ctx, s, h); err != nil {
			return err
		}
	}
	if h.hash == none {
		return nil
	}
	return p.explain(p.Git.Push(ctx, p.remote, git.Push{Ref: headsPrefix + s.Branch, Old: h.hash, Delete: true}), s.Branch)
}

// close closes a pull request so that it is not taken for somebody's "no".
func (p *pass) close(ctx context.Context, s *Settled, h head) error {
	text := p.text(s)
	text.Finished = true
	body, closed := text.Body(), promotion.Closed
	var err error
	if s.PullRequest, err = p.Forge.AmendPullRequest(ctx, p.repo, h.last.Number, promotion.Amendment{Body: &body, State: &closed}); err != nil {
		return err
	}
	return nil
}

// propose brings the branch and the pull request of a proposal in step.
func (p *pass) propose(ctx context.Context, s *Settled, h head) error {
	c := commit{changes: s.Changes}
	current := false
	if p.workflows == No {
		leaveWorkflows(s)
	}
	merged := !h.open && h.last.State == promotion.Merged
	if h.derived.ours && !merged && promotion.Digest(s.Kind, s.Changes) == h.derived.seal {
		fresh, err := p.fresh(ctx, h.derived)
		if err != nil {
			return err
		}
		current = fresh
	}
	if !current {
		var err error
		if c, err = p.edit(s); err != nil {
			return err
		}
		if len(c.changes) == 0 {
			return p.finish(ctx, s, h)
		}
	}
	seal := promotion.Digest(s.Kind, c.changes)
	if !h.open {
		no, err := p.declined(ctx, h, seal)
		if err != nil {
			return err
		}
		if no {
			s.Action, s.Reason, s.Files = Declined, fmt.Sprintf("#%d was closed without merging: Pinnace proposes it again when its content changes, or when it is reopened", h.last.Number), nil
			return nil
		}
		if s.Kind == promotion.Update {
			full, err := p.full(ctx, s)
			if err != nil || full {
				return err
			}
		}
	}
	if h.open && seal != h.derived.seal && s.Kind == promotion.Update {
		wait, err := p.newer(ctx, s, &h)
		if err != nil || wait {
			return err
		}
	}
	if !current && h.open && seal == h.derived.seal {
		s.Reason = "rendered again on " + p.base.Branch
	}
	if merged {
		h.last, s.PullRequest = promotion.PullRequest{}, promotion.PullRequest{}
	}
	err := p.write(ctx, s, h, c, current)
	if p.workflows != No && isWorkflowRefusal(err) {
		p.workflows = No
		return p.one(ctx, s)
	}
	return err
}

// full says whether as many updates are open as may be.
func (p *pass) full(ctx context.Context, s *Settled) (bool, error) {
	if p.updates == nil {
		all, err := p.Forge.PullRequests(ctx, p.repo, promotion.Query{State: promotion.Open, Base: p.base.Branch})
		if err != nil {
			return false, err
		}
		p.updates = map[string]bool{}
		for _, q := range all {
			if kind, ok := plan.KindOf(q.Head.Ref, p.base.Branch, p.isDefault); ok && kind == promotion.Update {
				p.updates[q.Head.Ref] = true
			}
		}
	}
	most := p.MaxOpen
	if most <= 0 {
		most = 10
	}
	if len(p.updates) < most {
		p.updates[s.Branch] = true
		return false, nil
	}
	s.Action, s.Files = Waiting, nil
	s.Reason = fmt.Sprintf("%d update pull requests are open, and the limit is %d: merge or close one, or raise --max-open", len(p.updates), most)
	return true, nil
}

// fresh says whether a head of equal content may stay as it is: the files that it edits
// are those of the tip.
func (p *pass) fresh(ctx context.Context, d derivation) (bool, error) {
	if d.parent.Commit == p.tip.Commit {
		return true, nil
	}
	for _, c := range d.changes {
		then, had, err := d.parent.Lookup(c.Path)
		if err != nil {
			return false, err
		}
		now, has, err := p.tip.Lookup(c.Path)
		if err != nil {
			return false, err
		}
		if had != has || then.Blob != now.Blob || then.Mode != now.Mode {
			return false, nil
		}
	}
	rules, err := p.branchRules(ctx)
	return err == nil && !rules.UpToDate, err
}

// declined says whether somebody closed a pull request of this very content.
func (p *pass) declined(ctx context.Context, h head, seal string) (bool, error) {
	if h.last.State != promotion.Closed || message.IsFinished(h.last.Body) {
		return false, nil
	}
	if h.derived.ours && h.hash.String() == h.last.Head.SHA {
		return h.derived.seal == seal, nil
	}
	text, ok, err := p.Forge.CommitMessage(ctx, p.repo, h.last.Head.SHA)
	if err != nil {
		return false, err
	}
	return ok && slices.Contains(message.ParseTrailers(text)[message.TrailerSeal], seal), nil
}

// newer says whether an open update that somebody approved keeps its content although there
// is a newer candidate. Where that supersedes it, it is closed.
func (p *pass) newer(ctx context.Context, s *Settled, h *head) (wait bool, err error) {
	policy := config.NewerQueue
	if len(s.Environments) == 1 {
		e, _ := p.config.Environment(s.Environments[0])
		policy = e.OnNewer
	}
	if policy == config.NewerUpdate {
		return false, nil
	}
	by, err := p.approver(ctx, h.last.Number)
	if err != nil || by == "" {
		return false, err
	}
	if policy == config.NewerQueue {
		s.Action, s.Files = Waiting, nil
		s.Reason = fmt.Sprintf("%s approved #%d as it is: the newer candidate waits until it is merged or closed (onNewer: queue)", by, h.last.Number)
		return true, nil
	}
	s.Reason = fmt.Sprintf("instead of #%d, which %s approved (onNewer: supersede)", h.last.Number, by)
	if !p.base.DryRun {
		if err := p.close(ctx, s, *h); err != nil {
			return false, err
		}
	}
	h.open, h.last, s.PullRequest = false, promotion.PullRequest{}, promotion.PullRequest{}
	return false, nil
}

// approver returns the login of somebody whose last word on a pull request is an approval, ""
// where nobody's is.
func (p *pass) approver(ctx context.Context, number int) (string, error) {
	reviews, err := p.Forge.Reviews(ctx, p.repo, number)
	if err != nil {
		return "", err
	}
	last := map[int64]promotion.Review{}
	var order []int64
	for _, r := range reviews {
		if r.State == promotion.Commented || r.State == promotion.Pending {
			continue
		}
		if _, ok := last[r.Author.ID]; !ok {
			order = append(order, r.Author.ID)
		}
		last[r.Author.ID] = r
	}
	for _, id := range order {
		if last[id].State == promotion.Approved {
			return last[id].Author.Login, nil
		}
	}
	return "", nil
}

func (p *pass) branchRules(ctx context.Context) (promotion.Rules, error) {
	if p.rulesRead {
		return p.rules, nil
	}
	rules, err := p.Forge.BranchRules(ctx, p.repo, p.base.Branch)
	if err != nil {
		return rules, err
	}
	p.rules, p.rulesRead = rules, true
	return rules, nil
}
