package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Proposer keeps the pull requests of one repository in step with its files and the
// registries.
type Proposer struct {
	Owner, Name string
	Forge       Forge
	Git         *git.Repository // what was fetched before stays of use
	Remote      func(promotion.Repository) git.Remote
	// Registries reaches registries as a configuration says.
	Registries func(*config.Config) (Registries, error)
	Author     git.Signature // of the commits; When is set from Now
	Now        func() time.Time
	Version    string // of Pinnace, for the pull requests
	// DryRun decides everything and writes nothing; so does a configuration with mode:
	// observe.
	DryRun bool
	// MaxOpen is how many update pull requests may be open at a time; 10 where zero.
	MaxOpen int
	// Workflows says whether the token may change files in .github/workflows; where it is
	// Unknown, a push tells.
	Workflows Answer
	// Concurrency is how many questions one registry is asked at a time; 20 where zero.
	Concurrency int
	// Indexes keeps what was read of each base branch for the next call; it may be nil.
	Indexes map[string]*Index
	// Progress counts what is done; it may be read while Reconcile runs.
	Progress *Progress
	// App is the App whose records are believed and written; 0 where the token is none's, and
	// then nothing is remembered.
	App int64
	// Requests are those that were asked for and have no pull request yet.
	Requests []Ask
	// OnlyAsked leaves pins, updates and automatic promotions alone.
	OnlyAsked bool
	// Pins narrows what is proposed to pins; nil proposes all.
	Pins *Pins
	// Reseals are who asked to write the commit of a pull request anew, by its number.
	Reseals map[int][]promotion.Identity
	// Courts judges the requests to a base branch; nil admits all.
	Courts func(ctx context.Context, base string) (Court, error)
}

// An Ask is a request to a base branch, "" for the default one.
type Ask struct {
	promotion.Request
	Base string
}

// An Outcome is what Reconcile did in one repository.
type Outcome struct {
	Repository promotion.Repository
	Asked      string // the name that was asked for
	Bases      []Base
}

// A Base is what Reconcile did for one branch that pull requests go to.
type Base struct {
	Branch    string
	Commit    string
	DryRun    bool
	Observe   bool // because its configuration, or that of the default branch, says so
	Err       error
	Warnings  []string
	Settled   []Settled
	Unreached []plan.Left
}

// Failed returns the first error of the outcome, or nil.
func (o *Outcome) Failed() error {
	for _, b := range o.Bases {
		if b.Err != nil {
			return b.Err
		}
		for _, s := range b.Settled {
			if s.Err != nil {
				return s.Err
			}
		}
		for _, s := range b.Settled {
			for _, l := range s.Failed {
				return l.Err
			}
		}
	}
	return nil
}

// maxPasses is how often Reconcile begins again because something moved meanwhile.
const maxPasses = 3

// Reconcile reads the repository and brings its pull requests in step. What moved under
// it is read again. A proposal that fails stops no other.
func (p *Proposer) Reconcile(ctx context.Context) (*Outcome, error) {
	repo, ok, err := p.Forge.Repository(ctx, p.Owner, p.Name)
	if err != nil {
		return nil, err
	}
	if err := p.usable(repo, ok); err != nil {
		return nil, err
	}
	out := &Outcome{Repository: repo, Asked: p.Owner + "/" + p.Name}
	for pass := 1; ; pass++ {
		bases, err := p.pass(ctx, repo)
		if err != nil {
			return nil, err
		}
		remember(bases, out.Bases)
		out.Bases = bases
		failed := out.Failed()
		if pass == maxPasses || !errors.Is(failed, promotion.ErrConflict) && !errors.Is(failed, git.ErrLease) || ctx.Err() != nil {
			return out, nil
		}
	}
}

// remember tells in what a pass did what the one before it had done.
func remember(bases, before []Base) {
	for _, b := range before {
		i := slices.IndexFunc(bases, func(now Base) bool { return now.Branch == b.Branch })
		if i < 0 {
			continue
		}
		for _, was := range b.Settled {
			if was.Action != Opened && was.Action != Updated && was.Action != Finished {
				continue
			}
			k := slices.IndexFunc(bases[i].Settled, func(s Settled) bool { return s.Branch == was.Branch })
			if k < 0 {
				bases[i].Settled = append(bases[i].Settled, was)
				continue
			}
			switch now := &bases[i].Settled[k]; {
			case was.Action == Finished && now.Action == Clean:
				*now = was
			case was.Action != Finished && now.Action == Unchanged, was.Action == Opened && now.Action == Updated:
				now.Action = was.Action
			}
		}
	}
}

