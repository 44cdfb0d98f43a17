package event

import "time"

// Stands is an image that files of a repository name, as its base branch has them.
type Stands struct {
	// Name is canonical and whole: docker.io/library/nginx.
	Name string
	// Tag and Digest are what is written; with neither, the tag latest is meant.
	Tag, Digest string
	// Tracked says that a rule chooses among all tags of Name.
	Tracked bool
	// Place is the first place where it stands, such as path:line, and More counts the others.
	Place string
	More  int
}

// A Standing is what stands in a repository, and what is watched because of that.
type Standing struct {
	Subject
	Print   string // the same for the same Images
	Images  []Stands
	Watched []Watched // as they begin, where they are new
	Report  time.Time // when the first report is due, where the repository is new
}

// A Watched is one thing that is asked for at registries on behalf of an installation: with a
// Tag what that means, with a Digest whether it is still there, with neither which tags Name
// has.
type Watched struct {
	Installation int64
	Host         string // of the registry: docker.io
	Name         string
	Tag          string
	Digest       string

	// Seen is what it was last seen to be: of a tag the digest, of a digest itself, of a name a
	// hash of its tags. "" says that it was never seen.
	Seen        string
	First, Last time.Time // when it was first and last seen to be that
	// Gone is since when the registry says that there is no such thing, zero where it does not,
	// and Gaps how often it said so.
	Gone     time.Time
	Gaps     int
	Failures int       // looks in a row that did not find it, for whatever reason
	Asked    time.Time // when it was asked for last, zero: never
	Due      time.Time
}

// A Sight is what one look at a Watched found: Now is the thing as it is kept from now on. Was,
// Gaps and Due are what Seen, Gaps and Due were before the look. Reports are the repositories
// that are to be reported on because of it.
type Sight struct {
	Now     Watched
	Was     string
	Gaps    int
	Due     time.Time
	Reports []int64
}

// Moved says whether a tag was seen to mean something else than before.
func (s Sight) Moved() bool { return s.Now.Tag != "" && s.Was != "" && s.Was != s.Now.Seen }

// A Finding is what is known of an image that stands in a repository with a digest.
type Finding struct {
	Stands
	Meant    string    // what its tag means, "" where that was never seen
	Moved    time.Time // when its tag was seen to leave its digest for another, zero: never
	Digested time.Time // when its digest was last seen, zero: never
	Gone     time.Time // since when its digest is not there, zero: it is, or nobody knows
	Gaps     int       // looks in a row that did not find its digest
	Unasked  bool      // its tag or its digest is still to be asked for the first time
}

// A Report says which text was last written about a repository's images.
type Report struct {
	Subject
	Text    string    // its fingerprint, "" where nobody knows
	Written time.Time // when, zero: never
	Due     time.Time // when to look again
}
