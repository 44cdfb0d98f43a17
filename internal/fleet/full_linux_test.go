package fleet_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/event"
)

// TestVisitFullDisk: where the disk is full, what was looked at longest ago makes room for the
// next visit, though all together are within their bound.
func TestVisitFullDisk(t *testing.T) {
	w := newWorld(t)
	w.cache = t.TempDir()
	if err := syscall.Mount("tmpfs", w.cache, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("mounting a small disk takes root: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(w.cache, syscall.MNT_DETACH) })
	for _, mirror := range []string{"7/1.git", "7/2.git", "7/3.git", "7/4.git"} {
		pack := filepath.Join(w.cache, mirror, "objects", "pack", "pack-1.pack")
		err := os.MkdirAll(filepath.Dir(pack), 0o700)
		if err == nil {
			err = os.WriteFile(pack, make([]byte, 1<<18), 0o600)
		}
		if err != nil && !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	w.open()
	repo := w.config("acme", "config", true)
	w.app.Install("acme")
	r := w.surveyed()[0]
	if _, err := w.fleet.Visit(t.Context(), event.Visit{Repository: r, Fence: func() error { return nil }}); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Fatalf("the first visit: %v, want no space left", err)
	}
	w.visit(r)
	if len(branches(repo)) != 2 {
		t.Errorf("open are %v", branches(repo))
	}
}
