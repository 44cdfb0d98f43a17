package guard

import (
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// ghost is the account that GitHub shows in place of every deleted one
// (https://github.com/ghost).
const ghost = 10137

// roles are those of the admins by the tip. Where its documents have an error, so that the
// organisation's roles are not joined, an admin is who has the permission admin and is
// listed as far as the Config can be read: a broken tip can be mended, by nobody less.
func roles(base *rulebook.Rulebook) []approval.Role {
	if base != nil && base.Set != nil {
		return base.Set.Grants(policy.Admin, "", "")
	}
	r := approval.Role{Permission: promotion.PermissionAdmin}
	if base != nil && base.Config != nil {
		listed := base.Config.Roles.Admin
		r.Teams = listed.Teams
		for _, u := range listed.Users {
			r.Users = append(r.Users, approval.User(u))
		}
	}
	return []approval.Role{r}
}

// asked is what guard of the tip's Config asks.
func (j *judge) asked() config.Guard {
	if j.in.Base == nil || j.in.Base.Config == nil {
		return config.Guard{ApproverCount: 1}
	}
	return j.in.Base.Config.Guard
}

// people are what is known of accounts, with the machine users of the tip's Config.
func people(in Input) map[int64]approval.Person {
	if in.Base == nil || in.Base.Config == nil || len(in.Base.Config.ServiceAccounts) == 0 {
		return in.People
	}
	all := make(map[int64]approval.Person, len(in.People))
	for id, p := range in.People {
		all[id] = p
	}
	mark := func(i promotion.Identity) {
		for _, u := range in.Base.Config.ServiceAccounts {
			if u.ID != 0 && u.ID == i.ID || u.ID == 0 && strings.EqualFold(u.Login, i.Login) {
				p := all[i.ID]
				p.ServiceAccount = true
				all[i.ID] = p
			}
		}
	}
	for _, r := range in.Reviews {
		mark(r.Author)
	}
	for _, c := range in.Comments {
		mark(c.By)
	}
	for _, m := range in.Moments {
		mark(m.Actor)
	}
	return all
}
