package verdict

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
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
	h.memo.Merging = true
	if err := b.write(ctx, h, "", ""); err != nil {
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
	h.pull.State, h.pull.MergeCommit = promotion.Merged, sha
	return Merged, "", nil
}

// again reads everything anew, as it is right before a merge. It says why nothing is merged
// now.
func (b *base) again(ctx context.Context, h *hearing) (*hearing, string, error) {
	q, ok, err := b.Forge.PullRequest(ctx, b.repo, h.pull.Number)
	switch {
	case err != nil:
		return nil, "", err
	case !ok || q.State != promotion.Open:
		return nil, "it was closed meanwhile", nil
	case q.Head.SHA != h.pull.Head.SHA || q.Base.Ref != b.branch:
		return nil, "it moved meanwhile, and is judged again", nil
	}
	fresh := &base{Judge: b.Judge, repo: b.repo, remote: b.remote, branch: b.branch, isDefault: b.isDefault, several: b.several, images: b.images, people: map[int64]*person{}, facts: map[string]imageFacts{}}
	fresh.Judge.floor = nil
	if err := fresh.read(ctx); err != nil {
		return nil, "", err
	}
	now, err := fresh.hear(ctx, q)
	if err != nil {
		return nil, "", err
	}
	open, err := b.Forge.PullRequests(ctx, b.repo, promotion.Query{State: promotion.Open, Base: b.branch})
	if err != nil {
		return nil, "", err
	}
	if err := fresh.twins(ctx, now, open); err != nil {
		return nil, "", err
	}
	images := b.images
	*b = *fresh
	b.images = images
	if now.decision.Status != promotion.Passed || now.decision.Merger != promotion.Pinnace {
		h.decision = now.decision
		h.memo = now.memo
		return nil, now.decision.Summary, b.write(ctx, now, "", "")
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
		if h.derived.Parent == nil || h.derived.Parent.Commit != b.tip.Commit {
			return "", fmt.Errorf("%w: %s moved: the branch is written anew on it first", promotion.ErrConflict, b.branch)
		}
		err := b.Git.Push(ctx, b.remote, git.Push{Ref: "refs/heads/" + b.branch, Old: b.tip.Commit, New: h.head, Objects: []git.Hash{}})
		if errors.Is(err, git.ErrLease) {
			err = fmt.Errorf("%w: %w", promotion.ErrConflict, err)
		}
		return h.head.String(), err
	}
	text := b.mergeText(h)
	return b.Forge.Merge(ctx, b.repo, promotion.MergeRequest{Number: h.pull.Number, SHA: h.head.String(), Method: method, Title: text.Title(), Message: text.Message()})
}

func (b *base) mergeText(h *hearing) message.Merge {
	r := h.memo.Request
	m := message.Merge{
		PullRequest: h.pull.Number, Kind: h.kind, App: r.App, Envs: h.environments(), From: r.From, Skipped: r.Skipped, Request: r.ID,
		Images: h.rows(), Seal: h.seal, Requested: r.By, Deployed: h.decision.Asked, Glass: h.decision.Glass, Version: b.Version,
	}
	for _, a := range h.decision.Approvals {
		if !slices.ContainsFunc(m.Approved, func(i promotion.Identity) bool { return i.ID == a.By.ID }) {
			m.Approved = append(m.Approved, a.By)
		}
	}
	m.Policies = policiesOf(h.decision.Results)
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
	if err != nil {
		failure = errors.Join(failure, err)
	}
	if err == nil && ok && q.State == promotion.Merged {
		h.pull = q
		return Merged, "", nil // the answer was lost
	}
	h.memo.Merging = false
	note, reason := "", ""
	var blocked *promotion.Blocked
	switch {
	case errors.As(failure, &blocked):
		reason = "GitHub does not merge it: " + blocked.Error() + "; " + blocked.Remedy
		note = "GitHub does not merge it: " + blocked.Error() + ". " + blocked.Remedy + "."
	case errors.Is(failure, promotion.ErrConflict):
		reason = "it moved meanwhile, and is judged again"
	default:
		reason = failure.Error()
		note = "The merge failed, and is tried again: " + failure.Error() + "."
	}
	if err := b.write(ctx, h, "the merge did not happen", note); err != nil {
		return Failed, reason, errors.Join(failure, err)
	}
	if errors.Is(failure, promotion.ErrConflict) || blocked != nil {
		return Judged, reason, nil
	}
	return Failed, reason, failure
}

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
