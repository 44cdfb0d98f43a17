package git

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// A Snapshot is the tree of one commit. It does not change.
type Snapshot struct {
	Commit, Tree Hash
	repo         *Repository

	mu  sync.Mutex
	way []directory // to what was looked up last, the root first
}

// A directory is a tree that was read, by name.
type directory struct {
	tree  Hash
	nodes map[string]node
}

// Release lets go of what it and its repository keep in memory to read faster, as after a
// walk that is not to be repeated. It comes back with what is read next.
func (s *Snapshot) Release() {
	s.repo.cache.release()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.way = nil
}

// An Entry is a file of a snapshot, or something with a Problem.
type Entry struct {
	Path    string // with slashes, as it is written in git
	Mode    Mode
	Blob    Hash  // of a directory with a Problem, its tree
	Size    int64 // bytes of the blob; 0 where Problem says it is none
	Problem *Problem
}

// Snapshot returns the tree of a commit, or of the commit that a tag leads to.
func (r *Repository) Snapshot(commit Hash) (*Snapshot, error) {
	c, err := r.peeled(commit)
	if err != nil {
		return nil, err
	}
	return &Snapshot{Commit: c.Hash, Tree: c.Tree, repo: r}, nil
}

// SnapshotTree returns a tree that has no commit, such as one just written.
func (r *Repository) SnapshotTree(tree Hash) *Snapshot { return &Snapshot{Tree: tree, repo: r} }

// Walk visits the files below the root in the order of their paths' bytes, until visit
// returns an error, which Walk returns. An entry that has a Problem is visited and neither
// read nor entered.
//
// want, if not nil, is asked about each entry before anything of it is read, about a
// directory with a slash at its end; what it does not want is not visited. Limits.Depth
// and Limits.Entries bound the walk.
func (s *Snapshot) Walk(ctx context.Context, want func(path string) bool, visit func(Entry) error) error {
	w := &walk{repo: s.repo, want: want, visit: visit}
	return w.directory(ctx, s.Tree, "", 0)
}

type walk struct {
	repo  *Repository
	want  func(string) bool
	visit func(Entry) error
	met   int
}

func (w *walk) directory(ctx context.Context, tree Hash, dir string, depth int) error {
	l := w.repo.limits
	if depth > l.Depth {
		return &PathError{dir, &LimitError{What: "directories within one another", Max: int64(l.Depth)}}
	}
	nodes, err := w.repo.tree(tree)
	if err != nil {
		return at(dir, err)
	}
	for _, n := range nodes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if w.met++; w.met > l.Entries {
			return &PathError{dir, &LimitError{What: "entries in a tree", Max: int64(l.Entries)}}
		}
		path := dir + n.name
		enter := n.mode == Directory && n.problem == nil
		asked := path
		if enter {
			asked += "/"
		}
		if w.want != nil && !w.want(asked) {
			continue
		}
		if enter && len(asked) <= maxPath {
			if err := w.directory(ctx, n.hash, asked, depth+1); err != nil {
				return err
			}
			continue
		}
		e, err := w.repo.entry(path, n)
		if err != nil {
			return err
		}
		if err := w.visit(e); err != nil {
			return err
		}
	}
	return nil
}

// at puts a path before an error.
func at(path string, err error) error {
	if path == "" {
		path = "/"
	}
	return &PathError{path, err}
}

// entry makes an Entry of a node, and looks up a file's size.
func (r *Repository) entry(path string, n node) (Entry, error) {
	e := Entry{Path: path, Mode: n.mode, Blob: n.hash, Problem: n.problem}
	if e.Problem == nil && len(path) > maxPath {
		e.Problem = &Problem{Long, fmt.Sprintf("its path is longer than %d bytes", maxPath)}
	}
	if e.Problem != nil || n.mode == Directory {
		return e, nil
	}
	k, size, err := r.stat(n.hash)
	if err == nil && k != plumbing.BlobObject {
		err = corrupt("it should be a blob, and is a %s", k)
	}
	if err != nil {
		return e, at(path, err)
	}
	e.Size = size
	if size > r.limits.ObjectSize {
		e.Problem = &Problem{Oversized, fmt.Sprintf("it has %d bytes, more than the limit of %d", size, r.limits.ObjectSize)}
	}
	return e, nil
}

// Lookup returns the entry at a path, and whether there is one. Only the trees on the path
// are read, and not those that the last one led through. A path that leads through something with a Problem returns that, at its own
// path; one that leads to a directory is not found.
func (s *Snapshot) Lookup(path string) (Entry, bool, error) {
	if p := checkPath(path); p != nil {
		return Entry{}, false, &PathError{path, p}
	}
	n, at, err := s.find(path)
	if err != nil || n == nil || n.problem == nil && n.mode == Directory {
		return Entry{}, false, err
	}
	e, err := s.repo.entry(at, *n)
	return e, err == nil, err
}

// Subtree returns the hash of what stands at a path, a file or a directory, and whether there is
// anything.
func (s *Snapshot) Subtree(path string) (Hash, bool, error) {
	if p := checkPath(path); p != nil {
		return Hash{}, false, &PathError{path, p}
	}
	n, _, err := s.find(path)
	if err != nil || n == nil {
		return Hash{}, false, err
	}
	return n.hash, true, nil
}

// find returns the node at a path, or the node on the way to it that has a problem, and
// where that is. It is nil where there is neither.
func (s *Snapshot) find(path string) (*node, string, error) {
	tree := s.Tree
	for i, depth := 0, 0; ; depth++ {
		end := len(path)
		if next := strings.IndexByte(path[i:], '/'); next >= 0 {
			end = i + next
		}
		nodes, err := s.directory(depth, tree)
		if err != nil {
			return nil, "", at(path[:i], err)
		}
		found, ok := nodes[path[i:end]]
		switch {
		case !ok:
			return nil, "", nil
		case found.problem != nil || end == len(path):
			return &found, path[:end], nil
		case found.mode != Directory:
			return nil, "", nil
		}
		tree, i = found.hash, end+1
	}
}

// directory returns the entries of a tree that is so many directories below the root.
func (s *Snapshot) directory(depth int, tree Hash) (map[string]node, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if depth < len(s.way) && s.way[depth].tree == tree {
		return s.way[depth].nodes, nil
	}
	all, err := s.repo.tree(tree)
	if err != nil {
		return nil, err
	}
	nodes := make(map[string]node, len(all))
	for _, n := range all {
		nodes[n.name] = n
	}
	if depth <= len(s.way) {
		s.way = append(s.way[:depth], directory{tree, nodes})
	}
	return nodes, nil
}

// Blob returns the bytes of a blob, which nobody may change. One of more than limit bytes,
// 0 for Limits.ObjectSize, is a *LimitError, and is not inflated. One that is a Git LFS
// pointer is a *Problem.
func (s *Snapshot) Blob(h Hash, limit int64) ([]byte, error) {
	if limit <= 0 || limit > s.repo.limits.ObjectSize {
		limit = s.repo.limits.ObjectSize
	}
	data, err := s.repo.read(h, plumbing.BlobObject, limit)
	if err != nil {
		return nil, err
	}
	if lfsPointer(data) {
		return nil, &Problem{LFS, "it is a Git LFS pointer: its content is not in git"}
	}
	return data, nil
}

// lfsPointer says whether a blob stands for another file
// (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md#the-pointer).
func lfsPointer(data []byte) bool {
	return len(data) < 1024 && bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/spec/")) && bytes.Contains(data, []byte("\noid "))
}
