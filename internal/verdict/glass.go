package verdict

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// The labels of what follows a break-glass.
const (
	glassLabel    = "pinnace-break-glass"
	reviewedLabel = "pinnace-reviewed" // a second person has closed the issue
)

const glassKey = "glass-"

// maxWaived is how many waived rules are remembered.
const maxWaived = 20

// waived lists the rules that a break-glass waived, as the results say.
func waived(results []promotion.Result) []string {
	var out []string
	for _, r := range results {
		if title, ok := strings.CutPrefix(r.Title, "waived by break-glass: "); ok && r.Status == promotion.Skipped {
			out = append(out, title)
			continue
		}
		out = append(out, waived(r.Children)...)
	}
	return out[:min(len(out), maxWaived)]
}

// followUp opens the issue that a break-glass asks for, once.
func (b *base) followUp(ctx context.Context, q promotion.PullRequest, memo reconcile.Memo, commit string, envs []string, images []message.Image) error {
	if memo.Glass == "" {
		return nil
	}
	g := message.Glass{
		Key: fmt.Sprintf("%s%d", glassKey, q.Number), App: memo.Request.App, PullRequest: q.Number, Commit: commit,
		By: memo.Breaker, At: q.MergedAt, Reason: memo.Glass, Envs: envs, Images: images,
	}
	g.Seal, _ = memo.Seal()
	for _, title := range memo.Waived {
		g.Waived = append(g.Waived, promotion.Result{Status: promotion.Skipped, Title: title})
	}
	_, err := b.openOnce(ctx, glassLabel, g.Key, g.Title(), g.Body())
	return err
}

// followUps holds each issue about a break-glass to being closed by a second person: one that
// its admin closed is opened again. What is settled bears a label, so that nobody asks again.
func (b *base) followUps(ctx context.Context) error {
	if b.App == 0 || b.DryRun {
		return nil
	}
	all, err := b.Forge.IssuesWithLabel(ctx, b.repo, glassLabel)
	if err != nil {
		return err
	}
	for _, i := range all {
		if i.Open || i.Author.ID != b.Bot.ID || slices.Contains(i.Labels, reviewedLabel) {
			continue
		}
		number := 0
		if _, err := fmt.Sscanf(message.ReplyKey(i.Body), glassKey+"%d", &number); err != nil {
			number = 0 // somebody changed the text
		}
		if err := b.followed(ctx, i.Number, number); err != nil {
			return err
		}
	}
	return nil
}

// followed looks at one issue that was closed.
func (b *base) followed(ctx context.Context, issue, number int) error {
	var breaker promotion.Identity
	if number != 0 {
		q, ok, err := b.Forge.PullRequest(ctx, b.repo, number)
		if err != nil {
			return err
		}
		if ok && q.Base.Ref != b.branch {
			return nil // of another managed branch
		}
		if ok {
			memo, _, err := b.memory.Recall(ctx, q.Head.SHA, nil)
			if err != nil {
				return err
			}
			breaker = memo.Breaker
		}
	} else if !b.isDefault {
		return nil
	}
	now, ok, err := b.Forge.Issue(ctx, b.repo, issue)
	if err != nil || !ok || now.Open {
		return err
	}
	by := now.ClosedBy
	if by.ID != 0 && !by.Bot && !b.isServiceAccount(by) && breaker.ID != 0 && by.ID != breaker.ID {
		return b.Forge.AddLabels(ctx, b.repo, issue, reviewedLabel)
	}
	_, err = b.Forge.ReopenIssue(ctx, b.repo, issue)
	return err
}
