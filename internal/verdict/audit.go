package verdict

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// auditName is the check that says of a commit of a base how it came there. When it began is
// when Pinnace saw the commit first.
const auditName = "pinnace/audit"

// An Incident is a commit of a base that changed images against the rules.
type Incident struct {
	Base   string
	Commit string
	Pull   int // that was merged, 0 for a push
	Why    string
	Issue  promotion.Issue
}

// maxAudited is how many new commits of a base are looked at in one run.
const maxAudited = 50

// audit looks at each commit that came to the branch since the last run: whether the images
// that it changed were allowed to.
func (b *base) audit(ctx context.Context, out *Outcome) error {
	if b.App == 0 || b.DryRun || b.book.Set == nil || len(b.book.Set.Promotions) == 0 {
		return nil
	}
	trail, err := b.unseen(ctx)
	if err != nil {
		return err
	}
	for _, commit := range slices.Backward(trail) {
		incident, err := b.inspect(ctx, commit)
		if err != nil {
			return err
		}
		if incident != nil {
			out.Incidents = append(out.Incidents, *incident)
		}
	}
	return nil
}

// unseen lists the commits of the branch, the newest first, down to the one that was audited
// last. Of a branch that was never audited it is the tip alone.
func (b *base) unseen(ctx context.Context) ([]git.Hash, error) {
	var out []git.Hash
	for {
		trail, err := b.trail(ctx, maxAudited)
		if err != nil {
			return nil, err
		}
		for _, commit := range trail[len(out):] {
			done, err := b.audited(ctx, commit)
			if err != nil {
				return nil, err
			}
			if done {
				return out, nil
			}
			out = append(out, commit)
		}
		if len(out) >= maxAudited {
			return out[:1], nil
		}
		if more, err := b.deepen(ctx); err != nil || !more || b.history().depth > 50 || b.history().depth == 0 {
			return out[:min(len(out), 1)], err
		}
	}
}

func (b *base) audited(ctx context.Context, commit git.Hash) (bool, error) {
	runs, err := b.Forge.CheckRuns(ctx, b.repo, commit.String(), auditName)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(runs, func(r promotion.CheckRun) bool { return r.App == b.App && r.Conclusion != "" }), nil
}

// inspect says how a commit came to the branch, and writes it down.
func (b *base) inspect(ctx context.Context, commit git.Hash) (*Incident, error) {
	run := promotion.CheckRun{Name: auditName, SHA: commit.String(), Status: "completed", Conclusion: "success", Title: "No image under policy changed", Summary: "No image under policy changed."}
	how, err := b.bringing(ctx, commit)
	if err != nil {
		return nil, err
	}
	changes, envs, err := b.changesOf(ctx, commit)
	if err != nil {
		return nil, err
	}
	var incident *Incident
	if len(changes) > 0 {
		why, err := b.bypassed(ctx, commit, how, changes)
		if err != nil {
			return nil, err
		}
		run.Title = "The images came as they were judged"
		run.Summary = fmt.Sprintf("Merged by #%d, whose verdict had passed.", how.pull.Number)
		if why != "" {
			if incident, err = b.report(ctx, commit, how, changes, envs, why); err != nil {
				return nil, err
			}
			run.Conclusion, run.Title, run.Summary = "failure", "Images changed against the rules", fmt.Sprintf("%s See #%d.", why, incident.Issue.Number)
		}
		if how.known && how.memo.Decided == promotion.Passed {
			if err := b.followUp(ctx, commit, how); err != nil {
				return nil, err
			}
		}
	}
	delete(b.history().brought, commit)
	if _, err := b.Forge.CreateCheckRun(ctx, b.repo, run); err != nil {
		return nil, err
	}
	return incident, nil
}

// changesOf returns what a commit changed under policy, with the environments.
func (b *base) changesOf(ctx context.Context, commit git.Hash) ([]plan.Changed, []string, error) {
	c, err := b.Git.ReadCommit(commit)
	if err != nil {
		return nil, nil, fmt.Errorf("read commit %s: %w", commit, err)
	}
	if len(c.Parents) == 0 {
		return nil, nil, nil
	}
	now, err := b.Git.Snapshot(commit)
	if err != nil {
		return nil, nil, fmt.Errorf("read commit %s: %w", commit, err)
	}
	before, err := b.Git.Snapshot(c.Parents[0])
	if errors.Is(err, git.ErrMissing) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read commit %s: %w", c.Parents[0], err)
	}
	h := &hearing{from: before, now: now}
	if h.paths, err = git.Diff(ctx, before, now); err != nil {
		return nil, nil, fmt.Errorf("compare commit %s with its parent: %w", commit, err)
	}
	pairs, err := b.pairs(h, b.reading, b.reading)
	if err != nil {
		return nil, nil, err
	}
	var further []plan.File
	for _, x := range pairs {
		for _, side := range [][]byte{x.Old, x.New} {
			further = append(further, check.File{Path: x.Path, Result: manifest.Scan(side, b.format(x.Path), b.reading.Extra(x.Path)...)})
		}
	}
	diff := plan.Diff(plan.Differing{Config: b.config, Pairs: pairs, Before: b.reading.Environments, After: b.reading.Environments, Apps: b.reading.Apps(further), Extra: b.reading.Extra, Exists: func(string) bool { return true }})
	h.changed = diff.Changes
	var out []plan.Changed
	var envs []string
	for _, x := range diff.Changes {
		for _, e := range x.Environments {
			if !b.governed(e, x) {
				continue
			}
			if out = append(out, x); !slices.Contains(envs, e) {
				envs = append(envs, e)
			}
			break
		}
	}
	return out, envs, nil
}

