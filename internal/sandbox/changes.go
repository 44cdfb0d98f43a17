package sandbox

import (
	"bytes"
	"context"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/diff"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/utils/merkletrie"
)

// A change of one file between two commits.
type change struct {
	path, previous string
	status         string // added, removed, modified, renamed
	blob           plumbing.Hash
	added, removed int
	patch          string // "" where it is binary
}

// changes lists what differs between two commits, by path, with renames found.
func (r *Repository) changes(base, head plumbing.Hash) []change {
	tree := func(h plumbing.Hash) *object.Tree {
		c, err := r.at(h)
		if err != nil {
			return &object.Tree{}
		}
		t, err := object.GetTree(r.objects, c.TreeHash)
		if err != nil {
			return &object.Tree{}
		}
		return t
	}
	list, err := object.DiffTreeWithOptions(context.Background(), tree(base), tree(head), object.DefaultDiffTreeOptions)
	if err != nil {
		return nil
	}
	var out []change
	for _, x := range list {
		action, err := x.Action()
		if err != nil {
			continue
		}
		c := change{path: x.To.Name, status: "modified", blob: x.To.TreeEntry.Hash}
		switch {
		case action == merkletrie.Insert:
			c.status = "added"
		case action == merkletrie.Delete:
			c.path, c.status, c.blob = x.From.Name, "removed", x.From.TreeEntry.Hash
		case x.From.Name != x.To.Name:
			c.status, c.previous = "renamed", x.From.Name
		}
		if p, err := x.Patch(); err == nil {
			for _, s := range p.Stats() {
				c.added, c.removed = c.added+s.Addition, c.removed+s.Deletion
			}
			var text bytes.Buffer
			if diff.NewUnifiedEncoder(&text, 3).Encode(p) == nil {
				if i := strings.Index(text.String(), "@@ "); i >= 0 {
					c.patch = strings.TrimSuffix(text.String()[i:], "\n")
				}
			}
		}
		out = append(out, c)
	}
	return out
}

func (c change) render(r *Repository, head plumbing.Hash) any {
	out := fields{
		"sha": c.blob.String(), "filename": c.path, "status": c.status, "additions": c.added, "deletions": c.removed, "changes": c.added + c.removed,
		"blob_url": r.html("/blob/%s/%s", head, c.path), "raw_url": r.html("/raw/%s/%s", head, c.path), "contents_url": r.url("/contents/%s?ref=%s", c.path, head),
	}
	if c.patch != "" {
		out["patch"] = c.patch
	}
	if c.previous != "" {
		out["previous_filename"] = c.previous
	}
	return out
}
