package promotion

// A Repository is a config repository on GitHub. The number survives a change of name.
type Repository struct {
	ID            int64
	Owner, Name   string
	DefaultBranch string
	URL           string // for people
	CloneURL      string // for git over HTTPS, without credentials
	Private       bool
	Archived      bool
	Disabled      bool
	Empty         bool // it has no commit
	Fork          bool
	OwnerIsOrg    bool       // its owner is an organisation
	Permission    Permission // what the token may do; "" where GitHub does not say
	MergeMethods  []string   // of merge, squash, rebase
}

// FullName returns owner/name.
func (r Repository) FullName() string { return r.Owner + "/" + r.Name }

// Rules are what a branch demands, from rulesets and branch protection together, as far as
// the token may read them.
type Rules struct {
	SignedCommits     bool            // required_signatures
	LinearHistory     bool            // required_linear_history
	NoForcePush       bool            // non_fast_forward
	NoCreation        bool            // creation
	NoDeletion        bool            // deletion
	NoUpdate          bool            // update: only those who may bypass push
	PullRequest       bool            // pull_request: changes come by pull request only
	Approvals         int             // required_approving_review_count
	DismissStale      bool            // dismiss_stale_reviews_on_push
	LastPushApproval  bool            // require_last_push_approval
	CodeOwners        bool            // require_code_owner_review
	ThreadsResolved   bool            // required_review_thread_resolution
	MergeMethods      []string        // allowed_merge_methods; nil = the repository's
	Checks            []RequiredCheck // required_status_checks
	UpToDate          bool            // strict_required_status_checks_policy
	MergeQueue        bool            // merge_queue
	MergeQueueMethod  string
	ProtectionUnknown bool // classic branch protection is on and the token may not read it
}

// A RequiredCheck is one that a branch demands. App is the only source believed, 0 for any.
type RequiredCheck struct {
	Context string
	App     int64
}

// A TreeCommit is a commit that GitHub makes and signs, because a branch demands verified
// commits. Its author is the owner of the token.
type TreeCommit struct {
	BaseTree string            // the tree that Files replace blobs of
	Files    map[string][]byte // by path; each is a regular file of BaseTree
	Modes    map[string]string // 100644 or 100755, by path
	Message  string
	Parents  []string
}
