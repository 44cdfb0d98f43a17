package policy

import (
	"slices"

	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Grants returns who holds a role for a pair: the most specific grant, and for promoters
// the admins besides.
func (s *Set) Grants(role Role, env, app string) []approval.Role {
	g, ok := s.World.grant(role, env, app)
	if !ok {
		g = Grant{Permission: promotion.PermissionWrite}
		if role == Admin {
			g.Permission = promotion.PermissionAdmin
		}
	}
	held := []approval.Role{{Permission: g.Permission, Teams: g.Teams, Users: users(g.Users)}}
	if everybody := len(g.Teams)+len(g.Users) == 0; role == Promoter && (!everybody || !promotion.PermissionAdmin.AtLeast(g.Permission) || g.Permission == promotion.PermissionAdmin) {
		held = append(held, s.Grants(Admin, env, app)...)
	}
	return held
}

// users reads login or login#id. A spelling that is neither names nobody.
func users(names []string) []approval.User {
	var all []approval.User
	for _, n := range names {
		var u User
		if u.UnmarshalText([]byte(n)) != nil {
			u = User{Login: "?"} // no login holds it, so that the list does not become empty
		}
		all = append(all, approval.User(u))
	}
	return all
}

// asks reports whether an account may ask by one of the roles. Machines may, as far as their
// own permission and the lists go.
func asks(roles []approval.Role, who promotion.Identity, people map[int64]approval.Person) Answer {
	p, known := people[who.ID]
	switch {
	case p.Ghost || who.ID == 0:
		return approval.No
	case !known:
		return approval.Unknown
	}
	return approval.Holds(roles, who, p)
}

// holds reports whether a person holds one of the roles. Bots and service accounts hold none.
func holds(roles []approval.Role, who promotion.Identity, people map[int64]approval.Person) Answer {
	p, known := people[who.ID]
	switch {
	case who.Bot || p.Bot || p.ServiceAccount || p.Ghost || who.ID == 0:
		return approval.No
	case !known:
		return approval.Unknown
	}
	return approval.Holds(roles, who, p)
}

// spell says who holds a role, for people.
func spell(roles []approval.Role) string {
	var all []string
	for _, r := range roles {
		var who []string
		for _, u := range r.Users {
			who = append(who, User(u).String())
		}
		for _, t := range r.Teams {
			who = append(who, "members of "+t)
		}
		permission := r.Permission
		if permission == "" {
			permission = promotion.PermissionWrite
		}
		text := "people with " + string(permission)
		if len(who) > 0 {
			text = list(who, "or") + " with " + string(permission)
		}
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return list(all, "or")
}
