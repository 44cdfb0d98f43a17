package verdict

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// A Steward proposes, judges and merges in turn, until nothing moves any more.
type Steward struct {
	Proposer *reconcile.Proposer
	Judge    *Judge
	// Asking does what the wishes ask for, and nothing else.
	Asking bool
}

// Repository returns the name that the repository has now.
func (r *Round) Repository() string {
	if r.Proposed != nil {
		return r.Proposed.Repository.FullName()
	}
	return ""
}

// Settled returns what became of a request.
func (r *Round) Settled(id string) (reconcile.Settled, bool) {
	if r.Proposed == nil {
		return reconcile.Settled{}, false
	}
	for _, b := range r.Proposed.Bases {
		for _, s := range b.Settled {
			if s.Request.ID == id || s.Asked == id {
				return s, true
			}
		}
	}
	return reconcile.Settled{}, false
}

// Cases returns the verdicts of the round, those of what was merged first.
func (r *Round) Cases() []Case {
	if r.Judged == nil {
		return r.Merged
	}
	return append(slices.Clone(r.Merged), r.Judged.Cases...)
}

// A Round is what a Steward did.
type Round struct {
	Proposed *reconcile.Outcome
	Judged   *Outcome
	Merged   []Case    // in the order of merging
	Refused  []Refusal // wishes that mean nothing
}

// A Refusal says why a wish leads to no request.
type Refusal struct {
	Wish    Wish
	Reasons []string
}

// maxTurns is how often a Steward goes on because something was merged.
const maxTurns = 10

// Run does what is to be done in a repository: the wishes given and those in its comments,
// pins and updates, verdicts and merges.
func (s *Steward) Run(ctx context.Context, wishes ...Wish) (*Round, error) {
	out := &Round{}
	var incidents []Incident
	var warnings []string
	for turn := 0; ; turn++ {
		if err := s.turn(ctx, out, wishes); err != nil {
			return out, err
		}
		incidents = append(incidents, out.Judged.Incidents...)
		out.Judged.Incidents = incidents
		for _, w := range out.Judged.Warnings {
			if !slices.Contains(warnings, w) {
				warnings = append(warnings, w)
			}
		}
		out.Judged.Warnings = warnings
		merged := false
		for _, c := range out.Judged.Cases {
			if c.Action == Merged {
				merged = true
				out.Merged = append(out.Merged, c)
			}
		}
		if !merged || turn == maxTurns || ctx.Err() != nil {
			return out, ctx.Err()
		}
		wishes = nil
	}
}

func (s *Steward) turn(ctx context.Context, out *Round, wishes []Wish) error {
	j := s.Judge
	j.floor = nil
	repo, ok, err := j.Forge.Repository(ctx, j.Owner, j.Name)
	if err != nil {
		return err
	}
	if !ok || repo.Empty {
		_, err := s.Proposer.Reconcile(ctx)
		return err
	}
	bases := map[string]*base{}
	defer func() {
		for _, b := range bases {
			b.close()
		}
	}()
	open, err := j.Forge.PullRequests(ctx, repo, promotion.Query{State: promotion.Open})
	if err != nil {
		return err
	}
	court := func(ctx context.Context, branch string) (*base, error) {
		if b := bases[branch]; b != nil {
			return b, nil
		}
		b, err := j.open(ctx, repo, branch, bases[repo.DefaultBranch])
		if err != nil {
			return nil, err
		}
		bases[branch] = b
		b.pulls = slices.DeleteFunc(slices.Clone(open), func(q promotion.PullRequest) bool { return q.Base.Ref != branch })
		return b, nil
	}
	first, err := court(ctx, repo.DefaultBranch)
	if err != nil {
		return err
	}
	if err := first.configured(); err != nil {
		return err
	}
	baseOf := func(thread int) (*base, error) {
		i := slices.IndexFunc(open, func(q promotion.PullRequest) bool { return q.Number == thread })
		if i < 0 || !slices.Contains(first.config.Branches, open[i].Base.Ref) {
			return first, nil
		}
		return court(ctx, open[i].Base.Ref)
	}
	in, err := first.inbox(ctx, open, baseOf)
	if err != nil {
		return err
	}
	asks, err := first.asks(ctx, in)
	if err != nil {
		return err
	}
	for _, w := range wishes {
		b, err := court(ctx, cmp.Or(w.Base, repo.DefaultBranch))
		if err != nil {
			return err
		}
		r, refusals, err := b.request(ctx, w)
		if err != nil {
			return err
		}
		if len(refusals) > 0 {
			out.Refused = append(out.Refused, Refusal{w, refusals})
			continue
		}
		asks = append(asks, reconcile.Ask{Request: r, Base: b.branch})
	}
	if err := first.withdraw(ctx, in, open); err != nil {
		return err
	}
	p := s.Proposer
	p.App, p.Requests, p.Reseals, p.OnlyAsked = j.App, asks, in.reseals, s.Asking
	p.Courts = func(ctx context.Context, branch string) (reconcile.Court, error) { return court(ctx, branch) }
	proposed, err := p.Reconcile(ctx)
	if err != nil {
		return err
	}
	out.Proposed = merge(out.Proposed, proposed)
	if s.Asking {
		out.Judged, err = s.judgeAsked(ctx, out, repo)
	} else {
		out.Judged, err = j.Run(ctx, 0)
	}
	if err != nil {
		return err
	}
	if err := first.answer(ctx, in, proposed); err != nil { // it stops nothing that was judged
		out.Judged.Warnings = append(out.Judged.Warnings, "a comment is not answered yet: "+err.Error())
	}
	return ctx.Err()
}

