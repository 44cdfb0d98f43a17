package config

import (
	"path"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// AppNames names the app of each image place among a known set of references.
type AppNames struct {
	apps   []App
	owners map[string]int    // canonical repository to the configured app that has it
	names  map[string]string // canonical repository to the name of its default app
}

// AppNames returns the names of apps among the references of a repository. An
// image repository that is no configured app's is an app of its own, named by its
// last path segment; where two of them, or one and a configured app, would have
// the same name, each is named by its whole path, and where that is the same in
// two registries, by its whole name.
//
// Such a name may hold slashes, which a configured name may not.
func (c *Config) AppNames(refs []image.Ref) AppNames {
	last := map[string]map[string]bool{} // last segment, and whole path, to repositories
	whole := map[string]map[string]bool{}
	add := func(to map[string]map[string]bool, key, repository string) {
		if to[key] == nil {
			to[key] = map[string]bool{}
		}
		to[key][repository] = true
	}
	owners := c.owners()
	repositories := map[string]image.Ref{}
	for _, ref := range refs {
		repository := ref.Repository()
		if _, ok := repositories[repository]; ok {
			continue
		}
		if _, configured := owners[repository]; configured {
			continue
		}
		repositories[repository] = ref
		add(last, path.Base(repository), repository)
		add(whole, ref.Path(), repository)
	}
	for _, a := range c.Apps {
		add(last, a.Name, "") // no repository: a configured app has its name for itself
	}
	n := AppNames{apps: c.Apps, owners: owners, names: make(map[string]string, len(repositories))}
	for repository, ref := range repositories {
		switch {
		case len(last[path.Base(repository)]) == 1:
			n.names[repository] = path.Base(repository)
		case len(whole[ref.Path()]) == 1 && strings.Contains(ref.Path(), "/"):
			n.names[repository] = ref.Path()
		default:
			n.names[repository] = repository
		}
	}
	return n
}

// Of returns the name of the app that an image place is of: a configured app, else
// the default app. It is "" where the repository is a configured app's and the
// app's paths leave this place out, and for a reference that is not of the set.
func (n AppNames) Of(environment, path string, ref image.Ref) string {
	if i, ok := n.owners[ref.Repository()]; ok {
		a := n.apps[i]
		if len(a.Paths) > 0 && !matchesAny(a.Paths, path) {
			return ""
		}
		return a.Name
	}
	return n.names[ref.Repository()]
}

// AppOf is AppNames.Of for one reference, whose default name collides with that of
// a configured app only.
func (c *Config) AppOf(environment, path string, ref image.Ref) string {
	return c.AppNames([]image.Ref{ref}).Of(environment, path, ref)
}

// owners maps each canonical repository to the index of the app that has it.
func (c *Config) owners() map[string]int {
	owners := map[string]int{}
	for i, a := range c.Apps {
		for _, name := range a.Images {
			ref, err := image.Parse(name)
			if err != nil {
				continue // Parse of the document refuses it
			}
			if _, taken := owners[ref.Repository()]; !taken {
				owners[ref.Repository()] = i
			}
		}
	}
	return owners
}
