package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// An AppPort answers what GitHub tells an App of itself.
type AppPort interface {
	Identity(ctx context.Context) (App, error)
	Installations(ctx context.Context) ([]Installation, error)
	Hook(ctx context.Context) (Hook, error)
	// Deliveries returns attempts since a time, newest first.
	Deliveries(ctx context.Context, since time.Time) ([]Delivery, error)
	// InstallationOf returns the installation that sees a repository; ok is false where none does.
	InstallationOf(ctx context.Context, owner, name string) (i Installation, ok bool, err error)
}

// A Forge answers what a token may see, with reads only.
type Forge interface {
	Repository(ctx context.Context, owner, name string) (promotion.Repository, bool, error)
	BranchRules(ctx context.Context, repo promotion.Repository, branch string) (promotion.Rules, error)
	Rulesets(ctx context.Context, repo promotion.Repository, branch string) ([]Ruleset, error)
	File(ctx context.Context, repo promotion.Repository, name, ref string) ([]byte, bool, error)
	Collaborators(ctx context.Context, repo promotion.Repository, p promotion.Permission) ([]promotion.Identity, bool, error)
	// TeamReadable says whether the members of a team can be seen.
	TeamReadable(ctx context.Context, org, slug string) (bool, error)
	// Limits is empty on a server that has none.
	Limits(ctx context.Context) ([]Limit, error)
	// Clock returns by how much GitHub's clock is ahead of this machine's.
	Clock(ctx context.Context) (time.Duration, error)
}

// Ports are what is asked; a nil one is not.
type Ports struct {
	App AppPort
	// Open returns what a token sees that may read the repository, or without one what any
	// token sees.
	Open       func(ctx context.Context, owner, name string) (Forge, error)
	Tree       func(ctx context.Context, repo promotion.Repository) (Tree, error)
	Registries func(ctx context.Context, t Tree) ([]Place, error)
	Cache      func(ctx context.Context) (string, error)
	Database   func(ctx context.Context) (string, error)
	Server     func(ctx context.Context) (string, error)
}

// A Question is what to look over.
type Question struct {
	Owner, Name   string // the repository; "" = none
	AppID         int64
	Public        bool
	Needed        []Need
	Subscriptions []string
	Now           time.Time
}

// Gather asks the ports. What gives no answer is a fact, too; the error is the context's.
func Gather(ctx context.Context, q Question, p Ports) (*Facts, error) {
	f := &Facts{AppID: q.AppID, Public: q.Public, Needed: q.Needed, Subscriptions: q.Subscriptions, Now: q.Now}
	f.ofApp(ctx, q, p)
	f.ofGitHub(ctx, q, p)
	f.ofPlaces(ctx, p)
	return f, ctx.Err()
}

const noApp = "no App was named: give --app-id and --app-key"

func (f *Facts) ofApp(ctx context.Context, q Question, p Ports) {
	if p.App == nil {
		f.App, f.Installations, f.Installation = Unasked[App](noApp), Unasked[[]Installation](noApp), Unasked[Installation](noApp)
		f.Hook, f.Deliveries = Unasked[Hook](noApp), Unasked[[]Delivery](noApp)
		return
	}
	f.App = fact(p.App.Identity(ctx))
	if !f.App.known {
		const why = "GitHub does not take the App's key"
		f.Installations, f.Installation = Unasked[[]Installation](why), Unasked[Installation](why)
		f.Hook, f.Deliveries = Unasked[Hook](why), Unasked[[]Delivery](why)
		return
	}
	f.Installations = fact(p.App.Installations(ctx))
	f.Hook = fact(p.App.Hook(ctx))
	if f.Hook.known && f.Hook.value.URL != "" {
		for _, back := range []time.Duration{time.Hour, 72 * time.Hour} { // a busy App has thousands a day
			f.Deliveries = fact(p.App.Deliveries(ctx, q.Now.Add(-back)))
			if !f.Deliveries.known || len(f.Deliveries.value) > 0 {
				break
			}
		}
	}
	f.Installation = Unasked[Installation](noRepository)
	if q.Name != "" {
		i, ok, err := p.App.InstallationOf(ctx, q.Owner, q.Name)
		if err == nil && !ok {
			err = fmt.Errorf("no installation of the App covers %s/%s: %w", q.Owner, q.Name, promotion.ErrNotFound)
		}
		f.Installation = fact(i, err)
	}
}

const noRepository = "no repository was named: give --repo OWNER/NAME"

func (f *Facts) ofGitHub(ctx context.Context, q Question, p Ports) {
	open := p.Open
	if open == nil {
		f.withoutRepository(Unasked[promotion.Repository]("GitHub was not asked"))
		return
	}
	hub, err := open(ctx, q.Owner, q.Name)
	if err != nil {
		f.Limits, f.Clock = Unanswered[[]Limit](err), Unanswered[time.Duration](err)
		f.withoutRepository(Unanswered[promotion.Repository](err))
		return
	}
	f.Clock = fact(hub.Clock(ctx))
	f.Limits = fact(hub.Limits(ctx))
	if q.Name == "" {
		f.withoutRepository(Unasked[promotion.Repository](noRepository))
		return
	}
	repo, ok, err := hub.Repository(ctx, q.Owner, q.Name)
	if err == nil && !ok {
		err = fmt.Errorf("repository %s/%s: %w", q.Owner, q.Name, promotion.ErrNotFound)
	}
	if f.Repository = fact(repo, err); !f.Repository.known {
		f.withoutRepository(f.Repository)
		return
	}
	f.ofRepository(ctx, p, hub, repo)
}

