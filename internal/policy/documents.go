package policy

import (
	"time"

	"github.com/pinnace-dev/pinnace/internal/document"
)

// An Origin is where a document stands.
type Origin struct {
	Name  string `json:"name"`
	File  string `json:"-"`
	Line  int    `json:"-"`
	Floor bool   `json:"-"` // it is the organisation's

	marks document.Marks
}

// at returns the line of the value at a JSON pointer, or the document's where it is not written.
func (o Origin) at(pointer string) int {
	if m, ok := o.marks[pointer]; ok {
		return m.Line
	}
	return o.Line
}

// A PullImageDigestPolicy locks environments: there every image must be pinned.
type PullImageDigestPolicy struct {
	Origin
	Description     string      `json:"description"`
	AllEnvironments bool        `json:"allEnvironments"`
	Environments    []string    `json:"environments"`
	Exceptions      []Exception `json:"exceptions"`
}

// An ImagePromotionPolicy says which images may be promoted, and who must approve.
type ImagePromotionPolicy struct {
	Origin
	Description      string      `json:"description"`
	Pass             *Expression `json:"-"` // nil: none
	Fail             *Expression `json:"-"`
	Needs                        // of a promotion
	Rollback         *Needs      `json:"-"` // of a rollback; nil: as of a promotion
	Direct           bool        `json:"-"` // it governs direct promotions
	Sequential       bool        `json:"-"`
	ForbidDirect     bool        `json:"-"`
	BypassSoak       bool        `json:"bypassSoak"`
	AcceptUnverified bool        `json:"-"`
	Exceptions       []Exception `json:"exceptions"`
	ApplyTo          []Selector  `json:"applyTo"` // its own, and those of documents that bind it

	PassCondition    string       `json:"passCondition"`
	FailCondition    string       `json:"failCondition"`
	Promotions       []string     `json:"promotions"`
	Forbid           []string     `json:"forbid"`
	UnverifiedSource string       `json:"unverifiedSource"`
	RollbackKeys     rollbackKeys `json:"rollback"`
}

// Needs are what a policy asks of people.
type Needs struct {
	ApproverCount                int       `json:"approverCount"`
	More                         []More    `json:"more"`
	AllowRequestFromApprove      bool      `json:"allowRequestFromApprove"`
	AllowImageBuilderFromApprove bool      `json:"allowImageBuilderFromApprove"`
	AllowApproverFromDeploy      bool      `json:"allowApproverFromDeploy"`
	Approvers                    Approvers `json:"approvers"`
	ApprovalTTL                  Duration  `json:"approvalTTL"`
	UnknownBuilder               Leniency  `json:"unknownBuilder"` // "": as the facts are
	UnknownRequester             Leniency  `json:"unknownRequester"`
}

// More raises the count of approvals to ApproverCount where the condition holds for an image
// of the change.
type More struct {
	When          string      `json:"when"`
	ApproverCount int         `json:"approverCount"`
	Condition     *Expression `json:"-"`

	pointer string // to the item, in its document
}

// Approvers are who may approve; none listed: who holds the role promoter.
type Approvers struct {
	Users []User   `json:"users"`
	Teams []string `json:"teams"` // organisation/slug
}

// A Leniency says what an approval is worth while a fact about people is unknown.
type Leniency string

// The leniencies.
const (
	Deny   Leniency = "deny"
	Ignore Leniency = "ignore"
)

// rollbackKeys are those keys of a rollback block that were written.
type rollbackKeys struct {
	written                      bool
	ApproverCount                *int       `json:"approverCount"`
	More                         *[]More    `json:"more"`
	AllowRequestFromApprove      *bool      `json:"allowRequestFromApprove"`
	AllowImageBuilderFromApprove *bool      `json:"allowImageBuilderFromApprove"`
	AllowApproverFromDeploy      *bool      `json:"allowApproverFromDeploy"`
	Approvers                    *Approvers `json:"approvers"`
	ApprovalTTL                  *Duration  `json:"approvalTTL"`
	UnknownBuilder               *Leniency  `json:"unknownBuilder"`
	UnknownRequester             *Leniency  `json:"unknownRequester"`
}

