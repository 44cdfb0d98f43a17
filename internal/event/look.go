package event

import "time"

// A Subject is what one worker works on at a time: a repository of an installation, or with
// Repository 0 the installation itself, whose list of repositories is then read anew.
type Subject struct {
	Installation int64
	Repository   int64
}

// A Look is a hint of where something may have changed.
type Look struct {
	Subject
	// Owner and Name are the repository's as the payload has them, "" where it is about no one
	// repository. They are for people; the number says which repository it is.
	Owner, Name string
	// Pull is the pull request to judge first, 0 = none in particular.
	Pull int
	// Everywhere asks for a look at each repository of the installation, as when teams change.
	Everywhere bool
	// Gone says that the subject may be gone: it was deleted, uninstalled or taken off the list.
	Gone bool
	// Image is what was pushed to a registry, "" = nothing; a reference with a tag or a digest.
	Image string
}

// A Delivery is a webhook's delivery, as it is kept.
type Delivery struct {
	// GUID is the same for each attempt to deliver an event: X-GitHub-Delivery.
	GUID          string
	Event, Action string
	Received      time.Time
	Looks         []Look // none where it is about nothing that Pinnace looks at
}

// A Repository is one that an installation sees.
type Repository struct {
	Subject
	Owner, Name string
}

// A Visit is one look of a worker at a repository.
type Visit struct {
	Repository
	// Pulls are to be judged before all else.
	Pulls []int
	// Since is when the oldest event that asked for it came in, zero where none did: a resync.
	Since time.Time
	// Fence returns an error once the visitor may write no more, because another one may have
	// begun; it is asked right before each write.
	Fence func() error
}

// A Visited is what came of a visit.
type Visited struct {
	// Again is when to look once more although nothing happened, as when a freeze ends; zero
	// means at the next resync.
	Again time.Duration
	// Gone says that the repository is no longer there to be looked at.
	Gone bool
	// Writes counts what was changed on GitHub.
	Writes int
}

// An Attempt is one try of GitHub's to deliver a webhook, as its list of deliveries has it.
type Attempt struct {
	ID   int64  // of the attempt: what a redelivery names
	GUID string // of the delivery, the same for each of its attempts
	At   time.Time
	OK   bool // it was answered with 2xx
}
