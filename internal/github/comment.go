package github

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

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
		one := comment(w)
		one.Thread = number
		all = append(all, one)
	}
	return c.mine.commentsOf(repo, number, all), nil
}

// CommentsSince returns the comments of every pull request and issue that were written or
// edited at a time or later, the oldest change first
// (https://docs.github.com/en/rest/issues/comments#list-issue-comments-for-a-repository).
// Times are in whole seconds, so that since should be one that was seen, not the one after
// it. More than 10,000 are promotion.ErrInvalid.
//
// Pages are asked for by time, not by number: a comment that is edited meanwhile moves to the
// end, and would pull another one past the boundary of a numbered page.
func (c *Client) CommentsSince(ctx context.Context, repo promotion.Repository, since time.Time) ([]promotion.Comment, error) {
	q := call{op: "list the new comments of " + repo.FullName(), path: in(repo).add("/issues/comments"), need: "issues=read or pull_requests=read"}
	var all []promotion.Comment
	at := map[int64]int{}
	from := since.UTC().Truncate(time.Second)
	// GitHub's "after" may leave the second itself out. Asked from the beginning of the day, the
	// address is the same the whole day, and the answer 304 where nothing was said.
	cursor := from.Add(-time.Second).Truncate(24 * time.Hour)
	for left := maxPages; left > 0; {
		q.query, q.pages = url.Values{"sort": {"updated"}, "direction": {"asc"}}, left
		if !since.IsZero() || len(all) > 0 {
			q.query.Set("since", cursor.Format(time.RFC3339))
		}
		again := false
		err := c.pages(ctx, q, func(a answer) (bool, error) {
			left--
			var page []*gh.IssueComment
			if err := decode(q.op, a, &page); err != nil {
				return false, err
			}
			newest := cursor
			for _, w := range page {
				one := comment(w)
				if one.Thread == 0 || one.ID == 0 {
					return false, malformed(q.op)
				}
				if one.Updated.After(newest) {
					newest = one.Updated
				}
				if i, seen := at[one.ID]; seen {
					all[i] = one
				} else if !one.Updated.Before(from) {
					at[one.ID] = len(all)
					all = append(all, one)
				}
			}
			if next := newest.Add(-time.Second); nextPage(a.header.Get("Link")) != "" && next.After(cursor) {
				cursor, again = next, true
				return false, nil
			}
			return true, nil
		})
		if err != nil {
			return nil, err
		}
		if !again {
			all = slices.DeleteFunc(c.mine.commentsOf(repo, 0, all), func(one promotion.Comment) bool { return one.Updated.Before(from) })
			slices.SortStableFunc(all, func(a, b promotion.Comment) int {
				return cmp.Or(a.Updated.Compare(b.Updated), cmp.Compare(a.ID, b.ID))
			})
			return all, nil
		}
	}
	return nil, tooManyPages(q.op, maxPages)
}

// Comment adds a comment, of at most 65,536 characters.
func (c *Client) Comment(ctx context.Context, repo promotion.Repository, number int, body string) (promotion.Comment, error) {
	return c.comment(ctx, repo, call{op: threadOp("comment on", repo, number), method: http.MethodPost, path: threadPath(repo, number).add("/comments")}, body)
}

// EditComment replaces the text of a comment.
func (c *Client) EditComment(ctx context.Context, repo promotion.Repository, id int64, body string) (promotion.Comment, error) {
	return c.comment(ctx, repo, call{op: "edit a comment in " + repo.FullName(), method: http.MethodPatch, path: in(repo).add("/issues/comments").number(id)}, body)
}

func (c *Client) comment(ctx context.Context, repo promotion.Repository, q call, body string) (promotion.Comment, error) {
	q.body, q.need = map[string]any{"body": body}, "pull_requests=write or issues=write"
	var w gh.IssueComment
	if err := c.write(ctx, q, &w); err != nil {
		return promotion.Comment{}, err
	}
	one := comment(&w)
	c.mine.wroteComment(repo, one, q.method == http.MethodPost)
	return one, nil
}

func comment(w *gh.IssueComment) promotion.Comment {
	thread, err := strconv.Atoi(w.GetIssueURL()[strings.LastIndex(w.GetIssueURL(), "/")+1:])
	if err != nil || thread < 0 {
		thread = 0
	}
	return promotion.Comment{
		ID: w.GetID(), Thread: thread, URL: w.GetHTMLURL(), Author: identity(w.GetUser()), Body: w.GetBody(),
		Created: w.GetCreatedAt().Time, Updated: w.GetUpdatedAt().Time,
	}
}
