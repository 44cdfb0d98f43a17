package verdict

import (
	"context"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// Origin returns who asked for what an app runs in an environment: of each image, who asked
// for the change that brought it, and who said /deploy.
func (b *base) Origin(ctx context.Context, _ *reconcile.Reading, env, app string) (reconcile.Origin, error) {
	var out reconcile.Origin
	var places []plan.Standing
	for _, s := range b.running {
		if s.Environment == env && s.App == app {
			places = append(places, s)
		}
	}
	at := func(a reconcile.Arrival, s plan.Standing) bool {
		return !a.Gone && a.Standing.Path == s.Path && a.Standing.Document == s.Document && a.Standing.Pointer == s.Pointer
	}
	all, err := b.arrivals(ctx, env, app, func(a []reconcile.Arrival) bool {
		return !slices.ContainsFunc(places, func(s plan.Standing) bool {
			return !slices.ContainsFunc(a, func(x reconcile.Arrival) bool { return at(x, s) && !onlyPins(x) })
		})
	})
	if err != nil {
		return out, err
	}
	for _, s := range places {
		found := false
		for _, a := range all {
			if !at(a, s) {
				continue
			}
			how, err := b.bringing(ctx, a.Commit)
			if err != nil {
				return out, err
			}
			if sha := a.Commit.String(); !slices.Contains(out.Commits, sha) {
				out.Commits = append(out.Commits, sha)
			}
			if onlyPins(a) && how.known && how.memo.Kind == promotion.Pin {
				continue // it was asked for by who wrote the tag
			}
			found = true
			by, unknown, err := b.askers(ctx, how)
			if err != nil {
				return out, err
			}
			out.By, out.Unknown = append(others(out.By, by...), by...), out.Unknown || unknown
			break
		}
		out.Unknown = out.Unknown || !found
	}
	slices.Sort(out.Commits)
	return out, nil
}

// onlyPins says whether an arrival adds a digest to the tag that stood there.
func onlyPins(a reconcile.Arrival) bool {
	return a.Old.Name != "" && !a.Old.Pinned() && a.Old.Repository() == a.Standing.Image.Repository() && a.Old.Tag == a.Standing.Image.Tag
}

// askers returns who asked for a change. Of a machine's it is who let it in.
func (b *base) askers(ctx context.Context, how bringing) (by []promotion.Identity, unknown bool, err error) {
	switch {
	case how.known && how.memo.Kind == promotion.Update:
		return nil, false, nil // nobody did
	case how.known && how.memo.Request.ID != "":
		by, unknown = slices.Clone(how.memo.Request.By), how.memo.Request.Unknown
	case how.pull.Number == 0:
		return nil, true, nil
	default:
		commits, err := b.Forge.Commits(ctx, b.repo, how.pull.Number)
		if err != nil {
			return nil, false, err
		}
		by = append(by, how.pull.Author)
		for _, c := range commits {
			for _, who := range []promotion.Identity{c.Author, c.Committer} {
				unknown = unknown || who.ID == 0
				if who.ID != 0 && !isWebFlow(who) {
					by = append(others(by, who), who)
				}
			}
		}
	}
	if how.known && how.memo.Deployer.ID != 0 {
		by = append(others(by, how.memo.Deployer), how.memo.Deployer)
	}
	machine := func(i promotion.Identity) bool { return i.Bot || b.isServiceAccount(i) }
	if !slices.ContainsFunc(by, func(i promotion.Identity) bool { return !machine(i) }) && how.memo.Request.ID == "" {
		if m := how.pull.MergedBy; m.ID != 0 && !machine(m) {
			return append(by, m), unknown, nil
		}
		unknown = true
	}
	return by, unknown, nil
}
