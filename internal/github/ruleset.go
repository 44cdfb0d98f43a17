package github

import (
	"context"
	"errors"
	"fmt"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Ruleset is one that binds a branch, or its classic branch protection.
type Ruleset struct {
	Name    string
	Classic bool
	Rules   []string // that bind the branch, such as required_status_checks; none of a classic one
	// Bypass is who the rules do not bind; Shown is false where the token may not see that:
	// GitHub shows it to those who may edit the ruleset.
	Bypass []Bypass
	Shown  bool
	Ours   string // whether the token itself may bypass: always, pull_requests_only, exempt, never, "" = not said
}

// A Bypass is one that rules do not bind.
type Bypass struct {
	Kind string // OrganizationAdmin, RepositoryRole, Team, Integration, DeployKey, User
	Name string // a login, a slug, or a number; "" where the kind says all
	Mode string // always, pull_request, exempt
}

// Rulesets returns the rulesets that bind a branch, with who may bypass them
// (https://docs.github.com/en/rest/repos/rules#get-a-repository-ruleset), and its classic
// protection where the token may read it.
func (c *Client) Rulesets(ctx context.Context, repo promotion.Repository, branch string) ([]Ruleset, error) {
	op := "read the rulesets of branch " + clean(branch, "") + " of " + repo.FullName()
	rules, err := collect[struct {
		Type string `json:"type"`
		ID   int64  `json:"ruleset_id"`
	}](ctx, c, call{op: op, path: in(repo).add("/rules/branches").branch(branch), need: "metadata=read"})
	if err != nil && !withoutPlan(err) {
		return nil, err
	}
	var order []int64
	kinds := map[int64][]string{}
	for _, r := range rules {
		if kinds[r.ID] == nil {
			order = append(order, r.ID)
		}
		kinds[r.ID] = append(kinds[r.ID], r.Type)
	}
	var all []Ruleset
	for _, id := range order {
		s, err := c.ruleset(ctx, repo, id, op)
		if err != nil {
			return nil, err
		}
		s.Rules = kinds[id]
		all = append(all, s)
	}
	classic, ok, err := c.classicBypass(ctx, repo, branch, op)
	if err != nil {
		return nil, err
	}
	if ok {
		all = append(all, classic)
	}
	return all, nil
}

func (c *Client) ruleset(ctx context.Context, repo promotion.Repository, id int64, op string) (Ruleset, error) {
	var w struct {
		Name   string `json:"name"`
		Ours   string `json:"current_user_can_bypass"`
		Bypass *[]struct {
			ID   *int64 `json:"actor_id"`
			Type string `json:"actor_type"`
			Mode string `json:"bypass_mode"`
		} `json:"bypass_actors"`
	}
	_, err := c.read(ctx, call{op: op, path: in(repo).add("/rulesets").number(id), need: "metadata=read"}, &w)
	if errors.Is(err, promotion.ErrNotFound) || forbade(err) { // an organisation's may be hidden
		return Ruleset{Name: fmt.Sprintf("number %d", id)}, nil
	}
	if err != nil {
		return Ruleset{}, err
	}
	s := Ruleset{Name: clean(w.Name, ""), Ours: w.Ours, Shown: w.Bypass != nil}
	if w.Bypass != nil {
		for _, b := range *w.Bypass {
			one := Bypass{Kind: b.Type, Mode: b.Mode}
			if b.ID != nil && b.Type != "OrganizationAdmin" && b.Type != "DeployKey" {
				one.Name = fmt.Sprint(*b.ID)
			}
			s.Bypass = append(s.Bypass, one)
		}
	}
	return s, nil
}

// classicBypass returns who classic branch protection does not bind; ok is false where there
// is none.
func (c *Client) classicBypass(ctx context.Context, repo promotion.Repository, branch, op string) (Ruleset, bool, error) {
	s := Ruleset{Name: "branch protection", Classic: true}
	var p gh.Protection
	_, err := c.read(ctx, call{op: op, path: in(repo).add("/branches").branch(branch).add("/protection"), need: "administration=read"}, &p)
	switch {
	case err == nil:
	case forbade(err) && !withoutPlan(err):
		var b struct {
			Protection struct {
				Enabled bool `json:"enabled"`
			} `json:"protection"`
		}
		_, err := c.read(ctx, call{op: op, path: in(repo).add("/branches").branch(branch), need: "contents=read"}, &b)
		if ok, err := found(err); !ok {
			return Ruleset{}, false, err
		}
		return s, b.Protection.Enabled, nil
	case withoutPlan(err), absent(err):
		return Ruleset{}, false, nil
	default:
		return Ruleset{}, false, err
	}
	s.Shown = true
	if p.EnforceAdmins == nil || !p.EnforceAdmins.Enabled {
		s.Bypass = append(s.Bypass, Bypass{Kind: "RepositoryRole", Name: "admin", Mode: "always"})
	}
	if v := p.RequiredPullRequestReviews; v != nil && v.BypassPullRequestAllowances != nil {
		for _, u := range v.BypassPullRequestAllowances.Users {
			s.Bypass = append(s.Bypass, Bypass{Kind: "User", Name: clean(u.GetLogin(), ""), Mode: "pull_request"})
		}
		for _, t := range v.BypassPullRequestAllowances.Teams {
			s.Bypass = append(s.Bypass, Bypass{Kind: "Team", Name: clean(t.GetSlug(), ""), Mode: "pull_request"})
		}
		for _, a := range v.BypassPullRequestAllowances.Apps {
			s.Bypass = append(s.Bypass, Bypass{Kind: "Integration", Name: clean(a.GetSlug(), ""), Mode: "pull_request"})
		}
	}
	return s, true, nil
}
