package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A port answers what the test says, and fails where it says so.
type port struct {
	fails map[string]error
	asked []string
	since []time.Duration // that deliveries were asked for
	none  bool            // no delivery in the last hour
}

func (p *port) ask(what string) error {
	p.asked = append(p.asked, what)
	return p.fails[what]
}

func (p *port) Identity(context.Context) (App, error) {
	return App{ID: app, Slug: "pinnace"}, p.ask("identity")
}

func (p *port) Installations(context.Context) ([]Installation, error) {
	return []Installation{{Account: "acme"}}, p.ask("installations")
}

func (p *port) Hook(context.Context) (Hook, error) {
	return Hook{URL: "https://pinnace.acme.dev/webhooks/github"}, p.ask("hook")
}

func (p *port) Deliveries(_ context.Context, since time.Time) ([]Delivery, error) {
	p.since = append(p.since, now.Sub(since))
	if p.none && len(p.since) == 1 {
		return nil, nil
	}
	return []Delivery{{GUID: "a", OK: true, At: now}}, p.ask("deliveries")
}

func (p *port) InstallationOf(context.Context, string, string) (Installation, bool, error) {
	err := p.ask("installation")
	return Installation{Account: "acme"}, !errors.Is(err, promotion.ErrNotFound), ignore(err)
}

func (p *port) Repository(context.Context, string, string) (promotion.Repository, bool, error) {
	err := p.ask("repository")
	return promotion.Repository{Owner: "acme", Name: "config", DefaultBranch: "main"}, !errors.Is(err, promotion.ErrNotFound), ignore(err)
}

// ignore leaves "it is not there" to the answer.
func ignore(err error) error {
	if errors.Is(err, promotion.ErrNotFound) {
		return nil
	}
	return err
}

func (p *port) BranchRules(_ context.Context, _ promotion.Repository, branch string) (promotion.Rules, error) {
	return promotion.Rules{ProtectionUnknown: true}, p.ask("rules of " + branch)
}

func (p *port) Rulesets(_ context.Context, _ promotion.Repository, branch string) ([]Ruleset, error) {
	return []Ruleset{{Name: branch, Classic: branch == "old"}}, p.ask("rulesets of " + branch)
}

func (p *port) File(_ context.Context, _ promotion.Repository, name, _ string) ([]byte, bool, error) {
	return []byte("* @ada\n"), name == "CODEOWNERS", p.ask(name)
}

func (p *port) Collaborators(context.Context, promotion.Repository, promotion.Permission) ([]promotion.Identity, bool, error) {
	err := p.ask("collaborators")
	return []promotion.Identity{{ID: 1}}, !errors.Is(err, promotion.ErrNotFound), ignore(err)
}

func (p *port) TeamReadable(_ context.Context, org, slug string) (bool, error) {
	return slug != "hidden", p.ask("team " + org + "/" + slug)
}

func (p *port) Limits(context.Context) ([]Limit, error) {
	return []Limit{{Name: "REST"}}, p.ask("limits")
}

func (p *port) Clock(context.Context) (time.Duration, error) { return time.Second, p.ask("clock") }

func (p *port) ports() Ports {
	place := func(what string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return what, p.ask(what) }
	}
	return Ports{
		App:  p,
		Open: func(context.Context, string, string) (Forge, error) { return p, p.ask("open") },
		Tree: func(context.Context, promotion.Repository) (Tree, error) {
			return configured(strings.Replace(wellConfigured, "environments:", "branches: [old]\nroles: {promoter: {teams: [acme/release, acme/hidden]}}\nenvironments:", 1)), p.ask("tree")
		},
		Registries: func(context.Context, Tree) ([]Place, error) { return []Place{{Name: "ghcr.io"}}, p.ask("registries") },
		Cache:      place("cache"), Database: place("database"), Server: place("server"),
	}
}