// withoutRepository says of all that a repository would say why it does not.
func (f *Facts) withoutRepository(r Fact[promotion.Repository]) {
	f.Repository = r
	f.Tree, f.Bases, f.NewBranch = lacking[Tree](r, "the repository"), lacking[[]Base](r, "the repository"), lacking[promotion.Rules](r, "the repository")
	f.Owners, f.Admins, f.Teams, f.Registries = lacking[OwnersFile](r, "the repository"), lacking[[]promotion.Identity](r, "the repository"), lacking[[]Team](r, "the repository"), lacking[[]Place](r, "the repository")
}

func (f *Facts) ofRepository(ctx context.Context, p Ports, hub Forge, repo promotion.Repository) {
	switch {
	case repo.Empty:
		f.Tree = Unasked[Tree]("the repository has no commit")
	case p.Tree == nil:
		f.Tree = Unasked[Tree]("git was not asked")
	default:
		f.Tree = fact(p.Tree(ctx, repo))
	}
	f.NewBranch = fact(hub.BranchRules(ctx, repo, "pinnace/doctor"))
	var branches []string
	if !repo.Empty {
		branches = []string{repo.DefaultBranch}
	}
	if f.Tree.known && f.Tree.value.Book.Config != nil {
		for _, b := range f.Tree.value.Book.Config.Branches {
			if !slices.Contains(branches, b) {
				branches = append(branches, b)
			}
		}
	}
	var bases []Base
	f.Bases = Seen[[]Base](nil)
	for _, name := range branches {
		rules, err := hub.BranchRules(ctx, repo, name)
		if err != nil {
			f.Bases = Unanswered[[]Base](err)
			break
		}
		b := Base{Branch: name, Rules: rules, Rulesets: fact(hub.Rulesets(ctx, repo, name))}
		if b.Rulesets.known && !slices.ContainsFunc(b.Rulesets.value, func(s Ruleset) bool { return s.Classic }) {
			b.Rules.ProtectionUnknown = false // what is protected is so by rulesets, which were read
		}
		bases = append(bases, b)
		f.Bases = Seen(bases)
	}
	f.Owners = fact(owners(ctx, hub, repo))
	admins, known, err := hub.Collaborators(ctx, repo, promotion.PermissionAdmin)
	if f.Admins = fact(admins, err); err == nil && !known {
		f.Admins = Unasked[[]promotion.Identity]("the token may not list the collaborators")
	}
	f.Teams = f.teams(ctx, hub)
	f.Registries = lacking[[]Place](f.Tree, "the files")
	if p.Registries == nil {
		f.Registries = Unasked[[]Place]("registries were not asked (--offline)")
	} else if f.Tree.known {
		f.Registries = fact(p.Registries(ctx, f.Tree.value))
	}
}

func owners(ctx context.Context, hub Forge, repo promotion.Repository) (OwnersFile, error) {
	if repo.Empty {
		return OwnersFile{}, nil
	}
	for _, name := range OwnersPaths {
		text, ok, err := hub.File(ctx, repo, name, repo.DefaultBranch)
		if err != nil && !errors.Is(err, promotion.ErrInvalid) { // a directory of that name, say
			return OwnersFile{}, err
		}
		if ok {
			return OwnersFile{Path: name, Text: string(text)}, nil
		}
	}
	return OwnersFile{}, nil
}

// maxTeams is how many teams are looked at.
const maxTeams = 50

// teams asks for each team that a role or a policy names.
func (f *Facts) teams(ctx context.Context, hub Forge) Fact[[]Team] {
	if !f.Tree.known {
		return lacking[[]Team](f.Tree, "the files")
	}
	var out []Team
	for _, name := range teamsOf(f.Tree.value) {
		if len(out) == maxTeams {
			break
		}
		org, slug, ok := cutTeam(name)
		if !ok {
			continue // the configuration's own check says so
		}
		readable, err := hub.TeamReadable(ctx, org, slug)
		if err != nil {
			return Unanswered[[]Team](err)
		}
		out = append(out, Team{Name: name, Readable: readable})
	}
	return Seen(out)
}

func (f *Facts) ofPlaces(ctx context.Context, p Ports) {
	ask := func(port func(context.Context) (string, error), why string) Fact[string] {
		if port == nil {
			return Unasked[string](why)
		}
		return fact(port(ctx))
	}
	f.Cache = ask(p.Cache, "the cache is off")
	f.Database = ask(p.Database, "no database was named: give --database")
	f.Server = ask(p.Server, "no server was named: give --server URL")
}
