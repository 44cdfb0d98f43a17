package promotion

import "time"

// A State says how a pull request stands.
type State string

// The states. GitHub's own "closed" is Closed or Merged here.
const (
	Open   State = "open"
	Closed State = "closed"
	Merged State = "merged"
)

// A PullRequest as GitHub shows it.
type PullRequest struct {
	Number         int
	NodeID         string
	URL            string
	Title, Body    string
	State          State
	Draft          bool
	Locked         bool
	Author         Identity
	Head, Base     Branch
	Labels         []string
	Created        time.Time
	Updated        time.Time
	Closed         time.Time
	MergedAt       time.Time
	MergedBy       Identity
	MergeCommit    string // of a merged one; GitHub's test merge is never put here
	Mergeable      *bool  // nil while GitHub works it out, and in lists
	MergeableState string // clean, dirty, blocked, behind, unstable, ... ; "" in lists
	Commits        int    // 0 in lists
	ChangedFiles   int    // 0 in lists
	Reviewers      []Identity
	ReviewTeams    []string // slugs
	AutoMerge      bool
}

// A Branch is one side of a pull request. Repository is 0 where the fork was deleted.
type Branch struct {
	Repository int64
	Owner      string
	Ref        string // without refs/heads/
	SHA        string
}

// A Draft is a pull request that is to be opened.
type Draft struct {
	Title, Body string
	Head, Base  string // branches of the same repository
}

// An Amendment changes a pull request; what is nil stays.
type Amendment struct {
	Title, Body *string
	State       *State // Open or Closed
	Base        *string
}

// A Query selects pull requests; what is empty selects all.
type Query struct {
	State State  // Closed selects the merged ones too; "" selects open and closed
	Head  string // a branch of the same repository
	Base  string
}

// A MergeRequest asks to merge exactly one head.
type MergeRequest struct {
	Number         int
	SHA            string // the head that was judged; another one is ErrConflict
	Method         string // merge, squash or rebase
	Title, Message string // of the commit; not used by rebase
}

// A File is one that a pull request changes.
type File struct {
	Path, Previous string
	Status         string // added, removed, modified, renamed, copied, changed, unchanged
	Blob           string
	Patch          string // "" where it is binary or too large
}

// A Comment on a pull request or an issue.
type Comment struct {
	ID               int64
	Thread           int // number of the pull request or issue
	URL              string
	Author           Identity
	Body             string
	Created, Updated time.Time
}

// Edited says whether the text is no longer the one that was submitted.
func (c Comment) Edited() bool { return !c.Updated.Equal(c.Created) }

// A LineComment is one on lines of a file that a pull request changes.
type LineComment struct {
	ID          int64
	Path        string
	Start, Line int    // the first and the last, from 1, in the head that it was written on; Start 0 is the same as Line
	Commit      string // that head
	Author      Identity
	Body        string
}

// An Issue is a thread without a branch.
type Issue struct {
	Number      int
	URL         string
	Title, Body string
	Open        bool
	Author      Identity
	ClosedBy    Identity // zero in lists
	Labels      []string
	Created     time.Time
}
