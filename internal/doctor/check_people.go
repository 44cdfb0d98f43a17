package doctor

import (
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
)

var peopleChecks = []Check{
	{
		ID: "people.teams", Title: "Teams can be read", judge: judgeTeams,
		About: "Who is in a team that cannot be read is unknown, and what asks for it is not merged.",
	},
	{
		ID: "people.admins", Title: "There are enough admins", judge: judgeAdmins,
		About: "Where too few people are admins, nobody can approve a change of the rules.",
	},
	{
		ID: "people.owners", Title: "Owners of the rules", judge: judgeOwners,
		About: "Without owners of .pinnace/ nobody is asked to review a change of the rules.",
	},
}

func judgeTeams(f *Facts) Finding {
	all, no := f.Teams.first()
	if no != nil {
		return *no
	}
	if len(all) == 0 {
		return ok("no role and no policy names one")
	}
	var hidden []string
	for _, t := range all {
		if !t.Readable {
			hidden = append(hidden, t.Name)
		}
	}
	if hidden != nil {
		return problem("check the name (organisation/slug, as in the team's address), and grant the App Members: read", "%s cannot be read: %s", count(len(hidden), "team"), strings.Join(hidden, ", "))
	}
	return ok("%s can be read", count(len(all), "team"))
}

func judgeAdmins(f *Facts) Finding {
	_, c, no := settings(f)
	if no != nil {
		return *no
	}
	role := c.Roles.Admin
	if len(role.Teams) > 0 {
		return skip("the role is given to teams, whose members are not counted")
	}
	n := len(role.Users)
	if n == 0 {
		if role.Permission != config.PermissionAdmin {
			return skip("the role is that of everybody with %s", role.Permission)
		}
		all, no := f.Admins.first()
		if no != nil {
			return *no
		}
		n = len(all)
	}
	need := c.Guard.ApproverCount
	switch {
	case n == 0:
		return problem("give somebody the role: roles.admin in .pinnace/config.yaml, or admin on GitHub", "nobody is an admin")
	case n == 1 && need > 0 && !c.Guard.AllowAuthor:
		return warn("make a second person an admin; until then an admin passes a change of the rules alone, by /approve-config", "one person is an admin, so nobody else can approve a change of the rules")
	case n-1 < need && !c.Guard.AllowAuthor:
		return problem("make more people admins, or lower guard.approverCount", "a change of the rules needs %s besides its author, and there are %d in all", count(need, "admin"), n)
	}
	return ok("%s, and a change of the rules needs %d", count(n, "admin"), need)
}

func judgeOwners(f *Facts) Finding {
	t, no := f.Tree.get()
	if no != nil {
		return *no
	}
	if !t.Configured {
		return skip("there is no .pinnace/")
	}
	o, no := f.Owners.first()
	if no != nil {
		return *no
	}
	const fix = "add the line /.pinnace/ @ORG/TEAM to "
	if o.Path == "" {
		return warn(fix+OwnersPaths[0], "there is no CODEOWNERS")
	}
	lines := parseOwners(o.Text)
	var bare []string
	for _, file := range []string{".pinnace/config.yaml", ".pinnace/freeze.yaml", ".pinnace/policies/any.yaml"} {
		if len(lines.of(file)) == 0 {
			bare = append(bare, file)
		}
	}
	if bare != nil {
		return warn(fix+o.Path, "%s names no owner of %s", o.Path, strings.Join(bare, ", "))
	}
	all := slices.Sorted(slices.Values(lines.of(".pinnace/config.yaml")))
	if slices.ContainsFunc(f.Bases.value, func(b Base) bool { return b.Rules.CodeOwners }) {
		return ok("%s must approve", strings.Join(all, ", "))
	}
	return ok("%s is asked; pinnace/config is what enforces approval", strings.Join(all, ", "))
}
