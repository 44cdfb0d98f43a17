package verdict

import (
	"context"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// origins fills in where images come from, and what stood where they go.
func (b *base) origins(ctx context.Context, in *policy.Input, e config.Environment, apps []string) error {
	if b.book.Set == nil || len(in.Changes) == 0 || in.Env == "" || in.Kind == promotion.Pin {
		return nil
	}
	in.Target = map[string]condition.Place{}
	for _, app := range apps {
		if err := b.held(ctx, in, app); err != nil {
			return err
		}
	}
	if in.Kind == promotion.Rollback {
		if err := b.stood(ctx, in); err != nil {
			return err
		}
		return nil
	}
	if in.Kind == promotion.Update {
		return nil
	}
	sources, _ := e.Sources()
	if from := in.Request.From; from != "" && !slices.Contains(sources, from) {
		sources = append(slices.Clone(sources), from)
	}
	for _, name := range sources {
		from, _ := b.config.Environment(name)
		for _, app := range apps {
			s, err := b.source(ctx, in, from, app)
			if err != nil {
				return err
			}
			in.Sources = append(in.Sources, s)
		}
	}
	return nil
}

// source says since when the images of a change stand in an environment, and what its gates
// say of them.
func (b *base) source(ctx context.Context, in *policy.Input, from config.Environment, app string) (policy.Source, error) {
	s := policy.Source{Env: from.Name, App: app}
	wanted := map[string]image.Digest{}
	for _, c := range in.Changes {
		if c.NewApp == app && !c.Removal() {
			wanted[c.New.Repository()] = c.New.Digest
		}
	}
	var places []plan.Standing
	for _, r := range b.running {
		if r.Environment != from.Name || r.App != app || r.Image.Digest == "" {
			continue
		}
		if d, ok := wanted[r.Image.Repository()]; ok && d == r.Image.Digest {
			places = append(places, r)
		}
	}
	for _, g := range from.Gates {
		s.Gates = append(s.Gates, gate(g))
	}
	if len(places) == 0 {
		return s, b.gone(ctx, in, &s, from, wanted)
	}
	newest, err := b.newest(ctx, places)
	if err != nil || newest == none {
		return s, err
	}
	how, err := b.bringing(ctx, newest)
	if err != nil {
		return s, err
	}
	s.Since = how.at
	if len(s.Gates) == 0 {
		return s, nil
	}
	return s, b.gates(ctx, &s, from, newest, none)
}

// maxOlder is how many older arrivals are held against what an environment runs now.
const maxOlder = 30

// gone says of images that were asked for from an environment, and no longer stand there, when
// they stood there, and whether what came instead had stood there before.
func (b *base) gone(ctx context.Context, in *policy.Input, s *policy.Source, from config.Environment, wanted map[string]image.Digest) error {
	if in.Kind != promotion.Promotion || in.Request.From != from.Name || len(wanted) == 0 {
		return nil
	}
	last := func(all []reconcile.Arrival) int { // the arrival that brought the last of them
		at := 0
		for repository, digest := range wanted {
			i := slices.IndexFunc(all, func(a reconcile.Arrival) bool {
				return !a.Gone && a.Standing.Image.Repository() == repository && a.Standing.Image.Digest == digest
			})
			if i < 0 {
				return -1
			}
			at = max(at, i)
		}
		return at
	}
	all, err := b.arrivals(ctx, from.Name, s.App, func(all []reconcile.Arrival) bool {
		at := last(all)
		return at >= 0 && len(all) > at+maxOlder
	})
	at := last(all)
	if err != nil || at < 0 {
		return err
	}
	left := none
	for _, a := range all[:at] {
		if a.Old.Name != "" && wanted[a.Old.Repository()] == a.Old.Digest {
			left = a.Commit // the oldest of those that took one away
		}
	}
	if left == none {
		return nil
	}
	came, err := b.bringing(ctx, all[at].Commit)
	if err != nil {
		return err
	}
	went, err := b.bringing(ctx, left)
	if err != nil {
		return err
	}
	s.Since, s.Until, s.Onward = came.at, b.Now(), approval.Yes
	if went.at.Known {
		s.Until = went.at.Value
	}
	before := map[string]bool{}
	for _, a := range all[at:] {
		for _, ref := range []image.Ref{a.Standing.Image, a.Old} {
			if ref.Pinned() && ref.Name != "" && wanted[ref.Repository()] != ref.Digest {
				before[ref.Repository()+"@"+string(ref.Digest)] = true
			}
		}
	}
	for _, c := range in.Changes { // what the target runs is older than what was asked for
		if c.NewApp == s.App && c.Old.Pinned() {
			before[c.Old.Repository()+"@"+string(c.Old.Digest)] = true
		}
	}
	for _, r := range b.running {
		if r.Environment != from.Name || r.App != s.App || wanted[r.Image.Repository()] == "" {
			continue
		}
		older, err := b.older(ctx, in, r.Image)
		if err != nil {
			return err
		}
		if older || before[r.Image.Repository()+"@"+string(r.Image.Digest)] {
			s.Onward = approval.No
		}
	}
	if len(s.Gates) == 0 {
		return nil
	}
	return b.gates(ctx, s, from, all[at].Commit, left)
}

// older says whether an image says of itself that it was made before the one that is promoted.
func (b *base) older(ctx context.Context, in *policy.Input, ref image.Ref) (bool, error) {
	if !ref.Pinned() {
		return false, nil
	}
	f, err := b.factsOf(ctx, ref)
	if err != nil {
		return false, err
	}
	for _, c := range in.Changes {
		made := c.Image.Created
		if !c.Removal() && c.New.Repository() == ref.Repository() && made.Known && f.image.Created.Known && f.image.Created.Value.Before(made.Value) {
			return true, nil
		}
	}
	return false, nil
}

// newest returns the newest of the commits that brought what stands at places, or none where
// history does not tell.
func (b *base) newest(ctx context.Context, places []plan.Standing) (git.Hash, error) {
	l := b.history()
	for {
		found, cut, err := l.read.Since(ctx, places)
		if err != nil {
			return none, err
		}
		if len(found) == len(places) {
			trail, err := b.trail(ctx, 0)
			if err != nil {
				return none, err
			}
			best := -1
			for _, a := range found {
				if i := slices.Index(trail, a.Commit); best < 0 || i >= 0 && i < best {
					best = i
				}
			}
			if best < 0 {
				return none, nil
			}
			return trail[best], nil
		}
		if !cut {
			return none, nil
		}
		if more, err := b.deepen(ctx); err != nil || !more {
			return none, err
		}
	}
}
