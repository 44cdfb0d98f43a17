package fleet

import (
	"context"
	"log/slog"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A desk is where the reports of one repository are written.
type desk struct {
	*github.Client
	repo promotion.Repository
	self promotion.Self
	// observed says that its configuration lets Pinnace report to the operator only.
	observed bool
}

// desk returns that of a repository as it is now.
func (f *Fleet) desk(ctx context.Context, s event.Subject, writes bool) (desk, error) {
	i, err := f.installation(ctx, s.Installation)
	if err != nil {
		return desk{}, err
	}
	self, _, err := f.identity(ctx, i.client)
	if err != nil {
		return desk{}, err
	}
	repo, ok, err := i.client.RepositoryByID(ctx, s.Repository)
	if err == nil && !ok {
		err = errGone
	}
	if err != nil || !writes {
		return desk{i.client, repo, self, false}, err
	}
	data, ok, err := i.client.File(ctx, repo, ".pinnace/config.yaml", "")
	if err != nil {
		return desk{}, err
	}
	c, problems := config.Parse(".pinnace/config.yaml", data)
	return desk{i.client, repo, self, !ok || problems.HasErrors() || c.Mode == config.ModeObserve}, nil
}

// IssuesWithLabel returns the open and the closed ones that the App opened, the newest first.
func (f *Fleet) IssuesWithLabel(ctx context.Context, s event.Subject, label string) ([]promotion.Issue, error) {
	d, err := f.desk(ctx, s, false)
	if err != nil {
		return nil, err
	}
	all, err := d.Client.IssuesWithLabel(ctx, d.repo, label)
	return slices.DeleteFunc(all, func(i promotion.Issue) bool { return i.Author.ID != d.self.Bot.ID }), err
}

// OpenIssue opens an issue. A repository that is only observed gets a line of the log instead;
// so it is with the others.
func (f *Fleet) OpenIssue(ctx context.Context, s event.Subject, title, body string, labels []string) (promotion.Issue, error) {
	d, err := f.desk(ctx, s, true)
	if err != nil || d.observed {
		return promotion.Issue{}, f.withheld(ctx, s, d, title, err)
	}
	return d.Client.OpenIssue(ctx, d.repo, title, body, labels)
}

// EditIssue replaces the text of an issue.
func (f *Fleet) EditIssue(ctx context.Context, s event.Subject, number int, body string) (promotion.Issue, error) {
	d, err := f.desk(ctx, s, true)
	if err != nil || d.observed {
		return promotion.Issue{}, f.withheld(ctx, s, d, "a change of the issue", err)
	}
	return d.Client.EditIssue(ctx, d.repo, number, body)
}

// CloseIssue closes an issue.
func (f *Fleet) CloseIssue(ctx context.Context, s event.Subject, number int) (promotion.Issue, error) {
	d, err := f.desk(ctx, s, true)
	if err != nil || d.observed {
		return promotion.Issue{}, f.withheld(ctx, s, d, "the issue's end", err)
	}
	return d.Client.CloseIssue(ctx, d.repo, number)
}

// ReopenIssue opens a closed issue again.
func (f *Fleet) ReopenIssue(ctx context.Context, s event.Subject, number int) (promotion.Issue, error) {
	d, err := f.desk(ctx, s, true)
	if err != nil || d.observed {
		return promotion.Issue{}, f.withheld(ctx, s, d, "the issue once more", err)
	}
	return d.Client.ReopenIssue(ctx, d.repo, number)
}

// withheld tells what is not written where Pinnace only observes.
func (f *Fleet) withheld(ctx context.Context, s event.Subject, d desk, what string, err error) error {
	if err == nil {
		f.o.Log.WarnContext(ctx, "would report, but for mode: observe", slog.Int64("installation", s.Installation), slog.Int64("repository", s.Repository), slog.String("repo", d.repo.FullName()), slog.String("reason", what))
	}
	return err
}
