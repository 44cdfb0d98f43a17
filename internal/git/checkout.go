package git

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/config"
)

const (
	maxMeta    = 1 << 20  // bytes of .git, HEAD, a loose ref, config
	maxPacked  = 64 << 20 // bytes of packed-refs and shallow
	maxSymbols = 5        // symbolic refs in a row
)

// A checkout is the .git of somebody else. It is only read.
type checkout struct {
	git     string   // HEAD is here
	common  string   // refs and config are here
	objects []string // objects directories, alternates included
	partial bool     // a partial clone, which lacks objects of its history
}

// OpenCheckout opens an existing repository for reading: dir is a worktree, whose .git may
// be a directory or a file that names one, or a bare repository. What is written to it,
// or fetched into it, stays in memory.
//
// Of its configuration, the addresses of remotes and the extensions are read. One whose
// objects are not named by SHA-1, or whose refs are not files, is refused.
func OpenCheckout(dir string, l Limits) (*Repository, error) {
	r, err := openCheckout(dir, l)
	if err != nil {
		return nil, fmt.Errorf("opening checkout %s: %w", dir, err)
	}
	return r, nil
}

func openCheckout(dir string, l Limits) (*Repository, error) {
	c := &checkout{}
	var err error
	if c.git, err = gitDir(dir); err != nil {
		return nil, err
	}
	c.common = c.git
	if text, err := readFile(filepath.Join(c.git, "commondir"), maxMeta); err == nil {
		c.common = join(c.git, strings.TrimSpace(string(text)))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	ext := cfg.Section("extensions")
	if f := ext.Option("objectformat"); f != "" && !strings.EqualFold(f, "sha1") {
		return nil, fmt.Errorf("its objects are named by %s: only sha1 can be read", clean(f, 20))
	}
	if f := ext.Option("refstorage"); f != "" && !strings.EqualFold(f, "files") {
		return nil, fmt.Errorf("its refs are stored as %s: convert them with: git refs migrate --ref-format=files", clean(f, 20))
	}
	c.partial = ext.Option("partialclone") != ""
	if c.objects, err = alternates(filepath.Join(c.common, "objects")); err != nil {
		return nil, err
	}
	r := NewMemory(l)
	r.checkout = c
	r.packs, _ = c.packs(nil)
	if r.shallow, err = c.shallow(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// gitDir returns the directory that holds HEAD.
func gitDir(dir string) (string, error) {
	for range maxSymbols {
		name := filepath.Join(dir, ".git")
		info, err := os.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			name = dir
		case err != nil:
			return "", err
		case info.Mode().IsRegular():
			text, err := readFile(name, maxMeta)
			if err != nil {
				return "", err
			}
			to, ok := strings.CutPrefix(string(text), "gitdir:")
			if !ok {
				return "", fmt.Errorf("%s names no gitdir", name)
			}
			dir = join(dir, strings.TrimSpace(to))
			if _, err := os.Stat(filepath.Join(dir, "HEAD")); err == nil {
				return dir, nil
			}
			continue
		}
		if _, err := os.Stat(filepath.Join(name, "HEAD")); err != nil {
			return "", errors.New("it is not a git repository")
		}
		return name, nil
	}
	return "", errors.New("it is not a git repository")
}

func join(base, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(base, name)
}

func readFile(name string, limit int64) ([]byte, error) {
	f, _, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = &LimitError{What: "bytes in " + filepath.Base(name), Max: limit}
	}
	return data, err
}

// alternates returns an objects directory and those that it borrows from
// (https://git-scm.com/docs/gitrepository-layout#Documentation/gitrepository-layout.txt-objectsinfoalternates).
func alternates(objects string) ([]string, error) {
	all := []string{objects}
	for i := 0; i < len(all) && i < 2*maxSymbols; i++ {
		text, err := readFile(filepath.Join(all[i], "info", "alternates"), maxMeta)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if dir := join(all[i], line); line != "" && line[0] != '#' && !slices.Contains(all, dir) {
				all = append(all, dir)
			}
		}
	}
	return all, nil
}

func (c *checkout) config() (*config.Config, error) {
	cfg := config.New()
	text, err := readFile(filepath.Join(c.common, "config"), maxMeta)
	if errors.Is(err, fs.ErrNotExist) {
		return cfg, nil
	}
	if err != nil {
		return nil, err
	}
	if err := config.NewDecoder(bytes.NewReader(text)).Decode(cfg); err != nil {
		return nil, corrupt("its config cannot be read")
	}
	return cfg, nil
}

// RemoteURL returns the address of one of a checkout's remotes, without user and
// password. One that is not there is "".
func (r *Repository) RemoteURL(name string) (string, error) {
	if r.checkout == nil {
		return "", nil
	}
	cfg, err := r.checkout.config()
	if err != nil {
		return "", err
	}
	for _, s := range cfg.Section("remote").Subsections {
		if s.Name == name {
			return secrets.ReplaceAllString(s.Option("url"), "$1"), nil
		}
	}
	return "", nil
}

