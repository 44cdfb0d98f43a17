package github

import (
	"context"
	"strings"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// identity turns an account of GitHub's into ours. In the place of a deleted account GitHub
// puts nobody or https://github.com/ghost, one account for all of them: here it has the
// number 0, which equals nobody's.
func identity(u *gh.User) promotion.Identity {
	if u == nil || strings.EqualFold(u.GetLogin(), "ghost") {
		return promotion.Identity{Login: "ghost"}
	}
	return promotion.Identity{ID: u.GetID(), Login: u.GetLogin(), Bot: u.GetType() == "Bot" || strings.HasSuffix(u.GetLogin(), "[bot]")}
}

// someone is identity where nobody at all is an answer, too.
func someone(u *gh.User) promotion.Identity {
	if u == nil {
		return promotion.Identity{}
	}
	return identity(u)
}

// Viewer returns whose token it is. ok is false for an App's installation and a workflow's
// GITHUB_TOKEN, which are no accounts
// (https://docs.github.com/en/rest/users/users#get-the-authenticated-user).
func (c *Client) Viewer(ctx context.Context) (who promotion.Identity, ok bool, err error) {
	var u gh.User
	_, err = c.read(ctx, call{op: "ask whose token it is", path: at("/user")}, &u)
	if said(err, "resource not accessible by integration") {
		return promotion.Identity{}, false, nil
	}
	if err != nil {
		return promotion.Identity{}, false, err
	}
	return identity(&u), u.GetID() != 0, nil
}

// UserByLogin returns the account that has the login now. The login of an App's bot ends in
// [bot].
func (c *Client) UserByLogin(ctx context.Context, login string) (promotion.Identity, bool, error) {
	return c.user(ctx, call{op: "look up user " + clean(login, ""), path: at("/users").login(login)})
}

// UserByID returns the account of a number, with the login that it has now.
func (c *Client) UserByID(ctx context.Context, id int64) (promotion.Identity, bool, error) {
	return c.user(ctx, call{op: "look up user", path: at("/user").number(id)})
}

func (c *Client) user(ctx context.Context, q call) (promotion.Identity, bool, error) {
	var u gh.User
	_, err := c.read(ctx, q, &u)
	if ok, err := found(err); !ok {
		return promotion.Identity{}, false, err
	}
	return identity(&u), u.GetID() != 0, nil
}
