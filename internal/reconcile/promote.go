package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/record"
)

// A Court says of what is asked for what policy and history say of it.
type Court interface {
	// Eligible judges what a proposal would do, before there is a pull request.
	Eligible(ctx context.Context, r *Reading, s *Settled) (promotion.Decision, error)
	// Held says why nothing may come to an app that nobody asked for, "" where it may.
	Held(ctx context.Context, r *Reading, environment, app string) (string, error)
	// Origin returns how what an app runs in an environment came there.
	Origin(ctx context.Context, r *Reading, environment, app string) (Origin, error)
	// Advise says who may approve, and what merges it.
	Advise(s *Settled) Advice
}

// An Origin says how what an app runs in an environment came there.
type Origin struct {
	Commits []string             // that brought it, sorted
	By      []promotion.Identity // who asked for it
	Unknown bool                 // somebody did, and nobody knows who
}

// Advice is what people are told of a pull request that was asked for.
type Advice struct {
	Approvers string   // who may approve, in words
	Deploys   string   // what merges it, in words
	Users     []string // who is asked for a review, by login
	Teams     []string // teams of the repository's organisation, by slug
}

// settleAsked settles what was asked for.
func (p *pass) settleAsked(ctx context.Context) error {
	all, err := p.dockets(ctx)
	if err != nil {
		return err
	}
	for _, d := range all {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s := Settled{Proposal: plan.Proposal{Kind: d.kind, Branch: d.branch}}
		if d.fresh != nil {
			s.Request, s.App, s.Environments, s.Asked = *d.fresh, d.fresh.App, []string{d.fresh.Env}, d.fresh.ID
		}
		if err := p.asked(ctx, &s, d.fresh); err != nil {
			s.Action, s.Err = Failed, err
		}
		p.base.Settled = append(p.base.Settled, s)
	}
	return nil
}

// asked settles one branch of what was asked for.
func (p *pass) asked(ctx context.Context, s *Settled, fresh *promotion.Request) error {
	h, err := p.look(ctx, s)
	if err != nil {
		return err
	}
	s.PullRequest = h.last
	if !h.open && fresh == nil {
		s.Action = Clean
		return nil
	}
	if err := p.recall(ctx, &h); err != nil {
		return err
	}
	if fresh != nil && !h.open {
		done, err := p.done(ctx, h, *fresh)
		if err != nil {
			return err
		}
		if done.Number != 0 {
			s.PullRequest, s.Action, s.Reason = done, Declined, fmt.Sprintf("#%d was closed without merging: ask anew to propose it again", done.Number)
			if done.State == promotion.Merged {
				s.Action, s.Reason = Clean, fmt.Sprintf("#%d was merged", done.Number)
			}
			return nil
		}
	}
	standing, by := p.standing(h), p.Reseals[h.last.Number]
	reseal, joins := h.open && len(by) > 0, false
	if h.hash != none && !h.derived.Ours && !reseal {
		if standing != nil {
			s.Request, s.App, s.Environments = *standing, standing.App, []string{standing.Env}
		}
		return p.diverged(ctx, s, h)
	}
	switch {
	case standing == nil && fresh == nil:
		s.Action, s.Reason = Diverged, "nobody knows whose request it is: close it, and ask anew"
		return nil
	case standing == nil || fresh != nil && fresh.ID == standing.ID:
		s.Request = *cmp.Or(fresh, standing)
		fresh = cmp.Or(fresh, standing)
		if standing != nil {
			s.Request, fresh = *standing, nil
		}
	case fresh == nil:
		s.Request = *standing
	case slices.Equal(fresh.Images, standing.Images) && fresh.From == standing.From:
		s.Request = *standing
		if !fresh.Auto {
			s.Reason = fmt.Sprintf("#%d already asks for it", h.last.Number)
			s.Request.By, s.Request.At, joins = join(standing.By, fresh.By), fresh.At, true
		}
		fresh = nil
	default:
		s.Request, s.App, s.Environments = *fresh, fresh.App, []string{fresh.Env}
		if refused, err := p.refuse(ctx, s); err != nil || refused {
			return err
		}
		wait, err := p.newer(ctx, s, &h)
		if err != nil {
			return err
		}
		if wait {
			return p.keep(ctx, *s, *standing, h)
		}
		s.Replaced = standing.Images
		s.Request.By, s.Request.Unknown = join(standing.By, fresh.By), standing.Unknown || fresh.Unknown
	}
	if reseal {
		// The role is asked of who is last: those who wanted the change, not who repairs it.
		s.Request.By = join(by, s.Request.By)
	}
	return p.promote(ctx, s, h, admission{fresh: fresh != nil, joins: joins, reseal: reseal})
}

// keep brings the pull request of a request in step while a newer one waits for it, and says so
// in its text.
func (p *pass) keep(ctx context.Context, newer Settled, standing promotion.Request, h head) error {
	s := Settled{Proposal: plan.Proposal{Kind: newer.Kind, Branch: newer.Branch}, Request: standing, PullRequest: h.last}
	var what []string
	for _, w := range newer.Request.Images {
		what = append(what, image.Ref{Name: w.Repository, Tag: w.Tag, Digest: image.Digest(w.Digest.Short())}.String())
	}
	s.Notes = []string{fmt.Sprintf("A newer candidate waits until this pull request is merged or closed: %s.", strings.Join(what, ", "))}
	return p.promote(ctx, &s, h, admission{})
}

