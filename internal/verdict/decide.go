package verdict

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/command"
	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/record"
)

// decide asks policy, once for each environment that is changed.
func (b *base) decide(ctx context.Context, h *hearing) (promotion.Decision, error) {
	input, err := b.common(ctx, h)
	if err != nil {
		return promotion.Decision{}, err
	}
	if b.book.Set == nil {
		return b.unread(policy.Decide(input)), nil
	}
	byEnv := b.places(h)
	var names []string
	for _, e := range b.config.Environments {
		if _, ok := byEnv[e.Name]; ok {
			names = append(names, e.Name)
		}
	}
	if _, ok := byEnv[""]; ok && h.kind != promotion.ByHand {
		names = append(names, "")
	}
	if len(names) == 0 {
		if _, ok := b.config.Environment(h.memo.Request.Env); ok && h.kind != promotion.ByHand {
			input.Env = h.memo.Request.Env
		}
		input.People, input.Members = b.known(), b.members()
		if err := b.held(ctx, &input, h.memo.Request.App); err != nil {
			return promotion.Decision{}, err
		}
		return policy.Decide(input), nil
	}
	var all []promotion.Decision
	for i, name := range names {
		in, err := b.input(ctx, input, name, byEnv[name])
		if err != nil {
			return promotion.Decision{}, err
		}
		all = append(all, policy.Decide(in))
		names[i] = cmp.Or(name, "files of no environment")
	}
	return policy.Together(names, all), nil
}

// common holds the facts that do not depend on the environment.
func (b *base) common(ctx context.Context, h *hearing) (policy.Input, error) {
	seal, sealed := h.memo.Seal()
	if !h.known && b.memory.App == 0 && !h.first() {
		sealed = h.pull.Updated // nobody knows what was reviewed before
	}
	if came := h.came(); !sealed.IsZero() && came.After(sealed) {
		sealed = came
	}
	in := policy.Input{
		Now: b.Now(), Set: b.book.Set, Floor: b.book.Floor, Kind: h.kind, Draft: h.pull.Draft, PullRequest: h.pull.Number, Repository: b.repo.FullName(),
		Checks:  policy.Checks{Config: h.guard.answer, Pins: h.pins.answer, ConfigWaits: h.guard.touched && h.guarded.Status == promotion.Waiting},
		Seal:    policy.Seal{Hash: seal, At: sealed, Intact: h.intact, Where: h.where},
		Moments: h.moments, Heads: h.memo.Seals(), Authors: h.authors, AuthorUnknown: h.nameless,
		Fork: h.pull.Head.Repository != b.repo.ID,
	}
	in.Request = requestOf(h.memo.Request)
	if h.kind == promotion.ByHand {
		in.Request = policy.Request{ID: h.seal, At: h.pull.Created, By: h.askers(), Unknown: h.nameless}
		in.Request.Bot = !slices.ContainsFunc(in.Request.By, func(i promotion.Identity) bool { return !i.Bot && !b.isServiceAccount(i) })
	}
	in.Request.Labels = policy.Known(slices.Clone(h.pull.Labels))
	for _, r := range h.reviews {
		seen, ok := h.memo.ReviewOf(r.ID)
		review := approval.Review{Review: r, PullRequest: h.pull.Number}
		if ok {
			review.As, review.SubmittedCommit = seen.As, seen.Commit
			review.SealAt = h.memo.SealOf(seen.Commit)
			review.HadStanding = standing(seen)
		}
		in.Reviews = append(in.Reviews, review)
	}
	for _, o := range h.orders {
		switch o.Verb {
		case command.Deploy:
			in.Deploy.Asks = append(in.Deploy.Asks, policy.DeployAsk{By: o.by, At: o.at, Edited: o.edited})
		case command.BreakGlass:
			in.Emergency = append(in.Emergency, policy.BreakGlass{By: o.by, At: o.at, Reason: o.Reason, Edited: o.edited, Seal: h.sealThen(o)})
		}
	}
	return in, b.meet(ctx, h, in)
}

// sealThen returns the seal of the head that stood when a comment was written.
func (h *hearing) sealThen(o order) string {
	seal := ""
	for _, head := range h.memo.Heads {
		if !head.At.After(o.at) {
			seal = head.Seal
		}
	}
	return seal
}

func standing(r record.Review) approval.Answer {
	switch r.HadStanding {
	case "yes":
		return approval.Yes
	case "no":
		return approval.No
	}
	return approval.Unknown
}

