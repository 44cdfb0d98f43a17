package reconcile

import (
	"context"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Forge is GitHub, as far as proposing needs it. Each error is of one class of package
// promotion; false with a nil error is the answer that there is no such thing.
type Forge interface {
	Checks
	// Repository returns a repository under the name that it has now.
	Repository(ctx context.Context, owner, name string) (promotion.Repository, bool, error)
	// BranchRules returns what a branch demands of those who write to it.
	BranchRules(ctx context.Context, r promotion.Repository, branch string) (promotion.Rules, error)
	// PullRequests returns all that the query selects, the newest first.
	PullRequests(ctx context.Context, r promotion.Repository, q promotion.Query) ([]promotion.PullRequest, error)
	// OpenPullRequest fails where one is open between the same branches.
	OpenPullRequest(ctx context.Context, r promotion.Repository, d promotion.Draft) (promotion.PullRequest, error)
	// AmendPullRequest makes all of the changes or none.
	AmendPullRequest(ctx context.Context, r promotion.Repository, number int, a promotion.Amendment) (promotion.PullRequest, error)
	// AddLabels adds what is not there; labels that do not exist come to be.
	AddLabels(ctx context.Context, r promotion.Repository, number int, labels ...string) error
	// RequestReviewers asks people, and teams of the repository's organisation, for a review.
	RequestReviewers(ctx context.Context, r promotion.Repository, number int, users, teams []string) error
	// Reviews returns the reviews of a pull request in order of submission.
	Reviews(ctx context.Context, r promotion.Repository, number int) ([]promotion.Review, error)
	// Permission returns what an account may do in a repository now.
	Permission(ctx context.Context, r promotion.Repository, who promotion.Identity) (promotion.Permission, error)
	// Contains says whether a commit is in the history of another.
	Contains(ctx context.Context, r promotion.Repository, tip, commit string) (bool, error)
	// CommitMessage returns the message of a commit.
	CommitMessage(ctx context.Context, r promotion.Repository, sha string) (string, bool, error)
	// CreateTreeCommit makes a commit that no branch names yet, signed by GitHub.
	CreateTreeCommit(ctx context.Context, r promotion.Repository, c promotion.TreeCommit) (commit, tree string, err error)
}

// Registries are asked for all that is to be known of images.
type Registries interface {
	Resolver
	Facts
	Close()
}

// Facts asks registries for more than digests. Errors are those of Resolver.
type Facts interface {
	// Tags returns every tag of the reference's repository.
	Tags(ctx context.Context, r image.Ref) ([]string, error)
	// Facts returns what an image says of itself; what it does not say is zero.
	Facts(ctx context.Context, r image.Ref) (image.Facts, error)
}
