package git

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// LogOptions select commits.
type LogOptions struct {
	FirstParent bool      // only the first parent of a merge is followed
	Paths       []string  // only commits that differ from their first parent at one of these files or directories
	Limit       int       // at most so many commits, 0 for all
	Until       Hash      // the walk does not go past this commit, which is not returned
	Since       time.Time // nor past commits committed before this
}

// Log returns the commits from one on, the latest committed first. Where history ends at
// the boundary of a shallow fetch, what is known comes, and then ErrShallow; with Paths,
// the commit at the boundary cannot be compared with its parent, and does not come. Another
// error ends the sequence, too.
//
// To compare paths, only the trees on them are read, and no further than they differ.
func (r *Repository) Log(ctx context.Context, from Hash, o LogOptions) iter.Seq2[CommitInfo, error] {
	return func(yield func(CommitInfo, error) bool) {
		if err := r.log(ctx, from, o, func(c CommitInfo) bool { return yield(c, nil) }); err != nil && !errors.Is(err, errEnough) {
			yield(CommitInfo{}, fmt.Errorf("log of %s: %w", from, err))
		}
	}
}

var errEnough = errors.New("enough")

func (r *Repository) log(ctx context.Context, from Hash, o LogOptions, yield func(CommitInfo) bool) error {
	for _, p := range o.Paths {
		if problem := checkPath(strings.TrimSuffix(p, "/")); problem != nil {
			return &PathError{p, problem}
		}
	}
	first, err := r.peeled(from)
	if err != nil {
		return err
	}
	seen := map[Hash]bool{first.Hash: true, o.Until: true}
	queue := &commits{}
	if first.Hash != o.Until {
		heap.Push(queue, first)
	}
	var cut, found int
	for queue.Len() > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := heap.Pop(queue).(CommitInfo)
		if !o.Since.IsZero() && c.Committer.When.Before(o.Since) {
			continue
		}
		parents, known, err := r.parents(c, o.FirstParent)
		if err != nil {
			return err
		}
		if !known {
			cut++
		}
		differs := known || len(o.Paths) == 0
		if differs && len(o.Paths) > 0 {
			var parent Hash
			if len(parents) > 0 {
				parent = parents[0].Tree
			}
			if differs, err = r.differ(parent, c.Tree, o.Paths); err != nil {
				return err
			}
		}
		if differs {
			if found++; !yield(c) {
				return errEnough
			}
			if found == o.Limit {
				return nil
			}
		}
		for _, p := range parents {
			if !seen[p.Hash] {
				seen[p.Hash] = true
				heap.Push(queue, p)
			}
		}
	}
	if cut > 0 {
		return ErrShallow
	}
	return nil
}

// parents reads the parents of a commit. known is false where they were not fetched.
func (r *Repository) parents(c CommitInfo, first bool) (out []CommitInfo, known bool, err error) {
	r.mu.RLock()
	shallow := r.shallow[c.Hash]
	r.mu.RUnlock()
	if shallow {
		return nil, len(c.Parents) == 0, nil
	}
	for i, h := range c.Parents {
		if first && i > 0 {
			break
		}
		p, err := r.ReadCommit(h)
		if errors.Is(err, ErrMissing) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		out = append(out, p)
	}
	return out, true, nil
}

// differ says whether two trees, the first of which may be zero for an empty one, differ
// at one of the paths.
func (r *Repository) differ(old, new Hash, paths []string) (bool, error) {
	if old == new {
		return false, nil
	}
	for _, p := range paths {
		if d, err := r.differAt(old, new, strings.TrimSuffix(p, "/")); d || err != nil {
			return d, err
		}
	}
	return false, nil
}

func (r *Repository) differAt(old, new Hash, path string) (bool, error) {
	for {
		name, rest, more := strings.Cut(path, "/")
		a, err := r.child(old, name)
		if err != nil {
			return false, err
		}
		b, err := r.child(new, name)
		if err != nil {
			return false, err
		}
		if a.hash == b.hash && a.mode == b.mode {
			return false, nil
		}
		if !more {
			return true, nil
		}
		if old, new = a.subtree(), b.subtree(); old == new {
			return false, nil
		}
		path = rest
	}
}

// child returns the entry of a tree, zero where there is none. It is compared, never read,
// so that problems do not matter.
func (r *Repository) child(tree Hash, name string) (node, error) {
	if tree.IsZero() {
		return node{}, nil
	}
	nodes, err := r.rawTree(tree)
	if err != nil {
		return node{}, err
	}
	for _, n := range nodes {
		if n.name == name {
			return n, nil
		}
	}
	return node{}, nil
}

func (n node) subtree() Hash {
	if n.mode == Directory {
		return n.hash
	}
	return Hash{}
}

// commits is a heap, the latest committed on top.
type commits []CommitInfo

func (c commits) Len() int           { return len(c) }
func (c commits) Less(i, j int) bool { return c[i].Committer.When.After(c[j].Committer.When) }
func (c commits) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }

// Push is for package heap.
func (c *commits) Push(x any) { *c = append(*c, x.(CommitInfo)) }

// Pop is for package heap.
func (c *commits) Pop() any {
	last := len(*c) - 1
	x := (*c)[last]
	*c = (*c)[:last]
	return x
}