// askers are who asked for a change by hand: its author, and who made its commits.
func (h *hearing) askers() []promotion.Identity {
	return append([]promotion.Identity{h.pull.Author}, others(h.authors, h.pull.Author)...)
}

// others returns who is not among some.
func others(all []promotion.Identity, but ...promotion.Identity) []promotion.Identity {
	return slices.DeleteFunc(slices.Clone(all), func(i promotion.Identity) bool {
		return slices.ContainsFunc(but, func(x promotion.Identity) bool { return x.ID == i.ID })
	})
}

func requestOf(r promotion.Request) policy.Request {
	return policy.Request{ID: r.ID, At: r.At, By: r.By, Unknown: r.Unknown, Auto: r.Auto, From: r.From, Skipped: r.Skipped, Reason: r.Reason}
}

// meet asks about everybody who takes part.
func (b *base) meet(ctx context.Context, h *hearing, in policy.Input) error {
	var all []promotion.Identity
	for _, r := range h.reviews {
		all = append(all, r.Author)
	}
	for _, m := range h.moments {
		if m.Event == "review_dismissed" {
			all = append(all, m.Actor)
		}
	}
	for _, a := range in.Deploy.Asks {
		all = append(all, a.By)
	}
	for _, g := range in.Emergency {
		all = append(all, g.By)
	}
	all = append(all, in.Request.By...)
	for _, who := range all {
		if _, err := b.person(ctx, who); err != nil {
			return err
		}
	}
	return nil
}

// weigh notes of each review that is seen first whether its author had a say then.
func (b *base) weigh(ctx context.Context, h *hearing) error {
	for i := range h.memo.Reviews {
		r := &h.memo.Reviews[i]
		if r.HadStanding != "" {
			continue
		}
		p, err := b.person(ctx, r.By)
		switch {
		case err != nil:
			return err
		case p.Permission == "":
		case p.Permission.AtLeast(promotion.PermissionWrite):
			r.HadStanding = "yes"
		default:
			r.HadStanding = "no"
		}
	}
	return nil
}

// A place is what changes in one environment.
type places struct {
	changes []policy.Change
	opaque  []policy.Opaque
}

// places sorts what changes by environment. Files of none are under "".
func (b *base) places(h *hearing) map[string]*places {
	out := map[string]*places{}
	at := func(env string) *places {
		if out[env] == nil {
			out[env] = &places{}
		}
		return out[env]
	}
	if h.kind == promotion.ByHand {
		for _, c := range h.changed {
			for _, e := range c.Environments {
				p := at(e)
				p.changes = append(p.changes, policy.Change{Change: c.Change, OldApp: c.OldApp, NewApp: c.NewApp, Beside: c.Beside})
			}
		}
		for _, o := range h.opaque {
			for _, e := range o.Environments {
				p := at(e)
				p.opaque = append(p.opaque, policy.Opaque{Path: o.Path, What: o.What, Line: o.Line, Apps: o.Apps, Missing: o.Missing})
			}
		}
		return out
	}
	for _, c := range h.changes {
		envs := b.reading.Environments(c.Path)
		if r := h.memo.Request; r.Env != "" {
			envs = []string{r.Env} // an edit of a request touches no other environment
		}
		if len(envs) == 0 {
			envs = []string{""}
		}
		for _, e := range envs {
			p := at(e)
			p.changes = append(p.changes, policy.Change{Change: c, OldApp: b.apps.Of(e, c.Path, c.Old), NewApp: b.apps.Of(e, c.Path, c.New), Beside: b.beside(e, c)})
		}
	}
	return out
}

// beside names the apps in the same object as a change.
func (b *base) beside(env string, c promotion.Change) []string {
	var out []string
	for _, s := range b.running {
		if s.Environment == env && s.Path == c.Path && s.Document == c.Document && s.App != "" && !slices.Contains(out, s.App) {
			out = append(out, s.App)
		}
	}
	return out
}

// input completes the facts of one environment.
func (b *base) input(ctx context.Context, in policy.Input, env string, p *places) (policy.Input, error) {
	in.Env, in.Changes, in.Opaque = env, p.changes, p.opaque
	e, _ := b.config.Environment(env)
	in.Deploy.Mode = policy.DeployMode(cmp.Or(e.Deploy, config.DeployButton))
	in.Soak = time.Duration(e.Soak)
	var apps []string
	for i := range in.Changes {
		c := &in.Changes[i]
		if err := b.describe(ctx, in.Kind, c); err != nil {
			return in, err
		}
		for _, app := range []string{c.OldApp, c.NewApp} {
			if app != "" && !slices.Contains(apps, app) {
				apps = append(apps, app)
			}
		}
	}
	if err := b.origins(ctx, &in, e, apps); err != nil {
		return in, err
	}
	in.People, in.Members = b.known(), b.members()
	if n := len(in.Request.By); n > 0 {
		in.Request.Teams = b.teamsOf(in.Request.By[n-1])
	}
	return in, nil
}

