package verdict

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/record"
)

// merge merges a pull request whose verdict has passed: everything is read anew first, and the
// check is green only while the merge is under way.
func (b *base) merge(ctx context.Context, h *hearing) (Action, string, error) {
	now, reason, err := b.again(ctx, h)
	if err != nil || reason != "" {
		return Judged, reason, err
	}
	*h = *now
	rules, err := b.branchRules(ctx)
	if err != nil {
		return Failed, "", err
	}
	removed := h.memo.Refused.Removed
	h.memo.Merging, h.memo.Refused = true, record.Refusal{Removed: removed}
	note := ""
	if rules.MergeQueue {
		note = queuedNote
	}
	if err := b.write(ctx, h, "", note); err != nil {
		return Failed, "", err
	}
	if rules.MergeQueue {
		if err := b.Forge.Enqueue(ctx, h.pull.NodeID, h.head.String()); err != nil {
			return b.refused(ctx, h, err)
		}
		return Queued, "", nil
	}
	sha, err := b.land(ctx, h)
	if err != nil {
		return b.refused(ctx, h, err)
	}
	h.pull.State, h.pull.MergeCommit, h.pull.MergedAt = promotion.Merged, sha, b.Now()
	// Where this fails the audit of the commit does it.
	_, _ = b.followUp(ctx, h.pull, h.memo, sha, h.environments(), h.rows())
	return Merged, "", nil
}

// again reads everything anew, as it is right before a merge. It says why nothing is merged
// now.
func (b *base) again(ctx context.Context, h *hearing) (*hearing, string, error) {
	b.Forge.Anew()
	q, ok, err := b.Forge.PullRequest(ctx, b.repo, h.pull.Number)
	switch {
	case err != nil:
		return nil, "", err
	case !ok || q.State != promotion.Open:
		return nil, "it was closed meanwhile", nil
	case q.Head.SHA != h.pull.Head.SHA || q.Base.Ref != b.branch:
		return nil, "it moved meanwhile, and is judged again", nil
	}
	open, err := b.Forge.PullRequests(ctx, b.repo, promotion.Query{State: promotion.Open, Base: b.branch})
	if err != nil {
		return nil, "", err
	}
	// Its registries are asked anew as well: the old ones remember their answers.
	fresh := &base{Judge: b.Judge, repo: b.repo, remote: b.remote, branch: b.branch, isDefault: b.isDefault, several: b.several, DryRun: b.DryRun, people: map[int64]*person{}, unfetched: b.unfetched, facts: map[string]imageFacts{}}
	fresh.Judge.floor = nil
	if err := fresh.read(ctx); err != nil {
		fresh.close()
		return nil, "", err
	}
	b.close()
	*b = *fresh
	b.pulls = open
	if b.DryRun {
		return nil, "the configuration says mode: observe now", nil
	}
	now, err := b.hear(ctx, q)
	if err != nil {
		return nil, "", err
	}
	if err := b.twins(ctx, now, open); err != nil {
		return nil, "", err
	}
	if now.decision.Status != promotion.Passed || now.decision.Merger != promotion.Pinnace {
		*h = *now
		return nil, "it was judged again right before the merge", b.write(ctx, h, "", "")
	}
	if b.Advisory && now.needsApprovals() {
		*h = *now
		return nil, "it needs approvals now, and the verdict is advisory: a person merges", nil
	}
	return now, "", nil
}

func (b *base) branchRules(ctx context.Context) (promotion.Rules, error) {
	if b.rules == nil {
		rules, err := b.Forge.BranchRules(ctx, b.repo, b.branch)
		if err != nil {
			return rules, err
		}
		b.rules = &rules
	}
	return *b.rules, nil
}

// land merges exactly the head that was judged.
func (b *base) land(ctx context.Context, h *hearing) (string, error) {
	method := b.method()
	if method == string(config.MergeFastForward) {
		return h.head.String(), b.advance(ctx, h)
	}
	text := b.mergeText(h)
	return b.Forge.Merge(ctx, b.repo, promotion.MergeRequest{Number: h.pull.Number, SHA: h.head.String(), Method: method, Title: text.Title(), Message: text.Message()})
}

// advance moves the branch to the head that was judged, which stands on its tip.
func (b *base) advance(ctx context.Context, h *hearing) error {
	if on := h.stands(); on == nil || on.Commit != b.tip.Commit {
		return &promotion.Blocked{
			Rule: promotion.RuleBehind, Text: "The branch is not on the tip of " + b.branch + ", and the method of merging is fast-forward",
			Remedy: "press Update branch",
		}
	}
	err := b.Git.Push(ctx, b.remote, git.Push{Ref: "refs/heads/" + b.branch, Old: b.tip.Commit, New: h.head, Objects: []git.Hash{}})
	var refused *git.RefusedError
	switch {
	case errors.As(err, &refused):
		return &promotion.Blocked{
			Rule: promotion.RuleUpdate, Text: refused.Message,
			Remedy: "let the App bypass the branch's rules (Settings > Rules of the repository), or set merge.method in .pinnace/config.yaml to squash",
		}
	case errors.Is(err, git.ErrLease):
		return fmt.Errorf("%w: %w", promotion.ErrConflict, err)
	}
	return err
}

