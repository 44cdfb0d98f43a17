package store

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// mounted is a folder on a small disk of its own.
func mounted(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("mounting a small disk takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func remount(t *testing.T, dir, options string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, options); err != nil {
		t.Fatal(err)
	}
}

// As TestFull, on a disk that is full indeed.
func TestFullDisk(t *testing.T) {
	dir := mounted(t)
	url := "sqlite:" + filepath.Join(dir, "pinnace.db")
	s := open(t, url, Options{})
	kept, err := fill(t, s)
	if err == nil || !strings.Contains(err.Error(), "no space left for the database") {
		t.Errorf("the error is %v", err)
	}
	if kept == 0 {
		t.Error("nothing was written before the disk was full")
	}
	if err := s.Close(); err != nil {
		t.Log(err)
	}
	remount(t, dir, "size=20m", 0)
	if got := count(t, url); got != kept {
		t.Errorf("%d rows are there, %d were written", got, kept)
	}
}

// A disk that became read-only, as one does that failed.
func TestReadOnly(t *testing.T) {
	dir := mounted(t)
	url := "sqlite:" + filepath.Join(dir, "pinnace.db")
	if err := open(t, url, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	remount(t, dir, "", syscall.MS_RDONLY)
	if _, err := Open(t.Context(), url, Options{}); err == nil || !strings.Contains(err.Error(), "read-only file system") {
		t.Errorf("opened on a read-only disk: %v", err)
	}
}
