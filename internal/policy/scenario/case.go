package scenario

import (
	"time"

	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Case is the facts that somebody states, and what is wanted of the judge. What is left
// zero is not stated, and has the default that [Keys] gives.
type Case struct {
	Name string
	File string
	Line int // of its first line in File, 0 where it stands in none

	Env, App string
	Kind     promotion.Kind
	From     string // "registry": direct
	Skipped  []string
	Images   []Image // none: one, with every default
	Bundle   bool    // they were written as a list

	Requester *People
	Auto      bool
	Requested *Time
	Reason    string
	PRLabels  []string
	Authors   []string
	Approvals []Review
	Vetoes    []Review
	People    map[string]Person // by login

	Now   time.Time // that the facts are relative to
	At    time.Time // what-if: that is judged at instead
	Since *time.Duration
	Gates map[string]string

	Current, Exists, Sealed *bool
	Stood, Verified         *bool
	Fork, Cancelled, Draft  bool
	Files                   []string
	Opaque                  []Opaque
	Checks                  map[string]string
	Hold                    *Act
	Deploy                  []Act
	BreakGlass              []Act
	Unknown                 []string

	Want  promotion.Status
	Rules map[string]string // a status, or absent, by promotion.Result.Rule
	Says  []string
	Not   []string

	at map[string]place // of the keys that are written
}

// An Image is what is known of one image. What is nil is not stated.
type Image struct {
	Text, Previous      string // references, or none
	TagNow              string // a digest, or other; "": the image's
	TagStands           bool
	Path, Object        string
	Labels, Annotations map[string]string
	Tags, Platforms     []string
	MoreTags            []string // besides
	Size                *int64
	Created             *Time
	Signatures          []condition.Signature
	Attestations        []condition.Attestation
	Provenance          *condition.Provenance
	NoProvenance        bool
	Commits             map[string]condition.Commit
	Builder             *People

	at place
}

// People are some logins, or unknown.
type People struct {
	Logins  []string
	Unknown bool
}

// A Review is an approval or a change request.
type Review struct {
	By        string
	At        *Time  // nil: an hour ago
	Seal      string // "": the current one; unknown: not on record
	Dismissed string // who dismissed it
}

// A Person is what is known of a login.
type Person struct {
	ID         int64
	Permission string   // "": write
	Teams      []string // nil: every team that a document lists
	Unknown    bool     // of which teams
	Bot        bool
	Service    bool
	Deleted    bool
}

// An Act is something that a person did.
type Act struct {
	By, Reason, Seal string
	At               *Time
	Edited           bool
}

// An Opaque is a change that cannot be read.
type Opaque struct{ Path, What, Missing string }
