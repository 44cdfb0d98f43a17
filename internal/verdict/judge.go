package verdict

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// A Judge judges the pull requests of one repository.
type Judge struct {
	Owner, Name string
	Forge       Forge
	Git         *git.Repository // what was fetched before stays of use
	Remote      func(promotion.Repository) git.Remote
	Registries  func(*config.Config) (reconcile.Registries, error)
	Now         func() time.Time
	// App is the App whose check runs are believed and written, 0 where the token is none's:
	// then nothing is written, and nothing is on record.
	App int64
	// Bot is the account that Pinnace acts as.
	Bot promotion.Identity
	// Advisory says that anybody with write can forge the check runs of App, so that nothing
	// is merged that needs approvals.
	Advisory bool
	// DryRun judges and writes nothing.
	DryRun bool
	// Buttons gives the check run a button that asks to judge again: for a server, which hears
	// of it. A press allows nothing.
	Buttons bool
	// NoMerge judges and writes checks, and merges nothing.
	NoMerge bool
	// Configured leaves a repository alone that has no configuration: ErrUnconfigured.
	Configured bool
	// Viewer is who looks, so that Case.Mine can say what waits for them.
	Viewer  promotion.Identity
	Version string
	// Indexes keeps what was read of each base for the next call; it may be nil.
	Indexes map[string]*reconcile.Index

	floor *floor
}

// ErrUnconfigured says that the default branch holds no configuration.
var ErrUnconfigured = errors.New("the default branch has no .pinnace/config.yaml")

// An Outcome is what was judged in one repository.
type Outcome struct {
	Repository promotion.Repository
	// Environments are those that the default branch configures.
	Environments []string
	Cases        []Case
	Incidents    []Incident
	Warnings     []string
	// Bases are the managed branches as they were read.
	Bases []ReadBase
	// Again is when time alone may change a verdict, or a refused merge is tried anew; zero:
	// never.
	Again time.Time
}

// A ReadBase is what one managed branch holds.
type ReadBase struct {
	Branch  string
	Commit  string
	Config  *config.Config
	Running []plan.Standing
}

// A Case is one pull request with its verdict.
type Case struct {
	Base         string
	PullRequest  promotion.PullRequest
	Kind         promotion.Kind
	Request      promotion.Request // zero where nobody asked through Pinnace
	Changes      []promotion.Change
	Environments []string
	Seal         string
	Decision     promotion.Decision
	Action       Action
	Reason       string
	Err          error

	Mine    Mine   // whether the viewer can approve it
	MineWhy string // why not

	retry time.Time // when a refused merge is tried anew
}

// Waits says whether the case waits for somebody or something.
func (c Case) Waits() bool {
	return c.Err == nil && c.Action == Judged && (c.Decision.Status == promotion.Waiting || c.Decision.Status == promotion.Passed && c.Decision.Merger != "")
}

// Unmerged says why a case that was judged was not merged.
func (c Case) Unmerged() string {
	switch {
	case c.Err != nil:
		return c.Err.Error()
	case c.Reason != "":
		return c.Reason
	case c.Decision.Status != promotion.Passed:
		return strings.TrimPrefix(c.Decision.Summary, string(c.Decision.Status)+": ")
	case c.Decision.Merger == promotion.APerson:
		return fmt.Sprintf("deploy is button, a person merges #%d", c.PullRequest.Number)
	case c.Decision.Merger == "":
		return fmt.Sprintf("it changes no image that Pinnace merges, a person merges #%d", c.PullRequest.Number)
	}
	return fmt.Sprintf("its verdict is advisory, a person merges #%d", c.PullRequest.Number)
}

// An Action says what became of a pull request that was judged.
type Action string

// The actions.
const (
	Judged Action = "judged" // its check says what the decision is
	Merged Action = "merged"
	Queued Action = "queued" // it is in the merge queue
	Failed Action = "failed" // Err says why
)

