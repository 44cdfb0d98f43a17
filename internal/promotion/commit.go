package promotion

// A CommitAuthor says who made a commit. The accounts are those that GitHub found by the
// e-mail addresses, which anybody may type: only Verified makes them more than a claim.
// Whom a Co-authored-by trailer names is no account here.
type CommitAuthor struct {
	SHA               string
	Author, Committer Identity // zero where GitHub knows no account
	Verified          bool     // its signature is right and the committer's
	Reason            string   // valid, unsigned, bad_email, ...
	Message           string
	Parents           []string
}

// CommitFacts are what is known of one commit.
type CommitFacts struct {
	CommitAuthor
	Tree string // hash of its tree
}
