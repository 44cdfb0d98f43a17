package doctor

import (
	"time"

	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// Facts are all that the checks look at. The zero value is that nothing was asked.
type Facts struct {
	AppID         int64  // that we were given; 0 = none
	Public        bool   // GitHub is github.com, which reaches public addresses only
	Needed        []Need // permissions that Pinnace can use
	Subscriptions []string
	Now           time.Time

	App           Fact[App]
	Installations Fact[[]Installation]
	Installation  Fact[Installation] // that sees the repository
	Hook          Fact[Hook]
	Deliveries    Fact[[]Delivery] // newest first, of some days
	Clock         Fact[time.Duration]
	Limits        Fact[[]Limit]

	Repository Fact[promotion.Repository]
	Tree       Fact[Tree]
	Bases      Fact[[]Base]
	NewBranch  Fact[promotion.Rules] // of a branch that Pinnace would make
	Owners     Fact[OwnersFile]
	Admins     Fact[[]promotion.Identity]
	Teams      Fact[[]Team]

	Registries Fact[[]Place]
	Cache      Fact[string] // what was seen of it
	Database   Fact[string]
	Server     Fact[string]
}

// A Need is a permission that Pinnace uses.
type Need struct {
	Name, Level string
	Loss        string // what does not work without it
	Needed      bool   // nothing works without it
}

// An App is who GitHub says that the key belongs to.
type App struct {
	ID          int64
	Slug        string
	Permissions map[string]string // asked for
	Events      []string
}

// An Installation is the App on an account.
type Installation struct {
	Account      string
	Organization bool
	Permissions  map[string]string // granted
	Suspended    bool
}

// A Hook is the webhook of the App.
type Hook struct {
	URL         string // "" = none
	ContentType string
	HasSecret   bool
	Insecure    bool // certificates are not verified
}

// A Delivery is one attempt to deliver an event.
type Delivery struct {
	GUID   string
	At     time.Time
	OK     bool
	Status int // of the receiver; 0 = it did not answer
}

// A Limit is what is left of one of GitHub's.
type Limit struct {
	Name             string
	Limit, Remaining int
	Reset            time.Time
}

// A Tree is what the tip of the default branch holds.
type Tree struct {
	Book       *rulebook.Rulebook
	Configured bool // there is a .pinnace/
	Standing   []plan.Standing
	Check      func(base string) string // the name of our check on a base
}

// A Base is a managed branch.
type Base struct {
	Branch   string
	Rules    promotion.Rules
	Rulesets Fact[[]Ruleset]
}

// A Ruleset binds a base.
type Ruleset struct {
	Name    string
	Classic bool     // it is classic branch protection
	Shown   bool     // Bypass is known
	Bypass  []string // whom it does not bind besides our App, in words
	Ours    bool     // it does not bind our App
}

// An OwnersFile is CODEOWNERS; Path is "" where there is none.
type OwnersFile struct{ Path, Text string }

// A Team is one that a role or a policy names.
type Team struct {
	Name     string // organisation/slug
	Readable bool
}

// A Place is somewhere else that was asked.
type Place struct {
	Name string
	Err  error
	Auth bool // it wants a login
}
