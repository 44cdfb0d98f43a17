package promotion

import "time"

// A CheckRun is a verdict on a commit.
type CheckRun struct {
	ID          int64
	Name        string
	SHA         string
	App         int64  // who wrote it; read only
	AppSlug     string // its name in addresses; read only
	Status      string // queued, in_progress, completed
	Conclusion  string // success, failure, neutral, action_required, ...; "" until completed
	ExternalID  string
	DetailsURL  string
	URL         string       // for people; read only
	Title       string       // at most 255 characters
	Summary     string       // Markdown, at most 65,535 bytes
	Text        string       // Markdown, at most 65,535 bytes
	Annotations []Annotation // any number; written 50 a request; not read back
	Actions     []Action     // at most 3
	Started     time.Time
	Completed   time.Time
}

// An Annotation stands on lines of a file.
type Annotation struct {
	Path             string
	Start, End       int    // lines, from 1
	StartCol, EndCol int    // columns on one line, 0 = none
	Level            string // notice, warning, failure
	Title, Message   string // at most 255 characters, 64 KiB
	Details          string // at most 64 KiB
}

// An Action is a button of a check run: at most 20, 40 and 20 characters.
type Action struct{ Label, Description, Identifier string }

// A CommitStatus is the newest state of one context on a commit.
type CommitStatus struct {
	Context, State string // error, failure, pending, success
	Description    string
	TargetURL      string
	Creator        Identity
	At             time.Time
}

// A Deployment is a commit brought to an environment, with its newest status.
type Deployment struct {
	ID          int64
	Environment string
	SHA, Ref    string
	App         int64 // performed_via_github_app
	AppSlug     string
	Creator     Identity
	Created     time.Time
	State       string // success, failure, error, inactive, in_progress, queued, pending; "" = none yet
	StateApp    int64
	StateSlug   string // of StateApp
	StateAt     time.Time
}
