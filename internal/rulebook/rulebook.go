package rulebook

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/pinnace-dev/pinnace/internal/policy"
)

// Organisation begins the name of every file of the organisation's directory, in problems
// and in results.
const Organisation = "organisation/.github/"

// The directories that are read.
const (
	home     = ".pinnace"
	policies = home + "/policies"
)

// maxFiles is how many files of one directory are read at most.
const maxFiles = 500

// Files are bytes by path below the root of a repository, such as ".pinnace/config.yaml".
type Files map[string][]byte

// A Rulebook is everything that .pinnace/ says of one repository.
type Rulebook struct {
	Config   *config.Config    // of the repository; nil where it has an error
	Set      *policy.Set       // joined with the floor; nil where there is an error
	Floor    policy.FloorState // as it was given
	Problems document.Problems // of both directories
}

// Read reads both directories. Files that do not belong there are left alone, with a warning
// where they are YAML below .pinnace/. The floor is read where its state is
// [policy.FloorRead]; where it is unknown the Set is the repository's own, and no decision
// by it allows anything. Found are apps of images that the configuration does not name.
func Read(repo, floor Files, state policy.FloorState, found []policy.App) *Rulebook {
	b := &Rulebook{Floor: state}
	var theirs *policy.Set
	if state == policy.FloorRead {
		theirs = b.organisation(floor)
	}
	c, docs, whole := b.documents(repo, "")
	b.Config = c
	world := policy.World{Floor: true} // of any names: the configuration would say which there are
	if c != nil {
		world = WorldOf(c, found...)
	}
	world.Unread = theirs == nil && state != policy.FloorNone
	if theirs != nil {
		for _, p := range theirs.Promotions {
			world.Policies = append(world.Policies, p.Name)
		}
	}
	ours, problems := policy.Load(docs, world)
	b.Problems = append(b.Problems, problems...)
	if whole && ours != nil && (state != policy.FloorRead || theirs != nil) {
		joined, problems := policy.Join(theirs, ours)
		b.Set = joined
		b.Problems = append(b.Problems, problems...)
	}
	b.Problems = b.Problems.Tidy()
	return b
}

// organisation reads the floor; nil where it has an error.
func (b *Rulebook) organisation(files Files) *policy.Set {
	c, docs, whole := b.documents(files, Organisation)
	world := policy.World{Floor: true}
	if c != nil {
		world = WorldOf(c)
		world.Floor = true
		// What the organisation does not say of a role it leaves to each repository.
		world.Grants = slices.DeleteFunc(world.Grants, func(g policy.Grant) bool { return g.Line == 0 })
	}
	set, problems := policy.Load(docs, world)
	b.Problems = append(b.Problems, problems...)
	if !whole {
		return nil
	}
	return set
}

// documents reads the files of one directory, under names that begin with a prefix. Whole
// is false where one of them has an error; the configuration is nil where that does.
func (b *Rulebook) documents(files Files, prefix string) (c *config.Config, docs []policy.Document, whole bool) {
	named := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		ext := path.Ext(name)
		if ext != ".yaml" && ext != ".yml" || !strings.HasPrefix(name, home+"/") {
			continue
		}
		if dir := path.Dir(name); dir != home && dir != policies {
			b.Problems = append(b.Problems, document.Problem{
				File: prefix + name, Severity: document.Warning,
				Message: "the file is not read: documents stand in " + home + "/ and " + policies + "/, and in no directory below: move it, or delete it",
			})
			continue
		}
		if len(named) == maxFiles {
			b.Problems = append(b.Problems, document.Problem{File: prefix + name, Message: fmt.Sprintf("more than %d files: join some", maxFiles)})
			return nil, nil, false
		}
		named[prefix+name] = files[name]
	}
	c, found, problems := config.Load(named)
	b.Problems = append(b.Problems, problems...)
	for _, d := range found {
		docs = append(docs, policy.Document{File: d.File, Line: d.Line, Kind: d.Kind, Data: d.Data})
	}
	return c, docs, !problems.HasErrors()
}
