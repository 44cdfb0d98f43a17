package rulebook

import (
	"fmt"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// WorldOf returns what documents may speak of in a repository with a configuration. Found
// are apps of its images that the configuration does not name.
func WorldOf(c *config.Config, found ...policy.App) policy.World {
	w := policy.World{Environments: environments(c), Apps: apps(c), Grants: grants(c)}
	for _, a := range found {
		if !slices.ContainsFunc(w.Apps, func(b policy.App) bool { return a.Name == b.Name }) {
			w.Apps = append(w.Apps, a)
		}
	}
	return w
}

func environments(c *config.Config) []policy.Env {
	var all []policy.Env
	for i, e := range c.Environments {
		line, _ := c.Locate(fmt.Sprintf("/environments/%d", i))
		all = append(all, policy.Env{
			Name: e.Name, Production: e.Production, Paths: e.Paths, After: e.After, AfterAny: e.AfterAny,
			File: c.File(), Line: line,
		})
	}
	return all
}

func apps(c *config.Config) []policy.App {
	var all []policy.App
	for i, a := range c.Apps {
		line, _ := c.Locate(fmt.Sprintf("/apps/%d", i))
		app := policy.App{Name: a.Name, Source: a.Source, File: c.File(), Line: max(line, 1)} // 0 would mean that it was found
		for _, name := range a.Images {
			if ref, err := image.Parse(name); err == nil {
				app.Images = append(app.Images, ref.Repository())
			}
		}
		all = append(all, app)
	}
	return all
}

func grants(c *config.Config) []policy.Grant {
	var all []policy.Grant
	add := func(role policy.Role, env, app, at string, r *config.Role) {
		if r == nil {
			return
		}
		line, _ := c.Locate(at)
		g := policy.Grant{Role: role, Env: env, App: app, Permission: promotion.Permission(r.Permission), Teams: r.Teams, File: c.File(), Line: line}
		for _, u := range r.Users {
			g.Users = append(g.Users, u.String())
		}
		all = append(all, g)
	}
	four := func(env, app, at string, requester, promoter, deployer, admin *config.Role) {
		add(policy.Requester, env, app, at+"/requester", requester)
		add(policy.Promoter, env, app, at+"/promoter", promoter)
		add(policy.Deployer, env, app, at+"/deployer", deployer)
		add(policy.Admin, env, app, at+"/admin", admin)
	}
	r := &c.Roles
	four("", "", "/roles", &r.Requester, &r.Promoter, &r.Deployer, &r.Admin)
	for i, o := range r.Overrides {
		four(o.Environment, o.App, fmt.Sprintf("/roles/overrides/%d", i), o.Requester, o.Promoter, o.Deployer, o.Admin)
	}
	return all
}
