package sandbox

import (
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// rulesetGet shows who may bypass a ruleset to those who may edit it only.
// https://docs.github.com/en/rest/repos/rules#get-a-repository-ruleset
func rulesetGet(c *call) (any, error) {
	r := c.repo
	i := c.number("ruleset_id") - r.id*100
	if i < 0 || i >= int64(len(r.protections)) || r.protections[i].Classic {
		return nil, notFound()
	}
	g := r.protections[i]
	ours := "never"
	actors := []any{}
	for _, name := range g.Bypass {
		kind, mode := "User", "always"
		id := int64(0)
		for _, a := range c.s.apps {
			if a.slug == name {
				kind, id = "Integration", a.id
			}
		}
		if a := c.s.people[strings.ToLower(name)]; id == 0 && a != nil {
			id = a.ID
		}
		actors = append(actors, fields{"actor_id": id, "actor_type": kind, "bypass_mode": mode})
		if c.by.named(name) {
			ours = "always"
		}
	}
	out := fields{
		"id": c.number("ruleset_id"), "name": g.pattern, "target": "branch", "source_type": "Repository", "source": r.fullName(), "enforcement": "active",
		"current_user_can_bypass": ours, "conditions": fields{"ref_name": fields{"include": []string{"refs/heads/" + g.pattern}, "exclude": []string{}}},
		"created_at": stamp(r.created), "updated_at": stamp(r.created),
	}
	if c.mayEditRules(r) {
		out["bypass_actors"] = actors
	}
	return out, nil
}

func (c *call) mayEditRules(r *Repository) bool {
	if c.by.install != nil {
		return c.by.inReach(r) && reaches(c.by.permissions["administration"], "write")
	}
	return c.by.who != nil && r.role(c.by.who).AtLeast(promotion.PermissionAdmin)
}
