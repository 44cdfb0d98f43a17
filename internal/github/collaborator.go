package github

import (
	"context"
	"errors"
	"net/url"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Collaborators returns who has at least a permission in a repository, through whichever way
// it was granted (https://docs.github.com/en/rest/collaborators/collaborators#list-repository-collaborators).
// known is false where the token may not read that.
func (c *Client) Collaborators(ctx context.Context, repo promotion.Repository, p promotion.Permission) (all []promotion.Identity, known bool, err error) {
	names := map[promotion.Permission]string{
		promotion.PermissionRead: "pull", promotion.PermissionTriage: "triage", promotion.PermissionWrite: "push",
		promotion.PermissionMaintain: "maintain", promotion.PermissionAdmin: "admin",
	}
	op := "list the collaborators of " + repo.FullName()
	if names[p] == "" {
		return nil, false, invalid(op, "nobody has the permission %q", p)
	}
	wire, err := collect[*gh.User](ctx, c, call{op: op, path: in(repo).add("/collaborators"), query: url.Values{"permission": {names[p]}}, need: "metadata=read"})
	if errors.Is(err, promotion.ErrForbidden) || errors.Is(err, promotion.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	for _, w := range wire {
		all = append(all, identity(w))
	}
	return all, true, nil
}
