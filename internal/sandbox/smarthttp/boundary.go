package smarthttp

import (
	"errors"
	"math"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// infinite is the depth with which a client asks for all that its boundary hides.
const infinite = math.MaxInt32

// A boundary is where a client's history ends, before and after a fetch.
type boundary struct {
	before    set             // commits whose parents the client lacks
	after     set             // commits whose parents it will lack
	shallow   []plumbing.Hash // what is new in after
	unshallow []plumbing.Hash // what is gone from before
	revealed  []plumbing.Hash // the parents of unshallow, which are wanted, too
}

// boundary finds the client's boundaries. Wants are commits.
func (g *history) boundary(q *request, wants []plumbing.Hash, refs []ref) (*boundary, error) {
	b := &boundary{before: set{}, after: set{}}
	var client []plumbing.Hash
	for _, h := range q.shallows {
		_, err := g.commit(h)
		if errors.Is(err, plumbing.ErrObjectNotFound) {
			continue // the client has it from elsewhere
		}
		if err != nil {
			return nil, err
		}
		if !b.before[h] {
			b.before[h] = true
			client = append(client, h)
		}
	}
	inside, edge, err := g.deepen(q, wants, client, refs)
	if err != nil {
		return nil, err
	}
	for _, h := range edge {
		b.after[h] = true
		if !b.before[h] {
			b.shallow = append(b.shallow, h)
		}
	}
	for _, h := range client {
		if !inside[h] {
			b.after[h] = true
			continue
		}
		b.unshallow = append(b.unshallow, h)
		c, err := g.commit(h)
		if err != nil {
			return nil, err // unreachable: it was read above
		}
		b.revealed = append(b.revealed, c.parents...)
	}
	return b, nil
}

// deepen returns the commits whose parents the client will have and those whose
// parents it will lack, as far as the request decides.
func (g *history) deepen(q *request, wants, client []plumbing.Hash, refs []ref) (inside set, edge []plumbing.Hash, err error) {
	switch {
	case q.depth == infinite && len(g.grafted) == 0:
		return setOf(client), nil, nil
	case q.depth > 0 && q.relative:
		tips, err := g.tips(named(refs))
		if err != nil {
			return nil, nil, err
		}
		ours, err := g.before(tips)
		if err != nil {
			return nil, nil, err
		}
		client = slices.DeleteFunc(client[:len(client):len(client)], func(h plumbing.Hash) bool { return !ours[h] })
		return g.within(client, q.depth+1)
	case q.depth > 0:
		return g.within(wants, q.depth)
	case q.deepens():
		return g.younger(q, wants, refs)
	case q.explicit && len(g.grafted) > 0:
		return g.within(wants, infinite)
	}
	return set{}, nil, nil
}

// within divides what is reachable in less than depth steps: edge is what takes
// depth-1 of them.
func (g *history) within(commits []plumbing.Hash, depth int) (inside set, edge []plumbing.Hash, err error) {
	inside = set{}
	seen := set{}
	for level := commits; len(level) > 0; depth-- {
		var below []plumbing.Hash
		for _, h := range level {
			if seen[h] {
				continue
			}
			seen[h] = true
			c, err := g.commit(h)
			if err != nil {
				return nil, nil, err
			}
			if depth == 1 || g.grafted[h] {
				edge = append(edge, h)
				continue
			}
			inside[h] = true
			below = append(below, c.parents...)
		}
		level = below
	}
	return inside, edge, nil
}

// younger divides what is not before a time and not in the history of some
// references: edge is what has a parent that is.
func (g *history) younger(q *request, wants []plumbing.Hash, refs []ref) (inside set, edge []plumbing.Hash, err error) {
	var not []plumbing.Hash
	for _, name := range q.not {
		h, ok := expand(name, refs)
		if !ok {
			return nil, nil, malformed("deepen-not is not a ref: %.100q", name)
		}
		not = append(not, h)
	}
	if not, err = g.tips(not); err != nil {
		return nil, nil, err
	}
	old, err := g.before(not)
	if err != nil {
		return nil, nil, err
	}
	inside = set{}
	var order []plumbing.Hash
	for queue := slices.Clone(wants); len(queue) > 0; queue = queue[1:] {
		h := queue[0]
		c, err := g.commit(h)
		if err != nil {
			return nil, nil, err
		}
		if inside[h] || old[h] || c.when < q.since {
			continue
		}
		inside[h] = true
		order = append(order, h)
		queue = append(queue, c.parents...)
	}
	if len(order) == 0 {
		return nil, nil, malformed("no commits selected for shallow requests")
	}
	for _, h := range order {
		c, err := g.commit(h)
		if err != nil {
			return nil, nil, err // unreachable: it was read above
		}
		outside := g.grafted[h]
		for _, p := range c.parents {
			outside = outside || !inside[p]
		}
		if outside {
			edge = append(edge, h)
		}
	}
	for _, h := range edge {
		delete(inside, h)
	}
	return inside, edge, nil
}

// expand finds the reference that a short name means.
// https://git-scm.com/docs/gitrevisions#Documentation/gitrevisions.txt-emltrefnamegtem
func expand(name string, refs []ref) (plumbing.Hash, bool) {
	for _, prefix := range []string{"", "refs/", "refs/tags/", "refs/heads/"} {
		for _, r := range refs {
			if r.name == prefix+name {
				return r.hash, true
			}
		}
	}
	return plumbing.ZeroHash, false
}
