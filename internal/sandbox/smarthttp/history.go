package smarthttp

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// A set holds hashes.
type set map[plumbing.Hash]bool

func setOf(hashes []plumbing.Hash) set {
	s := make(set, len(hashes))
	for _, h := range hashes {
		s[h] = true
	}
	return s
}

// A history reads the commits of a repository, each of them once.
type history struct {
	objects storer.EncodedObjectStorer
	grafted set // commits whose parents the repository lacks
	commits map[plumbing.Hash]commit
}

func newHistory(objects storer.EncodedObjectStorer, shallow storer.ShallowStorer) (*history, error) {
	grafted, err := shallow.Shallow()
	if err != nil {
		return nil, fmt.Errorf("reading the shallow commits: %w", err)
	}
	return &history{objects: objects, grafted: setOf(grafted), commits: map[plumbing.Hash]commit{}}, nil
}

// has reports whether the object is here.
func (g *history) has(h plumbing.Hash) bool { return g.objects.HasEncodedObject(h) == nil }

// object returns an object of the kind, which may be AnyObject.
func (g *history) object(kind plumbing.ObjectType, h plumbing.Hash) (plumbing.EncodedObject, error) {
	o, err := g.objects.EncodedObject(kind, h)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", h, err)
	}
	return o, nil
}

// commit returns a commit. Its parents are those that the repository has.
func (g *history) commit(h plumbing.Hash) (commit, error) {
	if c, ok := g.commits[h]; ok {
		return c, nil
	}
	o, err := g.object(plumbing.CommitObject, h)
	if err != nil {
		return commit{}, err
	}
	b, err := content(o)
	if err != nil {
		return commit{}, fmt.Errorf("%s: %w", h, err)
	}
	c, err := parseCommit(b)
	if err != nil {
		return commit{}, fmt.Errorf("%s: %w", h, err)
	}
	if g.grafted[h] {
		c.parents = nil
	}
	g.commits[h] = c
	return c, nil
}

// peel follows tags to what they name.
func (g *history) peel(h plumbing.Hash) (target plumbing.Hash, kind plumbing.ObjectType, err error) {
	for seen := (set{}); !seen[h]; {
		seen[h] = true
		o, err := g.object(plumbing.AnyObject, h)
		if err != nil {
			return h, 0, err
		}
		if o.Type() != plumbing.TagObject {
			return h, o.Type(), nil
		}
		b, err := content(o)
		if err != nil {
			return h, 0, fmt.Errorf("%s: %w", h, err)
		}
		if h, _, err = parseTag(b); err != nil {
			return h, 0, fmt.Errorf("%s: %w", h, err)
		}
	}
	return h, 0, fmt.Errorf("%s: a tag of itself", h) // unreachable: it would be a collision of SHA-1
}

// tips returns the commits among the objects and behind the tags among them.
func (g *history) tips(hashes []plumbing.Hash) ([]plumbing.Hash, error) {
	var commits []plumbing.Hash
	for _, h := range hashes {
		h, kind, err := g.peel(h)
		if err != nil {
			return nil, err
		}
		if kind == plumbing.CommitObject {
			commits = append(commits, h)
		}
	}
	return commits, nil
}

// A found object is one that a walk came to.
type found struct {
	hash plumbing.Hash
	kind plumbing.ObjectType // as what names it says, which may be wrong for a blob
}

// A walk goes from objects to all that they name.
type walk struct {
	cut     set              // commits whose parents are not gone to
	skip    func(found) bool // objects that are not gone to; may be nil
	lenient bool             // pass over objects that are missing
}

// walk returns what the roots reach, each object once.
func (g *history) walk(roots []plumbing.Hash, w walk) ([]found, error) {
	var all []found
	seen := set{}
	var stack []found
	push := func(h plumbing.Hash, kind plumbing.ObjectType) {
		if f := (found{h, kind}); !seen[h] && (w.skip == nil || !w.skip(f)) {
			seen[h] = true
			stack = append(stack, f)
		}
	}
	for _, h := range roots {
		push(h, plumbing.AnyObject)
	}
	for len(stack) > 0 {
		f := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		err := g.expand(&f, w.cut, push)
		if w.lenient && errors.Is(err, plumbing.ErrObjectNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// expand finds the kind of f and calls push for each object that f names.
func (g *history) expand(f *found, cut set, push func(plumbing.Hash, plumbing.ObjectType)) error {
	if f.kind == plumbing.BlobObject {
		return nil
	}
	if f.kind == plumbing.AnyObject {
		o, err := g.object(plumbing.AnyObject, f.hash)
		if err != nil {
			return err
		}
		f.kind = o.Type()
	}
	if f.kind == plumbing.CommitObject {
		c, err := g.commit(f.hash)
		if err != nil {
			return err
		}
		push(c.tree, plumbing.TreeObject)
		if !cut[f.hash] {
			for _, p := range c.parents {
				push(p, plumbing.CommitObject)
			}
		}
		return nil
	}
	o, err := g.object(f.kind, f.hash)
	if err != nil {
		return err
	}
	if f.kind == plumbing.BlobObject {
		return nil
	}
	b, err := content(o)
	if err != nil {
		return fmt.Errorf("%s: %w", f.hash, err)
	}
	if f.kind == plumbing.TagObject {
		target, kind, err := parseTag(b)
		if err != nil {
			return fmt.Errorf("%s: %w", f.hash, err)
		}
		push(target, kind)
		return nil
	}
	entries, err := parseTree(b)
	if err != nil {
		return fmt.Errorf("%s: %w", f.hash, err)
	}
	for _, e := range entries {
		if kind := e.kind(); kind != plumbing.AnyObject {
			push(e.hash, kind)
		}
	}
	return nil
}

// ancestors visits the commits and what is before them, nearest first, until visit
// returns false. Parents of cut are not gone to, commits that are missing are passed
// over.
func (g *history) ancestors(commits []plumbing.Hash, cut set, visit func(plumbing.Hash, commit) bool) error {
	seen := set{}
	for queue := slices.Clone(commits); len(queue) > 0; queue = queue[1:] {
		h := queue[0]
		if seen[h] {
			continue
		}
		seen[h] = true
		c, err := g.commit(h)
		if errors.Is(err, plumbing.ErrObjectNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if !visit(h, c) {
			return nil
		}
		if !cut[h] {
			queue = append(queue, c.parents...)
		}
	}
	return nil
}

// before returns the commits and all that is before them.
func (g *history) before(commits []plumbing.Hash) (set, error) {
	all := set{}
	err := g.ancestors(commits, nil, func(h plumbing.Hash, _ commit) bool { all[h] = true; return true })
	return all, err
}

// reaches reports whether each of the commits is one of the bases or, on this side of
// the cut, a descendant of one.
func (g *history) reaches(commits []plumbing.Hash, bases, cut set) (bool, error) {
	children := map[plumbing.Hash][]plumbing.Hash{}
	var queue []plumbing.Hash
	err := g.ancestors(commits, cut, func(h plumbing.Hash, c commit) bool {
		if bases[h] {
			queue = append(queue, h)
		}
		if cut[h] {
			return true
		}
		for _, p := range c.parents {
			children[p] = append(children[p], h)
		}
		return true
	})
	if err != nil {
		return false, err
	}
	over := setOf(queue)
	for ; len(queue) > 0; queue = queue[1:] {
		for _, h := range children[queue[0]] {
			if !over[h] {
				over[h] = true
				queue = append(queue, h)
			}
		}
	}
	for _, h := range commits {
		if !over[h] {
			return false, nil
		}
	}
	return true, nil
}
