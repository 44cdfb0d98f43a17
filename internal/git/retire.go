package git

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Retired ends the name of a mirror that was taken out of its place.
const Retired = ".retired"

// RetireMirror takes the mirror in dir out of its place at once, so that the next one to open
// it finds none, and returns where it stands then, for os.RemoveAll: dir with Retired at the end,
// or "" where there was nothing. A mirror that is open, here or in another process, stays
// (ErrLocked). A link in the place of a directory is removed, and not what it leads to.
func RetireMirror(dir string) (string, error) {
	to, err := retire(dir)
	if err != nil {
		return "", fmt.Errorf("retiring mirror %s: %w", dir, err)
	}
	return to, nil
}

func retire(dir string) (to string, err error) {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", os.Remove(dir)
	}
	m := &mirror{dir: dir}
	if m.lock, err = lockFile(m.path(mark)); err != nil {
		if errors.Is(err, errMoved) || errors.Is(err, fs.ErrNotExist) { // somebody else was first
			return "", nil
		}
		return "", err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	to = dir + Retired
	if err := os.RemoveAll(to); err != nil { // what a run left that was killed
		return "", err
	}
	return to, os.Rename(dir, to)
}

// A MirrorStat says what a mirror takes on disk, and when it was marked as used last.
type MirrorStat struct {
	Size int64 // bytes of its files
	Used time.Time
}

// StatMirror looks at the mirror in dir, whether it is open or not. It reads its packs'
// directory and no more, and follows no links. Where there is none the error is
// fs.ErrNotExist.
func StatMirror(dir string) (MirrorStat, error) {
	var s MirrorStat
	for _, part := range []string{".", "objects", "objects/pack"} {
		at := filepath.Join(dir, filepath.FromSlash(part))
		info, err := os.Lstat(at)
		if err == nil && !info.IsDir() {
			err = &fs.PathError{Op: "stat", Path: at, Err: fs.ErrNotExist}
		}
		if part != "." && errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return s, err
		}
		entries, err := os.ReadDir(at)
		if err != nil {
			return s, err
		}
		for _, e := range entries {
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) { // it went meanwhile
				continue
			}
			if err != nil {
				return s, err
			}
			if info.Mode().IsRegular() {
				s.Size += info.Size()
			}
			if e.Name() == mark && part == "." {
				s.Used = info.ModTime()
			}
		}
	}
	return s, nil
}

// Use marks a mirror as used at a time, for StatMirror. Of what is no mirror nothing is marked.
func (r *Repository) Use(at time.Time) error {
	if r.mirror == nil {
		return nil
	}
	return os.Chtimes(r.mirror.path(mark), at, at)
}
