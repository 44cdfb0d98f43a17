package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// finish closes the pull request of a branch for which nothing is left to do, by deleting the
// branch. Its text says first that this is nobody's "no".
func (p *pass) finish(ctx context.Context, s *Settled, h head) error {
	closed := h.last.State == promotion.Closed && message.IsFinished(h.last.Body)
	if !h.open && !closed {
		s.Action = Clean
		return nil
	}
	s.Action, s.Reason, s.Files = Finished, "nothing is left to do", nil
	if h.open && !message.IsOurs(h.last.Body) {
		s.Action, s.Reason = Unchanged, fmt.Sprintf("nothing is left to do; the text of #%d is somebody's own: close it by hand", h.last.Number)
		return nil
	}
	if s.Kind == promotion.Update && h.open {
		if by, err := p.approver(ctx, h); err != nil || by != "" {
			s.Action, s.Reason = Waiting, fmt.Sprintf("%s approved #%d, and nothing is selected now: merge or close it by hand", by, h.last.Number)
			return err
		}
	}
	stays, why, err := p.stays(ctx, s.Branch, h)
	if err != nil {
		return err
	}
	if !h.open && stays {
		s.Action, s.Reason = Clean, ""
		return nil
	}
	if p.base.DryRun {
		return nil
	}
	if h.open {
		text := p.text(s)
		text.Finished = true
		if err := p.amend(ctx, s, h, text); err != nil {
			return err
		}
	}
	if h.hash == none {
		return nil
	}
	if !stays {
		err = p.Git.Push(ctx, p.remote, git.Push{Ref: headsPrefix + s.Branch, Old: h.hash, Delete: true})
		if err == nil {
			delete(p.heads, s.Branch)
			return nil
		}
		if !errors.Is(err, git.ErrRefused) {
			return p.explain(err, s.Branch)
		}
		why = ruleKeeps
	}
	s.Reason += "; " + why
	if !h.open {
		return nil
	}
	state := promotion.Closed
	if s.PullRequest, err = p.Forge.AmendPullRequest(ctx, p.repo, h.last.Number, promotion.Amendment{State: &state}); err != nil {
		return err
	}
	return nil
}

const ruleKeeps = "a rule keeps the branch"

// stays says whether a branch is not to be deleted, and why: a rule forbids it, or another
// pull request would be closed with it.
func (p *pass) stays(ctx context.Context, branch string, h head) (bool, string, error) {
	const used = "another pull request needs the branch"
	if h.hash == none {
		return false, "", nil
	}
	if h.other.Number != 0 {
		return true, used, nil
	}
	above, err := p.Forge.PullRequests(ctx, p.repo, promotion.Query{State: promotion.Open, Base: branch})
	if err != nil || len(above) > 0 {
		return true, used, err
	}
	rules, err := p.Forge.BranchRules(ctx, p.repo, branch)
	return rules.NoDeletion, ruleKeeps, err
}