// usable says why nothing can be proposed in a repository.
func (p *Proposer) usable(r promotion.Repository, ok bool) error {
	asked := p.Owner + "/" + p.Name
	switch {
	case !ok:
		return &Refusal{Class: promotion.ErrNotFound, Text: fmt.Sprintf("repository %s: it does not exist, or the token may not see it: check the name, and that the token or the App's installation covers it", asked)}
	case r.Archived:
		return &Refusal{Class: promotion.ErrBlocked, Text: fmt.Sprintf("repository %s is archived and cannot change: unarchive it in its settings, or leave it out", r.FullName())}
	case r.Disabled:
		return &Refusal{Class: promotion.ErrBlocked, Text: fmt.Sprintf("repository %s was disabled by GitHub", r.FullName())}
	case r.Empty:
		return &Refusal{Class: promotion.ErrBlocked, Text: noCommit(r)}
	}
	return nil
}

func noCommit(r promotion.Repository) string {
	branch := cmp.Or(r.DefaultBranch, "its default branch")
	return fmt.Sprintf("repository %s has no commit on %s: push a first one", r.FullName(), branch)
}

// A Refusal says why nothing was done, in words that name the next step.
type Refusal struct {
	Class error
	Text  string
}

func (r *Refusal) Error() string { return r.Text }
func (r *Refusal) Unwrap() error { return r.Class }

// pass reads and settles every managed base once.
func (p *Proposer) pass(ctx context.Context, repo promotion.Repository) ([]Base, error) {
	remote := p.Remote(repo)
	heads, err := p.fetch(ctx, remote, repo.DefaultBranch)
	if errors.Is(err, promotion.ErrNotFound) {
		return nil, &Refusal{Class: promotion.ErrBlocked, Text: noCommit(repo)}
	}
	if err != nil {
		return nil, err
	}
	first := &pass{Proposer: p, workflows: p.Workflows, repo: repo, remote: remote, heads: heads, base: Base{Branch: repo.DefaultBranch}, isDefault: true}
	first.run(ctx)
	out := []Base{first.base}
	if first.config == nil || first.base.Err != nil {
		return out, ctx.Err()
	}
	for _, branch := range first.config.Branches {
		if branch == repo.DefaultBranch {
			continue
		}
		next := &pass{Proposer: p, workflows: p.Workflows, repo: repo, remote: remote, heads: heads, base: Base{Branch: branch, Observe: first.base.Observe}, several: true}
		if heads, err := p.fetch(ctx, remote, branch); err == nil {
			next.heads = heads
			next.run(ctx)
		} else {
			next.base.Err = err
		}
		out = append(out, next.base)
	}
	return out, ctx.Err()
}

const headsPrefix = "refs/heads/"

// fetch brings a base and Pinnace's own branches, and returns the heads by branch.
func (p *Proposer) fetch(ctx context.Context, remote git.Remote, base string) (map[string]git.Hash, error) {
	fetched, err := p.Git.Fetch(ctx, remote, git.Fetch{Refs: []string{headsPrefix + base}, Prefixes: []string{headsPrefix + plan.Prefix}, Depth: 2})
	if err != nil {
		if errors.Is(err, git.ErrNoRef) {
			return nil, &Refusal{Class: promotion.ErrNotFound, Text: fmt.Sprintf("branch %s does not exist in %s/%s: create it, or take it out of branches in %s", base, p.Owner, p.Name, configFile)}
		}
		return nil, fmt.Errorf("fetch %s/%s: %w", p.Owner, p.Name, err)
	}
	heads := map[string]git.Hash{}
	for name, hash := range fetched.Refs {
		heads[strings.TrimPrefix(name, headsPrefix)] = hash
	}
	return heads, nil
}

const (
	configDir  = ".pinnace"
	configFile = configDir + "/config.yaml"
)

// A pass settles the proposals of one base branch.
type pass struct {
	*Proposer
	repo      promotion.Repository
	remote    git.Remote
	heads     map[string]git.Hash
	base      Base
	isDefault bool
	several   bool // there are several managed bases
	court     Court
	rules     promotion.Rules
	rulesRead bool
	config    *config.Config
	images    Registries
	tip       *git.Snapshot
	files     *Reconciler
	reading   *Reading
	workflows Answer
	updates   map[string]bool // branches of the update pull requests that are open; nil until asked for
}

// run fills base.
func (p *pass) run(ctx context.Context) {
	if err := p.settle(ctx); err != nil {
		p.base.Err = err
	}
}

