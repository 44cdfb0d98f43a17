package github

import (
	"context"
	"fmt"
	"net/http"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// threadPath is the path of an issue; a pull request is one, too.
func threadPath(repo promotion.Repository, number int) path {
	return in(repo).add("/issues").number(int64(number))
}

func threadOp(verb string, repo promotion.Repository, number int) string {
	return fmt.Sprintf("%s %s#%d", verb, repo.FullName(), number)
}

// Comments returns the comments of a pull request or issue, oldest first; those on lines of
// the diff are not among them.
func (c *Client) Comments(ctx context.Context, repo promotion.Repository, number int) ([]promotion.Comment, error) {
	wire, err := collect[*gh.IssueComment](ctx, c, call{op: threadOp("list the comments of", repo, number), path: threadPath(repo, number).add("/comments"), need: "pull_requests=read or issues=read"})
	if err != nil {
		return nil, err
	}
	all := make([]promotion.Comment, 0, len(wire))
	for _, w := range wire {
		all = append(all, comment(w))
	}
	return all, nil
}

// Comment adds a comment, of at most 65,536 characters.
func (c *Client) Comment(ctx context.Context, repo promotion.Repository, number int, body string) (promotion.Comment, error) {
	return c.comment(ctx, call{op: threadOp("comment on", repo, number), method: http.MethodPost, path: threadPath(repo, number).add("/comments")}, body)
}

// EditComment replaces the text of a comment.
func (c *Client) EditComment(ctx context.Context, repo promotion.Repository, id int64, body string) (promotion.Comment, error) {
	return c.comment(ctx, call{op: "edit a comment in " + repo.FullName(), method: http.MethodPatch, path: in(repo).add("/issues/comments").number(id)}, body)
}

func (c *Client) comment(ctx context.Context, q call, body string) (promotion.Comment, error) {
	q.body, q.need = map[string]any{"body": body}, "pull_requests=write or issues=write"
	var w gh.IssueComment
	if err := c.write(ctx, q, &w); err != nil {
		return promotion.Comment{}, err
	}
	return comment(&w), nil
}

func comment(w *gh.IssueComment) promotion.Comment {
	return promotion.Comment{
		ID: w.GetID(), URL: w.GetHTMLURL(), Author: identity(w.GetUser()), Body: w.GetBody(),
		Created: w.GetCreatedAt().Time, Updated: w.GetUpdatedAt().Time,
	}
}
