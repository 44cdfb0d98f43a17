package guard

import (
	"time"

	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// ApproveCommand begins the comment by which an admin passes a change of their own. The
// whole SHA of the head follows it.
const ApproveCommand = "/approve-config"

// Lifetime is how long an approval, or a comment, of a change to the rules counts.
const Lifetime = approval.DefaultTTL

// An Input holds all facts of one pull request.
type Input struct {
	Touched []string // changed paths that Touches names; none: there is nothing to guard
	Images  bool     // it changes an image of an environment, too

	Base, Head *rulebook.Rulebook // the documents at the base's tip and of the head, on the same floor; nil where they could not be read
	HasConfig  bool               // the tip has a Config
	HeadSHA    string             // the whole of it

	PullRequest    int
	Author         promotion.Identity   // who opened it
	Writers        []promotion.Identity // authors and committers of its commits
	WritersUnknown bool                 // a commit is of somebody whom GitHub does not know
	Fork           bool                 // its head is of another repository

	Reviews  []approval.Review // only those submitted on HeadSHA can count; their seals are not read
	Moments  []promotion.Moment
	Comments []Comment
	People   map[int64]approval.Person // authors of reviews and comments; of who is missing nothing is known
	Since    time.Time                 // when the pull request came to this base; what was said before was said of another difference

	Admins      int // how many people hold the role admin by the tip
	AdminsKnown bool

	Now time.Time
}

// A Comment is one that begins with [ApproveCommand].
type Comment struct {
	By     promotion.Identity
	At     time.Time
	Edited bool
	SHA    string // as written
}