// An admission says what is new about a request.
type admission struct {
	fresh  bool // it is another one than the open pull request's
	joins  bool // somebody asks for the same
	reseal bool // somebody asks to write its commit anew
}

// promote brings branch and pull request of a request in step. What is new is judged first.
func (p *pass) promote(ctx context.Context, s *Settled, h head, a admission) error {
	branch := s.Branch
	proposal, problems := plan.Promote(p.promoting(s.Request))
	s.Proposal = proposal
	s.Branch, s.Kind, s.App, s.Environments = branch, s.Request.Kind, s.Request.App, []string{s.Request.Env}
	if len(problems) > 0 {
		s.Left = append(s.Left, problems...)
		s.Action, s.Reason = Waiting, problems[0].Reason
		if a.fresh {
			s.Action = Refused
		}
		return nil
	}
	if len(s.Changes) == 0 {
		if h.open {
			if h.hash != none && !h.derived.Ours {
				if err := p.save(ctx, h); err != nil {
					return err
				}
			}
			return p.finish(ctx, s, h)
		}
		s.Action, s.Reason = Clean, fmt.Sprintf("%s in %s runs it already", s.App, s.Request.Env)
		return nil
	}
	c, err := p.edit(s)
	if err != nil {
		return err
	}
	if len(s.Left) > 0 { // an app is moved as a whole
		s.Action, s.Reason, s.Files = Refused, s.Left[0].Reason, nil
		return nil
	}
	seal := p.seal(s)
	if h.open && h.derived.Ours && seal != h.derived.Seal && a == (admission{}) {
		s.Action, s.Files = Waiting, nil
		s.Reason = fmt.Sprintf("what #%d was sealed on has changed in %s: comment /reseal on it, and have it reviewed again", h.last.Number, p.base.Branch)
		return nil
	}
	if a.fresh || a.joins {
		stop, err := p.admit(ctx, s, h, seal)
		if err != nil || stop {
			return err
		}
	}
	current := h.open && h.derived.Ours && seal == h.derived.Seal
	if current {
		if current, err = p.fresh(ctx, h.derived); err != nil {
			return err
		}
		if !current {
			s.Reason = "rendered again on " + p.base.Branch
		}
	}
	if current {
		s.Files = nil
	}
	if !h.open {
		h.last, s.PullRequest = promotion.PullRequest{}, promotion.PullRequest{}
	}
	// One that is superseded at the same time is closed by now, and its head is replaced all the same.
	if !current && h.hash != none && (!h.derived.Ours || h.open && p.App != 0 && (!h.known || h.memo.Request.ID == "")) {
		if err := p.save(ctx, h); err != nil {
			return err
		}
	}
	if a.joins && current && h.known && !p.base.DryRun {
		if err := p.memory().Amend(ctx, h.hash.String(), func(r *record.Record) { r.Request.By, r.Request.At = s.Request.By, s.Request.At }); err != nil {
			return err
		}
	}
	return p.write(ctx, s, h, c, current)
}

// refuse says of a newer request whether it cannot be, or policy denies it, so that it touches
// nothing of what stands.
func (p *pass) refuse(ctx context.Context, s *Settled) (bool, error) {
	proposal, problems := plan.Promote(p.promoting(s.Request))
	if len(problems) > 0 {
		s.Left, s.Action, s.Reason = problems, Refused, problems[0].Reason
		return true, nil
	}
	if p.court == nil || len(proposal.Changes) == 0 {
		return false, nil
	}
	judged := *s
	judged.Proposal = proposal
	judged.Kind, judged.App, judged.Environments = s.Request.Kind, s.Request.App, []string{s.Request.Env}
	d, err := p.court.Eligible(ctx, p.reading, &judged)
	if err != nil {
		return false, fmt.Errorf("judge %s: %w", s.Branch, err)
	}
	if d.Status != promotion.Denied {
		return false, nil
	}
	s.Decision, s.Action, s.Reason = &d, Refused, d.Summary
	return true, nil
}

// admit says of a new request whether it stops here: it was answered before, or policy denies
// it.
func (p *pass) admit(ctx context.Context, s *Settled, h head, seal string) (stop bool, err error) {
	if !h.open {
		for _, q := range h.all {
			if q.State != promotion.Open && message.SealOf(q.Body) == seal && !message.IsFinished(q.Body) {
				s.Action, s.PullRequest, s.Files = Declined, q, nil
				s.Reason = fmt.Sprintf("#%d was closed without merging: ask anew to propose it again", q.Number)
				if q.State == promotion.Merged {
					s.Action, s.Reason = Clean, fmt.Sprintf("#%d was merged", q.Number)
				}
				return true, nil
			}
		}
	}
	if p.court == nil {
		return false, nil
	}
	d, err := p.court.Eligible(ctx, p.reading, s)
	if err != nil {
		return false, fmt.Errorf("judge %s: %w", s.Branch, err)
	}
	s.Decision = &d
	if d.Status != promotion.Denied {
		return false, nil
	}
	s.Action, s.Reason, s.Files = Refused, d.Summary, nil
	return true, nil
}
