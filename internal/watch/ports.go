package watch

import (
	"context"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Registry answers as registries are now. An error that is [image.ErrUnknown] says that there
// is no such thing, [image.ErrTransient] that the host failed, and a [Limited] that it wants no
// more requests; any other is about the one reference.
type Registry interface {
	// Resolve returns what a tag means.
	Resolve(ctx context.Context, r image.Ref) (image.Resolution, error)
	// Index returns what a tag means by the bytes that it names, whatever a header says.
	Index(ctx context.Context, r image.Ref) (image.Resolution, error)
	// Stat returns an error unless a digest is there.
	Stat(ctx context.Context, r image.Ref) (image.Resolution, error)
	// Tags returns all tags of a repository, sorted.
	Tags(ctx context.Context, r image.Ref) ([]string, error)
}

// Limited is an error that says until when a host wants no more requests.
type Limited interface {
	error
	Resumes() time.Time
}

// A Ledger keeps what is watched. Every method is atomic, and safe for several replicas.
type Ledger interface {
	// Stand replaces what stands in a repository, and returns false without a write where Print
	// is the one that was given last. What nothing names any more is no longer due, but stays
	// known.
	Stand(ctx context.Context, s event.Standing, now time.Time) (changed bool, err error)
	// Forget drops a repository, or with Repository 0 all that an installation has.
	Forget(ctx context.Context, s event.Subject, now time.Time) error
	// Hint makes things due before all others, for every installation that watches them, but
	// nothing earlier than a gap after it was asked for.
	Hint(ctx context.Context, things []event.Watched, now time.Time, gap time.Duration) error

	// Hosts returns the hosts of which something is due, in order.
	Hosts(ctx context.Context, now time.Time) ([]string, error)
	// Due returns at most so many things of a host that are due: of each installation its share,
	// the most overdue first, and what one does not need goes to the others.
	Due(ctx context.Context, host string, now time.Time, most int) ([]event.Watched, error)
	// Saw keeps what was seen: a sight only where Seen is still what it was, the time that it is
	// due only where nobody changed that meanwhile. A move goes to the tag's history, the digest
	// that a tag is seen to mean for the first time counts as seen itself, and the reports of the
	// sight's Reports are due.
	Saw(ctx context.Context, all []event.Sight) error
	// Where returns the repositories, in order, in which a tag stands or, with tag "", a rule
	// follows the tags of a name. They begin behind the one given.
	Where(ctx context.Context, installation int64, name, tag string, after int64, most int) ([]int64, error)
	// Pinned returns the repositories in which a tag stands with a digest, at most so many.
	Pinned(ctx context.Context, installation int64, name, tag, digest string, most int) ([]int64, error)
	// Vanished counts the digests that stand somewhere, were seen once, and then gaps times in a
	// row were not there.
	Vanished(ctx context.Context, gaps int) (int, error)
	// Upkeep drops what nothing names since a time, and makes due what is due later than
	// latest: the clock was wrong once.
	Upkeep(ctx context.Context, before, now, latest time.Time) error

	// Reports returns at most so many that are due.
	Reports(ctx context.Context, now time.Time, most int) ([]event.Report, error)
	// Findings returns what is known of the images that stand with a digest in a repository.
	Findings(ctx context.Context, s event.Subject) ([]event.Finding, error)
	// Reported keeps a report: the time that it is due only where that is still what it was. Nothing
	// happens where its repository is no longer known.
	Reported(ctx context.Context, r event.Report, was time.Time) error
}

// A Reporter writes issues in a config repository. Errors are of promotion's classes.
type Reporter interface {
	// IssuesWithLabel returns the open and the closed ones that our own account opened, the
	// newest first.
	IssuesWithLabel(ctx context.Context, s event.Subject, label string) ([]promotion.Issue, error)
	OpenIssue(ctx context.Context, s event.Subject, title, body string, labels []string) (promotion.Issue, error)
	EditIssue(ctx context.Context, s event.Subject, number int, body string) (promotion.Issue, error)
	CloseIssue(ctx context.Context, s event.Subject, number int) (promotion.Issue, error)
	ReopenIssue(ctx context.Context, s event.Subject, number int) (promotion.Issue, error)
}

// An Observer counts.
type Observer interface {
	// TagMoved: a tag means another digest than before.
	TagMoved()
	// Alert: tag_moved or digest_vanished.
	Alert(kind string)
	// Vanished is how many pinned digests are gone from their registries.
	Vanished(n int)
}
