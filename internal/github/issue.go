package github

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// OpenIssue opens an issue.
func (c *Client) OpenIssue(ctx context.Context, repo promotion.Repository, title, body string, labels []string) (promotion.Issue, error) {
	q := call{
		op: "open an issue in " + repo.FullName(), method: http.MethodPost, path: in(repo).add("/issues"), need: "issues=write",
		body: map[string]any{"title": title, "body": body, "labels": orEmpty(labels)},
	}
	for _, l := range labels {
		if why := labelFault(l); why != "" {
			return promotion.Issue{}, invalid(q.op, "label %q %s", cut(l, 60), why)
		}
	}
	i, err := c.changeIssue(ctx, q)
	if err == nil {
		c.mine.wroteIssue(repo, i)
	}
	return i, err
}

// EditIssue replaces the text of an issue.
func (c *Client) EditIssue(ctx context.Context, repo promotion.Repository, number int, body string) (promotion.Issue, error) {
	return c.changeIssue(ctx, call{
		op: threadOp("edit issue", repo, number), method: http.MethodPatch, path: threadPath(repo, number), need: "issues=write", body: map[string]any{"body": body},
	})
}

// CloseIssue closes an issue as completed.
func (c *Client) CloseIssue(ctx context.Context, repo promotion.Repository, number int) (promotion.Issue, error) {
	return c.changeIssue(ctx, call{
		op: threadOp("close issue", repo, number), method: http.MethodPatch, path: threadPath(repo, number), need: "issues=write", body: map[string]any{"state": "closed"},
	})
}

// ReopenIssue opens a closed issue again.
func (c *Client) ReopenIssue(ctx context.Context, repo promotion.Repository, number int) (promotion.Issue, error) {
	return c.changeIssue(ctx, call{
		op: threadOp("reopen issue", repo, number), method: http.MethodPatch, path: threadPath(repo, number), need: "issues=write", body: map[string]any{"state": "open"},
	})
}

func (c *Client) changeIssue(ctx context.Context, q call) (promotion.Issue, error) {
	var w gh.Issue
	if err := c.write(ctx, q, &w); err != nil {
		return promotion.Issue{}, err
	}
	return issue(&w), nil
}

// Issue returns one issue. ok is false for a pull request, and for an issue that was deleted
// or transferred to another repository.
func (c *Client) Issue(ctx context.Context, repo promotion.Repository, number int) (promotion.Issue, bool, error) {
	var w gh.Issue
	_, err := c.read(ctx, call{op: threadOp("read issue", repo, number), path: threadPath(repo, number), need: "issues=read"}, &w)
	if ok, err := found(err); !ok {
		return promotion.Issue{}, false, err
	}
	if w.GetNumber() != number || w.IsPullRequest() {
		return promotion.Issue{}, false, nil
	}
	return issue(&w), true, nil
}

// IssuesWithLabel returns the open and closed issues that bear a label, newest first.
func (c *Client) IssuesWithLabel(ctx context.Context, repo promotion.Repository, label string) ([]promotion.Issue, error) {
	op := "list the issues of " + repo.FullName() + " with label " + clean(label, "")
	if why := labelFault(label); why != "" || strings.Contains(label, ",") {
		return nil, invalid(op, "label %q cannot be searched for: %s", cut(label, 60), why)
	}
	wire, err := collect[*gh.Issue](ctx, c, call{
		op: op, path: in(repo).add("/issues"), need: "issues=read",
		query: url.Values{"labels": {label}, "state": {"all"}, "sort": {"created"}, "direction": {"desc"}},
	})
	if err != nil {
		return nil, err
	}
	var all []promotion.Issue
	for _, w := range wire {
		if w != nil && !w.IsPullRequest() {
			all = append(all, issue(w))
		}
	}
	for _, i := range c.mine.missingIssues(repo, label, all) {
		now, ok, err := c.Issue(ctx, repo, i.Number)
		if err != nil {
			return nil, err
		}
		if ok {
			i = now
		}
		all = slices.Insert(all, 0, i)
	}
	return all, nil
}

func issue(w *gh.Issue) promotion.Issue {
	i := promotion.Issue{
		Number: w.GetNumber(), URL: w.GetHTMLURL(), Title: w.GetTitle(), Body: w.GetBody(), Open: w.GetState() == "open",
		Author: identity(w.GetUser()), ClosedBy: someone(w.GetClosedBy()), Created: w.GetCreatedAt().Time,
	}
	for _, l := range w.Labels {
		i.Labels = append(i.Labels, l.GetName())
	}
	return i
}
