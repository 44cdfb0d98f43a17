package git

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	mirrorConfig = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
	// below is where a mirror keeps upstream's refs: refs/heads/main as
	// refs/pinnace/heads/main. Objects that were asked for by id are under
	// refs/pinnace/want/.
	below = "refs/pinnace/"
	want  = "refs/want/"
)

// A mirror is the directory of a bare repository that is ours alone.
type mirror struct {
	dir  string
	lock *os.File
}

// OpenMirror opens the bare repository in dir, which it makes where there is none, and
// locks it for this process (ErrLocked).
//
// A mirror is a cache. What a killed run left half done is removed; where packs, index or
// refs are damaged, or the packs hold more than twice Limits.PackSize, the mirror is
// emptied, and the next fetch brings everything anew. A directory that holds something
// else is refused.
func OpenMirror(dir string, l Limits) (*Repository, error) {
	r, err := openMirror(dir, l)
	if err != nil {
		return nil, fmt.Errorf("opening mirror %s: %w", dir, err)
	}
	return r, nil
}

func openMirror(dir string, l Limits) (*Repository, error) {
	m := &mirror{dir: dir}
	if err := m.claim(); err != nil {
		return nil, err
	}
	r := NewMemory(l)
	r.mirror = m
	if err := m.load(r); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// mark is the file that marks a directory as a mirror, and is its lock.
const mark = "pinnace.lock"

// maxClaims is how often a directory is made that somebody else takes away at that moment.
const maxClaims = 5

// claim locks the directory. The lock's file comes first, since it marks the directory as
// one of ours.
func (m *mirror) claim() error {
	for tries := 1; ; tries++ {
		err := m.claimOnce()
		if err == nil || tries == maxClaims || !errors.Is(err, errMoved) && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
}

func (m *mirror) claimOnce() error {
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 && !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == mark }) {
		return errors.New("the directory holds something else: name one that is empty or absent")
	}
	m.lock, err = lockFile(m.path(mark))
	return err
}

func (m *mirror) path(name string) string { return filepath.Join(m.dir, filepath.FromSlash(name)) }

func (m *mirror) close() error { return unlockFile(m.lock) }

// load removes leftovers, opens the packs and reads refs and boundary. Where anything is
// damaged it empties the mirror.
func (m *mirror) load(r *Repository) error {
	for _, d := range []string{"objects/pack", "refs"} { // what makes it a repository for git, too
		if err := os.MkdirAll(m.path(d), 0o700); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{"HEAD": "ref: refs/heads/main\n", "config": mirrorConfig} {
		if have, err := os.ReadFile(m.path(name)); err != nil || string(have) != text {
			if err := m.replace(name, []byte(text)); err != nil {
				return err
			}
		}
	}
	packs, damaged, err := m.sweep()
	if err != nil {
		return err
	}
	r.packs = packs
	var size int64
	for _, p := range packs {
		size += p.size
	}
	refs, badRefs := m.readRefs()
	shallow, badShallow := m.readShallow()
	for _, h := range refs {
		if !r.Has(h) {
			damaged = true
		}
	}
	if damaged || badRefs != nil || badShallow != nil || size > 2*r.limits.PackSize {
		return m.empty(r)
	}
	r.refs, r.shallow = refs, shallow
	return nil
}

// sweep removes everything below objects that is not a pack with its index, and opens
// those. damaged says that one of them could not be read.
func (m *mirror) sweep() (packs []*pack, damaged bool, err error) {
	dir := m.path("objects/pack")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, false, err
	}
	type found struct {
		name string
		at   int64
	}
	var names []found
	for _, e := range entries {
		base, isIdx := strings.CutSuffix(e.Name(), ".idx")
		info, err := e.Info()
		if err != nil {
			return nil, false, err
		}
		if isIdx && info.Mode().IsRegular() && strings.HasPrefix(base, "pack-") {
			if _, err := os.Lstat(filepath.Join(dir, base+".pack")); err == nil {
				names = append(names, found{filepath.Join(dir, base), info.ModTime().UnixNano()})
				continue
			}
		}
		if base, isPack := strings.CutSuffix(e.Name(), ".pack"); isPack && strings.HasPrefix(base, "pack-") {
			if _, err := os.Lstat(filepath.Join(dir, base+".idx")); err == nil {
				continue
			}
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return nil, false, err
		}
	}
	slices.SortFunc(names, func(a, b found) int { return cmp.Compare(b.at, a.at) })
	for _, n := range names {
		p, err := openPack(n.name)
		if err != nil {
			damaged = true
			continue
		}
		packs = append(packs, p)
	}
	for _, name := range []string{"packed-refs", "shallow", "HEAD", "config"} {
		for _, ending := range []string{".lock", ".new"} {
			if err := os.Remove(m.path(name + ending)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return packs, damaged, err
			}
		}
	}
	return packs, damaged, nil
}

