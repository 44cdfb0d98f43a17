package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestGenerate generates one repository twice, and finds the same bytes and every
// reference that was asked for.
func TestGenerate(t *testing.T) {
	const files, images, refs = 600, 30, 348
	a, err := generate(filepath.Join(t.TempDir(), "a"), "127.0.0.1:5000", 7, files, images, refs)
	if err != nil {
		t.Fatal(err)
	}
	b, err := generate(filepath.Join(t.TempDir(), "b"), "127.0.0.1:5000", 7, files, images, refs)
	if err != nil {
		t.Fatal(err)
	}
	total, distinct := 0, map[string]bool{}
	for i, f := range a.files {
		total += len(f.want)
		for _, d := range f.want {
			distinct[d] = true
		}
		if g := b.files[i]; g.path != f.path || g.mode != f.mode || !slices.Equal(g.want, f.want) {
			t.Fatalf("got %v, want %v", g, f)
		}
		first, err := os.ReadFile(filepath.Join(a.pristine, f.path))
		if err != nil {
			t.Fatal(err)
		}
		second, err := os.ReadFile(filepath.Join(b.work, f.path))
		if err != nil {
			t.Fatal(err)
		}
		if string(first) != string(second) {
			t.Fatalf("%s differs", f.path)
		}
	}
	if total != refs || len(distinct) != images || len(a.files) != files {
		t.Errorf("got %d references to %d images in %d files, want %d, %d and %d", total, len(distinct), len(a.files), refs, images, files)
	}
	v, err := a.verify()
	if err != nil {
		t.Fatal(err)
	}
	if v.pinned != 0 || len(v.changed) > 0 || v.outside > 0 {
		t.Errorf("got %+v, want nothing changed", v)
	}
}
