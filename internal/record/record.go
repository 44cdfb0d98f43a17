package record

import (
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Record is what Pinnace remembers of one pull request.
type Record struct {
	Repository  int64             `json:"repository"`
	PullRequest int               `json:"pullRequest,omitempty"` // 0 until it is open
	Base        string            `json:"base"`                  // the branch
	Kind        promotion.Kind    `json:"kind"`
	Request     promotion.Request `json:"request"` // zero for kinds that nobody asks for
	// Heads are those that were judged, in the order of their first sight. The newest is last.
	Heads []Head `json:"heads"`
	// Reviews are those that were seen, as they were seen first.
	Reviews []Review `json:"reviews,omitempty"`
	// Next is the head that Pinnace is about to move the branch to. Where that has no record,
	// this one is its.
	Next string `json:"next,omitempty"`
	// Decided is the newest verdict, and Merging says that the branch was about to be merged.
	Decided promotion.Status `json:"decided,omitempty"`
	Merging bool             `json:"merging,omitempty"`
	// Approved are those whose approvals counted, and Policies those that governed, in the
	// newest verdict.
	Approved []promotion.Identity `json:"approved,omitempty"`
	Policies []string             `json:"policies,omitempty"`
	// Judged are hashes of what the newest verdict on a change by hand was about.
	Judged []string `json:"judged,omitempty"`
	// Deployer is who said /deploy, where that counted in the newest verdict.
	Deployer promotion.Identity `json:"deployer,omitzero"`
	// Glass is why the rules were waived by break-glass, and Breaker who did it.
	Glass   string             `json:"glass,omitempty"`
	Breaker promotion.Identity `json:"breaker,omitzero"`
	Waived  []string           `json:"waived,omitempty"` // what the rules said, in short
	// FollowUp is the issue about the break-glass, and Reviewed the second person who closed it.
	FollowUp int                `json:"followUp,omitempty"`
	Reviewed promotion.Identity `json:"reviewed,omitzero"`
	// Refused is the newest attempt to merge, where it came to nothing.
	Refused Refusal `json:"refused,omitzero"`
}

// A Refusal is an attempt to merge that came to nothing. It is not repeated before anything
// has changed.
type Refusal struct {
	Why   string    `json:"why"`            // for people
	Given string    `json:"given"`          // hash of what was known
	Until time.Time `json:"until,omitzero"` // when it is repeated, whatever is known; zero: never
	// Removed is when the merge queue, or somebody, took the pull request out of it.
	Removed time.Time `json:"removed,omitzero"`
}

// A Head is one commit that the pull request had as its head.
type Head struct {
	SHA  string    `json:"sha"`
	Seal string    `json:"seal"`
	At   time.Time `json:"at"` // when it was first seen, or pushed by Pinnace
}

// A Review is one as it was first seen.
type Review struct {
	ID          int64                 `json:"id"`
	By          promotion.Identity    `json:"by"`
	As          promotion.ReviewState `json:"as"`
	Commit      string                `json:"commit"` // that it was submitted on
	Submitted   time.Time             `json:"submitted"`
	HadStanding string                `json:"hadStanding,omitempty"` // yes, no, or "" where nobody knew
}