func gather(t *testing.T, p *port, name string) *Facts {
	t.Helper()
	f, err := Gather(t.Context(), Question{Owner: "acme", Name: name, AppID: app, Now: now}, p.ports())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestGather: everything is asked, each base and each team.
func TestGather(t *testing.T) {
	p := &port{none: true}
	f := gather(t, p, "config")
	for name, known := range map[string]bool{
		"app": f.App.known, "installations": f.Installations.known, "installation": f.Installation.known, "hook": f.Hook.known, "deliveries": f.Deliveries.known,
		"clock": f.Clock.known, "limits": f.Limits.known, "repository": f.Repository.known, "tree": f.Tree.known, "bases": f.Bases.known, "branches": f.NewBranch.known,
		"owners": f.Owners.known, "admins": f.Admins.known, "teams": f.Teams.known, "registries": f.Registries.known, "cache": f.Cache.known, "database": f.Database.known, "server": f.Server.known,
	} {
		if !known {
			t.Errorf("%s is not known", name)
		}
	}
	if got := fmt.Sprint(p.since); got != "[1h0m0s 72h0m0s]" {
		t.Errorf("deliveries were asked for of %s", got)
	}
	bases := f.Bases.value
	if len(bases) != 2 || bases[0].Branch != "main" || bases[1].Branch != "old" {
		t.Fatalf("got %+v", bases)
	}
	if bases[0].Rules.ProtectionUnknown || !bases[1].Rules.ProtectionUnknown {
		t.Error("a branch without classic protection has none that is unknown")
	}
	if fmt.Sprint(f.Teams.value) != "[{acme/hidden false} {acme/release true}]" || f.Owners.value.Path != "CODEOWNERS" {
		t.Errorf("got %v, %v", f.Teams.value, f.Owners.value)
	}
}

// TestGatherFailing: whatever gives no answer, the rest is asked, and nothing that was not seen
// is called ok or wrong but what the failure itself is about.
func TestGatherFailing(t *testing.T) {
	p := &port{}
	gather(t, p, "config")
	for _, what := range p.asked {
		for _, class := range []error{promotion.ErrTransient, promotion.ErrForbidden, promotion.ErrNotFound, promotion.ErrUnauthenticated} {
			t.Run(what+"/"+class.Error(), func(t *testing.T) {
				p := &port{fails: map[string]error{what: fmt.Errorf("ask for %s: %w", what, class)}}
				r := Examine(gather(t, p, "config"))
				if len(r.Results) != len(Checks()) {
					t.Fatalf("got %d results", len(r.Results))
				}
				if errors.Is(class, promotion.ErrTransient) && !said(r, "ask for "+what) {
					t.Error("no check says so")
				}
				for _, c := range r.Results {
					if c.Seen == "" || (c.Status == Problem || c.Status == Warning) != (c.Fix != "") {
						t.Errorf("got %+v", c)
					}
				}
			})
		}
	}
}

// said says whether a check that is not ok holds a text.
func said(r Report, text string) bool {
	return slices.ContainsFunc(r.Results, func(c Result) bool {
		return c.Status == Problem && strings.Contains(c.Seen+strings.Join(c.Details, "\n"), text)
	})
}

// TestGatherLess: without a repository, an App or any port nothing is asked that needs it.
func TestGatherLess(t *testing.T) {
	p := &port{}
	f := gather(t, p, "")
	if f.Repository.known || f.Repository.why != noRepository || f.Installation.known || !f.App.known || !f.Limits.known {
		t.Errorf("without a repository: got %+v", f)
	}
	for _, what := range p.asked {
		if what == "repository" || what == "tree" || what == "installation" {
			t.Errorf("%s was asked", what)
		}
	}
	f, err := Gather(t.Context(), Question{Now: now}, Ports{})
	if err != nil {
		t.Fatal(err)
	}
	if r := Examine(f); r.Counts.Skipped != len(Checks()) || r.Refused {
		t.Errorf("without ports: got %+v", r.Counts)
	}
}

func TestGatherEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Gather(ctx, Question{Owner: "acme", Name: "config", Now: now}, (&port{}).ports()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
