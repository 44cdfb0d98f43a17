package config

import (
	"fmt"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/document"
)

// checkRoles holds overrides to known environments, each pair once, and warns of
// machine users in roles.
func (c *Config) checkRoles() Problems {
	var ps Problems
	environments := c.environmentNames()
	var apps []string
	for _, a := range c.Apps {
		apps = append(apps, a.Name)
	}
	machines := map[string]bool{}
	for _, u := range c.ServiceAccounts {
		machines[strings.ToLower(u.Login)] = true
	}
	role := func(at string, r *Role) {
		if r == nil {
			return
		}
		for i, u := range r.Users {
			if u.Login != "" && machines[strings.ToLower(u.Login)] {
				ps = append(ps, c.problem(Warning, fmt.Sprintf("%s/users/%d", at, i), "%s is one of serviceAccounts, which never approve: name a person", u.Login))
			}
		}
	}
	role("/roles/requester", &c.Roles.Requester)
	role("/roles/promoter", &c.Roles.Promoter)
	role("/roles/deployer", &c.Roles.Deployer)
	role("/roles/admin", &c.Roles.Admin)

	type pair struct{ environment, app string }
	first := map[pair]int{}
	for i, o := range c.Roles.Overrides {
		at := fmt.Sprintf("/roles/overrides/%d", i)
		role(at+"/requester", o.Requester)
		role(at+"/promoter", o.Promoter)
		role(at+"/deployer", o.Deployer)
		role(at+"/admin", o.Admin)
		if _, ok := c.Environment(o.Environment); !ok && o.Environment != "" {
			ps = append(ps, c.problem(Error, at+"/environment", "unknown environment %s%s", document.Quote(o.Environment), document.HintUnless(len(ps) > document.MaxProblems, o.Environment, environments)))
		}
		if _, ok := c.App(o.App); !ok && o.App != "" && len(ps) <= document.MaxProblems {
			if near := document.Suggest(o.App, apps); near != "" {
				ps = append(ps, c.problem(Warning, at+"/app", "no app %s is configured, did you mean %s? (the name of an image repository that is no app's is right, too)", document.Quote(o.App), near))
			}
		}
		key := pair{o.Environment, o.App}
		if key == (pair{}) {
			continue
		}
		if j, twice := first[key]; twice {
			line, _ := c.Locate(fmt.Sprintf("/roles/overrides/%d", j))
			ps = append(ps, c.problem(Error, at, "a second override for the same environment and app, the first is in line %d: join them", line))
			continue
		}
		first[key] = i
	}
	return ps
}
