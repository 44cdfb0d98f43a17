package github

import (
	"context"
	"strings"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Permission returns what an account may do in a repository, through whichever way it was
// granted (https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user).
// The question goes by login, which may belong to somebody else by now: where the answer is
// about another number, or about nobody, it is asked once more under the login that the
// number has now. Of an account that is gone it is promotion.PermissionNone. A custom role
// counts as the base permission that it builds on.
func (c *Client) Permission(ctx context.Context, repo promotion.Repository, user promotion.Identity) (promotion.Permission, error) {
	if user.ID == 0 {
		return promotion.PermissionNone, invalid(permissionOp(repo, user.Login), "an account without its number cannot be told from one that took its login")
	}
	p, its, err := c.permissionOf(ctx, repo, user)
	if its || err != nil && !absent(err) {
		return p, err
	}
	now, ok, e := c.UserByID(ctx, user.ID)
	switch {
	case e != nil:
		return promotion.PermissionNone, e
	case !ok:
		return promotion.PermissionNone, nil
	case strings.EqualFold(now.Login, user.Login):
		if said(err, "is not a user") {
			err = nil
		}
		return promotion.PermissionNone, err // of the repository, where it is one
	}
	if p, its, err = c.permissionOf(ctx, repo, now); its || err != nil {
		return p, err
	}
	return promotion.PermissionNone, nil
}

func permissionOp(repo promotion.Repository, login string) string {
	return "read the permission of " + clean(login, "") + " in " + repo.FullName()
}

// permissionOf asks by login; its says that the answer is about the number.
func (c *Client) permissionOf(ctx context.Context, repo promotion.Repository, user promotion.Identity) (p promotion.Permission, its bool, err error) {
	q := call{op: permissionOp(repo, user.Login), path: in(repo).add("/collaborators").login(user.Login).add("/permission"), need: "metadata=read"}
	var w struct {
		Permission string   `json:"permission"`
		RoleName   string   `json:"role_name"`
		User       *gh.User `json:"user"`
	}
	if _, err := c.read(ctx, q, &w); err != nil {
		return promotion.PermissionNone, false, err
	}
	if w.User.GetID() != user.ID {
		return promotion.PermissionNone, false, nil
	}
	return permission(w.Permission, w.RoleName), true, nil
}

// permission joins the four legacy permissions and the name of the role, which may refine one
// of them and never exceed it.
func permission(base, role string) promotion.Permission {
	switch p := promotion.Permission(base); p {
	case promotion.PermissionAdmin:
		return p
	case promotion.PermissionWrite:
		if role == string(promotion.PermissionMaintain) {
			return promotion.PermissionMaintain
		}
		return p
	case promotion.PermissionRead:
		if role == string(promotion.PermissionTriage) {
			return promotion.PermissionTriage
		}
		return p
	}
	return promotion.PermissionNone
}

// IsMember says whether an account belongs to a team or one of its child teams
// (https://docs.github.com/en/rest/teams/members#get-team-membership-for-a-user). The
// account is found by its number, since a login may move. known is false where the token may
// not see the team, so that nobody knows: GitHub answers 404 there, too. An invitation that
// was not accepted yet is no membership.
func (c *Client) IsMember(ctx context.Context, org, slug string, user promotion.Identity) (member, known bool, err error) {
	op := "look for " + clean(user.Login, "") + " in team " + clean(org+"/"+slug, "")
	team := at("/orgs").owner(org).add("/teams").slug(slug)
	if team.err != nil {
		return false, false, invalid(op, "%v", team.err)
	}
	if user.ID == 0 {
		return false, false, invalid(op, "an account without its number cannot be told from one that took its login")
	}
	now, ok, err := c.UserByID(ctx, user.ID)
	if err != nil {
		return false, false, err
	}
	if ok {
		var w struct {
			State string `json:"state"`
		}
		_, err = c.read(ctx, call{op: op, path: team.add("/memberships").login(now.Login), need: "members=read"}, &w)
		switch {
		case err == nil:
			return w.State == "active", true, nil
		case forbade(err):
			return false, false, nil
		case !absent(err):
			return false, false, err
		}
	}
	var w struct {
		Slug string `json:"slug"`
	}
	_, err = c.read(ctx, call{op: op, path: team, need: "members=read"}, &w)
	switch {
	case err == nil:
		return false, strings.EqualFold(w.Slug, slug), nil
	case absent(err), forbade(err):
		return false, false, nil
	}
	return false, false, err
}