// judgeAsked judges the pull requests of the wishes.
func (s *Steward) judgeAsked(ctx context.Context, out *Round, repo promotion.Repository) (*Outcome, error) {
	all := &Outcome{Repository: repo}
	for _, b := range out.Proposed.Bases {
		for _, x := range b.Settled {
			if x.PullRequest.State != promotion.Open || x.Request.ID == "" {
				continue
			}
			one, err := s.Judge.Run(ctx, x.PullRequest.Number)
			if err != nil {
				return all, err
			}
			all.Cases = append(all.Cases, one.Cases...)
		}
	}
	return all, nil
}

// merge keeps what an earlier turn opened.
func merge(before, now *reconcile.Outcome) *reconcile.Outcome {
	if before == nil {
		return now
	}
	for i := range now.Bases {
		for _, b := range before.Bases {
			if b.Branch != now.Bases[i].Branch {
				continue
			}
			for _, s := range b.Settled {
				if s.Action == reconcile.Clean || s.Action == reconcile.Unchanged {
					continue
				}
				k := slices.IndexFunc(now.Bases[i].Settled, func(x reconcile.Settled) bool { return x.Branch == s.Branch && x.Action != reconcile.Clean })
				switch {
				case k < 0:
					now.Bases[i].Settled = append(now.Bases[i].Settled, s)
				case now.Bases[i].Settled[k].Action == reconcile.Unchanged && now.Bases[i].Settled[k].PullRequest.Number == s.PullRequest.Number:
					now.Bases[i].Settled[k].Action = s.Action
				}
			}
		}
	}
	return now
}

// Advise says who may approve a request, and what merges it.
func (b *base) Advise(s *reconcile.Settled) reconcile.Advice {
	var out reconcile.Advice
	env := s.Request.Env
	e, _ := b.config.Environment(env)
	switch e.Deploy {
	case config.DeployAuto:
		out.Deploys = "Pinnace merges it when all rules hold."
	case config.DeployCommand:
		out.Deploys = "Pinnace merges it when all rules hold and a deployer comments /deploy."
	default:
		out.Deploys = "A person merges it once the check is green."
	}
	if b.book.Set == nil {
		return out
	}
	var images, paths []string
	for _, c := range s.Changes {
		images, paths = append(images, c.New.Repository()), append(paths, c.Path)
	}
	var who []string // each list of approvers once, with the highest count
	counts := map[string]int{}
	for _, p := range policy.Bound(b.book.Set, s.App, env, images, paths, s.Kind, s.Request.From != "" && len(s.Request.Skipped) == 0) {
		needs := p.Needs
		if s.Kind == promotion.Rollback && p.Rollback != nil {
			needs = *p.Rollback
		}
		if needs.ApproverCount == 0 {
			continue
		}
		all := policy.WhoApproves(b.book.Set, env, s.App, needs)
		if counts[all] == 0 {
			who = append(who, all)
		}
		counts[all] = max(counts[all], needs.ApproverCount)
		for _, u := range needs.Approvers.Users {
			out.Users = append(out.Users, u.Login)
		}
		out.Teams = append(out.Teams, needs.Approvers.Teams...)
	}
	if len(who) == 0 {
		out.Approvers, out.Users, out.Teams = "nobody has to approve", nil, nil
		return out
	}
	if len(out.Users)+len(out.Teams) == 0 {
		for _, u := range b.config.RolesOf(env, s.App).Promoter.Users {
			out.Users = append(out.Users, u.Login)
		}
		out.Teams = slices.Clone(b.config.RolesOf(env, s.App).Promoter.Teams)
	}
	out.Approvers = spellApprovers(who, counts)
	var slugs []string
	for _, t := range out.Teams {
		if org, slug := cutTeam(t); org == b.repo.Owner && !slices.Contains(slugs, slug) {
			slugs = append(slugs, slug)
		}
	}
	out.Teams = slugs
	out.Users = slices.DeleteFunc(out.Users, func(u string) bool {
		return slices.ContainsFunc(s.Request.By, func(i promotion.Identity) bool { return i.Login == u })
	})
	slices.Sort(out.Users)
	out.Users = slices.Compact(out.Users)
	return out
}

// spellApprovers says how many approvals are needed, of whom.
func spellApprovers(who []string, counts map[string]int) string {
	var parts []string
	for i, w := range who {
		n := counts[w]
		what := counted(n, "approval is needed", "approvals are needed")
		if i > 0 {
			what = counted(n, "approval", "approvals")
		}
		parts = append(parts, what+", of "+w)
	}
	return strings.Join(parts, "; and ")
}

var _ reconcile.Court = (*base)(nil)
