package smarthttp

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/memory"
)

// A repository that lacks what it should have says which object, and serves the rest.
func TestDamage(t *testing.T) {
	versions(t, func(t *testing.T, r *rig) {
		g := r.git
		work := g.init()
		g.ok(work, "push", "-q", r.url, "main")
		lost := g.commit(work, "a", "a\n")
		tree := g.ok(work, "rev-parse", "HEAD^{tree}")
		g.commit(work, "b", "b\n")
		g.ok(work, "tag", "-a", "-m", "x", "v1", lost)
		g.ok(work, "push", "-q", r.url, "main:refs/heads/lost", "main~1:refs/heads/treeless", "v1")
		r.change(func(repo *Repository) {
			delete(repo.Storer.(*memory.Storage).Objects, plumbing.NewHash(lost))
			delete(repo.Storer.(*memory.Storage).Objects, plumbing.NewHash(tree))
		})
		r.set("refs/heads/nothing", strings.Repeat("ab", 20))
		g.ok("", "clone", "-q", "--single-branch", "--no-tags", r.url, g.dir())
		g.run("", lost, "clone", "-q", "--single-branch", "--branch", "lost", r.url, g.dir())
		g.run("", lost, "clone", "-q", "--depth=3", "--branch", "lost", r.url, g.dir())
		g.run("", lost, "clone", "-q", "--shallow-since=2000-01-01", "--branch", "lost", r.url, g.dir())
		if out := g.ok("", "ls-remote", r.url); strings.Contains(out, "nothing") || strings.Contains(out, "treeless") || !strings.Contains(out, "refs/tags/v1") {
			t.Errorf("ls-remote:\n%s", out)
		}
	})
}

// A store that fails is the server's fault, and is not shown.
func TestFailingStore(t *testing.T) {
	r := newRig(t)
	r.change(func(repo *Repository) { repo.Storer = unreadable{memory.NewStorage()} })
	resp, err := http.Get(r.url + "/info/refs?service=git-upload-pack")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", resp.StatusCode)
	}
	zero, one := plumbing.ZeroHash.String(), strings.Repeat("ab", 20)
	_, got := post(t, r.url, receivePack, pkt(zero+" "+one+" refs/heads/x\x00report-status", "0000")+packOf())
	if !strings.Contains(got, "ng refs/heads/x failed to update ref") {
		t.Errorf("answer %q", got)
	}
	_, got = post(t, r.url, uploadPack, pkt("want "+one, "0000", "done"))
	if !strings.Contains(got, "ERR upload-pack: reading references") {
		t.Errorf("answer %q", got)
	}
}

type unreadable struct{ *memory.Storage }

func (unreadable) IterReferences() (storer.ReferenceIter, error) {
	return nil, errors.New("input/output error")
}

// Update sees the repository as the push would make it.
func TestOverlay(t *testing.T) {
	below, above := memory.NewStorage(), newObjects()
	for name, store := range map[string]storer.EncodedObjectStorer{"below": below, "above\n": above} {
		if _, err := store.SetEncodedObject(memoryObject(plumbing.BlobObject, []byte(name))); err != nil {
			t.Fatal(err)
		}
	}
	o := &overlay{above, below}
	for name, h := range map[string]plumbing.Hash{"below": blob("below"), "above\n": blob("above\n")} {
		if size, err := o.EncodedObjectSize(h); err != nil || size != int64(len(name)) {
			t.Errorf("%s has size %d, %v", name, size, err)
		}
		if err := o.HasEncodedObject(h); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := o.EncodedObject(plumbing.BlobObject, h); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	iter, err := o.IterEncodedObjects(plumbing.AnyObject)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := iter.ForEach(func(plumbing.EncodedObject) error { n++; return nil }); err != nil || n != 2 {
		t.Errorf("%d objects, %v", n, err)
	}
}
