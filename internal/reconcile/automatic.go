package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A docket is one branch of what was asked for: what stands on it, or what is asked anew.
type docket struct {
	kind   promotion.Kind
	branch string
	fresh  *promotion.Request
}

// dockets lists what was asked for: the branches that are there, the requests, and what
// environments with promote: auto ask for themselves.
func (p *pass) dockets(ctx context.Context) ([]docket, error) {
	var out []docket
	add := func(d docket) {
		i := slices.IndexFunc(out, func(o docket) bool { return o.branch == d.branch && (o.fresh == nil || d.fresh == nil) })
		switch {
		case i < 0:
			out = append(out, d)
		case out[i].fresh == nil:
			out[i].fresh = d.fresh
		}
	}
	for _, branch := range sorted(p.heads) {
		if kind, ok := plan.KindOf(branch, p.base.Branch, p.isDefault); ok && asked(kind) && !p.OnlyAsked {
			add(docket{kind: kind, branch: branch})
		}
	}
	for i := range p.Requests {
		r := &p.Requests[i]
		if r.Base == "" && p.isDefault || r.Base == p.base.Branch {
			add(docket{r.Kind, plan.BranchOf(r.Kind, r.Env, r.App, p.base.Branch, p.isDefault), &r.Request})
		}
	}
	var auto []promotion.Request
	if !p.OnlyAsked {
		var err error
		if auto, err = p.automatic(ctx); err != nil {
			return nil, err
		}
	}
	for i := range auto {
		add(docket{promotion.Promotion, plan.BranchOf(promotion.Promotion, auto[i].Env, auto[i].App, p.base.Branch, p.isDefault), &auto[i]})
	}
	return out, nil
}

// automatic returns what environments with promote: auto ask for themselves.
func (p *pass) automatic(ctx context.Context) ([]promotion.Request, error) {
	var out []promotion.Request
	for _, e := range p.config.Environments {
		sources, anyOne := e.Sources()
		if e.Promote != config.PromoteAuto || len(sources) == 0 {
			continue
		}
		for _, app := range p.appsIn(e.Name) {
			r, ok, err := p.candidate(ctx, e, app, sources, anyOne)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// appsIn lists the apps that stand in an environment.
func (p *pass) appsIn(environment string) []string {
	var apps []string
	for _, s := range p.reading.Running() {
		if s.Environment == environment && s.App != "" && !slices.Contains(apps, s.App) {
			apps = append(apps, s.App)
		}
	}
	return apps
}

// candidate returns the request for what an app's sources run, where all of them, or any, run
// something else than the environment.
func (p *pass) candidate(ctx context.Context, e config.Environment, app string, sources []string, anyOne bool) (promotion.Request, bool, error) {
	var chosen promotion.Request
	for _, from := range sources {
		r := promotion.Request{Kind: promotion.Promotion, App: app, Env: e.Name, From: from, Auto: true}
		images, problems := plan.Candidate(p.promoting(r), from)
		if len(problems) > 0 || len(images) == 0 {
			if anyOne {
				continue
			}
			return r, false, nil
		}
		r.Images = images
		if chosen.Images == nil {
			chosen = r
		} else if !slices.Equal(chosen.Images, images) && !anyOne {
			return r, false, nil
		}
	}
	if chosen.Images == nil {
		return chosen, false, nil
	}
	proposal, problems := plan.Promote(p.promoting(chosen))
	if len(problems) > 0 || len(proposal.Changes) == 0 {
		return chosen, false, nil
	}
	var commits []string
	if p.court != nil {
		held, err := p.court.Held(ctx, p.reading, e.Name, app)
		if err != nil || held != "" {
			return chosen, false, err
		}
		origin, err := p.court.Origin(ctx, p.reading, chosen.From, app)
		if err != nil {
			return chosen, false, err
		}
		chosen.By, chosen.Unknown, commits = origin.By, origin.Unknown, origin.Commits
	}
	// It is another request as soon as anything that is sealed differs, or came to the source
	// once more.
	text, _ := json.Marshal([]any{e.Name, app, chosen.From, promotion.Digest(promotion.Promotion, proposal.Changes), commits})
	sum := sha256.Sum256(text)
	chosen.ID, chosen.At = "auto-"+hex.EncodeToString(sum[:8]), p.Now()
	return chosen, true, nil
}

func (p *pass) promoting(r promotion.Request) plan.Promoting {
	return plan.Promoting{
		Config: p.config, Base: p.base.Branch, Default: p.isDefault, Files: p.reading.Files(),
		Environments: p.reading.Environments, Owner: p.reading.Owner, Request: r, Stage: p.reading.Stage(),
	}
}
