package smarthttp

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"
	"github.com/google/go-cmp/cmp"
)

// A thing is an object to pack.
type thing struct {
	kind plumbing.ObjectType
	text string
}

func (o thing) hash() plumbing.Hash { return plumbing.ComputeHash(o.kind, []byte(o.text)) }

func treeOf(blob plumbing.Hash) thing {
	return thing{plumbing.TreeObject, "100644 file\x00" + string(blob[:])}
}

func commitOf(tree plumbing.Hash, parents ...plumbing.Hash) thing {
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", tree)
	for _, p := range parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	b.WriteString("author Ada <ada@example.com> 1700000000 +0000\ncommitter Ada <ada@example.com> 1700000000 +0000\n\nx\n")
	return thing{plumbing.CommitObject, b.String()}
}

func packOf(objects ...thing) string {
	var p packer
	for _, o := range objects {
		p.add(o.kind, o.text, len(o.text))
	}
	return string(p.pack())
}

// What git's client never sends: stale and odd commands, and packs that lack something.
func TestPushWire(t *testing.T) {
	zero := plumbing.ZeroHash
	file, other := thing{plumbing.BlobObject, "a\n"}, thing{plumbing.BlobObject, "b\n"}
	tree, next := treeOf(file.hash()), treeOf(other.hash())
	root := commitOf(tree.hash())
	child := commitOf(next.hash(), root.hash())
	grandchild := commitOf(tree.hash(), child.hash())
	misread := commitOf(file.hash()) // a blob in place of its tree
	mistaken := treeOf(root.hash())  // a commit in place of a file
	caps := "\x00report-status"
	line := func(old, now plumbing.Hash, ref string) string { return fmt.Sprintf("%s %s %s", old, now, ref) }
	full := packOf(other, next, child)

	tests := []struct {
		name  string
		lines []string
		pack  string
		want  []string // of the report
		lands bool
	}{
		{"a change", []string{line(root.hash(), child.hash(), "refs/heads/main")}, full, []string{"unpack ok", "ok refs/heads/main"}, true},
		{"a branch of what is here", []string{line(zero, root.hash(), "refs/heads/x")}, packOf(), []string{"unpack ok", "ok refs/heads/x"}, true},
		{"more than is asked", []string{line(zero, root.hash(), "refs/heads/x")}, full, []string{"unpack ok", "ok refs/heads/x"}, true},
		{"stale", []string{line(child.hash(), grandchild.hash(), "refs/heads/main")}, packOf(other, next, child, grandchild), []string{
			"unpack ok", "ng refs/heads/main cannot lock ref 'refs/heads/main': is at " + root.hash().String() + " but expected " + child.hash().String(),
		}, false},
		{"there already", []string{line(zero, child.hash(), "refs/heads/main")}, full, []string{
			"unpack ok", "ng refs/heads/main cannot lock ref 'refs/heads/main': reference already exists",
		}, false},
		{"not there", []string{line(root.hash(), child.hash(), "refs/heads/x")}, full, []string{
			"unpack ok", "ng refs/heads/x cannot lock ref 'refs/heads/x': unable to resolve reference 'refs/heads/x'",
		}, false},
		{"deletes what is not there", []string{line(root.hash(), zero, "refs/heads/x")}, "", []string{
			"unpack ok", "ng refs/heads/x cannot lock ref 'refs/heads/x': unable to resolve reference 'refs/heads/x'",
		}, false},
		{"deletes another", []string{line(child.hash(), zero, "refs/heads/side")}, "", []string{
			"unpack ok", "ng refs/heads/side cannot lock ref 'refs/heads/side': is at " + root.hash().String() + " but expected " + child.hash().String(),
		}, false},
		{"no commit", []string{line(root.hash(), child.hash(), "refs/heads/main")}, packOf(), []string{"unpack ok", "ng refs/heads/main missing necessary objects"}, false},
		{"no tree", []string{line(root.hash(), child.hash(), "refs/heads/main")}, packOf(child), []string{"unpack ok", "ng refs/heads/main missing necessary objects"}, false},
		{"no file", []string{line(root.hash(), child.hash(), "refs/heads/main")}, packOf(next, child), []string{"unpack ok", "ng refs/heads/main missing necessary objects"}, false},
		{"no parent", []string{line(root.hash(), grandchild.hash(), "refs/heads/main")}, packOf(grandchild), []string{"unpack ok", "ng refs/heads/main missing necessary objects"}, false},
		{"a blob for a tree", []string{line(zero, misread.hash(), "refs/heads/x")}, packOf(misread, file), []string{"unpack ok", "ng refs/heads/x missing necessary objects"}, false},
		{"a commit for a file", []string{line(zero, commitOf(mistaken.hash()).hash(), "refs/heads/x")}, packOf(commitOf(mistaken.hash()), mistaken, grandchild, child, next, other, root), []string{"unpack ok", "ng refs/heads/x missing necessary objects"}, false},
		{"no pack", []string{line(root.hash(), child.hash(), "refs/heads/main")}, "", []string{"unpack index-pack abnormal exit", "ng refs/heads/main unpacker error"}, false},
		{"half a pack", []string{line(root.hash(), child.hash(), "refs/heads/main")}, full[:len(full)-30], []string{"unpack index-pack abnormal exit", "ng refs/heads/main unpacker error"}, false},
		{"a wrong checksum", []string{line(root.hash(), child.hash(), "refs/heads/main")}, full[:len(full)-1] + "x", []string{"unpack index-pack abnormal exit", "ng refs/heads/main unpacker error"}, false},
		{"one of two", []string{line(root.hash(), child.hash(), "refs/heads/main"), line(zero, grandchild.hash(), "refs/heads/x")}, full, []string{
			"unpack ok", "ok refs/heads/main", "ng refs/heads/x missing necessary objects",
		}, true},
		{"twice the same", []string{line(root.hash(), child.hash(), "refs/heads/main"), line(child.hash(), root.hash(), "refs/heads/main")}, full, []string{
			"unpack ok", "ng refs/heads/main multiple updates for ref 'refs/heads/main' not allowed", "ng refs/heads/main multiple updates for ref 'refs/heads/main' not allowed",
		}, false},
		{"names", []string{
			line(zero, root.hash(), "HEAD"), line(zero, root.hash(), "main"), line(zero, root.hash(), "refs/heads/../x"), line(zero, root.hash(), "refs/heads/a b"),
			line(zero, root.hash(), "refs/heads/x.lock"), line(zero, root.hash(), "refs/heads/"), line(zero, root.hash(), "refs//heads"),
			line(zero, root.hash(), "refs/heads/x\x01"), line(zero, root.hash(), "refs/heads/@{1}"), line(zero, root.hash(), "refs/heads/-x"),
			line(zero, root.hash(), "refs/heads/"+strings.Repeat("x", 256)),
			line(zero, root.hash(), "refs/heads/"+strings.Repeat("x/", 2100)+"x"),
		}, packOf(), []string{
			"unpack ok", "ng HEAD funny refname", "ng main funny refname", "ng refs/heads/../x funny refname", "ng refs/heads/a b funny refname",
			"ng refs/heads/x.lock funny refname", "ng refs/heads/ funny refname", "ng refs//heads funny refname",
			"ng refs/heads/x\x01 funny refname", "ng refs/heads/@{1} funny refname", "ng refs/heads/-x funny refname",
			"ng refs/heads/" + strings.Repeat("x", 256) + " funny refname",
			"ng refs/heads/" + strings.Repeat("x/", 2100) + "x funny refname",
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			for _, o := range []thing{file, tree, root} {
				if _, err := r.repo.Storer.SetEncodedObject(memoryObject(o.kind, []byte(o.text))); err != nil {
					t.Fatal(err)
				}
			}
			r.set("refs/heads/main", root.hash().String())
			r.set("refs/heads/side", root.hash().String())
			lines := append([]string{tt.lines[0] + caps}, tt.lines[1:]...)
			before := r.count()
			status, got := post(t, r.url, receivePack, pkt(append(lines, "0000")...)+tt.pack)
			if status != 200 {
				t.Fatalf("status %d: %s", status, got)
			}
			if diff := cmp.Diff(append(tt.want, "flush"), talk(got)); diff != "" {
				t.Error(diff)
			}
			if lands := len(r.moves()) > 0; lands != tt.lands {
				t.Errorf("a reference moved: %v, want %v", lands, tt.lands)
			}
			if !tt.lands && r.count() != before {
				t.Errorf("%d objects came with a refused push", r.count()-before)
			}
			if tt.name == "more than is asked" && r.count() != before {
				t.Errorf("%d objects came that nothing needs", r.count()-before)
			}
		})
	}

	t.Run("a disk that fails", func(t *testing.T) {
		for atomic, want := range map[string][]string{
			"":        {"unpack ok", "ok refs/heads/a", "ng refs/heads/bad failed to update ref", "ok refs/heads/c", "flush"},
			" atomic": {"unpack ok", "ng refs/heads/a atomic push failure", "ng refs/heads/bad failed to update ref", "ng refs/heads/c atomic push failure", "flush"},
		} {
			r := newRig(t)
			r.change(func(repo *Repository) { repo.Storer = failing{memory.NewStorage()} })
			_, got := post(t, r.url, receivePack, pkt(
				line(zero, root.hash(), "refs/heads/a")+caps+atomic, line(zero, root.hash(), "refs/heads/bad"), line(zero, root.hash(), "refs/heads/c"), "0000",
			)+packOf(file, tree, root))
			if diff := cmp.Diff(want, talk(got)); diff != "" {
				t.Error(diff)
			}
			if a := r.ref("refs/heads/a"); (a == "") != (atomic != "") {
				t.Errorf("%q: a is at %q", atomic, a)
			}
		}
	})
	t.Run("without report-status", func(t *testing.T) {
		r := newRig(t)
		status, got := post(t, r.url, receivePack, pkt(line(zero, root.hash(), "refs/heads/main")+"\x00", "0000")+packOf(file, tree, root))
		if status != 200 || got != "" || r.ref("refs/heads/main") != root.hash().String() {
			t.Errorf("%d %q, main at %q", status, got, r.ref("refs/heads/main"))
		}
	})
}

// A failing store takes no reference of the name refs/heads/bad.
type failing struct{ *memory.Storage }

func (f failing) CheckAndSetReference(now, old *plumbing.Reference) error {
	if now.Name() == "refs/heads/bad" {
		return errors.New("no space left on device")
	}
	return f.Storage.CheckAndSetReference(now, old)
}
