package command

// A Way is one way to act on Pinnace, and who may.
type Way struct {
	Verb  Verb   // "" where nothing is written
	Door  string // comment, cli, review, button (of a check run), merge or close (of the pull request)
	Role  string // requester, promoter, deployer, admin, writer, anyone: whom GitHub lets, or whoever holds the App's key
	Where string // pull request, any thread, request issue
	What  string // what it does, and what else it asks
	// Unedited is set where the act is a text that counts only as it was submitted.
	Unedited bool
}

const (
	pull    = "pull request"
	thread  = "any thread"
	request = "request issue"
)

// Ways returns every way to act on Pinnace. Nothing that is not in this table does
// anything: no label, no edit of a title or a body, no reaction.
func Ways() []Way {
	return []Way{
		{Promote, "comment", "requester", thread, "asks for a promotion, and makes its author a requester of it", true},
		{Promote, "cli", "requester", request, "asks for a promotion; with a person's token it files the comment, whose author is the requester", true},
		{Rollback, "comment", "requester", thread, "asks for a digest that stood there, and holds the app's other changes there", true},
		{Rollback, "cli", "requester", request, "asks for a rollback, as promote does for a promotion", true},
		{Deploy, "comment", "deployer", pull, "merges what is approved where deploy is command; new since the last needed approval, and not by an approver unless a policy allows it", true},
		{Reseal, "comment", "writer", pull, "drops foreign commits from the branch, kept under a saved ref, and makes its author a requester", true},
		{BreakGlass, "comment", "admin", pull, "merges this one seal without approvals, soak, gates and freezes; opens an issue that another person must close", true},
		{ApproveConfig, "comment", "admin", pull, "passes a change of the rules by its own author: before there are any, for the only admin, or with guard.allowAuthor", true},
		{Cancel, "comment", "requester", pull, "closes a request of one's own", true},
		{Cancel, "comment", "writer", pull, "closes anybody's request", true},
		{Judge, "comment", "writer", pull, "looks again", true},
		{Judge, "button", "writer", pull, "looks again: the check run's own button, or GitHub's re-run", false},
		{Deploy, "cli", "whoever holds the App's key", pull, "judges, and merges what holds; counts as nobody's /deploy", false},
		{"", "review", "promoter", pull, "approves the seal; a policy may name other approvers, and bans requester and builder unless it allows them", false},
		{"", "review", "promoter", pull, "requests changes, which stands in the way until it is lifted", false},
		{"", "review", "writer", pull, "requests changes, as a promoter does", false},
		{"", "merge", "anyone", pull, "merges where deploy is button; a merge that breaks a rule is detected and reported", false},
		{"", "close", "anyone", pull, "declines the request", false},
	}
}
