package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// text says what a proposal does.
func (p *pass) text(s *Settled) message.PullRequest {
	out := message.PullRequest{
		Kind: s.Kind, Environments: s.Environments, App: s.App,
		Shared: s.Kind == promotion.Pin && len(s.Environments) > 1, All: len(p.config.Environments) == 0,
		Repository: p.repo.FullName(), Base: p.base.Branch,
		Seal: p.seal(s), Version: p.Version, Request: s.Request,
	}
	p.Pins.word(s, &out, p.base.Branch, p.isDefault)
	if asked(s.Kind) {
		out.Decision = s.Decision
		out.Undo = fmt.Sprintf("pinnace rollback %s --env %s --repo %s", s.App, s.Request.Env, p.repo.FullName())
		if s.Kind == promotion.Rollback {
			out.Undo = fmt.Sprintf("pinnace promote %s --to %s --repo %s", s.App, s.Request.Env, p.repo.FullName())
			out.Notes = append(out.Notes, fmt.Sprintf("Until somebody promotes again, nothing comes to %s in %s by itself.", s.App, s.Request.Env))
		}
		if p.court != nil {
			a := p.court.Advise(s)
			out.Approvers, out.Deploys = a.Approvers, a.Deploys
		}
	}
	type row struct{ old, new image.Ref }
	index := map[row]int{}
	files := map[string]bool{}
	for _, c := range s.Changes {
		files[c.Path] = true
		if c.Insert {
			c.Old = p.runs(s.Request.Env, c.New)
		}
		key := row{c.Old, c.New}
		i, ok := index[key]
		if !ok {
			i = len(out.Images)
			index[key] = i
			if s.Kind == promotion.Update && plan.IsLower(c.New.Tag, c.Old.Tag) {
				out.Notes = append(out.Notes, fmt.Sprintf("This is a downgrade: %s is a lower version of %s than %s.", c.New.Tag, c.New.Name, c.Old.Tag))
			}
			out.Images = append(out.Images, message.Image{
				Name: c.New.Name, OldTag: c.Old.Tag, Tag: c.New.Tag, OldDigest: string(c.Old.Digest), NewDigest: string(c.New.Digest),
			})
		}
		object := c.Object
		if c.Insert {
			object += ", a new entry of images"
		}
		out.Images[i].Places = append(out.Images[i].Places, message.Place{Path: c.Path, Line: c.Line, Object: object})
	}
	out.Files = len(files)
	for _, l := range append(slices.Clone(s.Failed), s.Left...) {
		if l.Err != nil && slices.ContainsFunc(s.Changes, l.Concerns) {
			continue // an earlier answer stands
		}
		if l.Unanswered() {
			// What a registry said changes from run to run, and may name hosts.
			l.Reason = "the registry gave no answer"
		}
		out.Left = append(out.Left, message.Left{Path: l.Path, Line: l.Line, Image: l.Image, Reason: l.Reason})
	}
	out.Notes = append(out.Notes, s.Notes...)
	slices.SortStableFunc(out.Left, func(a, b message.Left) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
	return out
}

// runs returns the image of a repository that runs in an environment, for people: an entry that
// is new in a kustomization has no image of before.
func (p *pass) runs(environment string, ref image.Ref) image.Ref {
	for _, s := range p.reading.Running() {
		if s.Environment == environment && s.Image.Repository() == ref.Repository() {
			return s.Image
		}
	}
	return image.Ref{Name: ref.Name}
}

// describe adds what the images say of themselves, which registries are asked for only
// where somebody will read it. Without an answer the text does without.
func (p *pass) describe(ctx context.Context, text *message.PullRequest) {
	for i := range text.Images {
		m := &text.Images[i]
		facts, err := p.images.Facts(ctx, image.Ref{Name: m.Name, Tag: m.Tag, Digest: image.Digest(m.NewDigest)})
		if err != nil {
			continue
		}
		for _, platform := range facts.Platforms {
			m.Platforms = append(m.Platforms, platform.String())
		}
		m.Created, m.Source, m.Revision, m.Version = facts.Created, facts.Source(), facts.Revision(), facts.Version()
	}
}
