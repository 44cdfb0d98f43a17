package reconcile

import (
	"context"
	"fmt"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/config"
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
	Refused   Action = "refused"   // what was asked for cannot be, or policy denies it
)

// Settled is a proposal with what became of it. In a dry run Action is what would become
// of it.
type Settled struct {
	plan.Proposal
	Action      Action
	PullRequest promotion.PullRequest // zero where there is none
	Reason      string
	Err         error
	Files       []FileChange        // what its commit changes, where one is to be made
	Request     promotion.Request   // of what was asked for
	Asked       string              // the ID of the request that was new, which Request may have joined
	Replaced    []promotion.Wanted  // what the open pull request was for, before Request took its place
	Decision    *promotion.Decision // on a new request, nil where it was not judged
	Notes       []string            // sentences for its pull request
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
		if kind, ok := plan.KindOf(branch, p.base.Branch, p.isDefault); ok && !named[branch] && !asked(kind) && !p.Pins.keeps(kind) {
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

// one settles one proposal.
func (p *pass) one(ctx context.Context, s *Settled) error {
	if p.heads[s.Branch] == none && len(s.Changes) == 0 {
		s.Action = Clean
		return nil
	}
	h, err := p.look(ctx, s)
	if err != nil {
		return err
	}
	s.PullRequest = h.last
	kept := p.keepAnswers(s, h)
	unanswered := slices.ContainsFunc(s.Failed, plan.Left.Unanswered)
	switch {
	case h.hash != none && !h.derived.Ours:
		return p.diverged(ctx, s, h)
	case h.other.Number != 0 && h.hash != none:
		s.Action, s.Reason = Diverged, fmt.Sprintf("#%d proposes branch %s to %s: close it, or move it back to %s", h.other.Number, s.Branch, h.other.Base.Ref, p.base.Branch)
		return nil
	case len(s.Changes) == 0 && len(s.Failed) > 0, unanswered && len(h.closed) > 0 && !h.open && !message.IsFinished(h.closed[0].Body):
		s.Action, s.Reason = Waiting, "a registry gave no answer: what is proposed stays as it is"
		return nil
	case len(s.Changes) == 0:
		return p.finish(ctx, s, h)
	}
	return p.propose(ctx, s, h, kept)
}

// propose brings the branch and the pull request of a proposal in step. What is kept from an
// earlier answer may stay, and is not written anew.
func (p *pass) propose(ctx context.Context, s *Settled, h head, kept bool) error {
	if p.workflows == No {
		leaveWorkflows(s)
	}
	merged := !h.open && h.last.State == promotion.Merged
	c := commit{changes: s.Changes}
	current, err := p.current(ctx, s, h, merged)
	if err != nil {
		return err
	}
	if !current {
		if c, err = p.edit(s); err != nil {
			return err
		}
		if len(c.changes) == 0 {
			return p.finish(ctx, s, h)
		}
		// What cannot be edited may be all that the head lacks.
		if current, err = p.current(ctx, s, h, merged); err != nil {
			return err
		}
		if current {
			s.Files = nil
		}
	}
	if kept {
		s.Action, s.Reason, s.Files = Waiting, "a registry gave no answer: what is proposed stays as it is", nil
		if current {
			s.Action = Unchanged
		}
		return nil
	}
	seal := p.seal(s)
	if !h.open {
		no, err := p.declined(ctx, h, seal)
		if err != nil {
			return err
		}
		if no != 0 {
			s.Action, s.Reason, s.Files = Declined, fmt.Sprintf("#%d was closed without merging: Pinnace proposes it again when its content changes, or when it is reopened", no), nil
			return nil
		}
		if s.Kind == promotion.Update {
			for _, stop := range []func(context.Context, *Settled) (bool, error){p.held, p.full} {
				if stops, err := stop(ctx, s); err != nil || stops {
					return err
				}
			}
		}
	}
	if h.open && seal != h.derived.Seal {
		wait, err := p.newer(ctx, s, &h)
		if err != nil || wait {
			return err
		}
	}
	if !current && h.open && seal == h.derived.Seal {
		s.Reason = "rendered again on " + p.base.Branch
	}
	if merged {
		h.last, s.PullRequest = promotion.PullRequest{}, promotion.PullRequest{}
	}
	err = p.write(ctx, s, h, c, current)
	if p.workflows != No && isWorkflowRefusal(err) {
		p.workflows = No
		return p.one(ctx, s)
	}
	return err
}

// held says whether a rollback keeps an update away.
func (p *pass) held(ctx context.Context, s *Settled) (bool, error) {
	if p.court == nil || len(s.Environments) != 1 {
		return false, nil
	}
	why, err := p.court.Held(ctx, p.reading, s.Environments[0], s.App)
	if err != nil || why == "" {
		return false, err
	}
	s.Action, s.Reason, s.Files, s.PullRequest = Waiting, why, nil, promotion.PullRequest{}
	return true, nil
}

// current says whether the head has the content of the proposal and may stay.
func (p *pass) current(ctx context.Context, s *Settled, h head, merged bool) (bool, error) {
	if !h.derived.Ours || merged || p.seal(s) != h.derived.Seal {
		return false, nil
	}
	return p.fresh(ctx, h.derived)
}

// fresh says whether a head of equal content may stay as it is: the files that it edits
// are those of the tip, and are written in the same style.
func (p *pass) fresh(ctx context.Context, d Derivation) (bool, error) {
	if d.Parent.Commit == p.tip.Commit {
		return true, nil
	}
	if d.Style != p.config.Pin.Style || p.config.Merge.Method == config.MergeFastForward {
		return false, nil
	}
	for _, c := range d.Changes {
		then, had, err := d.Parent.Lookup(c.Path)
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
