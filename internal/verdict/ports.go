package verdict

import (
	"context"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// A Forge is GitHub, as far as judging needs it. Each error is of one class of package
// promotion; false with a nil error is the answer that there is no such thing.
type Forge interface {
	reconcile.Forge
	// PullRequest returns one pull request as it is now.
	PullRequest(ctx context.Context, r promotion.Repository, number int) (promotion.PullRequest, bool, error)
	// PullRequestsOfCommit returns those whose merge a commit is, or that hold it.
	PullRequestsOfCommit(ctx context.Context, r promotion.Repository, sha string) ([]promotion.PullRequest, error)
	// MergeBase returns the newest common ancestor of two commits.
	MergeBase(ctx context.Context, r promotion.Repository, base, head string) (string, bool, error)
	// Commits returns who made the commits of a pull request.
	Commits(ctx context.Context, r promotion.Repository, number int) ([]promotion.CommitAuthor, error)
	// Timeline returns what happened to a pull request, the oldest first.
	Timeline(ctx context.Context, r promotion.Repository, number int) ([]promotion.Moment, error)
	// Comments returns what people wrote in a thread, the oldest first.
	Comments(ctx context.Context, r promotion.Repository, number int) ([]promotion.Comment, error)
	// CommentsSince returns the comments of all threads that were written or edited since.
	CommentsSince(ctx context.Context, r promotion.Repository, since time.Time) ([]promotion.Comment, error)
	Comment(ctx context.Context, r promotion.Repository, number int, body string) (promotion.Comment, error)
	// LineComments returns the comments on the lines of a pull request's files.
	LineComments(ctx context.Context, r promotion.Repository, number int) ([]promotion.LineComment, error)
	// ReviewLines writes a review of a head that neither approves nor asks for changes, with
	// comments on lines that the pull request shows; ErrInvalid where it does not show one.
	ReviewLines(ctx context.Context, r promotion.Repository, number int, head, body string, all []promotion.LineComment) error
	// IsMember says whether a person is an active member of a team; known is false where the
	// token may not read that.
	IsMember(ctx context.Context, org, slug string, who promotion.Identity) (member, known bool, err error)
	// Collaborators returns who has a permission in a repository; known is false where the token
	// may not read that.
	Collaborators(ctx context.Context, r promotion.Repository, p promotion.Permission) (all []promotion.Identity, known bool, err error)
	// SuitesCompleted says whether GitHub waits for no check run of an App on a commit.
	SuitesCompleted(ctx context.Context, r promotion.Repository, sha string, app int64) (bool, error)
	// CommitStatuses returns the newest status of each context.
	CommitStatuses(ctx context.Context, r promotion.Repository, sha string) ([]promotion.CommitStatus, error)
	// Deployments returns those of a commit to an environment, the newest first.
	Deployments(ctx context.Context, r promotion.Repository, environment, sha string) ([]promotion.Deployment, error)
	// Merge merges exactly one head, and returns the commit that the base got.
	Merge(ctx context.Context, r promotion.Repository, m promotion.MergeRequest) (string, error)
	// Enqueue puts exactly one head into the merge queue.
	Enqueue(ctx context.Context, node, head string) error
	// Dequeue takes a pull request out of its merge queue.
	Dequeue(ctx context.Context, node string) error
	// QueueGroups returns what the merge queue of a base is about to land.
	QueueGroups(ctx context.Context, r promotion.Repository, base string) ([]promotion.Group, error)
	OpenIssue(ctx context.Context, r promotion.Repository, title, body string, labels []string) (promotion.Issue, error)
	// Issue returns one issue, with who closed it.
	Issue(ctx context.Context, r promotion.Repository, number int) (promotion.Issue, bool, error)
	// IssuesWithLabel returns the open and the closed ones, the newest first.
	IssuesWithLabel(ctx context.Context, r promotion.Repository, label string) ([]promotion.Issue, error)
	ReopenIssue(ctx context.Context, r promotion.Repository, number int) (promotion.Issue, error)
	// Anew makes what is read from now on be asked for after this moment.
	Anew()
}