// Run judges every open pull request to a managed base, and merges what may be merged. Only
// is the number of the one that is looked at, 0 for all.
func (j *Judge) Run(ctx context.Context, only int) (*Outcome, error) {
	repo, ok, err := j.Forge.Repository(ctx, j.Owner, j.Name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &reconcile.Refusal{Class: promotion.ErrNotFound, Text: fmt.Sprintf("repository %s/%s: it does not exist, or the token may not see it", j.Owner, j.Name)}
	}
	out := &Outcome{Repository: repo}
	first, err := j.open(ctx, repo, repo.DefaultBranch, nil)
	if err != nil {
		return nil, err
	}
	defer first.close()
	if err := first.configured(); err != nil {
		return nil, err
	}
	out.Environments = first.environmentNames()
	out.Bases = append(out.Bases, first.readBase())
	bases := []*base{first}
	for _, name := range first.config.Branches {
		if name == repo.DefaultBranch {
			continue
		}
		b, err := j.open(ctx, repo, name, first)
		if err != nil {
			out.Warnings = append(out.Warnings, err.Error())
			continue
		}
		defer b.close()
		bases = append(bases, b)
		out.Bases = append(out.Bases, b.readBase())
	}
	for _, b := range bases {
		if err := b.run(ctx, only, out); err != nil {
			return out, err
		}
	}
	return out, ctx.Err()
}

// wake brings Again forward.
func (o *Outcome) wake(t time.Time) {
	if !t.IsZero() && (o.Again.IsZero() || t.Before(o.Again)) {
		o.Again = t
	}
}

// configured refuses a repository without a configuration where that is asked for.
func (b *base) configured() error {
	if b.Configured && b.config.File() == "" {
		return ErrUnconfigured
	}
	return nil
}

func (b *base) readBase() ReadBase {
	return ReadBase{Branch: b.branch, Commit: b.tip.Commit.String(), Config: b.config, Running: b.running}
}

// A base is one managed branch, as it is judged by its tip.
type base struct {
	*Judge
	repo      promotion.Repository
	remote    git.Remote
	branch    string
	isDefault bool
	several   bool
	tip       *git.Snapshot
	config    *config.Config
	book      *rulebook.Rulebook
	reading   *reconcile.Reading
	images    reconcile.Registries
	memory    *reconcile.Memory
	rules     *promotion.Rules
	// DryRun is that of the Judge, or the configuration's own mode: observe, which that of the
	// default branch is for every branch.
	DryRun bool

	running   []plan.Standing
	apps      config.AppNames
	people    map[int64]*person
	facts     map[string]imageFacts
	ledger    *ledger
	unfetched map[int]error           // heads that cannot be fetched, by their pull request
	groups    map[string]int          // of the merge queue: pull requests by the head of their group
	landed    map[string]bool         // the newest commits of the branch
	only      int                     // the pull request that is looked at, 0 for all
	pulls     []promotion.PullRequest // to the branch that were open when they were listed last
	watch
}

// open reads a managed branch. first is the default branch, nil where it is that.
func (j *Judge) open(ctx context.Context, repo promotion.Repository, branch string, first *base) (*base, error) {
	b := &base{Judge: j, repo: repo, branch: branch, isDefault: first == nil, several: first != nil, remote: j.Remote(repo), DryRun: j.DryRun || first != nil && first.DryRun, people: map[int64]*person{}, unfetched: map[int]error{}, facts: map[string]imageFacts{}}
	return b, b.read(ctx)
}

