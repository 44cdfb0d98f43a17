package git

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// Written is a tree that was derived from a snapshot.
type Written struct {
	Tree    Hash
	Objects []Hash // blobs and trees that the snapshot does not have at their place
}

// WriteTree returns the tree that the snapshot becomes when the files at some paths get
// new bytes. Only the directories on their paths are read and written; modes stay. An edit
// to the bytes that are there writes nothing.
//
// A path has to be a regular file, not reached through a Problem, and no Problem itself;
// else the error is a *PathError. A path among create may be absent: then it becomes a
// file of mode 100644, and its directories come to be.
func (s *Snapshot) WriteTree(edits map[string][]byte, create ...string) (*Written, error) {
	root := &edit{}
	for _, path := range slices.Sorted(maps.Keys(edits)) {
		if p := checkPath(path); p != nil {
			return nil, fmt.Errorf("writing a tree: %w", &PathError{path, p})
		}
		if err := root.add(path, edits[path], slices.Contains(create, path)); err != nil {
			return nil, fmt.Errorf("writing a tree: %w", &PathError{path, err})
		}
	}
	w := &Written{}
	tree, err := s.repo.rewrite(w, &s.Tree, root, "", 0)
	if err != nil {
		return nil, fmt.Errorf("writing a tree: %w", err)
	}
	w.Tree = tree
	return w, nil
}

// An edit is a directory on the path of edits, or a file's new bytes.
type edit struct {
	children map[string]*edit
	file     bool
	data     []byte
	create   bool
}

func (e *edit) add(path string, data []byte, create bool) error {
	for name := range strings.SplitSeq(path, "/") {
		if e.file {
			return errors.New("an edit beside it makes a file of its directory")
		}
		if e.children == nil {
			e.children = map[string]*edit{}
		}
		if e.children[name] == nil {
			e.children[name] = &edit{}
		}
		e = e.children[name]
		e.create = e.create || create
	}
	if e.children != nil {
		return errors.New("an edit below it makes a directory of it") // unreachable: paths come in order
	}
	e.file, e.data = true, data
	return nil
}

var errNotRegular = errors.New("it is not a regular file of the snapshot")

// rewrite applies edits to a tree, nil for a new one, and returns what it becomes.
func (r *Repository) rewrite(w *Written, tree *Hash, e *edit, dir string, depth int) (Hash, error) {
	if depth > r.limits.Depth {
		return Hash{}, at(dir, &LimitError{What: "directories within one another", Max: int64(r.limits.Depth)})
	}
	var nodes []node
	if tree != nil {
		var err error
		if nodes, err = r.rawTree(*tree); err != nil {
			return Hash{}, at(dir, err)
		}
		judge(nodes)
	}
	changed := false
	for _, name := range slices.Sorted(maps.Keys(e.children)) {
		child, path := e.children[name], dir+name
		i := slices.IndexFunc(nodes, func(n node) bool { return n.name == name })
		if i < 0 {
			if !child.create {
				return Hash{}, &PathError{path, errNotRegular}
			}
			n := node{name: name, mode: File}
			if !child.file {
				n.mode = Directory
			}
			n.raw = fmt.Sprintf("%o", uint32(n.mode))
			nodes = append(nodes, n)
			judge(nodes)
			i = len(nodes) - 1
		}
		if p := nodes[i].problem; p != nil {
			return Hash{}, &PathError{path, p}
		}
		before := nodes[i].hash
		if err := r.renew(w, &nodes[i], child, path, depth); err != nil {
			return Hash{}, err
		}
		changed = changed || nodes[i].hash != before
	}
	if !changed && tree != nil {
		return *tree, nil
	}
	if !slices.IsSortedFunc(nodes, compareNodes) {
		sortNodes(nodes)
	}
	h, err := r.write(plumbing.TreeObject, encodeTree(nodes))
	w.Objects = append(w.Objects, h)
	return h, err
}

// renew gives one node its new hash.
func (r *Repository) renew(w *Written, n *node, e *edit, path string, depth int) (err error) {
	if !e.file {
		if n.mode != Directory {
			return &PathError{path, errNotRegular}
		}
		below := &n.hash
		if n.hash.IsZero() {
			below = nil
		}
		n.hash, err = r.rewrite(w, below, e, path+"/", depth+1)
		return err
	}
	if !n.mode.Regular() {
		return &PathError{path, errNotRegular}
	}
	h, err := hashObject(plumbing.BlobObject, e.data)
	if err != nil || h == n.hash {
		return err
	}
	if int64(len(e.data)) > r.limits.ObjectSize {
		return at(path, tooLarge(int64(len(e.data)), r.limits.ObjectSize))
	}
	if n.hash, err = r.write(plumbing.BlobObject, bytes.Clone(e.data)); err == nil {
		w.Objects = append(w.Objects, n.hash)
	}
	return err
}
