package fleet

import (
	"context"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// at returns the client of an installation, and one of its repositories as it is now.
func (f *Fleet) at(ctx context.Context, s event.Subject) (*github.Client, promotion.Repository, promotion.Self, error) {
	var repo promotion.Repository
	i, err := f.installation(ctx, s.Installation)
	if err != nil {
		return nil, repo, promotion.Self{}, err
	}
	self, _, err := f.identity(ctx, i.client)
	if err != nil {
		return nil, repo, self, err
	}
	repo, ok, err := i.client.RepositoryByID(ctx, s.Repository)
	if err == nil && !ok {
		err = errGone
	}
	return i.client, repo, self, err
}

// IssuesWithLabel returns the open and the closed ones that the App opened, the newest first.
func (f *Fleet) IssuesWithLabel(ctx context.Context, s event.Subject, label string) ([]promotion.Issue, error) {
	c, repo, self, err := f.at(ctx, s)
	if err != nil {
		return nil, err
	}
	all, err := c.IssuesWithLabel(ctx, repo, label)
	return slices.DeleteFunc(all, func(i promotion.Issue) bool { return i.Author.ID != self.Bot.ID }), err
}

// OpenIssue opens an issue.
func (f *Fleet) OpenIssue(ctx context.Context, s event.Subject, title, body string, labels []string) (promotion.Issue, error) {
	c, repo, _, err := f.at(ctx, s)
	if err != nil {
		return promotion.Issue{}, err
	}
	return c.OpenIssue(ctx, repo, title, body, labels)
}

// EditIssue replaces the text of an issue.
func (f *Fleet) EditIssue(ctx context.Context, s event.Subject, number int, body string) (promotion.Issue, error) {
	c, repo, _, err := f.at(ctx, s)
	if err != nil {
		return promotion.Issue{}, err
	}
	return c.EditIssue(ctx, repo, number, body)
}

// CloseIssue closes an issue.
func (f *Fleet) CloseIssue(ctx context.Context, s event.Subject, number int) (promotion.Issue, error) {
	c, repo, _, err := f.at(ctx, s)
	if err != nil {
		return promotion.Issue{}, err
	}
	return c.CloseIssue(ctx, repo, number)
}

// ReopenIssue opens a closed issue again.
func (f *Fleet) ReopenIssue(ctx context.Context, s event.Subject, number int) (promotion.Issue, error) {
	c, repo, _, err := f.at(ctx, s)
	if err != nil {
		return promotion.Issue{}, err
	}
	return c.ReopenIssue(ctx, repo, number)
}
