package github

import (
	"context"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// TeamReadable says whether the token sees a team
// (https://docs.github.com/en/rest/teams/teams#get-a-team-by-name). GitHub does not tell a
// team that is hidden from one that does not exist.
func (c *Client) TeamReadable(ctx context.Context, org, slug string) (bool, error) {
	op := "look for team " + clean(org+"/"+slug, "")
	team := at("/orgs").owner(org).add("/teams").slug(slug)
	if team.err != nil {
		return false, invalid(op, "%v", team.err)
	}
	var w struct {
		Slug string `json:"slug"`
	}
	_, err := c.read(ctx, call{op: op, path: team, need: "members=read"}, &w)
	if absent(err) || forbade(err) {
		return false, nil
	}
	if err == nil && !strings.EqualFold(w.Slug, slug) {
		err = &Error{Op: op, Class: promotion.ErrTransient, Message: "GitHub answered with another team"}
	}
	return err == nil, err
}
