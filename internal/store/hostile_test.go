package store

import (
	"os"
	"path/filepath"
	"testing"
)

// the lock is beside the name, not beside the file.
func TestHostileTwoProcessesBySymlink(t *testing.T) {
	dir := t.TempDir()
	a, err := Open(t.Context(), "sqlite:"+filepath.Join(dir, "real.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := os.MkdirAll(filepath.Join(dir, "etc"), 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "etc", "pinnace.db")
	if err := os.Symlink(filepath.Join(dir, "real.db"), link); err != nil {
		t.Fatal(err)
	}
	b, err := Open(t.Context(), "sqlite:"+link, Options{})
	if err == nil {
		b.Close()
		t.Error("a second process has opened the same SQLite file; its queue's begin takes every lease of the first")
	}
}
