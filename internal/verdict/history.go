package verdict

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// A ledger is the history of a branch, as far as it was asked for.
type ledger struct {
	depth    int // of what was fetched; 0 for all
	read     *reconcile.Ledger
	arrivals map[[2]string][]reconcile.Arrival
	brought  map[git.Hash]bringing
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

var none git.Hash
