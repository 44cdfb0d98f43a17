package scenario

import (
	"slices"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// DefaultConfig is the configuration of a suite that gives none.
const DefaultConfig = `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: ["envs/dev/**"]}
  - {name: staging, paths: ["envs/staging/**"], after: [dev]}
  - {name: prod, paths: ["envs/prod/**"], after: [staging], production: true}
apps:
  - {name: shop, images: [ghcr.io/acme/shop], source: acme/shop}
  - {name: web, images: [ghcr.io/acme/web]}
`

// Default returns the configuration of [DefaultConfig].
func Default() *config.Config {
	c, problems := config.Parse(configName, []byte(DefaultConfig))
	if c == nil {
		panic("scenario: default configuration: " + problems.Error()) // unreachable: a test reads it
	}
	return c
}

// WorldOf returns what documents may speak of in a repository with a configuration. Found
// are apps of its images that the configuration does not name.
func WorldOf(c *config.Config, found ...policy.App) policy.World {
	var w policy.World
	for _, e := range c.Environments {
		w.Environments = append(w.Environments, policy.Env{Name: e.Name, Production: e.Production, Paths: e.Paths, After: e.After, AfterAny: e.AfterAny})
	}
	for _, a := range c.Apps {
		app := policy.App{Name: a.Name, Source: a.Source}
		for _, name := range a.Images {
			if ref, err := image.Parse(name); err == nil {
				app.Images = append(app.Images, ref.Repository())
			}
		}
		w.Apps = append(w.Apps, app)
	}
	for _, a := range found {
		if !slices.ContainsFunc(w.Apps, func(b policy.App) bool { return a.Name == b.Name }) {
			w.Apps = append(w.Apps, a)
		}
	}
	grant := func(role policy.Role, key, env, app string, r config.Role) {
		line, _ := c.Locate("/roles/" + key)
		g := policy.Grant{Role: role, Env: env, App: app, Permission: promotion.Permission(r.Permission), Teams: r.Teams, File: c.File(), Line: line}
		for _, u := range r.Users {
			g.Users = append(g.Users, u.String())
		}
		w.Grants = append(w.Grants, g)
	}
	grant(policy.Requester, "requester", "", "", c.Roles.Requester)
	grant(policy.Promoter, "promoter", "", "", c.Roles.Promoter)
	grant(policy.Deployer, "deployer", "", "", c.Roles.Deployer)
	grant(policy.Admin, "admin", "", "", c.Roles.Admin)
	for _, o := range c.Roles.Overrides {
		for _, x := range []struct {
			role policy.Role
			r    *config.Role
		}{{policy.Requester, o.Requester}, {policy.Promoter, o.Promoter}, {policy.Deployer, o.Deployer}, {policy.Admin, o.Admin}} {
			if x.r != nil {
				grant(x.role, "overrides", o.Environment, o.App, *x.r)
			}
		}
	}
	return w
}

// World returns what documents may speak of in the suite.
func (s Suite) World() policy.World { return WorldOf(s.Config) }