// read reads the tip of the branch.
func (b *base) read(ctx context.Context) error {
	ref := "refs/heads/" + b.branch
	fetched, err := b.Git.Fetch(ctx, b.remote, git.Fetch{Refs: []string{ref}, Prefixes: []string{"refs/heads/" + plan.Prefix}, Depth: 2})
	if err != nil {
		return fmt.Errorf("fetch %s of %s: %w", b.branch, b.repo.FullName(), err)
	}
	if b.tip, err = b.Git.Snapshot(fetched.Refs[ref]); err != nil {
		return fmt.Errorf("read commit %s: %w", fetched.Refs[ref], err)
	}
	files, err := reconcile.Documents(ctx, b.tip)
	if err != nil {
		return err
	}
	if b.config, err = reconcile.Configured(files); err != nil {
		return err
	}
	b.DryRun = b.DryRun || b.config.Mode == config.ModeObserve
	b.several = b.several || len(b.config.Branches) > 0
	if b.reading, err = reconcile.Read(ctx, b.tip, b.config, b.Indexes[b.branch]); err != nil {
		return err
	}
	if b.Indexes != nil {
		b.Indexes[b.branch] = b.reading.Index()
	}
	b.running, b.apps = b.reading.Running(), b.reading.Apps(nil)
	if b.Judge.floor == nil {
		if b.Judge.floor, err = b.Judge.readFloor(ctx, b.repo); err != nil {
			return err
		}
	}
	b.book = rulebook.Read(files, b.Judge.floor.files, b.Judge.floor.state, b.found())
	if b.images == nil {
		if b.images, err = b.Registries(b.config); err != nil {
			return err
		}
	}
	b.memory = &reconcile.Memory{Checks: b.Forge, Repository: b.repo, Name: reconcile.CheckName(b.repo, b.branch, b.several), App: cmp.Or(b.App, b.config.GitHub.AppID)}
	return nil
}

func (b *base) close() {
	if b.images != nil {
		b.images.Close()
	}
}

// found are the apps of images that the configuration does not name.
func (b *base) found() []policy.App {
	byName := map[string]*policy.App{}
	var order []string
	for _, s := range b.running {
		if s.App == "" {
			continue
		}
		a := byName[s.App]
		if a == nil {
			a = &policy.App{Name: s.App}
			byName[s.App], order = a, append(order, s.App)
		}
		if r := s.Image.Repository(); !slices.Contains(a.Images, r) {
			a.Images = append(a.Images, r)
		}
	}
	slices.Sort(order)
	var out []policy.App
	for _, name := range order {
		out = append(out, *byName[name])
	}
	return out
}

