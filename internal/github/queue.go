package github

import (
	"context"
	"regexp"
	"strconv"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const queuePrefix = "gh-readonly-queue"

// groupForm is what follows the base in the branch of a merge group.
var groupForm = regexp.MustCompile(`^pr-([1-9][0-9]{0,9})-([0-9a-f]{40}|[0-9a-f]{64})$`)

// QueueGroups returns the groups that the merge queue of a branch has made, by the branches
// gh-readonly-queue/BASE/pr-NUMBER-SHA that GitHub keeps for them, in no order
// (https://docs.github.com/en/rest/git/refs#list-matching-references). A branch of another
// form is none: anybody who may write could have made it, and so could one of this form, so
// that a group is only where checks are asked for, never a reason to believe anything.
func (c *Client) QueueGroups(ctx context.Context, repo promotion.Repository, base string) ([]promotion.Group, error) {
	q := call{
		op: "list the merge groups of " + clean(base, "") + " in " + repo.FullName(), need: "contents=read",
		path: in(repo).add("/git/matching-refs/heads/" + queuePrefix).ref(base).add("/pr-"),
	}
	wire, err := collect[wireRef](ctx, c, q)
	if err != nil {
		return nil, err
	}
	prefix := "refs/heads/" + queuePrefix + "/" + base + "/"
	var all []promotion.Group
	for _, w := range wire {
		if len(w.Ref) <= len(prefix) || w.Ref[:len(prefix)] != prefix {
			continue
		}
		m := groupForm.FindStringSubmatch(w.Ref[len(prefix):])
		if m == nil || !shaForm.MatchString(w.Object.SHA) {
			continue
		}
		number, err := strconv.Atoi(m[1])
		if err != nil {
			continue // unreachable: ten digits
		}
		all = append(all, promotion.Group{Ref: w.Ref, SHA: w.Object.SHA, PullRequest: number, Base: m[2]})
	}
	return all, nil
}
