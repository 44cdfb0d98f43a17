package smarthttp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// A ref is a reference that names an object which is here.
type ref struct {
	name   string
	hash   plumbing.Hash
	peeled plumbing.Hash // what a tag object names; zero for other objects
}

// refs returns the references in order of their names. Symbolic ones are not among
// them: HEAD is what the repository says it is. The lock is held.
func (r *Repository) refs(g *history) ([]ref, error) {
	var all []ref
	iter, err := r.Storer.IterReferences()
	if err != nil {
		return nil, fmt.Errorf("reading references: %w", err)
	}
	err = iter.ForEach(func(p *plumbing.Reference) error {
		if p.Type() != plumbing.HashReference || !strings.HasPrefix(p.Name().String(), "refs/") {
			return nil
		}
		if !g.has(p.Hash()) {
			return nil // as git: a reference to nothing is not advertised
		}
		one := ref{name: p.Name().String(), hash: p.Hash()}
		if target, _, err := g.peel(p.Hash()); err == nil && target != one.hash {
			one.peeled = target
		}
		all = append(all, one)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading references: %w", err)
	}
	slices.SortFunc(all, func(a, b ref) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// head returns the branch that HEAD names, where it exists.
func (r *Repository) head(refs []ref) (ref, bool) {
	i := slices.IndexFunc(refs, func(x ref) bool { return x.name == r.Head })
	if i < 0 {
		return ref{}, false
	}
	return refs[i], true
}

func (r *Repository) hidden(name string) bool { return r.Hidden != nil && r.Hidden(name) }

// named returns what the references name.
func named(refs []ref) []plumbing.Hash {
	all := make([]plumbing.Hash, 0, len(refs))
	for _, x := range refs {
		all = append(all, x.hash)
	}
	return all
}
