package reconcile

import (
	"context"
	"fmt"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A head is a branch of ours as it stands.
type head struct {
	hash    git.Hash // zero where there is no branch
	derived Derivation
	last    promotion.PullRequest   // the newest to this base, an open one first; zero where there is none
	open    bool                    // it is open
	closed  []promotion.PullRequest // to this base, not merged, the newest first
	other   promotion.PullRequest   // an open one to another base, zero where there is none
	all     []promotion.PullRequest // to this base, the newest first
	memo    Memo
	known   bool // memo is on record

	elsewhere []promotion.PullRequest // to another base, closed and not merged
}

// look reads a branch and its pull requests.
func (p *pass) look(ctx context.Context, s *Settled) (head, error) {
	h := head{hash: p.heads[s.Branch]}
	var err error
	if h.hash != none {
		if h.derived, err = p.deriver().Derive(ctx, h.hash, s.Kind); err != nil {
			return h, err
		}
	}
	if err := p.pulls(ctx, s.Branch, &h); err != nil {
		return h, err
	}
	if !h.derived.Ours && h.last.State == promotion.Merged && h.hash != none && h.last.Head.SHA == h.hash.String() {
		h.derived = Derivation{Ours: true} // what it holds was merged: nothing of it can be lost
	}
	return h, nil
}

// pulls reads the pull requests of a branch.
func (p *pass) pulls(ctx context.Context, branch string, h *head) error {
	all, err := p.Forge.PullRequests(ctx, p.repo, promotion.Query{Head: branch})
	if err != nil {
		return err
	}
	for _, q := range all {
		switch {
		case q.Base.Ref != p.base.Branch:
			switch q.State {
			case promotion.Open:
				h.other = q
			case promotion.Closed:
				h.elsewhere = append(h.elsewhere, q)
			}
			continue
		case q.State == promotion.Closed:
			h.closed = append(h.closed, q)
		}
		h.all = append(h.all, q)
		if h.last.Number == 0 || q.State == promotion.Open {
			h.last = q
		}
	}
	h.open = h.last.State == promotion.Open
	return nil
}

// isTold says whether the text of an open pull request is that of its head.
func (h head) isTold() bool {
	return h.open && message.SealOf(h.last.Body) == h.derived.Seal
}

// keepAnswers takes what an open pull request already says about images whose registry gives
// no answer now, so that an outage changes nothing. It returns whether there is any. Only what
// its text tells of is taken: another head may be anybody's.
func (p *pass) keepAnswers(s *Settled, h head) bool {
	if !h.derived.Ours || !h.isTold() || s.Kind != promotion.Pin {
		return false
	}
	kept := false
	for _, l := range s.Failed {
		for _, c := range h.derived.Changes {
			if l.Unanswered() && l.Concerns(c) {
				kept = true
				if !slices.Contains(s.Changes, c) {
					s.Changes = append(s.Changes, c)
				}
			}
		}
	}
	promotion.SortChanges(s.Changes)
	return kept
}

// diverged leaves a branch alone that holds what Pinnace did not write, and says so in its
// pull request.
func (p *pass) diverged(ctx context.Context, s *Settled, h head) error {
	s.Action, s.Files = Diverged, nil
	s.Reason = fmt.Sprintf("branch %s holds %s (%s): nothing was overwritten", s.Branch, h.derived.Why, h.hash.String()[:10])
	if !h.open {
		s.Reason += "; no pull request of it is open: delete the branch, and Pinnace proposes anew"
		return nil
	}
	text := p.text(s)
	text.Seal = "" // it is not the text of any content of ours
	text.Diverged = &message.Diverged{Commit: h.hash.String(), Author: h.derived.Author, Why: h.derived.Why}
	return p.amend(ctx, s, h, text)
}

// amend brings the text of an open pull request in step, but for what people wrote into it.
func (p *pass) amend(ctx context.Context, s *Settled, h head, text message.PullRequest) error {
	if text.IsIn(h.last.Body) || p.base.DryRun {
		return nil
	}
	var a promotion.Amendment
	if message.IsBody(h.last.Body) {
		p.describe(ctx, &text)
		body := text.Body()
		a.Body = &body
	}
	if title := text.Title(); message.IsTitle(h.last.Title, h.last.Body) && title != h.last.Title && !text.Finished && text.Diverged == nil {
		a.Title = &title
	}
	if a == (promotion.Amendment{}) {
		return nil
	}
	amended, err := p.Forge.AmendPullRequest(ctx, p.repo, h.last.Number, a)
	if err != nil {
		return err
	}
	amended.Labels = h.last.Labels
	s.PullRequest = amended
	if s.Action == Unchanged {
		s.Action = Updated
	}
	return nil
}
