package smarthttp

import (
	"crypto/sha1"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"
)

// FuzzServe sends any body to each service. Nothing panics, the status is one that is
// meant, and what the references name afterwards is whole.
func FuzzServe(f *testing.F) {
	file, other := thing{plumbing.BlobObject, "a\n"}, thing{plumbing.BlobObject, "b\n"}
	tree, next := treeOf(file.hash()), treeOf(other.hash())
	root := commitOf(tree.hash())
	child := commitOf(next.hash(), root.hash())
	main, zero := root.hash().String(), plumbing.ZeroHash.String()
	caps := " multi_ack_detailed no-done side-band-64k ofs-delta include-tag deepen-relative"
	for _, body := range []string{
		"", "0000",
		pkt("want "+main+caps, "0000", "have "+main, "0000"),
		pkt("want "+main+caps, "shallow "+main, "deepen 2", "0000", "have "+zero, "done"),
		pkt("want "+main+" multi_ack", "deepen-since 1600000000", "0000", "done"),
		pkt("want "+main, "deepen-not main", "0000", "done"),
	} {
		f.Add(uint(0), body)
	}
	for _, body := range []string{
		pkt("command=ls-refs", "agent=x", "object-format=sha1", "0001", "peel", "symrefs", "unborn", "ref-prefix refs/", "0000"),
		pkt("command=fetch", "0001", "want "+main, "have "+main, "wait-for-done", "0000"),
		pkt("command=fetch", "0001", "thin-pack", "no-progress", "want "+main, "shallow "+main, "deepen 1", "deepen-relative", "done", "0000"),
	} {
		f.Add(uint(1), body)
	}
	for _, body := range []string{
		pkt(main+" "+child.hash().String()+" refs/heads/main\x00report-status side-band-64k atomic", "0000") + packOf(other, next, child),
		pkt("shallow "+main, zero+" "+main+" refs/heads/x/y\x00report-status", main+" "+zero+" refs/heads/main", "0000") + packOf(),
	} {
		f.Add(uint(2), body)
	}
	f.Fuzz(func(t *testing.T, door uint, body string) {
		store := memory.NewStorage()
		for _, o := range []thing{file, tree, root} {
			if _, err := store.SetEncodedObject(memoryObject(o.kind, []byte(o.text))); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []plumbing.ReferenceName{"refs/heads/main", "refs/heads/side"} {
			if err := store.SetReference(plumbing.NewHashReference(name, root.hash())); err != nil {
				t.Fatal(err)
			}
		}
		repo := &Repository{Storer: store, Lock: &sync.Mutex{}, Head: "refs/heads/main"}
		server := &Server{Open: func(*http.Request, string, bool) (*Repository, error) { return repo, nil }}
		service := []string{uploadPack, uploadPack, receivePack}[door%3]
		r := httptest.NewRequest(http.MethodPost, "/x/"+service, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-"+service+"-request")
		if door%3 == 1 {
			r.Header.Set("Git-Protocol", "version=2")
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 400 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		g, err := newHistory(store, store)
		if err != nil {
			t.Fatal(err)
		}
		var tips []plumbing.Hash
		for _, ref := range store.ReferenceStorage {
			tips = append(tips, ref.Hash())
		}
		objects, err := g.walk(tips, walk{})
		if err != nil {
			t.Error(err)
		}
		for _, o := range objects {
			if _, err := store.EncodedObject(o.kind, o.hash); err != nil {
				t.Errorf("%s %s: %v", o.kind, o.hash, err)
			}
		}
	})
}

// FuzzUnpack reads any pack. What it returns is well formed and within the limits.
func FuzzUnpack(f *testing.F) {
	seed := func(pack []byte) { f.Add(pack[:len(pack)-sha1.Size]) }
	seed([]byte(packOf(thing{plumbing.BlobObject, "a\n"}, treeOf(blob("a\n")))))
	var p packer
	at := p.add(plumbing.BlobObject, "abc\n", 4)
	p.near(at, copies(4, 4, 3))
	p.named(blob("abc\n"), copies(4, 4, 2))
	p.named(blob("elsewhere\n"), copies(10, 4, 2))
	seed(p.pack())
	limit := packLimit{objects: 64, object: 1 << 12, total: 1 << 14}
	f.Fuzz(func(t *testing.T, pack []byte) {
		sum := sha1.Sum(pack)
		objects, err := unpack(append(pack, sum[:]...), limit, func(h plumbing.Hash) (plumbing.EncodedObject, error) {
			if h != blob("elsewhere\n") {
				return nil, plumbing.ErrObjectNotFound
			}
			return memoryObject(plumbing.BlobObject, []byte("elsewhere\n")), nil
		})
		if err != nil {
			return
		}
		var total int64
		for h, o := range objects.Objects {
			b, err := content(o)
			if err != nil {
				t.Fatal(err)
			}
			if err := fsck(o.Type(), b); err != nil || plumbing.ComputeHash(o.Type(), b) != h {
				t.Errorf("%s: %v", h, err)
			}
			total += int64(len(b))
		}
		if total > limit.total || len(objects.Objects) > limit.objects {
			t.Errorf("%d objects of %d bytes", len(objects.Objects), total)
		}
	})
}
