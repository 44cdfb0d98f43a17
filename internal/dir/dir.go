package dir

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
)

// ErrChanged says that a file no longer holds what was read from it.
var ErrChanged = errors.New("the file has changed since it was read")

// A Link is why a symbolic link is not read. Target is the path that it names below the
// root, or "" where that is outside; Directory says that it names a directory.
type Link struct {
	Target    string
	Directory bool
}

func (l Link) Error() string { return "a symbolic link: it is not followed" }

// Names returns the path below the root that the link names, if any.
func (l Link) Names() string { return l.Target }

// A Dir is an open directory.
type Dir struct {
	root *os.Root
	self *os.File // the directory, for openBelow
	fd   int
	repo *repository
	// only is the one file that is visited, where the directory was opened for it.
	only string
}

// Open opens a directory, or the directory of a file, of which that file alone is then
// visited.
func Open(name string) (*Dir, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	d := &Dir{}
	if !info.IsDir() {
		if link, err := os.Lstat(name); err == nil && link.Mode()&fs.ModeSymlink != 0 {
			return nil, fmt.Errorf("%s is a symbolic link: name the file that it points to", name)
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is neither a file nor a directory", name)
		}
		d.only = filepath.Base(name)
		name = filepath.Dir(name)
	}
	if d.root, err = os.OpenRoot(name); err != nil {
		return nil, err
	}
	if d.self, err = d.root.Open("."); err != nil {
		return nil, errors.Join(err, d.root.Close())
	}
	d.fd = int(d.self.Fd())
	d.repo = findRepository(name)
	return d, nil
}

// Close releases the directory.
func (d *Dir) Close() error { return errors.Join(d.self.Close(), d.root.Close()) }

// Walk calls visit for each file in lexical order until it returns an error, which Walk
// returns. unreadable says why a file is not to be read: it is a Link, or, with a path
// that ends in a slash, a directory that is not entered. A link to a directory below the
// root is passed over: what it names is visited itself.
func (d *Dir) Walk(ctx context.Context, visit func(path string, unreadable error) error) error {
	if d.only != "" {
		return visit(d.only, nil)
	}
	return d.walk(ctx, ".", d.repo.patterns, visit)
}

func (d *Dir) walk(ctx context.Context, name string, ignored []gitignore.Pattern, visit func(string, error) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := fs.ReadDir(d.root.FS(), name)
	if err != nil {
		if name == "." {
			return cause(err)
		}
		return visit(name+"/", fmt.Errorf("the directory could not be read: %w", cause(err)))
	}
	if name != "." && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == ".git" }) {
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == ".gitignore" })
		ignored = nil // another repository: a submodule
	}
	if ignored, err = d.ignore(name, entries, ignored); err != nil {
		if err := visit(name+"/", fmt.Errorf(".gitignore could not be read: %w", cause(err))); err != nil {
			return err
		}
	}
	matcher := gitignore.NewMatcher(ignored)
	for _, e := range entries {
		child := path.Join(name, e.Name())
		skip := e.IsDir() && e.Name() == "node_modules" || len(ignored) > 0 && matcher.Match(d.repo.segments(child), e.IsDir())
		if e.IsDir() && e.Name() == ".git" || skip && !d.repo.keeps(child) {
			continue
		}
		switch {
		case e.IsDir():
			err = d.walk(ctx, child, ignored, visit)
		case e.Type()&fs.ModeSymlink != 0:
			switch l := d.link(child); {
			case !l.Directory:
				err = visit(child, l)
			case l.Target == "":
				err = visit(child+"/", l)
			}
		case e.Type().IsRegular():
			err = visit(child, nil)
		default:
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cause takes the path out of an error of the file system: it is relative to the root, and
// the caller knows it.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (d *Dir) link(name string) Link {
	var l Link
	if info, err := d.root.Stat(name); err == nil {
		l.Directory = info.IsDir()
		if to, err := d.root.Readlink(name); err == nil && !path.IsAbs(filepath.ToSlash(to)) {
			if to = path.Join(path.Dir(name), filepath.ToSlash(to)); filepath.IsLocal(filepath.FromSlash(to)) {
				l.Target = to
			}
		}
	} else if info, err := os.Stat(filepath.Join(d.root.Name(), filepath.FromSlash(name))); err == nil {
		l.Directory = info.IsDir()
	}
	return l
}

// ignore adds the patterns of the directory's own .gitignore to those of its parents.
func (d *Dir) ignore(name string, entries []fs.DirEntry, ignored []gitignore.Pattern) ([]gitignore.Pattern, error) {
	for _, e := range entries {
		if e.Name() != ".gitignore" || !e.Type().IsRegular() {
			continue
		}
		data, err := d.Read(path.Join(name, e.Name()), 1<<20)
		if err != nil {
			return ignored, err
		}
		domain := d.repo.prefix
		if name != "." {
			domain = d.repo.segments(name)
		}
		return append(ignored[:len(ignored):len(ignored)], parsePatterns(data, domain)...), nil
	}
	return ignored, nil
}

// TooLarge is the error of a file over the limit.
type TooLarge struct{ Limit int64 }

func (e TooLarge) Error() string {
	return fmt.Sprintf("the file is larger than %d MiB", e.Limit>>20)
}

// Read returns the bytes of a file, or a TooLarge where there are more than limit.
func (d *Dir) Read(name string, limit int64) ([]byte, error) {
	f, ok := d.openBelow(name)
	if !ok {
		var err error
		if f, err = d.root.Open(name); err != nil {
			return nil, cause(err)
		}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	if info.Size() > limit {
		return nil, TooLarge{limit}
	}
	data := make([]byte, info.Size()+1)
	n, err := io.ReadFull(f, data)
	switch {
	case err == nil:
		return nil, ErrChanged
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return data[:n], nil
	}
	return nil, err
}

// Replace puts data in the place of old, keeping the file's mode. It returns ErrChanged,
// and does nothing, where the file does not hold old.
func (d *Dir) Replace(name string, old, data []byte) (err error) {
	current, err := d.Read(name, int64(len(old)))
	if errors.As(err, new(TooLarge)) || err == nil && !bytes.Equal(current, old) {
		return ErrChanged
	}
	if err != nil {
		return err
	}
	info, err := d.root.Lstat(name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	temporary := path.Join(path.Dir(name), "."+path.Base(name)+".pinnace-"+rand.Text()[:10])
	f, err := d.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("a new file could not be made beside it: %w", cause(err))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.root.Remove(temporary))
		}
	}()
	_, err = f.Write(data)
	keepOwner(f, info)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), f.Close())
	if err != nil {
		return err
	}
	return d.root.Rename(temporary, name)
}
