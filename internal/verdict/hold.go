package verdict

import (
	"context"
	"fmt"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// waits returns what is open for an app, and goes before a change of another kind: a rollback
// before everything, and what a person asked for before an update.
func (b *base) waits(kind promotion.Kind, env, app string) *policy.Hold {
	for _, before := range []promotion.Kind{promotion.Rollback, promotion.Promotion} {
		if before == kind {
			return nil
		}
		branch := plan.BranchOf(before, env, app, b.branch, b.isDefault)
		for _, q := range b.pulls {
			if q.Head.Ref == branch && q.Head.Repository == b.repo.ID && q.Author.ID == b.Bot.ID {
				return &policy.Hold{Since: q.Created, What: fmt.Sprintf("#%d", q.Number), Open: before}
			}
		}
	}
	return nil
}

// held says whether something keeps others away from an app.
func (b *base) held(ctx context.Context, in *policy.Input, app string) error {
	if in.Kind != promotion.Update && in.Kind != promotion.Promotion {
		return nil
	}
	if h := b.waits(in.Kind, in.Env, app); h != nil {
		in.Hold = h
		return nil
	}
	h, err := b.hold(ctx, in.Env, app)
	if err == nil && h != nil {
		in.Hold = h
	}
	return err
}

// hold returns the rollback that came last to an app, nil where something else did.
func (b *base) hold(ctx context.Context, env, app string) (*policy.Hold, error) {
	all, err := b.arrivals(ctx, env, app, func(a []reconcile.Arrival) bool { return len(a) > 0 && !onlyPins(a[len(a)-1]) })
	if err != nil {
		return nil, err
	}
	var how bringing
	for _, a := range all {
		if how, err = b.bringing(ctx, a.Commit); err != nil {
			return nil, err
		}
		if !how.known || how.memo.Kind != promotion.Pin {
			break
		}
	}
	if !how.known || how.memo.Kind != promotion.Rollback {
		return nil, nil
	}
	h := &policy.Hold{Since: how.pull.MergedAt, What: fmt.Sprintf("#%d", how.pull.Number)}
	if n := len(how.memo.Request.By); n > 0 {
		h.By = how.memo.Request.By[n-1]
	}
	return h, nil
}

// stood says whether what a rollback brings back stood there, and whether a verified promotion
// had brought it.
func (b *base) stood(ctx context.Context, in *policy.Input) error {
	in.Rollback = policy.RollbackFacts{Stood: approval.Yes, Verified: approval.Yes}
	for _, c := range in.Changes {
		var bearer *reconcile.Arrival
		all, err := b.arrivals(ctx, in.Env, c.NewApp, func(a []reconcile.Arrival) bool {
			return slices.ContainsFunc(a, func(x reconcile.Arrival) bool { return brings(x, c.New) })
		})
		if err != nil {
			return err
		}
		for i := range all {
			if brings(all[i], c.New) {
				bearer = &all[i]
				break
			}
		}
		if bearer == nil {
			in.Rollback = policy.RollbackFacts{Stood: approval.No, Verified: approval.No}
			return nil
		}
		how, err := b.bringing(ctx, bearer.Commit)
		if err != nil {
			return err
		}
		if !how.known || how.memo.Kind != promotion.Promotion || how.memo.Decided != promotion.Passed {
			in.Rollback.Verified = approval.No
		}
	}
	return nil
}

// brings says whether an arrival brought a digest.
func brings(a reconcile.Arrival, ref image.Ref) bool {
	return !a.Gone && a.Standing.Image.Repository() == ref.Repository() && a.Standing.Image.Digest == ref.Digest
}

// Held says why nothing may come to an app that nobody asked for, "" where it may.
func (b *base) Held(ctx context.Context, _ *reconcile.Reading, env, app string) (string, error) {
	if h := b.waits(promotion.Promotion, env, app); h != nil {
		return "held by the open rollback " + h.What, nil
	}
	h, err := b.hold(ctx, env, app)
	if err != nil || h == nil {
		return "", err
	}
	return "held by the rollback " + h.What, nil
}
