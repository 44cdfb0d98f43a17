package verdict

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/record"
)

// The labels of what follows a break-glass.
const (
	glassLabel    = "pinnace-break-glass"
	reviewedLabel = "pinnace-reviewed" // shows people what is settled
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

// followUp opens the issue that a break-glass asks for, once, and puts its number on record.
func (b *base) followUp(ctx context.Context, q promotion.PullRequest, memo reconcile.Memo, commit string, envs []string, images []message.Image) (int, error) {
	if memo.Glass == "" || memo.FollowUp != 0 {
		return memo.FollowUp, nil
	}
	g := message.Glass{
		Key: fmt.Sprintf("%s%d", glassKey, q.Number), App: memo.Request.App, PullRequest: q.Number, Commit: commit,
		By: memo.Breaker, At: q.MergedAt, Reason: memo.Glass, Envs: envs, Images: images,
	}
	g.Seal, _ = memo.Seal()
	for _, title := range memo.Waived {
		g.Waived = append(g.Waived, promotion.Result{Status: promotion.Skipped, Title: title})
	}
	i, err := b.openOnce(ctx, glassLabel, g.Key, g.Title(), g.Body())
	if err != nil {
		return 0, err
	}
	return i.Number, b.memory.Amend(ctx, q.Head.SHA, func(r *record.Record) { r.FollowUp = i.Number })
}

// maxBroken is how many break-glasses are held to a review at a time.
const maxBroken = 100

// breaks notes that the glass was broken for a pull request.
func (b *base) breaks(number int) {
	if !slices.Contains(b.broken, number) && len(b.broken) < maxBroken {
		b.broken = append(b.broken, number)
	}
}

const (
	brokenMark = "<!-- pinnace-broken:"
	brokenEnd  = " -->"
)

// brokenText says in the check of a commit which break-glasses nobody has reviewed. The next
// commit's check takes it over: what people may write, such as a label, is no proof.
func brokenText(all []int) string {
	if len(all) == 0 {
		return ""
	}
	shown, kept := "", ""
	for _, n := range all {
		shown += fmt.Sprintf(" #%d", n)
		kept += fmt.Sprintf(" %d", n)
	}
	return "Break-glass that no second person has reviewed:" + shown + "\n\n" + brokenMark + kept + brokenEnd
}

func readBroken(text string) []int {
	_, rest, _ := strings.Cut(text, brokenMark)
	list, _, ok := strings.Cut(rest, brokenEnd)
	if !ok {
		return nil
	}
	var out []int
	for _, word := range strings.Fields(list) {
		if n, err := strconv.Atoi(word); err == nil && n > 0 && len(out) < maxBroken {
			out = append(out, n)
		}
	}
	return out
}

// followUps holds each break-glass to its issue being closed by a second person: one that its
// admin closed is opened again, and one that is gone is opened anew.
func (b *base) followUps(ctx context.Context) error {
	if b.App == 0 || b.DryRun {
		return nil
	}
	var failed error
	var left []int
	for _, number := range b.broken {
		settled, err := b.followed(ctx, number, 0)
		failed = cmp.Or(failed, err)
		if !settled {
			left = append(left, number)
		}
	}
	if b.broken = left; b.signed.ID != 0 && !slices.Equal(readBroken(b.signed.Text), left) {
		failed = cmp.Or(failed, b.sign(ctx, b.signed))
	}
	return cmp.Or(failed, b.labelled(ctx))
}

// labelled looks at the issues about a break-glass that was not followed, since the branch was
// rewritten, or is no longer under policy.
func (b *base) labelled(ctx context.Context) error {
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
		if slices.Contains(b.broken, number) || number == 0 && !b.isDefault {
			continue
		}
		if _, err := b.followed(ctx, number, i.Number); err != nil {
			return err
		}
	}
	return nil
}

// followed looks at the issue about a break-glass, and says whether nothing is left to do. The
// issue is that of the record; without one it is the one given.
func (b *base) followed(ctx context.Context, number, issue int) (settled bool, err error) {
	var memo reconcile.Memo
	var q promotion.PullRequest
	if number != 0 {
		var ok bool
		if q, ok, err = b.Forge.PullRequest(ctx, b.repo, number); err != nil {
			return false, err
		}
		if !ok || q.Base.Ref != b.branch {
			return true, nil // gone, or of another managed branch
		}
		if memo, ok, err = b.memory.Recall(ctx, q.Head.SHA, nil); err != nil {
			return false, err
		}
		if ok && memo.PullRequest != number {
			memo = reconcile.Memo{}
		}
	}
	if memo.FollowUp != 0 {
		issue = memo.FollowUp
	}
	if memo.Reviewed.ID != 0 {
		return true, b.reviewed(ctx, issue)
	}
	if issue == 0 {
		_, err := b.followUp(ctx, q, memo, q.MergeCommit, envsOf(memo), nil)
		return memo.Glass == "", err
	}
	now, ok, err := b.Forge.Issue(ctx, b.repo, issue)
	if err != nil {
		return false, err
	}
	if !ok {
		memo.FollowUp = 0
		_, err := b.followUp(ctx, q, memo, q.MergeCommit, envsOf(memo), nil)
		return memo.Glass == "", err
	}
	if now.Open {
		return false, nil
	}
	by, breaker := now.ClosedBy, memo.Breaker
	if by.ID == 0 || by.Bot || b.isServiceAccount(by) || breaker.ID == 0 || by.ID == breaker.ID {
		_, err = b.Forge.ReopenIssue(ctx, b.repo, issue)
		return false, err
	}
	if err := b.memory.Amend(ctx, q.Head.SHA, func(r *record.Record) { r.FollowUp, r.Reviewed = issue, by }); err != nil {
		return false, err
	}
	return true, b.reviewed(ctx, issue)
}

// reviewed shows people that an issue is settled.
func (b *base) reviewed(ctx context.Context, issue int) error {
	if issue == 0 {
		return nil
	}
	return b.Forge.AddLabels(ctx, b.repo, issue, reviewedLabel)
}

func envsOf(memo reconcile.Memo) []string {
	if memo.Request.Env == "" {
		return nil
	}
	return []string{memo.Request.Env}
}