// Head returns the ref that HEAD names, "" where it is detached, and its commit. A branch
// without commits is ErrNoRef. Only a checkout has a HEAD.
func (r *Repository) Head() (ref string, h Hash, err error) {
	if r.checkout == nil {
		return "", h, &RefError{"HEAD"}
	}
	text, err := readFile(filepath.Join(r.checkout.git, "HEAD"), maxMeta)
	if err != nil {
		return "", h, err
	}
	if to, ok := strings.CutPrefix(string(text), "ref:"); ok {
		ref = strings.TrimSpace(to)
		h, err = r.checkout.ref(ref)
		return ref, h, err
	}
	h, err = ParseHash(strings.TrimSpace(string(text)))
	return "", h, err
}

// ref reads a ref from its own file, else from packed-refs.
func (c *checkout) ref(name string) (Hash, error) {
	for range maxSymbols {
		if err := checkRefName(name); err != nil {
			return Hash{}, err
		}
		text, err := readFile(filepath.Join(c.common, filepath.FromSlash(name)), maxMeta)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrCorrupt) {
			return c.packedRef(name)
		}
		if err != nil {
			return Hash{}, err
		}
		to, ok := strings.CutPrefix(string(text), "ref:")
		if !ok {
			return ParseHash(strings.TrimSpace(string(text)))
		}
		name = strings.TrimSpace(to)
	}
	return Hash{}, corrupt("too many symbolic refs in a row")
}

func (c *checkout) packedRef(name string) (Hash, error) {
	text, err := readFile(filepath.Join(c.common, "packed-refs"), maxPacked)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Hash{}, err
	}
	for line := range strings.Lines(string(text)) {
		if id, ref, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " "); ok && ref == name {
			return ParseHash(id)
		}
	}
	return Hash{}, &RefError{name}
}

func (c *checkout) shallow() (map[Hash]bool, error) {
	out := map[Hash]bool{}
	text, err := readFile(filepath.Join(c.common, "shallow"), maxPacked)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			h, err := ParseHash(line)
			if err != nil {
				return nil, err
			}
			out[h] = true
		}
	}
	return out, nil
}

// packs opens the packs that are not among have. One that cannot be opened is passed
// over: git may be about to remove it.
func (c *checkout) packs(have []*pack) (all []*pack, changed bool) {
	known := map[string]bool{}
	for _, p := range have {
		known[p.name] = true
	}
	for _, dir := range c.objects {
		names, err := filepath.Glob(filepath.Join(globEscape(dir), "pack", "pack-*.idx"))
		if err != nil {
			continue // unreachable: the pattern is well formed
		}
		for _, name := range names {
			name = strings.TrimSuffix(name, ".idx")
			if known[name] {
				continue
			}
			if p, err := openPack(name); err == nil {
				all, changed = append(all, p), true
			}
		}
	}
	return append(all, have...), changed
}

func globEscape(s string) string {
	if filepath.Separator == '\\' {
		return s // there is no escaping on Windows
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// loose reads an object from its own file.
func (c *checkout) loose(h Hash, limit int64) (object, error) {
	o := object{}
	err := c.openLoose(h, func(k plumbing.ObjectType, size int64, r io.Reader) error {
		if size > limit {
			return tooLarge(size, limit)
		}
		data, err := inflateExactly(r, size)
		o = object{k, data}
		return err
	})
	return o, err
}

func (c *checkout) looseStat(h Hash) (k plumbing.ObjectType, size int64, err error) {
	err = c.openLoose(h, func(kind plumbing.ObjectType, n int64, _ io.Reader) error {
		k, size = kind, n
		return nil
	})
	return k, size, err
}

// openLoose reads the beginning of a loose object, "<kind> <size>\x00".
func (c *checkout) openLoose(h Hash, use func(plumbing.ObjectType, int64, io.Reader) error) error {
	name := h.String()
	for _, dir := range c.objects {
		f, _, err := openRegular(filepath.Join(dir, name[:2], name[2:]))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		defer f.Close()
		z, err := zlib.NewReader(f)
		if err != nil {
			return badZlib(err)
		}
		b := bufio.NewReaderSize(z, 4096)
		head, err := b.ReadSlice(0)
		if err != nil {
			return corrupt("a loose object has no header")
		}
		word, digits, _ := strings.Cut(string(head[:len(head)-1]), " ")
		kind, err := plumbing.ParseObjectType(word)
		if err != nil || kind.IsDelta() {
			return corrupt("a loose object has no kind")
		}
		size, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || size < 0 {
			return corrupt("a loose object has no size")
		}
		return use(kind, size, b)
	}
	return ErrMissing
}
