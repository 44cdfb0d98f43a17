package approval

import (
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// DefaultTTL is how long an approval lasts where a need does not say.
const DefaultTTL = 7 * 24 * time.Hour

// MaxCount is the highest number of approvals that a policy may ask.
const MaxCount = 6

// An Input holds all facts.
type Input struct {
	Needs     []Need
	Approvers []Role // of needs without their own: the promoter role and, since it implies that, the admin role

	PullRequest int
	Draft       bool
	Seal        string    // of the head that is judged
	SealedAt    time.Time // when this seal was first on record; zero: it is not, so nothing counts

	Reviews []Review
	Moments []promotion.Moment // of the timeline; only review_dismissed is read
	Heads   map[string]string  // the seal of each head that is ours, by commit
	People  map[int64]Person   // authors of reviews and who dismissed some; of who is missing nothing is known

	// Who asked, who built the images, and who wrote commits that are not ours. A zero or
	// deleted identity makes the rest of its list unknown, and so do requesters that are
	// all machines. Nobody at all, and not unknown, means that nobody asked.
	Requesters, Builders, Authors                   []promotion.Identity
	RequesterUnknown, BuilderUnknown, AuthorUnknown bool

	Now time.Time
}

// A Need is what one policy asks.
type Need struct {
	Policy           string // its name
	File             string // where it stands
	Line             int
	Count            int // 0 to 6 approvals
	AllowRequester   bool
	AllowBuilder     bool
	Approvers        []Role        // one of which an approver holds; nil = Input.Approvers
	TTL              time.Duration // of an approval; 0 = DefaultTTL
	UnknownRequester Unknowns      // also of unknown authors of foreign commits
	UnknownBuilder   Unknowns
}

// Unknowns says what a need makes of somebody who is unknown.
type Unknowns string

// The ways.
const (
	Deny   Unknowns = "deny" // the default: anybody might be that person, so nobody approves
	Ignore Unknowns = "ignore"
)

// A Role is held by who has the permission and, when any is listed, is one of the users
// or in one of the teams.
type Role struct {
	Permission promotion.Permission // "" = write
	Users      []User
	Teams      []string // organisation/slug
}

// A User is an account by number; without one, by login.
type User struct {
	Login string
	ID    int64
}

// A Review is one of GitHub, with what is on record of its submission.
type Review struct {
	promotion.Review // as it is now, so that its state may be Dismissed

	As              promotion.ReviewState // as it was submitted; "" = not on record
	PullRequest     int
	SubmittedCommit string // the head it was submitted on; "" = not on record
	SealAt          string // the seal of that head; "" = not on record
	HadStanding     Answer // whether its author had write or an approver's role then
}

// A Person is what is known of an account.
type Person struct {
	Permission     promotion.Permission // "" = unknown
	Teams          map[string]Answer    // active membership, by organisation/slug in lower case; a missing team is unknown
	Bot            bool                 // an App's account
	ServiceAccount bool                 // a machine user of the configuration
	Ghost          bool                 // deleted
}

// An Answer may be that nobody knows.
type Answer int8

// The answers.
const (
	Unknown Answer = iota
	Yes
	No
)

// and is Kleene's.
func (a Answer) and(b Answer) Answer {
	switch {
	case a == No || b == No:
		return No
	case a == Yes && b == Yes:
		return Yes
	}
	return Unknown
}

// or is Kleene's.
func (a Answer) or(b Answer) Answer {
	switch {
	case a == Yes || b == Yes:
		return Yes
	case a == No && b == No:
		return No
	}
	return Unknown
}