// governed says whether a promotion policy is bound where an image changes.
func (b *base) governed(env string, c plan.Changed) bool {
	in := policy.Input{Now: b.Now(), Set: b.book.Set, Floor: policy.FloorNone, Kind: promotion.ByHand, Env: env, Checks: policy.Checks{Config: approval.Yes, Pins: approval.Yes}}
	in.Changes = []policy.Change{{Change: c.Change, OldApp: c.OldApp, NewApp: c.NewApp, Beside: c.Beside}}
	return policy.Decide(in).Merger != ""
}

// bypassed says how a commit differs from what was judged, "" where it does not.
func (b *base) bypassed(ctx context.Context, commit git.Hash, how bringing, changes []plan.Changed) (string, error) {
	switch {
	case how.pull.Number == 0:
		return "It was pushed, without a pull request.", nil
	case !how.known:
		return fmt.Sprintf("#%d was merged, and no verdict of it is on record.", how.pull.Number), nil
	case how.memo.Decided != promotion.Passed:
		return fmt.Sprintf("#%d was merged although its verdict was %s.", how.pull.Number, how.memo.Decided), nil
	case how.memo.Kind == promotion.ByHand:
		return "", nil
	}
	c, err := b.Git.ReadCommit(commit)
	if err != nil {
		return "", fmt.Errorf("read commit %s: %w", commit, err)
	}
	parent, err := b.Git.Snapshot(c.Parents[0])
	if err != nil {
		return "", fmt.Errorf("read commit %s: %w", c.Parents[0], err)
	}
	head, err := git.ParseHash(how.pull.Head.SHA)
	if err != nil {
		return "", nil
	}
	if _, err := b.Git.ReadCommit(head); err != nil {
		if _, err := b.Git.Fetch(ctx, b.remote, git.Fetch{Refs: []string{pullRef(how.pull.Number)}, Depth: 2}); err != nil {
			return "", fmt.Errorf("fetch #%d: %w", how.pull.Number, err)
		}
	}
	d, err := reconcile.Deriver{Git: b.Git, Repository: b.repo.ID, Base: b.branch}.Derive(ctx, head, how.memo.Kind)
	if err != nil || !d.Ours {
		return fmt.Sprintf("#%d was merged, and its head is not the sealed one.", how.pull.Number), err
	}
	tree, err := b.derive(parent, d.Changes, manifest.Style(d.Style))
	if err != nil {
		return "", err
	}
	if merged, err := b.Git.Snapshot(commit); err != nil {
		return "", fmt.Errorf("read commit %s: %w", commit, err)
	} else if merged.Tree != tree {
		return fmt.Sprintf("The merge of #%d has another tree than its sealed edits on the commit before: %s, not %s.", how.pull.Number, merged.Tree.String()[:12], tree.String()[:12]), nil
	}
	return "", nil
}

// The labels of the issues that Pinnace opens.
const (
	incidentLabel = "pinnace-incident"
	glassLabel    = "pinnace-break-glass"
)

// report opens an issue about a commit, once.
func (b *base) report(ctx context.Context, commit git.Hash, how bringing, changes []plan.Changed, envs []string, why string) (*Incident, error) {
	out := &Incident{Base: b.branch, Commit: commit.String(), Pull: how.pull.Number, Why: why}
	text := message.Bypass{Key: "commit-" + commit.String(), Base: b.branch, Commit: commit.String(), PullRequest: how.pull.Number, By: how.pull.MergedBy, At: b.Now(), Envs: envs, Why: why}
	h := &hearing{}
	for _, c := range changes {
		h.changes = append(h.changes, c.Change)
	}
	text.Images = h.rows()
	var err error
	out.Issue, err = b.openOnce(ctx, incidentLabel, text.Key, text.Title(), text.Body())
	return out, err
}

// openOnce opens an issue with a key, unless it is there.
func (b *base) openOnce(ctx context.Context, label, key, title, body string) (promotion.Issue, error) {
	all, err := b.Forge.IssuesWithLabel(ctx, b.repo, label)
	if err != nil {
		return promotion.Issue{}, err
	}
	for _, i := range all {
		if message.ReplyKey(i.Body) == key && i.Author.ID == b.Bot.ID {
			return i, nil
		}
	}
	return b.Forge.OpenIssue(ctx, b.repo, title, body, []string{label})
}

// followUp opens the issue that a break-glass asks for.
func (b *base) followUp(ctx context.Context, commit git.Hash, how bringing) error {
	if how.memo.Glass == "" {
		return nil
	}
	g := message.Glass{
		Key: fmt.Sprintf("glass-%d", how.pull.Number), App: how.memo.Request.App, PullRequest: how.pull.Number, Commit: commit.String(),
		By: how.memo.Breaker, At: how.pull.MergedAt, Reason: how.memo.Glass,
	}
	if how.memo.Request.Env != "" {
		g.Envs = []string{how.memo.Request.Env}
	}
	_, err := b.openOnce(ctx, glassLabel, g.Key, g.Title(), g.Body())
	return err
}
