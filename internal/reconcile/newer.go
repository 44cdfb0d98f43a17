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

// maxClosed is how many closed pull requests of a branch are looked at for a "no".
const maxClosed = 50

// declined returns the closed pull request in which somebody said no to this very content.
func (p *pass) declined(ctx context.Context, h head, seal string) (int, error) {
	if h.last.State != promotion.Closed {
		return 0, nil
	}
	for i, q := range h.closed[:min(len(h.closed), maxClosed)] {
		if message.IsFinished(q.Body) {
			continue
		}
		told := message.SealOf(q.Body)
		if told == "" && i == 0 && !message.IsOurs(q.Body) {
			text, ok, err := p.Forge.CommitMessage(ctx, p.repo, q.Head.SHA)
			if err != nil {
				return 0, err
			}
			if ok && slices.Contains(message.ParseTrailers(text)[message.TrailerSeal], seal) {
				told = seal
			}
		}
		if told == seal {
			return q.Number, nil
		}
	}
	return 0, nil
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
			kind, ok := plan.KindOf(q.Head.Ref, p.base.Branch, p.isDefault)
			if ok && kind == promotion.Update && q.Head.Repository == p.repo.ID {
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

// newer says whether an open pull request that somebody approved keeps its content although
// there is a newer candidate. Where that supersedes it, it is closed.
func (p *pass) newer(ctx context.Context, s *Settled, h *head) (wait bool, err error) {
	policy := config.NewerQueue
	if len(s.Environments) == 1 {
		e, _ := p.config.Environment(s.Environments[0])
		policy = e.OnNewer
	}
	if policy == config.NewerUpdate || s.Kind == promotion.Rollback {
		return false, nil // a rollback is never queued
	}
	by, err := p.approver(ctx, *h)
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
		text, closed := p.text(s), promotion.Closed
		text.Finished = true
		if err := p.amend(ctx, s, *h, text); err != nil {
			return false, err
		}
		if _, err := p.Forge.AmendPullRequest(ctx, p.repo, h.last.Number, promotion.Amendment{State: &closed}); err != nil {
			return false, err
		}
	}
	h.open, h.last, s.PullRequest = false, promotion.PullRequest{}, promotion.PullRequest{}
	return false, nil
}

// approver returns the login of a person with write access whose last word on an open pull
// request is an approval of what its head holds, "" where nobody's is. Anybody who may read
// can approve on GitHub, and an approval may outlive a push
// (https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/about-pull-request-reviews).
func (p *pass) approver(ctx context.Context, h head) (string, error) {
	reviews, err := p.Forge.Reviews(ctx, p.repo, h.last.Number)
	if err != nil {
		return "", err
	}
	last := map[int64]promotion.Review{}
	var order []int64
	for _, r := range reviews {
		if r.State == promotion.Commented || r.State == promotion.Pending || r.Author.Bot {
			continue
		}
		if _, ok := last[r.Author.ID]; !ok {
			order = append(order, r.Author.ID)
		}
		last[r.Author.ID] = r
	}
	for _, id := range order {
		if last[id].State != promotion.Approved {
			continue
		}
		same, err := p.holds(ctx, h, last[id].Commit)
		if err != nil {
			return "", err
		}
		if !same {
			continue
		}
		may, err := p.Forge.Permission(ctx, p.repo, last[id].Author)
		if err != nil {
			return "", err
		}
		if may.AtLeast(promotion.PermissionWrite) {
			return last[id].Author.Login, nil
		}
	}
	return "", nil
}

// holds says whether a head has the content of a commit that was reviewed: it is that commit,
// or one of the same seal.
func (p *pass) holds(ctx context.Context, h head, commit string) (bool, error) {
	if commit == "" || commit == h.hash.String() {
		return commit != "", nil
	}
	text, ok, err := p.Forge.CommitMessage(ctx, p.repo, commit)
	if err != nil || !ok {
		return false, err
	}
	seals := message.ParseTrailers(text)[message.TrailerSeal]
	return len(seals) == 1 && seals[0] == h.derived.Seal, nil
}
