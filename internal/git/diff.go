package git

import (
	"context"
	"slices"
	"strings"
)

// A Delta is one path at which two snapshots differ. The side that has nothing there is
// the zero Entry.
type Delta struct {
	Path     string
	Old, New Entry
}

// Diff returns where two snapshots differ, in the order of paths. Directories that are
// equal are not read, whatever is in them. The snapshots may be of two repositories.
// Limits.Depth and Limits.Entries of the newer one's bound it.
//
// A directory that has a Problem is one Delta, and is not entered.
func Diff(ctx context.Context, old, new *Snapshot) ([]Delta, error) {
	d := &diff{old: old.repo, new: new.repo, limits: new.repo.limits}
	if old.Tree != new.Tree {
		if err := d.directories(ctx, &old.Tree, &new.Tree, "", 0); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(d.deltas, func(a, b Delta) int { return strings.Compare(a.Path, b.Path) })
	return d.deltas, nil
}

type diff struct {
	old, new *Repository
	limits   Limits
	deltas   []Delta
	met      int
}

// directories compares two trees, of which one may be nil.
func (d *diff) directories(ctx context.Context, old, new *Hash, dir string, depth int) error {
	if depth > d.limits.Depth {
		return at(dir, &LimitError{What: "directories within one another", Max: int64(d.limits.Depth)})
	}
	before, err := side(d.old, old)
	if err != nil {
		return at(dir, err)
	}
	after, err := side(d.new, new)
	if err != nil {
		return at(dir, err)
	}
	names := map[string]bool{}
	for _, nodes := range []map[string][]node{before, after} {
		for name := range nodes {
			names[name] = true
		}
	}
	for name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if d.met++; d.met > d.limits.Entries {
			return at(dir, &LimitError{What: "entries in a tree", Max: int64(d.limits.Entries)})
		}
		if err := d.names(ctx, before[name], after[name], dir+name, depth); err != nil {
			return err
		}
	}
	return nil
}

// side reads a tree by name. More than one node of a name have the problem Duplicate.
func side(r *Repository, tree *Hash) (map[string][]node, error) {
	if tree == nil {
		return nil, nil
	}
	nodes, err := r.tree(*tree)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]node, len(nodes))
	for _, n := range nodes {
		out[n.name] = append(out[n.name], n)
	}
	return out, nil
}

func (d *diff) names(ctx context.Context, before, after []node, path string, depth int) error {
	if slices.EqualFunc(before, after, func(a, b node) bool {
		return a.raw == b.raw && a.hash == b.hash && (a.problem == nil) == (b.problem == nil)
	}) {
		return nil
	}
	var delta Delta
	var old, new *Hash
	var err error
	if delta.Old, old, err = d.half(d.old, before, path); err != nil {
		return err
	}
	if delta.New, new, err = d.half(d.new, after, path); err != nil {
		return err
	}
	if delta.Old != (Entry{}) || delta.New != (Entry{}) {
		delta.Path = path
		d.deltas = append(d.deltas, delta)
	}
	if old == nil && new == nil {
		return nil
	}
	return d.directories(ctx, old, new, path+"/", depth+1)
}

// half returns what stands at a path on one side: an entry, or a tree to enter.
func (d *diff) half(r *Repository, nodes []node, path string) (Entry, *Hash, error) {
	if len(nodes) == 0 {
		return Entry{}, nil, nil
	}
	n := nodes[0]
	if n.mode == Directory && n.problem == nil && len(path) < maxPath {
		return Entry{}, &n.hash, nil
	}
	e, err := r.entry(path, n)
	return e, nil, err
}
