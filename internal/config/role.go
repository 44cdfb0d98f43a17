package config

import "github.com/pinnace-dev/pinnace/internal/document"

// Roles says who may do what. Use [Config.RolesOf] rather than Overrides.
type Roles struct {
	Requester Role       `json:"requester"` // may ask for a promotion
	Promoter  Role       `json:"promoter"`  // may approve
	Deployer  Role       `json:"deployer"`  // may merge by /deploy
	Admin     Role       `json:"admin"`     // may change policies; is a promoter, too
	Overrides []Override `json:"overrides"`
}

// A Role is held by who has the permission and, when any is listed, is in one of
// the teams or is one of the users.
type Role struct {
	Permission Permission `json:"permission"`
	Teams      []string   `json:"teams"` // organisation/slug
	Users      []User     `json:"users"`
}

// An Override replaces roles for an environment, an app or the pair. A nil role is
// not replaced.
type Override struct {
	Environment string `json:"environment,omitempty"`
	App         string `json:"app,omitempty"`
	Requester   *Role  `json:"requester,omitempty"`
	Promoter    *Role  `json:"promoter,omitempty"`
	Deployer    *Role  `json:"deployer,omitempty"`
	Admin       *Role  `json:"admin,omitempty"`
}

// A Permission is a GitHub permission on a repository.
type Permission string

// The permissions, lowest first.
const (
	PermissionRead     Permission = "read"
	PermissionTriage   Permission = "triage"
	PermissionWrite    Permission = "write"
	PermissionMaintain Permission = "maintain"
	PermissionAdmin    Permission = "admin"
)

// A User is a GitHub login, and the account's id where the author gave one.
type User = document.User

// RolesOf returns the roles that hold for an app in an environment. Role by role
// the most specific override wins: the pair, the environment, the app. Overrides
// of the result is nil.
func (c *Config) RolesOf(environment, app string) Roles {
	r := c.Roles
	r.Overrides = nil
	var rank [4]int
	for _, o := range c.Roles.Overrides {
		if o.Environment != "" && o.Environment != environment || o.App != "" && o.App != app {
			continue
		}
		weight := 1
		if o.Environment != "" {
			weight = 2
			if o.App != "" {
				weight = 3
			}
		}
		for i, pair := range []struct {
			to   *Role
			from *Role
		}{{&r.Requester, o.Requester}, {&r.Promoter, o.Promoter}, {&r.Deployer, o.Deployer}, {&r.Admin, o.Admin}} {
			if pair.from != nil && weight > rank[i] {
				*pair.to, rank[i] = *pair.from, weight
			}
		}
	}
	return r
}
