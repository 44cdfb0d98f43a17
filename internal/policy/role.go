package policy

import (
	"slices"
	"strings"

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

// holds reports whether a person holds one of the roles. Bots and service accounts hold none.
func holds(roles []approval.Role, who promotion.Identity, people map[int64]approval.Person) Answer {
	p, known := people[who.ID]
	switch {
	case who.Bot || p.Bot || p.ServiceAccount || p.Ghost || who.ID == 0:
		return approval.No
	case !known || p.Permission == "":
		return approval.Unknown
	}
	best := approval.No
	for _, r := range roles {
		floor := r.Permission
		if floor == "" {
			floor = promotion.PermissionWrite
		}
		if !p.Permission.AtLeast(floor) {
			continue
		}
		switch listed(r, who, p) {
		case approval.Yes:
			return approval.Yes
		case approval.Unknown:
			best = approval.Unknown
		}
	}
	return best
}

func listed(r approval.Role, who promotion.Identity, p approval.Person) Answer {
	if len(r.Users) == 0 && len(r.Teams) == 0 {
		return approval.Yes
	}
	if slices.ContainsFunc(r.Users, func(u approval.User) bool {
		return u.ID != 0 && u.ID == who.ID || u.ID == 0 && u.Login != "" && strings.EqualFold(u.Login, who.Login)
	}) {
		return approval.Yes
	}
	best := approval.No
	for _, t := range r.Teams {
		a, ok := p.Teams[t]
		if !ok {
			a = p.Teams[strings.ToLower(t)]
		}
		switch a {
		case approval.Yes:
			return approval.Yes
		case approval.Unknown:
			best = approval.Unknown
		}
	}
	return best
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