func (p *pass) settle(ctx context.Context) error {
	var err error
	p.base.Commit = p.heads[p.base.Branch].String()
	if p.tip, err = p.Git.Snapshot(p.heads[p.base.Branch]); err != nil {
		return fmt.Errorf("read commit %s: %w", p.base.Commit, err)
	}
	if err := p.configure(ctx); err != nil {
		return err
	}
	if p.images, err = p.Registries(p.config); err != nil {
		return err
	}
	defer p.images.Close()
	p.base.Observe = p.base.Observe || p.config.Mode == config.ModeObserve
	p.base.DryRun = p.DryRun || p.base.Observe
	if !p.base.DryRun && p.repo.Permission != "" && !p.repo.Permission.AtLeast(promotion.PermissionWrite) {
		return &Refusal{Class: promotion.ErrForbidden, Text: fmt.Sprintf("the token may only %s %s: it needs Contents: write to push a branch and Pull requests: write to open one; --dry-run shows the plan without them", p.repo.Permission, p.repo.FullName())}
	}
	proposals, err := p.plan(ctx)
	if err != nil {
		return err
	}
	p.several = p.several || len(p.config.Branches) > 0
	if p.Courts != nil {
		if p.court, err = p.Courts(ctx, p.base.Branch); err != nil {
			return err
		}
	}
	if !p.OnlyAsked {
		p.settleAll(ctx, proposals)
		p.settleQuestion(ctx)
	}
	if err := p.settleAsked(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// configure reads .pinnace/ at the tip.
func (p *pass) configure(ctx context.Context) error {
	files, err := Documents(ctx, p.tip)
	if err != nil {
		return err
	}
	if p.config, err = Configured(files); err != nil {
		return err
	}
	if !p.isDefault && len(p.config.Branches) > 0 {
		p.base.Warnings = append(p.base.Warnings, fmt.Sprintf("branches in %s counts on the default branch %s only", configFile, p.repo.DefaultBranch))
	}
	return nil
}

// plan scans, asks and builds.
func (p *pass) plan(ctx context.Context) ([]plan.Proposal, error) {
	r := &Reconciler{Resolver: p.images, Concurrency: p.Concurrency, Progress: p.Progress}
	reading, err := read(ctx, p.tip, p.config, p.Indexes[p.base.Branch], r)
	if err != nil {
		return nil, err
	}
	p.base.Warnings = append(p.base.Warnings, reading.Warnings...)
	if p.Indexes != nil {
		p.Indexes[p.base.Branch] = reading.index
	}
	p.files, p.reading = r, reading
	index, reach := reading.index, reading.reach
	files := p.Pins.files(index.Files())
	options := plan.Options{Style: manifest.Style(p.config.Pin.Style)}
	a := newAsker(ctx, r)
	tracks := &selections{facts: p.images, of: map[pursuitKey]plan.Selection{}, errs: map[pursuitKey]error{}}
	p.askAll(files, reach, options, a, tracks)
	if err := tracks.ask(ctx, r.concurrency()); err != nil {
		return nil, err
	}
	for _, t := range tracks.pursued {
		if chosen := tracks.of[t.key]; chosen.Tag != "" {
			a.ask([]inquiry{tracks.inquiry(t, chosen.Tag)}, nil)
		}
	}
	a.wait.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	built := plan.Build(plan.Input{
		Config: p.config, Base: p.base.Branch, Default: p.isDefault, Files: files,
		Environments: reach.Environments, Options: options,
		Answer: func(f *manifest.Finding) plan.Answer {
			answer, _ := a.answer(pinInquiry(f, options))
			return answer
		},
		Target: func(_ string, t config.Track, f *manifest.Finding) plan.Target {
			return tracks.target(pursue(t, f), a)
		},
	})
	p.base.Unreached = built.Unreached
	return p.Pins.narrow(built.Proposals, p.base.Branch, p.isDefault), nil
}

// askAll starts to ask whatever the findings of files need.
func (p *pass) askAll(files []check.File, reach *plan.Reach, o plan.Options, a *asker, tracks *selections) {
	for _, f := range files {
		if p.config.Excluded(f.Path) {
			continue
		}
		environments := reach.Environments(f.Path)
		if len(p.config.Environments) > 0 && len(environments) == 0 {
			continue
		}
		for i := range f.Result.Findings {
			found := &f.Result.Findings[i]
			if i := pinInquiry(found, o); i.resolve {
				a.ask([]inquiry{i}, nil)
				continue
			}
			if !found.Editable() || !found.Image.Pinned() || len(environments) != 1 {
				continue
			}
			e, _ := p.config.Environment(environments[0])
			if t, ok := e.TrackOf(found.Image); ok {
				pursued := pursue(t, found)
				tracks.add(pursued)
				if t.Follow == config.FollowDigest && pursued.now.Tag != "" {
					a.ask([]inquiry{{pursued.now, true, true}}, nil)
				}
			}
		}
	}
}

func pinInquiry(f *manifest.Finding, o plan.Options) inquiry {
	tag, digest := plan.Needs(f, o)
	return inquiry{plan.Tagged(f), tag, digest}
}

// sorted returns the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
