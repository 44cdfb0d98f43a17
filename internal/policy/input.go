package policy

import (
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// An Answer is yes, no, or that nobody knows, which is the zero value.
type Answer = approval.Answer

// A Fact is a value, or that nobody knows it, which is the zero value.
type Fact[T any] = condition.Fact[T]

// Known returns a fact.
func Known[T any](v T) Fact[T] { return condition.Known(v) }

// Is returns the answer for what is known.
func Is(yes bool) Answer {
	if yes {
		return approval.Yes
	}
	return approval.No
}

// An Input holds every fact that a decision on one environment depends on. What is left
// zero is unknown, not false. A change of several environments is one Input for each, and
// [Together] joins the decisions.
type Input struct {
	Now   time.Time
	Set   *Set       // joined with the floor; nil where the documents have an error
	Floor FloorState // of the organisation

	Kind      promotion.Kind
	Env       string   // "": files of no environment, which only pins and people change
	Changes   []Change // images, in this environment; none where nothing is to be judged
	Opaque    []Opaque
	Checks    Checks
	Seal      Seal
	Draft     bool
	Fork      bool // the head is in another repository, where others push
	Cancelled bool // somebody took the request back
	Request   Request
	Rollback  RollbackFacts
	Soak      time.Duration // that the environment asks of the one before
	Sources   []Source      // the environments that images come from, for each app
	Target    map[string]condition.Place
	Hold      *Hold // of the app here, by a rollback
	Deploy    Deploy
	Emergency []BreakGlass

	Repository    string // OWNER/NAME, for the commands that results name; "" where it is unknown
	PullRequest   int
	Reviews       []approval.Review
	Moments       []promotion.Moment        // of the timeline
	Heads         map[string]string         // the seal of each head that is ours, by commit
	People        map[int64]approval.Person // who is missing is unknown
	Authors       []promotion.Identity      // of commits that are not ours
	AuthorUnknown bool
	Members       map[condition.Membership]bool // what conditions ask by isMember
}

// A FloorState says what is known of the organisation's documents.
type FloorState int

// The states.
const (
	FloorUnknown FloorState = iota // it is listed or was read once, and cannot be read now
	FloorNone                      // there is none
	FloorRead                      // it is joined into the Set
)

// A Change is one image at one place. An addition has no Old.Name, a removal no New.Name.
type Change struct {
	promotion.Change
	OldApp, NewApp string
	Beside         []string        // apps in the same object or kustomization
	Image          condition.Image // what is known of New; Ref and Previous are filled in
	Commits        Fact[map[string]condition.Commit]
	Exists         Answer             // New's digest is in its registry
	Stands         Fact[[]string]     // environments where New's digest of the repository stands now, and no other
	TagNow         Fact[image.Digest] // by hand: the digest that New's tag means now
	TagStands      Answer             // by hand: that very tag and digest of New stand together in one of Stands
}

// Removal reports whether the change takes an image away.
func (c Change) Removal() bool { return c.New.Name == "" }

// An Opaque change is one from which images can come, but which cannot be read.
type Opaque struct {
	Path, What string   // "a JSON patch", "a remote resource"
	Line       int      // 0 for none
	Apps       []string // in the same object or kustomization
	Missing    string   // a local path that a kustomization names and that is not there
}

// Checks are the other verdicts on the head. Pins matters in a locked environment only.
type Checks struct {
	Config, Pins Answer
	ConfigWaits  bool // Config is not green yet, and somebody may make it so
}

// A Seal is what the head is held to. Pull requests by hand have one of their whole diff,
// which Intact is not asked of.
type Seal struct {
	Hash   string
	At     time.Time // when it was first on record; zero: it is not, so that no approval and no /deploy counts
	Intact Answer
	Where  string // where it is broken: path:line
}

// A Request says who asked for what.
type Request struct {
	ID      string
	At      time.Time
	By      []promotion.Identity // everybody who asked, the newest last; nobody asked for a pin or an update
	Unknown bool                 // somebody asked, and nobody knows who
	Bot     bool                 // by hand: only bots asked; who says /deploy stands in for them
	Auto    bool                 // no person asked for it directly
	From    string               // environment that the images come from, "" for the registry
	Skipped []string             // environments between From and here
	Reason  string
	Labels  Fact[[]string]
	Teams   Fact[[]string] // of the newest
}

// RollbackFacts are of what is brought back.
type RollbackFacts struct {
	Stood    Answer // the digest stood here before
	Verified Answer // a verified promotion had brought it here
}

// A Source is an environment that an app's images come from.
type Source struct {
	Env, App string
	Since    Fact[time.Time] // since when all images of the change have stood there without a break
	// Until is when they gave way to others, zero while they stand. Onward says that what came
	// instead had never stood there before, so that the source was not rolled back.
	Until  time.Time
	Onward Answer
	Gates  []Gate
	Place  condition.Place
}

// A Gate must be green before an image goes on.
type Gate struct {
	What     string // "deployment staging", "check run smoke"
	App      string // slug of the only App that is believed
	Verdicts Fact[[]Verdict]
}

// A Verdict is one that some App gave on a commit that counts.
type Verdict struct {
	App   string
	State string // of a deployment, a check run or a commit status, as GitHub spells it
	At    time.Time
}

// A Hold keeps updates and automatic promotions away after a rollback, and what would come at
// the same time as something else.
type Hold struct {
	Since time.Time
	By    promotion.Identity
	What  string         // the rollback: "#12"
	Open  promotion.Kind // of What, while that is open: a rollback, or a promotion before an update; "" once it was merged
}

// A DeployMode says who merges.
type DeployMode string

// The modes.
const (
	DeployButton  DeployMode = "button" // a person, in GitHub; also the zero value
	DeployAuto    DeployMode = "auto"
	DeployCommand DeployMode = "command"
)

// Deploy is how this environment is deployed, and who asked for it.
type Deploy struct {
	Mode DeployMode
	Asks []DeployAsk
}

// A DeployAsk is a comment /deploy.
type DeployAsk struct {
	By     promotion.Identity
	At     time.Time
	Edited bool
}

// BreakGlass is a comment /break-glass "reason".
type BreakGlass struct {
	By     promotion.Identity
	At     time.Time
	Reason string
	Edited bool
	Seal   string // of the head that it was written on
}