func (b *base) teamsOf(who promotion.Identity) policy.Fact[[]string] {
	p, ok := b.people[who.ID]
	out := policy.Fact[[]string]{Known: ok}
	if !ok {
		return out
	}
	for team, a := range p.Teams {
		if a == approval.Yes {
			out.Value = append(out.Value, team)
		}
		out.Known = out.Known && a != approval.Unknown
	}
	slices.Sort(out.Value)
	return out
}

// imageFacts are what a registry says of one image.
type imageFacts struct {
	exists approval.Answer
	image  condition.Image
}

// describe fills in what is known of a new image.
func (b *base) describe(ctx context.Context, kind promotion.Kind, c *policy.Change) error {
	if c.Removal() {
		return nil
	}
	c.Stands, c.TagStands = b.stands(c.New)
	if !c.New.Pinned() {
		return nil
	}
	f, err := b.factsOf(ctx, c.New)
	if err != nil {
		return err
	}
	c.Image, c.Exists = f.image, f.exists
	if kind == promotion.ByHand && c.New.Tag != "" {
		tagged := c.New
		tagged.Digest = ""
		if r, err := b.images.Resolve(ctx, tagged); err == nil {
			c.TagNow = policy.Known(r.Digest)
		} else if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// factsOf asks a registry about one digest, once.
func (b *base) factsOf(ctx context.Context, ref image.Ref) (imageFacts, error) {
	key := ref.Repository() + "@" + string(ref.Digest)
	f, ok := b.facts[key]
	if !ok {
		var err error
		if f, err = b.look(ctx, ref); err != nil {
			return f, err
		}
		b.facts[key] = f
	}
	return f, nil
}

// look asks a registry about one digest.
func (b *base) look(ctx context.Context, ref image.Ref) (imageFacts, error) {
	f := imageFacts{}
	_, err := b.images.Stat(ctx, ref)
	switch {
	case err == nil:
		f.exists = approval.Yes
	case errors.Is(err, image.ErrUnknown):
		f.exists = approval.No
		return f, nil
	case ctx.Err() != nil:
		return f, ctx.Err()
	default:
		return f, nil
	}
	said, err := b.images.Facts(ctx, ref)
	if err != nil {
		return f, ctx.Err()
	}
	f.image = condition.Image{
		Platforms: policy.Known(platformNames(said.Platforms)), Labels: policy.Known(said.Labels), Annotations: policy.Known(said.Annotations),
	}
	if !said.Created.IsZero() {
		f.image.Created = policy.Known(said.Created)
	}
	return f, nil
}

// stands names the environments where a digest stands now, and no other one of its
// repository; and says whether the very tag stands with it in one of them.
func (b *base) stands(ref image.Ref) (policy.Fact[[]string], policy.Answer) {
	out, tag := policy.Known([]string{}), approval.No
	for _, e := range b.config.Environments {
		here, other := false, false
		for _, s := range b.running {
			if s.Environment != e.Name || s.Image.Repository() != ref.Repository() {
				continue
			}
			if s.Image.Digest == ref.Digest {
				here = true
				if s.Image.Tag == ref.Tag {
					tag = approval.Yes
				}
			} else {
				other = true
			}
		}
		if here && !other {
			out.Value = append(out.Value, e.Name)
		}
	}
	return out, tag
}

// Eligible judges a proposal of which there is no pull request yet.
func (b *base) Eligible(ctx context.Context, r *reconcile.Reading, s *reconcile.Settled) (promotion.Decision, error) {
	h := &hearing{kind: s.Kind, changes: s.Changes, intact: approval.Yes}
	h.pull.Head.Repository = b.repo.ID
	h.guard.answer, h.pins.answer = approval.Yes, approval.Yes
	h.memo.Request = s.Request
	sha := strings.Repeat("0", 40)
	h.memo.See(sha, promotion.Digest(s.Kind, s.Changes), b.Now())
	return b.decide(ctx, h)
}

var _ = plan.Prefix
