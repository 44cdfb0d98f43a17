package sandbox

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// signature marks what GitHub itself signed; the sandbox knows its own by hash.
const signature = "-----BEGIN PGP SIGNATURE-----\n\nc2FuZGJveA==\n-----END PGP SIGNATURE-----\n"

// An entry of a tree that was laid flat.
type entry struct {
	mode filemode.FileMode
	hash plumbing.Hash
}

type encoder interface {
	Encode(plumbing.EncodedObject) error
}

// put stores an object. The memory store refuses none that encodes.
func (r *Repository) put(e encoder) plumbing.Hash {
	o := r.store.NewEncodedObject()
	if err := e.Encode(o); err != nil {
		panic(fmt.Sprintf("sandbox: encoding an object: %v", err))
	}
	h, err := r.store.SetEncodedObject(o)
	if err != nil {
		panic(fmt.Sprintf("sandbox: storing an object: %v", err))
	}
	return h
}

type blob []byte

// Encode writes the blob as git stores it.
func (b blob) Encode(o plumbing.EncodedObject) error {
	o.SetType(plumbing.BlobObject)
	w, err := o.Writer()
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return cmp.Or(err, w.Close())
}

func (r *Repository) bytes(h plumbing.Hash) ([]byte, error) {
	b, err := object.GetBlob(r.objects, h)
	if err != nil {
		return nil, err
	}
	rd, err := b.Reader()
	if err != nil {
		return nil, err
	}
	defer rd.Close()
	return io.ReadAll(rd)
}

// flat lists the files of a tree by path.
func (r *Repository) flat(tree plumbing.Hash) map[string]entry {
	files := map[string]entry{}
	r.walk(tree, "", func(p string, e object.TreeEntry) {
		if e.Mode != filemode.Dir {
			files[p] = entry{e.Mode, e.Hash}
		}
	})
	return files
}

// walk visits every entry of a tree, folders before what they hold.
func (r *Repository) walk(tree plumbing.Hash, at string, visit func(string, object.TreeEntry)) {
	t, err := object.GetTree(r.objects, tree)
	if err != nil {
		return
	}
	for _, e := range t.Entries {
		p := path.Join(at, e.Name)
		visit(p, e)
		if e.Mode == filemode.Dir {
			r.walk(e.Hash, p, visit)
		}
	}
}

// tree stores the tree that holds those files.
func (r *Repository) tree(files map[string]entry) plumbing.Hash {
	here := map[string]object.TreeEntry{}
	below := map[string]map[string]entry{}
	for p, e := range files {
		name, rest, deep := strings.Cut(p, "/")
		if !deep {
			here[name] = object.TreeEntry{Name: name, Mode: e.mode, Hash: e.hash}
			continue
		}
		if below[name] == nil {
			below[name] = map[string]entry{}
		}
		below[name][rest] = e
	}
	for name, files := range below {
		here[name] = object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: r.tree(files)}
	}
	t := &object.Tree{Entries: slices.Collect(maps.Values(here))}
	slices.SortFunc(t.Entries, func(a, b object.TreeEntry) int { return strings.Compare(sortName(a), sortName(b)) })
	return r.put(t)
}

// sortName is the name that git sorts by.
func sortName(e object.TreeEntry) string {
	if e.Mode == filemode.Dir {
		return e.Name + "/"
	}
	return e.Name
}

// edited returns the tree with files written, or removed where the text is Removed.
func (r *Repository) edited(tree plumbing.Hash, edits map[string]string) plumbing.Hash {
	files := r.flat(tree)
	for p, text := range edits {
		if text == Removed {
			delete(files, p)
			continue
		}
		e := entry{mode: filemode.Regular, hash: r.put(blob(text))}
		if old, ok := files[p]; ok {
			e.mode = old.mode
		}
		files[p] = e
	}
	return r.tree(files)
}

func (r *Repository) commit(tree plumbing.Hash, parents []plumbing.Hash, author, committer object.Signature, message string, signed bool) plumbing.Hash {
	c := &object.Commit{Author: author, Committer: committer, Message: message, TreeHash: tree, ParentHashes: parents}
	if signed {
		c.PGPSignature = signature
	}
	h := r.put(c)
	if signed {
		r.s.verified(r, h)
	}
	return h
}

func (s *Sandbox) verified(r *Repository, h plumbing.Hash) { r.signed[h] = s.now() }

// at finds a commit; what the store has is read once.
func (r *Repository) at(h plumbing.Hash) (*object.Commit, error) {
	if c := r.known[h]; c != nil {
		return c, nil
	}
	c, err := object.GetCommit(r.objects, h)
	if err == nil && r.objects == storer.EncodedObjectStorer(r.store) {
		r.known[h] = c
	}
	return c, err
}

func (r *Repository) mustAt(h plumbing.Hash) *object.Commit {
	c, err := r.at(h)
	if err != nil {
		panic(fmt.Sprintf("sandbox: %s has no commit %s", r.fullName(), h))
	}
	return c
}

func (s *Sandbox) signatureOf(a *account) object.Signature {
	return object.Signature{Name: a.Login, Email: a.email, When: s.now()}
}

// github is the committer of what is made on the web.
// https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification
func (s *Sandbox) github() object.Signature {
	return object.Signature{Name: "GitHub", Email: "noreply@github.com", When: s.now()}
}

// ancestors returns every commit that h reaches, itself included.
func (r *Repository) ancestors(heads ...plumbing.Hash) map[plumbing.Hash]bool {
	seen := map[plumbing.Hash]bool{}
	queue := slices.Clone(heads)
	for len(queue) > 0 {
		h := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if h.IsZero() || seen[h] {
			continue
		}
		c, err := r.at(h)
		if err != nil {
			continue
		}
		seen[h] = true
		queue = append(queue, c.ParentHashes...)
	}
	return seen
}

// between lists the commits that head reaches and base does not, oldest first.
func (r *Repository) between(base, head plumbing.Hash) []*object.Commit {
	have := r.ancestors(base)
	var list []*object.Commit
	seen := map[plumbing.Hash]bool{}
	var visit func(h plumbing.Hash)
	visit = func(h plumbing.Hash) {
		if have[h] || seen[h] {
			return
		}
		seen[h] = true
		c, err := r.at(h)
		if err != nil {
			return
		}
		for _, p := range c.ParentHashes {
			visit(p)
		}
		list = append(list, c)
	}
	visit(head)
	return list
}

// mergeBase returns the best common ancestor, zero if there is none.
func (r *Repository) mergeBase(a, b plumbing.Hash) plumbing.Hash {
	x, err := r.at(a)
	if err != nil {
		return plumbing.ZeroHash
	}
	y, err := r.at(b)
	if err != nil {
		return plumbing.ZeroHash
	}
	list, err := x.MergeBase(y)
	if err != nil || len(list) == 0 {
		return plumbing.ZeroHash
	}
	return list[0].Hash
}

func (r *Repository) isAncestor(old, now plumbing.Hash) bool { return r.ancestors(now)[old] }

func (r *Repository) seen(h plumbing.Hash) Commit {
	c := r.mustAt(h)
	out := Commit{
		SHA: h.String(), AuthorName: c.Author.Name, AuthorEmail: c.Author.Email,
		CommitterName: c.Committer.Name, CommitterEmail: c.Committer.Email, Message: c.Message,
	}
	_, out.Verified = r.signed[h]
	for _, p := range c.ParentHashes {
		out.Parents = append(out.Parents, p.String())
	}
	return out
}

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}
