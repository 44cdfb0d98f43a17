package verdict

import (
	"context"
	"fmt"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/record"
)

// judgeGroups judges what the merge queue is about to land: each pull request of a group is
// judged as it is now, and its edits have to be those that the group makes of the base.
func (b *base) judgeGroups(ctx context.Context, out *Outcome) error {
	rules, err := b.branchRules(ctx)
	if err != nil || !rules.MergeQueue || b.App == 0 || b.DryRun {
		return err
	}
	groups, err := b.Forge.QueueGroups(ctx, b.repo, b.branch)
	if err != nil {
		return err
	}
	b.groups = map[string]int{}
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
	if _, err := b.Git.Fetch(ctx, b.remote, git.Fetch{Refs: []string{g.Ref}, Depth: 50}); err != nil {
		return fmt.Errorf("fetch %s: %w", g.Ref, err)
	}
	h := &hearing{kind: promotion.ByHand}
	var err error
	if h.head, err = git.ParseHash(g.SHA); err != nil {
		return fmt.Errorf("head of %s: %w", g.Ref, err)
	}
	h.decision, err = b.groupDecision(ctx, g)
	if err != nil {
		return err
	}
	h.memo.Record = record.Record{Repository: b.repo.ID, Base: b.branch, Kind: promotion.ByHand}
	memo, ok, err := b.memory.Recall(ctx, g.SHA, nil)
	if err != nil {
		return err
	}
	h.memo.Run = memo.Run
	if ok {
		h.memo = memo
	} else {
		h.memo.See(g.SHA, "", b.Now())
	}
	return b.write(ctx, h, "", "")
}

// groupDecision walks the commits of a group from its head to its base: each has to be the
// merge of one pull request that may be merged now, and to make of the commit before it what
// was judged.
func (b *base) groupDecision(ctx context.Context, g promotion.Group) (promotion.Decision, error) {
	var names []string
	var all []promotion.Decision
	at, err := git.ParseHash(g.SHA)
	if err != nil {
		return promotion.Decision{}, fmt.Errorf("head of %s: %w", g.Ref, err)
	}
	numbers := map[int]bool{}
	for at.String() != g.Base {
		c, err := b.Git.ReadCommit(at)
		if err != nil || len(c.Parents) == 0 || len(all) > 50 {
			return unknownGroup("the commits of the group cannot be read down to its base"), nil
		}
		d, number, err := b.groupMember(ctx, g, at, c)
		if err != nil {
			return promotion.Decision{}, err
		}
		if number != 0 && numbers[number] {
			return unknownGroup(fmt.Sprintf("the group holds #%d twice", number)), nil
		}
		numbers[number] = true
		names, all = append(names, fmt.Sprintf("#%d", number)), append(all, d)
		at = c.Parents[0]
	}
	return together(names, all), nil
}

func unknownGroup(why string) promotion.Decision {
	return promotion.Decision{Status: promotion.Unknown, Summary: "unknown: " + why, Results: []promotion.Result{{Rule: "merge-queue", Status: promotion.Unknown, Title: why, Missing: []string{"the pull requests of the group"}}}}
}

// groupMember judges the pull request whose merge one commit of a group is.
func (b *base) groupMember(ctx context.Context, g promotion.Group, at git.Hash, c git.CommitInfo) (promotion.Decision, int, error) {
	number := g.PullRequest
	if at.String() != g.SHA {
		number = b.groups[at.String()]
	}
	if number == 0 {
		return unknownGroup("commit " + at.String()[:10] + " of the group is of no pull request that is known"), 0, nil
	}
	q, ok, err := b.Forge.PullRequest(ctx, b.repo, number)
	if err != nil {
		return promotion.Decision{}, number, err
	}
	if !ok || q.Base.Ref != b.branch {
		return unknownGroup(fmt.Sprintf("#%d is no pull request to %s", number, b.branch)), number, nil
	}
	if err := b.fetchHeads(ctx, []promotion.PullRequest{q}); err != nil {
		return promotion.Decision{}, number, err
	}
	h, err := b.hear(ctx, q)
	if err != nil {
		return promotion.Decision{}, number, err
	}
	parent, err := b.Git.Snapshot(c.Parents[0])
	if err != nil {
		return unknownGroup("commit " + c.Parents[0].String()[:10] + " of the group cannot be read"), number, nil
	}
	now, err := b.Git.Snapshot(at)
	if err != nil {
		return unknownGroup("commit " + at.String()[:10] + " of the group cannot be read"), number, nil
	}
	why, err := b.sameInGroup(ctx, h, parent, now)
	if err != nil {
		return promotion.Decision{}, number, err
	}
	d := h.decision
	if why != "" {
		r := promotion.Result{Rule: "merge-queue", Status: promotion.Denied, Title: why, Who: "who queued it", Next: "take it out of the queue, and put it in again once what is before it has landed"}
		d.Status, d.Summary, d.Results = promotion.Denied, "denied: "+why, append([]promotion.Result{r}, d.Results...)
	}
	return d, number, nil
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
			return fmt.Sprintf("the group makes another tree of #%d than its sealed edits", h.pull.Number), nil
		}
		return "", nil
	}
	deltas, err := git.Diff(ctx, parent, now)
	if err != nil {
		return "", fmt.Errorf("compare the commits of a group: %w", err)
	}
	judged := map[string]git.Delta{}
	for _, d := range h.paths {
		judged[d.Path] = d
	}
	for _, d := range deltas {
		if j, ok := judged[d.Path]; !ok || d.New.Blob != j.New.Blob || d.New.Mode != j.New.Mode {
			return fmt.Sprintf("the group makes another %s of #%d than the one that was judged", d.Path, h.pull.Number), nil
		}
	}
	return "", nil
}

// together joins the decisions of a group's members.
func together(names []string, all []promotion.Decision) promotion.Decision {
	if len(all) == 0 {
		return unknownGroup("the group holds no pull request")
	}
	return policy.Together(names, all)
}
