package doctor

import (
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
)

// teamsOf returns the teams that roles and policies name, sorted.
func teamsOf(t Tree) []string {
	var all []string
	add := func(r *config.Role) {
		if r != nil {
			all = append(all, r.Teams...)
		}
	}
	if c := t.Book.Config; c != nil {
		for _, r := range []*config.Role{&c.Roles.Requester, &c.Roles.Promoter, &c.Roles.Deployer, &c.Roles.Admin} {
			add(r)
		}
		for _, o := range c.Roles.Overrides {
			for _, r := range []*config.Role{o.Requester, o.Promoter, o.Deployer, o.Admin} {
				add(r)
			}
		}
	}
	if t.Book.Set != nil {
		for _, p := range t.Book.Set.Promotions {
			all = append(all, p.Approvers.Teams...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// cutTeam splits organisation/slug.
func cutTeam(name string) (org, slug string, ok bool) {
	org, slug, ok = strings.Cut(name, "/")
	return org, slug, ok && org != "" && slug != "" && !strings.Contains(slug, "/")
}