// empty takes all objects and refs out of the mirror: refs first, so that no run ever
// finds a ref without its objects.
func (m *mirror) empty(r *Repository) error {
	errs := []error{m.writeRefs(nil), m.writeShallow(nil)}
	for _, p := range r.packs {
		errs = append(errs, p.close())
	}
	r.packs, r.refs, r.shallow = nil, map[string]Hash{}, map[Hash]bool{}
	entries, err := os.ReadDir(m.path("objects/pack"))
	errs = append(errs, err)
	for _, e := range entries {
		errs = append(errs, os.RemoveAll(m.path("objects/pack/"+e.Name())))
	}
	return errors.Join(errs...)
}

// temporary returns a file for a pack that arrives. A run that is killed leaves it to the
// next one's sweep.
func (m *mirror) temporary() (*os.File, error) {
	return os.CreateTemp(m.path("objects/pack"), "tmp_pack_")
}

// discard closes and removes what temporary made, unless store has moved it.
func (m *mirror) discard(f *os.File) error {
	err := f.Close()
	if errors.Is(err, fs.ErrClosed) {
		err = nil
	}
	if gone := os.Remove(f.Name()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// store makes a temporary pack one of the mirror's. The index comes last: a pack without
// one does not count. It returns nil where the mirror has that pack already.
func (m *mirror) store(f *os.File, sum Hash, idx []byte) (*pack, error) {
	name := m.path("objects/pack/pack-" + sum.String())
	if _, err := os.Lstat(name + ".idx"); err == nil {
		return openPack(name)
	}
	if err := errors.Join(f.Sync(), f.Chmod(0o400), f.Close()); err != nil {
		return nil, err
	}
	if err := os.Rename(f.Name(), name+".pack"); err != nil {
		return nil, err
	}
	if err := m.replace("objects/pack/pack-"+sum.String()+".idx", idx); err != nil {
		return nil, err
	}
	return openPack(name)
}

// replace writes a file as a whole or not at all.
func (m *mirror) replace(name string, data []byte) error {
	tmp := m.path(name + ".new")
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	if err := os.Rename(tmp, m.path(name)); err != nil {
		return err
	}
	return syncDir(filepath.Dir(m.path(name)))
}

// writeRefs writes packed-refs (https://git-scm.com/docs/git-pack-refs).
func (m *mirror) writeRefs(refs map[string]Hash) error {
	var b bytes.Buffer
	b.WriteString("# pack-refs with: sorted \n")
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		fmt.Fprintf(&b, "%s %s%s\n", refs[name], below, strings.TrimPrefix(name, "refs/"))
	}
	return m.replace("packed-refs", b.Bytes())
}

func (m *mirror) readRefs() (map[string]Hash, error) {
	refs := map[string]Hash{}
	err := m.lines("packed-refs", func(line string) error {
		if strings.HasPrefix(line, "#") {
			return nil
		}
		id, name, _ := strings.Cut(line, " ")
		h, err := ParseHash(id)
		if err != nil {
			return err
		}
		short, ok := strings.CutPrefix(name, below)
		if !ok || checkRefName("refs/"+short) != nil {
			return corrupt("packed-refs names %q", clean(name, 100))
		}
		refs["refs/"+short] = h
		return nil
	})
	return refs, err
}

// writeShallow writes the boundary of history
// (https://git-scm.com/docs/gitrepository-layout#Documentation/gitrepository-layout.txt-shallow).
func (m *mirror) writeShallow(shallow map[Hash]bool) error {
	if len(shallow) == 0 {
		err := os.Remove(m.path("shallow"))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return errors.Join(err, syncDir(m.dir))
	}
	var names []string
	for h := range shallow {
		names = append(names, h.String())
	}
	slices.Sort(names)
	return m.replace("shallow", []byte(strings.Join(names, "\n")+"\n"))
}

func (m *mirror) readShallow() (map[Hash]bool, error) {
	shallow := map[Hash]bool{}
	err := m.lines("shallow", func(line string) error {
		h, err := ParseHash(line)
		shallow[h] = true
		return err
	})
	return shallow, err
}

// lines calls each for every line of a file, which may be absent. A last line without its
// end is an error.
func (m *mirror) lines(name string, each func(string) error) error {
	data, err := os.ReadFile(m.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		return corrupt("%s ends within a line", name)
	}
	s := bufio.NewScanner(bytes.NewReader(data))
	for s.Scan() {
		if err := each(s.Text()); err != nil {
			return err
		}
	}
	return s.Err()
}