// run judges the open pull requests of the branch.
func (b *base) run(ctx context.Context, only int, out *Outcome) error {
	open, err := b.Forge.PullRequests(ctx, b.repo, promotion.Query{State: promotion.Open, Base: b.branch})
	if err != nil {
		return err
	}
	slices.SortFunc(open, func(x, y promotion.PullRequest) int { return cmp.Compare(x.Number, y.Number) })
	b.pulls = open
	if err := b.audit(ctx, out); err != nil {
		out.Warnings = append(out.Warnings, fmt.Sprintf("not all commits of %s were looked at: %v", b.branch, err))
	}
	if err := b.followUps(ctx); err != nil {
		out.Warnings = append(out.Warnings, fmt.Sprintf("not all break-glasses on %s were followed: %v", b.branch, err))
	}
	if b.issueless != nil {
		out.Warnings = append(out.Warnings, fmt.Sprintf("no issue could be opened: %v", b.issueless))
	}
	if err := b.fetchHeads(ctx, open); err != nil {
		return err
	}
	first := len(out.Cases)
	var heard, rules []*hearing
	b.only = only
	for _, q := range open {
		if only != 0 && q.Number != only {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		h, err := b.hear(ctx, q)
		if err == nil && h.guard.touched {
			rules = append(rules, h)
			continue
		}
		out.Cases = append(out.Cases, b.judge(ctx, q, h, err, open))
		if err == nil {
			heard = append(heard, h)
		}
	}
	for _, h := range rules { // once it is known what they would change
		if only != 0 && len(heard) == 0 {
			if heard, err = b.others(ctx, open, only); err != nil {
				return err
			}
		}
		err := b.difference(ctx, h, heard)
		out.Cases = append(out.Cases, b.judge(ctx, h.pull, h, err, open))
	}
	for _, c := range out.Cases[first:] {
		out.wake(c.Decision.Recheck)
		out.wake(c.retry)
	}
	slices.SortStableFunc(out.Cases[first:], func(x, y Case) int { return cmp.Compare(x.PullRequest.Number, y.PullRequest.Number) })
	return b.judgeGroups(ctx)
}

// maxFetched is how many pull requests are fetched at a time.
const maxFetched = 200

// fetchHeads brings the heads of pull requests. They are named by the refs that GitHub keeps
// for each, which those of forks are reached by as well
// (https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/checking-out-pull-requests-locally).
func (b *base) fetchHeads(ctx context.Context, open []promotion.PullRequest) error {
	for chunk := range slices.Chunk(open, maxFetched) {
		var refs []string
		for _, q := range chunk {
			refs = append(refs, pullRef(q.Number))
		}
		_, err := b.Git.Fetch(ctx, b.remote, git.Fetch{Refs: refs, Depth: 2})
		switch {
		case err == nil:
		case ctx.Err() != nil || !errors.Is(err, git.ErrLimit) && !errors.Is(err, git.ErrNoRef):
			return fmt.Errorf("fetch the pull requests of %s: %w", b.repo.FullName(), err)
		case len(chunk) == 1:
			b.unfetched[chunk[0].Number] = err
		default: // one of them stops no other
			half := len(chunk) / 2
			if err := b.fetchHeads(ctx, chunk[:half]); err != nil {
				return err
			}
			if err := b.fetchHeads(ctx, chunk[half:]); err != nil {
				return err
			}
		}
	}
	return nil
}

func pullRef(number int) string { return "refs/pull/" + strconv.Itoa(number) + "/head" }

// others hears the pull requests of Pinnace but one.
func (b *base) others(ctx context.Context, open []promotion.PullRequest, but int) ([]*hearing, error) {
	var out []*hearing
	for _, q := range open {
		if _, ours := plan.KindOf(q.Head.Ref, b.branch, b.isDefault); !ours || q.Number == but {
			continue
		}
		h, err := b.hear(ctx, q)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// judge does what the verdict on one pull request allows. err says why it could not be heard.
func (b *base) judge(ctx context.Context, q promotion.PullRequest, h *hearing, err error, open []promotion.PullRequest) Case {
	c := Case{Base: b.branch, PullRequest: q, Action: Judged}
	if err == nil {
		err = b.twins(ctx, h, open)
	}
	if h != nil {
		c.Kind, c.Request, c.Changes, c.Environments, c.Seal, c.Decision = h.kind, h.memo.Request, h.changes, h.environments(), h.seal, h.decision
	}
	switch {
	case err != nil:
	case h.yields:
		c.Reason = fmt.Sprintf("#%d has the same head, and its check speaks for both", h.owner)
	default:
		c.Action, c.Reason, err = b.act(ctx, h)
		c.Decision, c.retry = h.decision, h.memo.Refused.Until
	}
	if err == nil {
		c.Mine, c.MineWhy, err = b.mine(ctx, h)
	}
	if err != nil {
		c.Action, c.Err = Failed, errors.Join(err, b.undecided(ctx, h, err))
	}
	return c
}

// twins joins the verdict of other open pull requests with the same head: checks belong to a
// commit, and the one that is green for one of them is green for all.
func (b *base) twins(ctx context.Context, h *hearing, open []promotion.PullRequest) error {
	for _, q := range open {
		if q.Number == h.pull.Number || q.Head.SHA != h.pull.Head.SHA {
			continue
		}
		other, err := b.hear(ctx, q)
		if err != nil {
			return err
		}
		h.yields = h.yields || q.Number == h.owner
		if h.kind != promotion.ByHand && other.kind == promotion.ByHand && h.decision.Merger == promotion.Pinnace {
			continue // it holds the same, and is green only while Pinnace merges: nobody can stop it by copying it
		}
		names := []string{"#" + strconv.Itoa(h.pull.Number), "#" + strconv.Itoa(q.Number)}
		h.decision = policy.Together(names, []promotion.Decision{h.decision, other.decision})
	}
	return nil
}

// platformNames spells platforms.
func platformNames(all []image.Platform) []string {
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = p.String()
	}
	return out
}

// cutTeam parts organisation/slug.
func cutTeam(team string) (org, slug string) {
	org, slug, _ = strings.Cut(team, "/")
	return org, slug
}
