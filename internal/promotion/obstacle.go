package promotion

import "strings"

// What refuses a change, for Blocked.Rule and Conflict.Rule.
const (
	RuleApprovals    = "approvals"         // a required approving review is missing
	RuleCodeOwners   = "code-owners"       // a code owner's review is missing
	RuleChanges      = "changes-requested" // a reviewer asked for changes
	RuleLastPush     = "last-push"         // somebody else than who pushed last must approve
	RuleThreads      = "conversations"     // a conversation is not resolved
	RuleCheck        = "check"             // a required status check is missing, pending or failing
	RuleSignatures   = "signatures"        // a commit is not verified
	RuleLinear       = "linear-history"    // merge commits are not allowed
	RuleMethod       = "merge-method"      // this method of merging is not allowed
	RuleBehind       = "out-of-date"       // the branch must first hold the base's newest commits
	RuleQueue        = "merge-queue"       // only the merge queue may merge
	RulePullRequest  = "pull-request"      // only pull requests may change the branch
	RuleUpdate       = "update"            // only those who may bypass the rule change the branch
	RuleDraft        = "draft"             // it is not ready for review
	RuleArchived     = "archived"          // the repository is read-only
	RuleDeployment   = "deployment"        // a required deployment is missing
	RuleUnknown      = "unknown"           // GitHub's words say no more
	RuleHead         = "head-changed"      // the head is not the one that was judged
	RuleBase         = "base-changed"      // the base moved during the merge
	RuleMergeability = "merge-conflict"    // it conflicts with its base, or GitHub still works that out
	RuleClosed       = "closed"            // it was merged or closed meanwhile
)

// Blocked is a rule of the repository that refuses. It is ErrBlocked.
type Blocked struct {
	Rule   string // one of the Rule constants
	Text   string // GitHub's own words, one line
	Remedy string // what to do next
	Check  string // RuleCheck: the check that is missing, where GitHub names it
}

// Error returns GitHub's words.
func (b *Blocked) Error() string { return strings.TrimSuffix(b.Text, ".") }

// Is says whether target is ErrBlocked.
func (*Blocked) Is(target error) bool { return target == ErrBlocked }

// Conflict is what changed meanwhile. It is ErrConflict.
type Conflict struct {
	Rule string // RuleHead, RuleBase, RuleMergeability or RuleClosed
	Text string // GitHub's own words, one line
}

// Error returns GitHub's words.
func (c *Conflict) Error() string { return strings.TrimSuffix(c.Text, ".") }

// Is says whether target is ErrConflict.
func (*Conflict) Is(target error) bool { return target == ErrConflict }

// Obstacles returns every rule that an error says refuses, in GitHub's order.
func Obstacles(err error) []*Blocked {
	var all []*Blocked
	switch x := err.(type) {
	case *Blocked:
		return []*Blocked{x}
	case interface{ Unwrap() error }:
		return Obstacles(x.Unwrap())
	case interface{ Unwrap() []error }:
		for _, e := range x.Unwrap() {
			all = append(all, Obstacles(e)...)
		}
	}
	return all
}
