package git

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A mirror is taken away as a whole, and the next one begins with nothing.
func TestRetireMirror(t *testing.T) {
	g := newRig(t)
	g.commit("main", map[string]string{"a": "1\n"})
	dir := filepath.Join(t.TempDir(), "m")
	if to, err := RetireMirror(dir); to != "" || err != nil {
		t.Errorf("of nothing: %q, %v", to, err)
	}
	if _, err := StatMirror(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing is %v", err)
	}
	r := openTestMirror(t, dir)
	out := mustFetch(t, r, g.remote(), 1, "heads/main")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if err := r.Use(at); err != nil {
		t.Fatal(err)
	}
	if s, err := StatMirror(dir); err != nil || !s.Used.Equal(at) || s.Size < 1000 || s.Size > 10_000 {
		t.Errorf("it is %+v, %v, want it used at %s and of some kilobytes", s, err, at)
	}
	if _, err := RetireMirror(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("while it is open: %v, want ErrLocked", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir+Retired, "left"), 0o700); err != nil { // by a run that was killed
		t.Fatal(err)
	}
	to, err := RetireMirror(dir)
	if to != dir+Retired || err != nil {
		t.Errorf("retired to %q, %v", to, err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	r = openTestMirror(t, dir)
	if again := mustFetch(t, r, g.remote(), 1, "heads/main"); again.Objects != out.Objects {
		t.Errorf("fetched %d objects, want all %d", again.Objects, out.Objects)
	}
}

// A link is no mirror: neither what it leads to nor a lock elsewhere is touched.
func TestRetireLink(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "precious"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "m")
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	if _, err := StatMirror(link); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link is measured: %v", err)
	}
	if to, err := RetireMirror(link); to != "" || err != nil {
		t.Errorf("retired to %q, %v", to, err)
	}
	real := filepath.Join(dir, "real")
	if err := errors.Join(os.Mkdir(real, 0o700), os.Symlink(filepath.Join(outside, "lock"), filepath.Join(real, mark))); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenMirror(real, Limits{}); err == nil {
		t.Error("a mirror is opened whose lock is a link")
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 || entries[0].Name() != "precious" {
		t.Errorf("outside is %v, %v", entries, err)
	}
}

// However often a mirror is taken away while others open it, one at a time has it.
func TestRetireAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "m")
	var open, opened, retired atomic.Int32
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				m := &mirror{dir: dir}
				if err := m.claim(); err != nil {
					if !errors.Is(err, ErrLocked) && !errors.Is(err, errMoved) && !errors.Is(err, fs.ErrNotExist) {
						t.Error(err)
					}
					continue
				}
				if n := open.Add(1); n != 1 {
					t.Errorf("%d have it open", n)
				}
				if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
					t.Error("its holder:", err)
				}
				opened.Add(1)
				open.Add(-1)
				if err := m.close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		all.Go(func() {
			for range 200 {
				to, err := RetireMirror(dir)
				if to != "" {
					retired.Add(1)
				}
				// Two that take one away after the other may meet in the same place.
				if err != nil && !errors.Is(err, ErrLocked) && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if opened.Load() == 0 || retired.Load() == 0 {
		t.Errorf("opened %d times and retired %d times, want both", opened.Load(), retired.Load())
	}
}
