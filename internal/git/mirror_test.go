package git

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a killed run leaves behind does not disturb the next one.
func TestMirrorSurvivesCrashes(t *testing.T) {
	g := newRig(t)
	g.commit("main", map[string]string{"a": "1\n", "b/c": "2\n"})
	dir := filepath.Join(t.TempDir(), "m")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	only := func(pattern string) string {
		t.Helper()
		names := must(filepath.Glob(filepath.Join(dir, "objects/pack", pattern)))
		if len(names) != 1 {
			t.Fatalf("%s: %v", pattern, names)
		}
		return names[0]
	}
	spoil := func(name string, f func([]byte) []byte) {
		t.Helper()
		data := must(os.ReadFile(name))
		if err := errors.Join(os.Chmod(name, 0o600), os.WriteFile(name, f(data), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	half := func(b []byte) []byte { return b[:len(b)/2] }
	for _, c := range []struct {
		name  string
		crash func()
		anew  bool // all has to be fetched again
	}{
		{"nothing", func() {}, false},
		{"a half-written pack", func() { write("objects/pack/tmp_pack_123", "PACK") }, false},
		{"a pack without its index", func() { write("objects/pack/pack-1234.pack", "PACK") }, false},
		{"an index without its pack", func() { write("objects/pack/pack-1234.idx", "\377tOc") }, false},
		{"half an index", func() { write("objects/pack/pack-1234.idx.new", "\377tOc") }, false},
		{"locks", func() { write("packed-refs.lock", ""); write("shallow.lock", ""); write("HEAD.lock", "") }, false},
		{"half a list of refs", func() { write("packed-refs.new", "# pack") }, false},
		{"HEAD is empty", func() { write("HEAD", "") }, false},
		{"config is empty", func() { write("config", "") }, false},
		{"config is foreign", func() { write("config", "[core]\n\tsshCommand = evil\n[http]\n\textraheader = x\n") }, false},
		{"refs are cut", func() { spoil(filepath.Join(dir, "packed-refs"), half) }, true},
		{"refs are empty", func() { write("packed-refs", "") }, true},
		{"refs are somebody else's", func() { write("packed-refs", strings.Repeat("a", 40)+" refs/heads/main\n") }, true},
		{"a ref without its object", func() { write("packed-refs", strings.Repeat("a", 40)+" refs/pinnace/heads/main\n") }, true},
		{"the boundary is cut", func() { write("shallow", "abc") }, true},
		{"the pack is cut", func() { spoil(only("pack-*.pack"), half) }, true},
		{"the index is cut", func() { spoil(only("pack-*.idx"), half) }, true},
		{"the index is empty", func() { spoil(only("pack-*.idx"), func([]byte) []byte { return nil }) }, true},
		{"the pack is gone", func() { os.Remove(only("pack-*.pack")) }, true},
		{"all objects are gone", func() { os.RemoveAll(filepath.Join(dir, "objects")) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := openTestMirror(t, dir)
			mustFetch(t, r, g.remote(), 1, "heads/main")
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			c.crash()
			r = openTestMirror(t, dir)
			out := mustFetch(t, r, g.remote(), 1, "heads/main")
			if (out.Objects > 0) != c.anew {
				t.Errorf("%d objects were fetched", out.Objects)
			}
			if diff := cmp.Diff(map[string]string{"a": "1\n", "b/c": "2\n"}, files(t, mustSnapshot(t, r, out.Refs["heads/main"]))); diff != "" {
				t.Error(diff)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			only("*.pack")
			only("*.idx")
			if left := must(filepath.Glob(filepath.Join(dir, "*.new"))); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			fsck(t, dir)
		})
	}
}

func TestMirrorIsOnesOwn(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenMirror(dir, Limits{}); err == nil {
		t.Error("a directory with something else in it was taken")
	}
	dir = filepath.Join(t.TempDir(), "m")
	first := openTestMirror(t, dir)
	if _, err := OpenMirror(dir, Limits{}); !errors.Is(err, ErrLocked) {
		t.Errorf("a second one: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	openTestMirror(t, dir)
}

// A mirror that has grown out of all proportion starts anew.
func TestMirrorIsEmptiedWhenTooLarge(t *testing.T) {
	g := newRig(t)
	g.commit("main", map[string]string{"a": "1\n"})
	dir := filepath.Join(t.TempDir(), "m")
	r := openTestMirror(t, dir)
	mustFetch(t, r, g.remote(), 1, "heads/main")
	r.Close()
	r, err := OpenMirror(dir, Limits{PackSize: 50})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Ref("heads/main"); !errors.Is(err, ErrNoRef) || len(r.packs) != 0 {
		t.Errorf("%v, %d packs", err, len(r.packs))
	}
}

// Two goroutines share a repository: one fetches and pushes, others read.
func TestRepositoryIsShared(t *testing.T) {
	g := newRig(t)
	first := g.commit("main", map[string]string{"a": "0\n", "d/b": "0\n"})
	r := openTestMirror(t, filepath.Join(t.TempDir(), "m"))
	mustFetch(t, r, g.remote(), 1, "heads/main")
	ctx := context.Background()
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				s, err := r.Snapshot(first)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := s.WriteTree(map[string][]byte{"a": []byte("mine\n")}); err != nil {
					t.Error(err)
				}
				if err := s.Walk(ctx, nil, func(e Entry) error { _, err := s.Blob(e.Blob, 0); return err }); err != nil {
					t.Error(err)
				}
				for _, err := range r.Log(ctx, first, LogOptions{}) {
					if err != nil && !errors.Is(err, ErrShallow) {
						t.Error(err)
					}
				}
				r.Reads()
			}
		})
	}
	for i := range mergeAt + 2 {
		c := g.commit("main", map[string]string{"a": strings.Repeat("x", i+1)})
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if _, err := r.Fetch(ctx, g.remote(), Fetch{Refs: []string{"heads/main"}, Depth: 1}); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		h, w := change(t, r, mustSnapshot(t, r, c), map[string][]byte{"d/b": bytes.Repeat([]byte("y"), i+1)})
		if i%6 == 0 {
			if err := r.Push(ctx, g.remote(), Push{Ref: "heads/p" + h.String()[:8], New: h, Objects: w.Objects}); err != nil {
				t.Error(err)
			}
		}
	}
	close(stop)
	readers.Wait()
}
