package verdict

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

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

// A ledger is the history of a branch, as far as it was asked for.
type ledger struct {
	depth    int // of what was fetched; 0 for all
	read     *reconcile.Ledger
	arrivals map[[2]string][]reconcile.Arrival
	brought  map[git.Hash]bringing
	trail    []git.Hash // first parents from the tip
}

// A bringing is how a commit came to the branch.
type bringing struct {
	pull  promotion.PullRequest // zero for a push
	memo  reconcile.Memo
	known bool // memo is our record at the merged head
	at    policy.Fact[time.Time]
	part  promotion.PullRequest // that brought it with further ones, the last of which is its merge
}

// depths are how many commits are fetched, one after the other, until the answer is found.
var depths = []int{2, 50, 1000, 0}

func (b *base) history() *ledger {
	if b.ledger == nil {
		b.ledger = &ledger{depth: depths[0], read: reconcile.NewLedger(b.Git, b.reading), arrivals: map[[2]string][]reconcile.Arrival{}, brought: map[git.Hash]bringing{}}
	}
	return b.ledger
}

// deepen fetches more history. It is false where there is no more.
func (b *base) deepen(ctx context.Context) (bool, error) {
	l := b.history()
	i := slices.Index(depths, l.depth) + 1
	if i == len(depths) {
		return false, nil
	}
	l.depth = depths[i]
	_, err := b.Git.Fetch(ctx, b.remote, git.Fetch{Refs: []string{"refs/heads/" + b.branch}, Depth: l.depth})
	if err != nil {
		return false, fmt.Errorf("fetch the history of %s: %w", b.branch, err)
	}
	return true, nil
}

// arrivals returns what came to an app of an environment, the newest first, until enough says
// so of what was found, or all.
func (b *base) arrivals(ctx context.Context, env, app string, enough func([]reconcile.Arrival) bool) ([]reconcile.Arrival, error) {
	l := b.history()
	key := [2]string{env, app}
	if all, ok := l.arrivals[key]; ok && enough(all) {
		return all, nil
	}
	for {
		var all []reconcile.Arrival
		cut, err := l.read.HistoryOf(ctx, b.pathsOf(env, app), env, app, func(a reconcile.Arrival) bool {
			all = append(all, a)
			return !enough(all)
		})
		if err != nil {
			return nil, err
		}
		l.arrivals[key] = all
		if !cut || enough(all) {
			return all, nil
		}
		if more, err := b.deepen(ctx); err != nil || !more {
			return all, err
		}
	}
}

// pathsOf names the files that an app stands in, at most so many as are looked up faster than
// whole commits are compared.
func (b *base) pathsOf(env, app string) []string {
	paths := []string{}
	for _, s := range b.running {
		if s.Environment == env && s.App == app && !slices.Contains(paths, s.Path) {
			if paths = append(paths, s.Path); len(paths) > 50 {
				return nil
			}
		}
	}
	return paths
}

// bringing says how a commit came to the branch.
func (b *base) bringing(ctx context.Context, commit git.Hash) (bringing, error) {
	l := b.history()
	if x, ok := l.brought[commit]; ok {
		return x, nil
	}
	var x bringing
	pulls, err := b.Forge.PullRequestsOfCommit(ctx, b.repo, commit.String())
	if err != nil {
		return x, err
	}
	for _, q := range pulls {
		switch {
		case q.State != promotion.Merged || q.Base.Ref != b.branch:
		case q.MergeCommit == commit.String():
			x.pull, x.at = q, policy.Known(q.MergedAt)
		default:
			x.part = q
		}
	}
	if x.pull.Number != 0 {
		memo, ok, err := b.memory.Recall(ctx, x.pull.Head.SHA, nil)
		if err != nil {
			return x, err
		}
		x.memo, x.known = memo, ok && memo.PullRequest == x.pull.Number
	} else if x.at, err = b.firstSight(ctx, commit); err != nil {
		return x, err
	}
	l.brought[commit] = x
	return x, nil
}

// firstSight says when Pinnace saw a commit of the branch first: when it looked at it, or at the
// oldest of those after it that it looked at.
func (b *base) firstSight(ctx context.Context, commit git.Hash) (policy.Fact[time.Time], error) {
	var none policy.Fact[time.Time]
	if b.memory.App == 0 {
		return none, nil
	}
	trail, err := b.trail(ctx, 0)
	at := slices.Index(trail, commit)
	if err != nil || at < 0 {
		return none, err
	}
	found := map[int]time.Time{}
	var failed error
	i := sort.Search(at+1, func(i int) bool { // the oldest first; each commit after the first that was looked at was, too
		runs, err := b.Forge.CheckRuns(ctx, b.repo, trail[at-i].String(), auditName)
		if err != nil {
			failed = err
		}
		for _, r := range runs {
			if r.App == b.memory.App && !r.Started.IsZero() {
				found[i] = r.Started
			}
		}
		_, ok := found[i]
		return ok
	})
	if t, ok := found[i]; ok && failed == nil {
		return policy.Known(t), nil
	}
	return none, failed
}

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

// trail lists the first parents from the tip, as far as they were fetched.
func (b *base) trail(ctx context.Context, most int) ([]git.Hash, error) {
	var out []git.Hash
	for c, err := range b.Git.Log(ctx, b.tip.Commit, git.LogOptions{FirstParent: true}) {
		if err != nil {
			return out, ctx.Err() // the rest was not fetched
		}
		if out = append(out, c.Hash); most > 0 && len(out) == most {
			break
		}
	}
	return out, nil
}

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

var none git.Hash
