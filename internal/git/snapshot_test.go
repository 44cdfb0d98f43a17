package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/google/go-cmp/cmp"
)

// raw writes a tree object of entries "mode name", each of the blob "x\n" or, for mode
// 40000, of the tree given.
func raw(t testing.TB, r *Repository, sub Hash, entries ...string) Hash {
	t.Helper()
	blob, err := r.write(plumbing.BlobObject, []byte("x\n"))
	if err != nil {
		t.Fatal(err)
	}
	var data []byte
	for _, e := range entries {
		mode, name, _ := strings.Cut(e, " ")
		h := blob
		if strings.TrimLeft(mode, "0") == "40000" {
			h = sub
		}
		data = append(data, mode+" "+name+"\x00"...)
		data = append(data, h[:]...)
	}
	h, err := r.write(plumbing.TreeObject, data)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// The corpus: every entry of it is named, and none is read or entered.
func TestWalkHostileTrees(t *testing.T) {
	r := NewMemory(Limits{})
	secret := raw(t, r, Hash{}, "100644 secret.yaml")
	for _, c := range []struct {
		name    string
		entries []string
		want    map[string]ProblemKind
	}{
		{"link", []string{"120000 link", "100644 ok"}, map[string]ProblemKind{"link": Symlink, "ok": ""}},
		{"submodule", []string{"160000 sub"}, map[string]ProblemKind{"sub": Submodule}},
		{"dot dot", []string{"40000 ..", "100644 ok"}, map[string]ProblemKind{"..": Traversal, "ok": ""}},
		{"dot", []string{"40000 ."}, map[string]ProblemKind{".": Traversal}},
		{"empty", []string{"40000 "}, map[string]ProblemKind{"": Traversal}},
		{"slash", []string{"100644 a/b", "100644 /etc"}, map[string]ProblemKind{"a/b": Traversal, "/etc": Traversal}},
		{"dot git", []string{"40000 .git", "40000 .GIT ", "40000 git~1", "40000 .g\u200cit"}, map[string]ProblemKind{".git": DotGit, ".GIT ": DotGit, "git~1": DotGit, ".g\u200cit": DotGit}},
		{"stream", []string{"40000 .git::$INDEX_ALLOCATION"}, map[string]ProblemKind{".git::$INDEX_ALLOCATION": DotGit}},
		{"backslash", []string{`40000 a\b`, `100644 ..\x`}, map[string]ProblemKind{`a\b`: Backslash, `..\x`: Backslash}},
		{"control", []string{"100644 a\nb", "40000 a\x1bb"}, map[string]ProblemKind{"a\nb": Control, "a\x1bb": Control}},
		{"case", []string{"100644 A", "100644 a", "100644 b"}, map[string]ProblemKind{"A": CaseClash, "a": CaseClash, "b": ""}},
		{"case of a link", []string{"120000 A", "40000 a"}, map[string]ProblemKind{"A": CaseClash, "a": CaseClash}},
		{"composition", []string{"40000 \u00e9", "100644 e\u0301"}, map[string]ProblemKind{"\u00e9": CaseClash, "e\u0301": CaseClash}},
		{"twice", []string{"100644 a", "100644 a", "100644 b"}, map[string]ProblemKind{"a": Duplicate, "b": ""}},
		{"file and directory", []string{"100644 a", "40000 a"}, map[string]ProblemKind{"a": Duplicate}},
		{"modes", []string{"100664 a", "100777 b", "0100644 c", "040000 d", "100600 e", "0 f", "100755 g"}, map[string]ProblemKind{"a": BadMode, "b": BadMode, "c": BadMode, "d": BadMode, "e": BadMode, "f": BadMode, "g": ""}},
		{"encoding", []string{"40000 \xff\xfe"}, map[string]ProblemKind{"\xff\xfe": Encoding}},
		{"long", []string{"40000 " + strings.Repeat("n", 300)}, map[string]ProblemKind{strings.Repeat("n", 300): Long}},
		{"fine", []string{"40000 dir", "100644 file"}, map[string]ProblemKind{"dir/secret.yaml": "", "file": ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := r.SnapshotTree(raw(t, r, secret, c.entries...))
			_, before := r.Reads()
			got := map[string]ProblemKind{}
			var paths []string
			err := s.Walk(context.Background(), nil, func(e Entry) error {
				got[e.Path] = ""
				paths = append(paths, e.Path)
				if e.Problem != nil {
					got[e.Path] = e.Problem.Kind
					if e.Problem.Text == "" {
						t.Error("a problem without words")
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if !slices.IsSorted(paths) {
				t.Errorf("not sorted: %q", paths)
			}
			if _, after := r.Reads(); c.name != "fine" && after != before+1 {
				t.Errorf("%d trees were read", after-before)
			}
			for path, kind := range c.want {
				if kind == "" || path == "a/b" { // a path of its own, which can be made beside that name
					continue
				}
				if _, err := s.WriteTree(map[string][]byte{path: []byte("y")}, path); err == nil {
					t.Errorf("an edit of %q was taken", path)
				}
				if _, err := s.WriteTree(map[string][]byte{path + "/secret.yaml": []byte("y")}); err == nil {
					t.Errorf("an edit below %q was taken", path)
				}
				if e, ok, err := s.Lookup(path + "/secret.yaml"); err == nil && ok && e.Problem == nil {
					t.Errorf("looked up %q through a problem", e.Path)
				}
			}
			deltas, err := Diff(context.Background(), r.SnapshotTree(raw(t, r, secret)), s)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range deltas {
				kind := ProblemKind("")
				if d.New.Problem != nil {
					kind = d.New.Problem.Kind
				}
				if want, ok := c.want[d.Path]; !ok || kind != want {
					t.Errorf("diff: %q has %q, want %q", d.Path, kind, want)
				}
			}
			if len(deltas) != len(c.want) {
				t.Errorf("diff: %d deltas, want %d", len(deltas), len(c.want))
			}
		})
	}
}

func TestWalkLimits(t *testing.T) {
	ctx := context.Background()
	nothing := func(Entry) error { return nil }
	r := NewMemory(Limits{Entries: 1000, Depth: 10, ObjectSize: 4096, TreeSize: 1 << 20})
	bomb := raw(t, r, Hash{}, "100644 a")
	for range 9 {
		bomb = raw(t, r, bomb, "40000 a", "40000 b", "40000 c", "40000 d", "40000 e", "40000 f", "40000 g", "40000 h")
	}
	if err := r.SnapshotTree(bomb).Walk(ctx, nil, nothing); !errors.Is(err, ErrLimit) {
		t.Errorf("8^9 files: %v", err)
	}
	if _, err := Diff(ctx, r.SnapshotTree(raw(t, r, Hash{})), r.SnapshotTree(bomb)); !errors.Is(err, ErrLimit) {
		t.Errorf("diff of 8^9 files: %v", err)
	}
	deep := raw(t, r, Hash{}, "100644 a")
	for range 20 {
		deep = raw(t, r, deep, "40000 a")
	}
	if err := r.SnapshotTree(deep).Walk(ctx, nil, nothing); !errors.Is(err, ErrLimit) {
		t.Errorf("20 directories deep: %v", err)
	}
	big, err := r.write(plumbing.BlobObject, make([]byte, 5000))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.write(plumbing.TreeObject, append([]byte("100644 big\x00"), big[:]...))
	if err != nil {
		t.Fatal(err)
	}
	s := r.SnapshotTree(tree)
	e, ok, err := s.Lookup("big")
	if err != nil || !ok || e.Problem == nil || e.Problem.Kind != Oversized || e.Size != 5000 {
		t.Errorf("%+v %v %v", e, ok, err)
	}
	if _, err := s.Blob(big, 0); !errors.Is(err, ErrLimit) {
		t.Errorf("blob: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Walk(cancelled, nil, nothing); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A want function keeps Walk from reading what it does not want.
func TestWalkReadsOnlyWhatIsWanted(t *testing.T) {
	r := NewMemory(Limits{})
	leaf := raw(t, r, Hash{}, "100644 x.yaml", "100644 y.txt")
	root := raw(t, r, leaf, "40000 apps", "40000 other", "100644 z.yaml")
	s := r.SnapshotTree(root)
	_, before := r.Reads()
	var asked, got []string
	err := s.Walk(context.Background(), func(p string) bool {
		asked = append(asked, p)
		return p == "apps/" || strings.HasSuffix(p, ".yaml")
	}, func(e Entry) error { got = append(got, e.Path); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"apps/x.yaml", "z.yaml"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"apps/", "apps/x.yaml", "apps/y.txt", "other/", "z.yaml"}, asked); diff != "" {
		t.Error(diff)
	}
	blobs, after := r.Reads()
	if blobs != 0 || after-before != 2 {
		t.Errorf("%d blobs and %d trees were read", blobs, after-before)
	}
}

// With one file changed, a diff reads the trees on its path, and no blob.
func TestDiffReadsOnlyWhatChanged(t *testing.T) {
	g := newRig(t)
	r := openTestMirror(t, filepath.Join(t.TempDir(), "m"))
	all := map[string]string{}
	for i := range 50 {
		for k := range 4 {
			all[fmt.Sprintf("apps/%02d/%d.yaml", i, k)] = fmt.Sprintf("image: a:%d-%d\n", i, k)
		}
	}
	first := g.commit("main", all)
	mustFetch(t, r, g.remote(), 1, "heads/main")
	second := g.commit("main", map[string]string{"apps/07/2.yaml": "image: changed\n", "apps/08/0.yaml": "", "new/file": "n\n"})
	mustFetch(t, r, g.remote(), 1, "heads/main")
	old, now := mustSnapshot(t, r, first), mustSnapshot(t, r, second)
	blobs, trees := r.Reads()
	deltas, err := Diff(context.Background(), old, now)
	if err != nil {
		t.Fatal(err)
	}
	b, tr := r.Reads()
	if b != blobs || tr-trees != 9 { // root, apps, apps/07, apps/08 twice, and new once
		t.Errorf("%d blobs and %d trees were read", b-blobs, tr-trees)
	}
	var got []string
	for _, d := range deltas {
		got = append(got, fmt.Sprintf("%s %d %d", d.Path, d.Old.Size, d.New.Size))
	}
	if diff := cmp.Diff([]string{"apps/07/2.yaml 13 15", "apps/08/0.yaml 13 0", "new/file 0 2"}, got); diff != "" {
		t.Error(diff)
	}
	// across two repositories
	other := NewMemory(Limits{})
	mustFetch(t, other, g.remote(), 1, "heads/main")
	again, err := Diff(context.Background(), old, mustSnapshot(t, other, second))
	if err != nil || cmp.Diff(deltas, again) != "" {
		t.Errorf("across repositories: %v %v", err, cmp.Diff(deltas, again))
	}
}

func TestLookupAndBlob(t *testing.T) {
	r := NewMemory(Limits{})
	leaf := raw(t, r, Hash{}, "100644 x.yaml", "120000 y")
	s := r.SnapshotTree(raw(t, r, leaf, "40000 apps", "100755 run", "120000 z"))
	for path, want := range map[string]string{
		"apps/x.yaml": "apps/x.yaml 100644", "run": "run 100755", "apps/y": "apps/y 120000 symlink", "z/below": "z 120000 symlink",
		"apps": "", "none": "", "apps/none": "", "run/below": "",
	} {
		e, ok, err := s.Lookup(path)
		got := ""
		if ok {
			got = e.Path + " " + e.Mode.String()
			if e.Problem != nil {
				got += " " + string(e.Problem.Kind)
			}
		}
		if got != want || err != nil {
			t.Errorf("%s: %q %v, want %q", path, got, err, want)
		}
	}
	for _, path := range []string{"", "/apps", "apps/", "apps//x.yaml", "../x", "apps/../run", ".git/config", "a\\b"} {
		var p *Problem
		if _, ok, err := s.Lookup(path); ok || !errors.As(err, &p) {
			t.Errorf("%q: %v %v", path, ok, err)
		}
	}
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
	h, err := r.write(plumbing.BlobObject, []byte(pointer))
	if err != nil {
		t.Fatal(err)
	}
	var p *Problem
	if _, err := s.Blob(h, 0); !errors.As(err, &p) || p.Kind != LFS {
		t.Errorf("LFS: %v", err)
	}
	if _, err := s.Blob(leaf, 0); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a tree as a blob: %v", err)
	}
	if _, err := s.Blob(Hash{1}, 0); !errors.Is(err, ErrMissing) {
		t.Errorf("a blob that is not there: %v", err)
	}
	if _, err := s.Blob(h, 10); !errors.Is(err, ErrLimit) {
		t.Errorf("a blob over the limit: %v", err)
	}
}

func TestWriteTree(t *testing.T) {
	g := newRig(t)
	r := NewMemory(Limits{})
	g.git(g.work, "config", "core.fileMode", "true")
	if err := os.WriteFile(filepath.Join(g.work, "run.sh"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	base := g.commit("main", map[string]string{"a/b/c.yaml": "1\n", "a/b.txt": "2\n", "a/b-c": "3\n", "z": "4\n"})
	mustFetch(t, r, g.remote(), 1, "heads/main")
	s := mustSnapshot(t, r, base)

	w, err := s.WriteTree(map[string][]byte{"a/b/c.yaml": []byte("1\n"), "z": []byte("4\n")})
	if err != nil || w.Tree != s.Tree || len(w.Objects) != 0 || len(r.written) != 0 {
		t.Errorf("edits that change nothing: %+v %v, %d written", w, err, len(r.written))
	}
	_, before := r.Reads()
	w, err = s.WriteTree(map[string][]byte{"a/b/c.yaml": []byte("changed\n"), "run.sh": []byte("#!/bin/sh\ntrue\n"), ".pinnace/x/y.yaml": []byte("new\n"), "a/b+": []byte("plus\n")}, ".pinnace/x/y.yaml", "a/b+")
	if err != nil {
		t.Fatal(err)
	}
	if _, after := r.Reads(); after-before != 3 {
		t.Errorf("%d trees were read", after-before)
	}
	h, err := r.Commit(Commit{Tree: w.Tree, Parents: []Hash{base}, Author: someone, Committer: someone, Message: "m"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Push(context.Background(), g.remote(), Push{Ref: "heads/out", New: h, Objects: w.Objects}); err != nil {
		t.Fatal(err)
	}
	g.git(g.bare, "fsck", "--full", "--strict")
	want := "100644 .pinnace/x/y.yaml\n100644 a/b+\n100644 a/b-c\n100644 a/b.txt\n100644 a/b/c.yaml\n100755 run.sh\n100644 z"
	if got := g.git(g.bare, "ls-tree", "-r", "--format=%(objectmode) %(path)", "out"); got != want {
		t.Errorf("tree:\n%s\nwant:\n%s", got, want)
	}
	for path, edits := range map[string]map[string][]byte{
		"absent":              {"none": nil},
		"absent directory":    {"none/x": nil},
		"directory":           {"a": nil},
		"below a file":        {"z/x": nil},
		"both":                {"q": nil, "q/x": nil},
		"outside":             {"../x": nil},
		"git's own":           {".git/config": nil},
		"clash":               {"Z": nil},
		"clash of a new file": {"A/new": nil},
	} {
		var create []string
		if path == "both" || strings.HasPrefix(path, "clash") || path == "below a file" || path == "directory" {
			for p := range edits {
				create = append(create, p)
			}
		}
		var refused *PathError
		if _, err := s.WriteTree(edits, create...); !errors.As(err, &refused) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func FuzzWalk(f *testing.F) {
	f.Add([]byte("100644 a\x00aaaaaaaaaaaaaaaaaaaa40000 .git\x00bbbbbbbbbbbbbbbbbbbb"))
	f.Add([]byte("40000 a\x00aaaaaaaaaaaaaaaaaaaa"))
	f.Add([]byte("120000 A\x00aaaaaaaaaaaaaaaaaaaa100644 a\x00aaaaaaaaaaaaaaaaaaaa"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewMemory(Limits{Entries: 100})
		tree, err := r.write(plumbing.TreeObject, data)
		if err != nil {
			t.Skip("not a tree: writing it is refused")
		}
		ctx := context.Background()
		s := r.SnapshotTree(tree)
		last := ""
		err = s.Walk(ctx, nil, func(e Entry) error {
			if e.Path < last {
				t.Errorf("%q after %q", e.Path, last)
			}
			last = e.Path
			if e.Problem == nil && checkPath(e.Path) != nil {
				t.Errorf("%q has no problem", e.Path)
			}
			return nil
		})
		nodes, bad := parseTree(data)
		if bad == nil && string(encodeTree(nodes)) != string(data) {
			t.Errorf("encoding gives other bytes")
		}
		if bad != nil && !errors.Is(err, ErrCorrupt) {
			t.Errorf("malformed tree: %v", err)
		}
		if _, err := Diff(ctx, s, s); err != nil {
			t.Errorf("diff with itself: %v", err)
		}
	})
}