func (b *base) mergeText(h *hearing) message.Merge {
	r := h.memo.Request
	m := message.Merge{
		PullRequest: h.pull.Number, Kind: h.kind, App: r.App, Envs: h.environments(), From: r.From, Skipped: r.Skipped, Request: r.ID,
		Images: h.rows(), Seal: h.seal, Requested: r.By, Deployed: h.decision.Asked, Glass: h.decision.Glass, Version: b.Version,
	}
	if h.kind == promotion.ByHand {
		m.Requested = h.askers()
	}
	for _, a := range h.decision.Approvals {
		if !slices.ContainsFunc(m.Approved, func(i promotion.Identity) bool { return i.ID == a.By.ID }) {
			m.Approved = append(m.Approved, a.By)
		}
	}
	m.Policies = policiesOf(h.decision.Results)
	if m.Glass != "" {
		m.Deployed = h.decision.Broke
	}
	return m
}

// policiesOf names the policies that governed.
func policiesOf(results []promotion.Result) []string {
	var out []string
	for _, r := range results {
		if r.Rule == "policy" && r.Policy != "" && !slices.Contains(out, r.Policy) {
			out = append(out, r.Policy)
		}
		for _, name := range policiesOf(r.Children) {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// withdrawal is how long a run that was called off takes to withdraw a green check.
const withdrawal = 10 * time.Second

// refused withdraws the green check of a merge that did not happen, and tells the remedy.
func (b *base) refused(ctx context.Context, h *hearing, failure error) (Action, string, error) {
	if ctx.Err() != nil { // a green check is a permission, and must not outlive the merge step
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), withdrawal)
		defer cancel()
	}
	q, ok, err := b.Forge.PullRequest(ctx, b.repo, h.pull.Number)
	switch {
	case err != nil:
		failure = errors.Join(failure, err)
	case ok && q.State == promotion.Merged:
		h.pull = q
		return Merged, "", nil // the answer was lost
	case ok && q.Head.SHA == h.pull.Head.SHA:
		h.pull = q
		in, _, err := b.inQueue(ctx, h)
		if err == nil && in {
			return Queued, "", nil
		}
	}
	h.memo.Merging = false
	note, reason := "", ""
	obstacles := promotion.Obstacles(failure)
	var conflict *promotion.Conflict
	switch {
	case err == nil && (!ok || q.State != promotion.Open):
		note, reason, failure = "It was closed while it was merged.", "it was closed meanwhile", nil
	case len(obstacles) > 0:
		if b.behind(h) {
			obstacles = slices.DeleteFunc(obstacles, func(o *promotion.Blocked) bool { return o.Rule == promotion.RuleCheck })
			obstacles = append(obstacles, &promotion.Blocked{Rule: promotion.RuleBehind, Text: "The branch lacks commits of " + b.branch, Remedy: "press Update branch"})
		}
		reason = blockedBy(obstacles)
	case errors.As(failure, &conflict) && conflict.Rule == promotion.RuleMergeability && q.Mergeable != nil && !*q.Mergeable:
		reason = fmt.Sprintf("GitHub does not merge it: it conflicts with %s: bring the branch up to date with it", b.branch)
	case errors.Is(failure, promotion.ErrConflict):
		note, reason = "It changed while it was merged, and is judged again.", "it moved meanwhile, and is judged again"
	default:
		note, reason = "The merge failed, and is tried again: "+failure.Error()+".", failure.Error()
	}
	if note == "" {
		note = sentence(reason)
		err := b.refuse(ctx, h, reason, false, h.memo.Refused.Removed)
		failure = errors.Join(err)
	} else if errors.Is(failure, promotion.ErrConflict) {
		failure = nil
	}
	if err := b.write(ctx, h, unmerged, note); err != nil {
		return Failed, reason, errors.Join(failure, err)
	}
	if failure != nil {
		return Failed, reason, failure
	}
	return Judged, reason, nil
}

// What a check says of a merge.
const (
	unmerged   = "the merge did not happen"
	queuedNote = "It is in the merge queue, and judged again with what is before it."
)

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

// derive makes the edits of sealed changes on a commit and returns the tree, "" where they do
// not apply to it.
func (b *base) derive(parent *git.Snapshot, changes []promotion.Change, style manifest.Style) (git.Hash, error) {
	files := map[string][]byte{}
	for path, edits := range plan.Edits(changes, style) {
		old, ok, err := b.blob(parent, path)
		if err != nil || !ok {
			return none, err
		}
		data, err := manifest.Apply(old, b.format(path), edits, b.reading.Extra(path)...)
		if err != nil {
			return none, nil
		}
		files[path] = data
	}
	w, err := parent.WriteTree(files)
	if err != nil {
		return none, fmt.Errorf("write the tree of commit %s: %w", parent.Commit, err)
	}
	return w.Tree, nil
}
