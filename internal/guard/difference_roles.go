package guard

import (
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A circle is who holds a role or may approve.
type circle struct {
	permission promotion.Permission
	users      []config.User
	teams      []string
}

func circleOf(r config.Role) circle {
	return circle{promotion.Permission(r.Permission), r.Users, r.Teams}
}

func (c circle) floor() promotion.Permission {
	if c.permission == "" {
		return promotion.PermissionWrite
	}
	return c.permission
}

// everybody reports whether nobody is listed, so that the permission alone decides.
func (c circle) everybody() bool { return len(c.users)+len(c.teams) == 0 }

// has reports whether everybody whom a spelling names is listed.
func (c circle) has(u config.User) bool {
	return slices.ContainsFunc(c.users, func(own config.User) bool {
		return own.ID != 0 && own.ID == u.ID || own.ID == 0 && strings.EqualFold(own.Login, u.Login)
	})
}

func (c circle) hasTeam(team string) bool {
	return slices.ContainsFunc(c.teams, func(own string) bool { return strings.EqualFold(own, team) })
}

// beyond lists whom c names and d does not.
func (c circle) beyond(d circle) []string {
	var all []string
	for _, u := range c.users {
		if !d.has(u) {
			all = append(all, u.String())
		}
	}
	for _, t := range c.teams {
		if !d.hasTeam(t) {
			all = append(all, t)
		}
	}
	return all
}

// widened says what becomes of a circle: looser where somebody may be in it who was not.
func widened(base, head circle) (effect, string) {
	var wide, narrow []string
	switch {
	case base.floor() == head.floor():
	case base.floor().AtLeast(head.floor()):
		wide = append(wide, string(head.floor())+" is enough, which was "+string(base.floor()))
	default:
		narrow = append(narrow, string(head.floor())+" is needed, which was "+string(base.floor()))
	}
	added, removed := head.beyond(base), base.beyond(head)
	switch {
	case base.everybody() && head.everybody():
	case head.everybody():
		wide = append(wide, "nobody is listed any more, so that anybody with "+string(head.floor())+" is in it")
	case base.everybody():
		narrow = append(narrow, "only "+few(added, 10)+" is in it, which was anybody with "+string(base.floor()))
	default:
		if len(added) > 0 {
			wide = append(wide, few(added, 10)+" is added")
		}
		if len(removed) > 0 {
			narrow = append(narrow, few(removed, 10)+" is removed")
		}
	}
	switch {
	case len(wide) > 0:
		return looser, strings.Join(append(wide, narrow...), "; ")
	case len(narrow) > 0:
		return tighter, strings.Join(narrow, "; ")
	}
	return same, ""
}

// A pair is where roles are overridden.
type pair struct{ environment, app string }

func (p pair) String() string {
	s := ""
	if p.environment != "" {
		s += " in " + p.environment
	}
	if p.app != "" {
		s += " for " + p.app
	}
	return s
}

// roles compares who holds which role, and where that is overridden.
func (d *differ) roles(base, head *config.Config) {
	pairs := []pair{{}}
	written := map[pair][4]bool{{}: {true, true, true, true}}
	for _, c := range []*config.Config{base, head} {
		for _, o := range c.Roles.Overrides {
			p := pair{o.Environment, o.App}
			if !slices.Contains(pairs, p) {
				pairs = append(pairs, p)
			}
			w := written[p]
			for i, r := range []*config.Role{o.Requester, o.Promoter, o.Deployer, o.Admin} {
				w[i] = w[i] || r != nil
			}
			written[p] = w
		}
	}
	for _, p := range pairs {
		was, is := rolesOf(base, p), rolesOf(head, p)
		for i, role := range []string{"requester", "promoter", "deployer", "admin"} {
			if !written[p][i] {
				continue
			}
			switch e, text := widened(circleOf(was[i]), circleOf(is[i])); e {
			case looser:
				d.add(e, "role %s%s is held by more people: %s", role, p, text)
			case tighter:
				d.add(e, "role %s%s is held by fewer people: %s", role, p, text)
			}
		}
	}
}

func rolesOf(c *config.Config, p pair) [4]config.Role {
	r := c.RolesOf(p.environment, p.app)
	return [4]config.Role{r.Requester, r.Promoter, r.Deployer, r.Admin}
}
