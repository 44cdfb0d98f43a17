package promotion

import "time"

// A ReviewState is GitHub's.
type ReviewState string

// The states of https://docs.github.com/en/graphql/reference/enums#pullrequestreviewstate.
const (
	Approved         ReviewState = "APPROVED"
	ChangesRequested ReviewState = "CHANGES_REQUESTED"
	Commented        ReviewState = "COMMENTED"
	Dismissed        ReviewState = "DISMISSED"
	Pending          ReviewState = "PENDING"
)

// A Review of a pull request. GitHub may move Commit after the submission, so that it says
// what was reviewed only to whoever saw it then.
type Review struct {
	ID        int64
	URL       string
	Author    Identity
	State     ReviewState
	Body      string
	Commit    string
	Submitted time.Time // zero while Pending
}

// A Moment is one event of a pull request's timeline, as far as judging needs it.
type Moment struct {
	Event           string // review_dismissed, head_ref_force_pushed, closed, reopened, merged, ...
	At              time.Time
	Actor           Identity
	Commit          string      // of the event, where it has one
	Review          int64       // review_dismissed: which
	Was             ReviewState // review_dismissed: what that review said until then; "" where nobody knows
	DismissalCommit string      // review_dismissed by a push: the head that did it
	Message         string      // review_dismissed: what was said
}