// over lays the written keys over the needs of a promotion.
func (k rollbackKeys) over(n Needs) *Needs {
	set(&n.ApproverCount, k.ApproverCount)
	set(&n.More, k.More)
	set(&n.AllowRequestFromApprove, k.AllowRequestFromApprove)
	set(&n.AllowImageBuilderFromApprove, k.AllowImageBuilderFromApprove)
	set(&n.AllowApproverFromDeploy, k.AllowApproverFromDeploy)
	set(&n.Approvers, k.Approvers)
	set(&n.ApprovalTTL, k.ApprovalTTL)
	set(&n.UnknownBuilder, k.UnknownBuilder)
	set(&n.UnknownRequester, k.UnknownRequester)
	return &n
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// A Selector matches changes: all keys that are written must match. Production is nil
// where it is not written.
type Selector struct {
	App        string `json:"app,omitempty"`
	Env        string `json:"env,omitempty"`
	Production *bool  `json:"production,omitempty"`
	Image      string `json:"image,omitempty"`
	Path       string `json:"path,omitempty"`
	File       string `json:"-"`
	Line       int    `json:"-"`

	column int
	appAt  document.Mark
	envAt  document.Mark
}

// A FilterCondition is what every image must meet that is deployed to an environment.
type FilterCondition struct {
	Origin
	Description      string      `json:"description"`
	Pass             *Expression `json:"-"`
	Fail             *Expression `json:"-"`
	PassCondition    string      `json:"passCondition"`
	FailCondition    string      `json:"failCondition"`
	UnverifiedSource string      `json:"unverifiedSource"`
	AllEnvironments  bool        `json:"allEnvironments"`
	Production       bool        `json:"production"`
	Environments     []string    `json:"environments"`
}

// A Freeze is a time in which nothing is merged.
type Freeze struct {
	Origin
	AllEnvironments bool     `json:"allEnvironments"`
	Production      bool     `json:"production"`
	Environments    []string `json:"environments"`
	Window          Window   `json:"-"`
	Reason          string   `json:"reason"`
	Owner           string   `json:"owner"`

	Keys windowKeys `json:"window"`
}

type windowKeys struct {
	Cron     string   `json:"cron"`
	Duration Duration `json:"duration"`
	From     string   `json:"from"`
	To       string   `json:"to"`
	Zone     string   `json:"zone"`
}

// binding is the document of kind artifactPromotionPolicy.
type binding struct {
	Origin
	Spec struct {
		Payload struct {
			ApplicationEnvironments []struct {
				AppName string `json:"appName"`
				EnvName string `json:"envName"`
			} `json:"applicationEnvironments"`
			ApplyToPolicyNames []string `json:"applyToPolicyNames"`
		} `json:"payload"`
	} `json:"spec"`
}

// A User is a GitHub login, and the account's id where the author gave one.
type User = document.User

// covers reports whether a document that names environments holds in env.
func covers(all, production bool, globs []string, env Env) bool {
	if env.Name == "" {
		return false // files of no environment
	}
	if all || production && env.Production {
		return true
	}
	for _, g := range globs {
		if matches(g, env.Name) {
			return true
		}
	}
	return false
}

// Locks reports whether the policy locks an environment.
func (p *PullImageDigestPolicy) Locks(env Env) bool {
	return covers(p.AllEnvironments, false, p.Environments, env)
}

// Excepts returns the policy's own exception for a file, if one names it and has not expired.
func (p *PullImageDigestPolicy) Excepts(path string, now time.Time) (Exception, bool) {
	return excepts(p.Exceptions, path, now)
}

// Holds reports whether the condition holds in an environment.
func (f *FilterCondition) Holds(env Env) bool {
	return covers(f.AllEnvironments, f.Production, f.Environments, env)
}

// Covers reports whether the freeze is for an environment.
func (f *Freeze) Covers(env Env) bool {
	return covers(f.AllEnvironments, f.Production, f.Environments, env)
}
