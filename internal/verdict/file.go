package verdict

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/pinnace-dev/pinnace/internal/command"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// RequestLabel marks the issue that requests are filed in.
const RequestLabel = "pinnace-requests"

// A Counter is where requests of people are filed.
type Counter struct {
	App      int64     // that the configuration names, 0 for none
	Branches []string  // that are managed, the default one first
	Refused  []Refusal // wishes that name what is not there
}

// Counter reads the default branch. It says which of the wishes mean nothing there.
func (j *Judge) Counter(ctx context.Context, wishes []Wish) (Counter, error) {
	repo, ok, err := j.Forge.Repository(ctx, j.Owner, j.Name)
	if err != nil || !ok || repo.Empty {
		return Counter{}, err
	}
	b, err := j.open(ctx, repo, repo.DefaultBranch, nil)
	if err != nil {
		return Counter{}, err
	}
	defer b.close()
	out := Counter{App: b.config.GitHub.AppID, Branches: append([]string{repo.DefaultBranch}, b.config.Branches...)}
	for _, w := range wishes {
		if _, refused := b.whence(w); refused != "" {
			out.Refused = append(out.Refused, Refusal{w, []string{refused}})
		}
	}
	return out, nil
}

// File writes commands as a comment of the request issue, which is opened where there is none.
func (j *Judge) File(ctx context.Context, commands string) (promotion.Comment, promotion.Issue, error) {
	repo, ok, err := j.Forge.Repository(ctx, j.Owner, j.Name)
	if err != nil {
		return promotion.Comment{}, promotion.Issue{}, err
	}
	if !ok {
		return promotion.Comment{}, promotion.Issue{}, fmt.Errorf("repository %s/%s: %w", j.Owner, j.Name, promotion.ErrNotFound)
	}
	all, err := j.Forge.IssuesWithLabel(ctx, repo, RequestLabel)
	if err != nil {
		return promotion.Comment{}, promotion.Issue{}, err
	}
	i := slices.IndexFunc(all, func(i promotion.Issue) bool { return i.Open })
	var issue promotion.Issue
	if i >= 0 {
		issue = all[i]
	} else if issue, err = j.Forge.OpenIssue(ctx, repo, "Requests for Pinnace", "Comments here ask Pinnace for promotions and rollbacks: `/promote shop to prod`, `/rollback shop in prod because of errors`. `pinnace promote` writes them, too.", []string{RequestLabel}); err != nil {
		return promotion.Comment{}, promotion.Issue{}, err
	}
	c, err := j.Forge.Comment(ctx, repo, issue.Number, commands)
	return c, issue, err
}

// A Reply is what the App made of a comment.
type Reply struct {
	Comment promotion.Comment
	Pulls   []ReplyPull
	Refused bool
	Text    string // for people, in Markdown
}

// A ReplyPull is a pull request that an answer names.
type ReplyPull struct {
	promotion.PullRequest
	Action string // opened, updated, or unchanged
}

// Reply returns the App's answer to a comment, false while there is none. It is for people to
// read: that an App wrote it is all that is known of who did.
func (j *Judge) Reply(ctx context.Context, to promotion.Comment) (Reply, bool, error) {
	repo, ok, err := j.Forge.Repository(ctx, j.Owner, j.Name)
	if err != nil || !ok {
		return Reply{}, false, err
	}
	all, err := j.Forge.Comments(ctx, repo, to.Thread)
	if err != nil {
		return Reply{}, false, err
	}
	i := slices.IndexFunc(all, func(c promotion.Comment) bool {
		return c.Author.Bot && c.ID != to.ID && message.ReplyKey(c.Body) == replyTo(to)
	})
	if i < 0 {
		return Reply{}, false, nil
	}
	r := Reply{Comment: all[i]}
	var named []message.Named
	named, r.Refused, r.Text = message.Outcome(all[i].Body)
	for _, n := range named {
		q, ok, err := j.Forge.PullRequest(ctx, repo, n.Number)
		if err != nil {
			return r, false, err
		}
		if ok {
			r.Pulls = append(r.Pulls, ReplyPull{q, n.Action})
		}
	}
	return r, true, nil
}

// replyTo is the key of the answer to a comment.
func replyTo(c promotion.Comment) string { return "comment-" + strconv.FormatInt(c.ID, 10) }

// Command spells a wish as people write it.
func (w Wish) Command() command.Command {
	c := command.Command{Verb: command.Promote, App: w.App, Envs: []string{w.Env}, From: w.From, Image: w.Image, Reason: w.Reason}
	if w.Kind == promotion.Rollback {
		c.Verb, c.To = command.Rollback, w.Digest
	}
	return c
}
