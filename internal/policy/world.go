package policy

import (
	"slices"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A World is what documents may speak of: the names of one repository's configuration, or
// of the organisation's.
type World struct {
	Environments []Env
	Apps         []App    // configured, and those of every image found
	Grants       []Grant  // who holds which role, defaults included
	Policies     []string // promotion policies of the organisation, which may be bound further
	Unread       bool     // there may be more of those, which could not be read
	Floor        bool     // the organisation's own directory, whose names are those of any repository

	floor *World // of the organisation, once joined
}

// An Env is an environment.
type Env struct {
	Name       string
	Production bool
	Paths      []string // globs of its files
	After      []string // all of them come before
	AfterAny   []string // one of them comes before
	File       string   // where it is configured
	Line       int
}

// First reports whether nothing comes before the environment, so that there is nothing to skip.
func (e Env) First() bool { return len(e.After) == 0 && len(e.AfterAny) == 0 }

// An App is a set of images that are promoted together.
type App struct {
	Name   string
	Images []string // canonical repositories
	Source string   // owner/name of the repository where it is built
	File   string   // where it is configured
	Line   int      // 0: it is not configured, but was found
}

// A Role is what a person may do.
type Role string

// The roles.
const (
	Requester Role = "requester"
	Promoter  Role = "promoter"
	Deployer  Role = "deployer"
	Admin     Role = "admin"
)

// A Grant says who holds a role: who has the permission and, when any is listed, is in one
// of the teams or is one of the users. Env and App narrow it; the most specific grant
// holds: the pair, the environment, the app.
type Grant struct {
	Role       Role
	Env, App   string
	Permission promotion.Permission
	Teams      []string // organisation/slug
	Users      []string // login or login#id
	File       string   // where it is configured
	Line       int      // 0: a default, which the organisation's replaces
}

// environment returns the environment of that name.
func (w World) environment(name string) (Env, bool) {
	for _, e := range w.Environments {
		if e.Name == name {
			return e, true
		}
	}
	return Env{}, false
}

// floorApps returns the organisation's names of apps that have one of a place's images: a
// repository that configures no app names it otherwise.
func (w World) floorApps(at where) []string {
	var names []string
	if w.floor == nil {
		return nil
	}
	for _, a := range w.floor.Apps {
		if !slices.Contains(at.apps, a.Name) && slices.ContainsFunc(at.repositories, func(r string) bool { return slices.Contains(a.Images, r) }) {
			names = append(names, a.Name)
		}
	}
	return names
}

func (w World) environmentNames() []string {
	names := make([]string, len(w.Environments))
	for i, e := range w.Environments {
		names[i] = e.Name
	}
	return names
}

func (w World) appNames() []string {
	names := make([]string, len(w.Apps))
	for i, a := range w.Apps {
		names[i] = a.Name
	}
	return names
}

// grant returns the most specific grant of a role for a pair. The organisation's holds where
// the repository has a default only.
func (w World) grant(role Role, env, app string) (Grant, bool) {
	best, rank := Grant{}, 0
	for _, g := range w.Grants {
		if g.Role != role || g.Env != "" && g.Env != env || g.App != "" && g.App != app {
			continue
		}
		weight := 1
		if g.App != "" {
			weight++
		}
		if g.Env != "" {
			weight += 2
		}
		if weight > rank || weight == rank && best.Line == 0 && g.Line > 0 {
			best, rank = g, weight
		}
	}
	if best.Line == 0 && w.floor != nil {
		if g, ok := w.floor.grant(role, env, app); ok {
			return g, true
		}
	}
	return best, rank > 0
}
