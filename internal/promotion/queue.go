package promotion

// A Group is a commit that a merge queue made of a pull request and everything before it,
// so that checks can be run on it
// (https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue).
type Group struct {
	Ref         string // refs/heads/gh-readonly-queue/main/pr-7-<base>
	SHA         string // what the base becomes when the group lands
	PullRequest int    // the last one of the group
	Base        string // the commit that the group was put on
}
