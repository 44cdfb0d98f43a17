package github

import (
	"context"
	"strings"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// CommitStatuses returns the newest status of each context on a commit, with who wrote it
// (https://docs.github.com/en/rest/commits/statuses#list-commit-statuses-for-a-reference).
// Contexts that differ in case only are one, as GitHub has it.
func (c *Client) CommitStatuses(ctx context.Context, repo promotion.Repository, sha string) ([]promotion.CommitStatus, error) {
	wire, err := collect[*gh.RepoStatus](ctx, c, call{
		op: "list the statuses of " + clean(sha, "") + " in " + repo.FullName(), path: in(repo).add("/commits").sha(sha).add("/statuses"), need: "statuses=read",
	})
	if err != nil {
		return nil, err
	}
	var all []promotion.CommitStatus
	seen := map[string]bool{}
	for _, w := range wire { // newest first
		key := strings.ToLower(w.GetContext())
		if seen[key] {
			continue
		}
		seen[key] = true
		all = append(all, promotion.CommitStatus{
			Context: w.GetContext(), State: w.GetState(), Description: w.GetDescription(), TargetURL: w.GetTargetURL(),
			Creator: identity(w.GetCreator()), At: w.GetUpdatedAt().Time,
		})
	}
	return all, nil
}
