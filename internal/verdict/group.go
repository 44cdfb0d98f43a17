package verdict

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/record"
)

// judgeGroups judges what the merge queue is about to land: each pull request of a group is
// judged as it is now, and its edits have to be those that the group makes of the base.
func (b *base) judgeGroups(ctx context.Context) error {
	rules, err := b.branchRules(ctx)
	if err != nil || !rules.MergeQueue || b.App == 0 || b.DryRun {
		return err
	}
	groups, err := b.Forge.QueueGroups(ctx, b.repo, b.branch)
	if err != nil {
		return err
	}
	trail, err := b.trail(ctx, maxGroup)
	if err != nil || len(groups) == 0 {
		return err
	}
	b.groups, b.landed = map[string]int{}, map[string]bool{}
	for _, c := range trail {
		b.landed[c.String()] = true
	}
	for _, g := range groups {
		b.groups[g.SHA] = g.PullRequest
	}
	for _, g := range groups {
		if err := b.judgeGroup(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

func (b *base) judgeGroup(ctx context.Context, g promotion.Group) error {
	if _, err := b.Git.Fetch(ctx, b.remote, git.Fetch{Refs: []string{g.Ref}, Depth: maxGroup}); errors.Is(err, git.ErrNoRef) {
		return nil // it is gone
	} else if err != nil {
		return fmt.Errorf("fetch %s: %w", g.Ref, err)
	}
	h := &hearing{kind: promotion.ByHand, group: g.PullRequest}
	memo, ok, err := b.memory.Recall(ctx, g.SHA, nil)
	if err != nil {
		return err
	}
	if b.landed[g.SHA] || ok && memo.PullRequest != 0 {
		return nil // it landed, or is the head of a pull request, whose record this is: no queue made it
	}
	if h.head, err = git.ParseHash(g.SHA); err != nil {
		return fmt.Errorf("head of %s: %w", g.Ref, err)
	}
	known := false
	if h.decision, known, err = b.groupDecision(ctx, g); err != nil || !known {
		return err // the queue waits for the check: it may be of a base that landed meanwhile
	}
	switch h.decision.Status {
	case promotion.Waiting: // others are in the queue behind it, and it can be put there again
		h.decision.Status, h.decision.Summary = promotion.Denied, "not in the merge queue yet: "+h.decision.Summary
	case promotion.Unknown:
		h.decision.Status = promotion.Waiting // a missing fact may come before the queue gives up
	}
	h.memo.Record = record.Record{Repository: b.repo.ID, Base: b.branch, Kind: promotion.ByHand}
	h.memo.Run = memo.Run
	if ok {
		h.memo = memo
	} else {
		h.memo.See(g.SHA, "", b.Now())
	}
	return b.write(ctx, h, "", "")
}

// maxGroup is how many commits of a group are walked.
const maxGroup = 50

// groupDecision walks the commits of a group from its head to one of the base: each pull
// request has to be one that may be merged now, and what is made of it what was judged. Where
// the group begins is not taken from its name, which anybody who may write could have chosen.
func (b *base) groupDecision(ctx context.Context, g promotion.Group) (d promotion.Decision, known bool, err error) {
	var names []string
	var all []promotion.Decision
	numbers := map[int]bool{}
	sha := g.SHA
	for !b.landed[sha] {
		number := b.groups[sha]
		if number == 0 || numbers[number] {
			return d, false, nil
		}
		numbers[number] = true
		above, err := git.ParseHash(sha)
		if err != nil {
			return d, false, fmt.Errorf("head of %s: %w", g.Ref, err)
		}
		below := above
		for n := 0; below == above || !b.landed[below.String()] && b.groups[below.String()] == 0; n++ {
			c, err := b.Git.ReadCommit(below)
			if err != nil || len(c.Parents) == 0 || n == maxGroup {
				return d, false, nil
			}
			below = c.Parents[0]
		}
		d, known, err := b.groupMember(ctx, number, below, above)
		if err != nil || !known {
			return d, false, err
		}
		names, all = append(names, fmt.Sprintf("#%d", number)), append(all, d)
		sha = below.String()
	}
	slices.Reverse(names)
	slices.Reverse(all)
	return policy.Together(names, all), true, nil
}

// groupMember judges the pull request that the queue makes one commit from another of.
func (b *base) groupMember(ctx context.Context, number int, below, above git.Hash) (d promotion.Decision, known bool, err error) {
	q, ok, err := b.Forge.PullRequest(ctx, b.repo, number)
	if err != nil {
		return d, false, err
	}
	if !ok || q.Base.Ref != b.branch || q.State != promotion.Open {
		return d, false, nil
	}
	if err := b.fetchHeads(ctx, []promotion.PullRequest{q}); err != nil {
		return d, false, err
	}
	h, err := b.hear(ctx, q)
	if err != nil {
		return d, false, err
	}
	parent, err := b.Git.Snapshot(below)
	if err != nil {
		return d, false, fmt.Errorf("read commit %s: %w", below, err)
	}
	now, err := b.Git.Snapshot(above)
	if err != nil {
		return d, false, fmt.Errorf("read commit %s: %w", above, err)
	}
	why, err := b.sameInGroup(ctx, h, parent, now)
	if err != nil {
		return d, false, err
	}
	d = h.decision
	if why != "" {
		r := promotion.Result{Rule: "merge-queue", Status: promotion.Denied, Title: why, Who: "who queued it", Next: "take it out of the queue, and put it in again once what is before it has landed"}
		d.Status, d.Summary, d.Results = promotion.Denied, "denied: "+why, append([]promotion.Result{r}, d.Results...)
	}
	return d, true, nil
}

// sameInGroup says how what a group makes of a commit differs from what was judged.
func (b *base) sameInGroup(ctx context.Context, h *hearing, parent, now *git.Snapshot) (string, error) {
	rules, _, err := b.tip.Subtree(".pinnace")
	if err != nil {
		return "", err
	}
	theirs, _, err := parent.Subtree(".pinnace")
	if err != nil {
		return "", err
	}
	if rules != theirs {
		return "what is before it in the group changes the rules", nil
	}
	if h.kind != promotion.ByHand {
		tree, err := b.derive(parent, h.derived.Changes, manifest.Style(h.derived.Style))
		if err != nil {
			return "", err
		}
		if tree != now.Tree {
			return "the group makes another tree than the sealed edits", nil
		}
		return "", nil
	}
	made := &hearing{pull: h.pull, kind: promotion.ByHand, from: parent, now: now}
	if made.paths, err = git.Diff(ctx, parent, now); err != nil {
		return "", fmt.Errorf("compare the commits of a group: %w", err)
	}
	if why, err := samePaths(h, made); why != "" || err != nil {
		return why, err
	}
	made.touched = guardedPaths(made)
	onto, err := b.readOf(ctx, parent, reconcile.ReadPast)
	if err != nil {
		return "", err
	}
	if _, err := b.differ(ctx, made, onto); err != nil {
		return "", err
	}
	was, is := h.effects(), made.effects()
	for _, x := range append(without(is, was), without(was, is)...) {
		return "the group makes another change than the one that was judged: " + x, nil
	}
	return "", nil
}

// samePaths says of which path a group makes something else than the pull request does: one
// that it leaves alone, or the same path from the same blob. What stands in the group already is
// left alone.
func samePaths(h, made *hearing) (string, error) {
	judged := map[string]git.Delta{}
	for _, d := range h.paths {
		judged[d.Path] = d
	}
	for _, d := range made.paths {
		was, known := judged[d.Path]
		if delete(judged, d.Path); !known {
			return "the group changes " + d.Path + ", which the pull request leaves alone", nil
		}
		if sameEntry(was.Old, d.Old) && !sameEntry(was.New, d.New) {
			return "the group makes another file of " + d.Path + " than the pull request does", nil
		}
	}
	for _, d := range h.paths {
		if _, missing := judged[d.Path]; !missing {
			continue
		}
		now, _, err := made.from.Lookup(d.Path)
		if err != nil {
			return "", fmt.Errorf("read commit %s: %w", made.from.Commit, err)
		}
		if !sameEntry(now, d.New) {
			return "the group leaves " + d.Path + " alone, which the pull request changes", nil
		}
	}
	return "", nil
}

func sameEntry(a, b git.Entry) bool { return a.Mode == b.Mode && a.Blob == b.Blob }

// effects spells all that is judged of a change by hand: the images, what cannot be read for
// them, and what is guarded, of which each byte counts.
func (h *hearing) effects() []string {
	blobs := map[string]git.Delta{}
	var out []string
	for _, d := range h.paths {
		blobs[d.Path] = d
		if slices.Contains(h.touched, d.Path) {
			out = append(out, fmt.Sprintf("%s is %s %s", d.Path, d.New.Mode, d.New.Blob))
		}
	}
	for _, c := range h.changed {
		out = append(out, fmt.Sprintf("%s%s from %s to %s, of %s and %s in %s", c.Path, c.Pointer, c.Old, c.New, c.OldApp, c.NewApp, strings.Join(c.Environments, ", ")))
	}
	for _, o := range h.opaque {
		d := blobs[o.Path]
		out = append(out, fmt.Sprintf("%s with %s, which is %s %s, in %s", o.Path, o.What, d.New.Mode, d.New.Blob, strings.Join(o.Environments, ", ")))
	}
	return out
}

// without returns what is in a list and not in another.
func without(all, but []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(but, s) })
}
