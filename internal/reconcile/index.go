package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

// An Index is what the files of one commit hold. It is a plain value: the next commit's
// index is made from it by reading only what changed.
type Index struct {
	snapshot *git.Snapshot
	rules    string         // of the configuration that the files were read with
	config   *config.Config // that one
	survey   *Survey
	paths    *paths
	reach    *plan.Reach // nil until it is asked for

	following
}

// A following is what follows from the files, once it was asked for.
type following struct {
	refs    []image.Ref
	named   map[string]bool // names of refs
	apps    config.AppNames
	entries plan.Entries
	running []plan.Standing
}

// Files returns the files in which anything was found, in order of their paths.
func (x *Index) Files() []check.File { return x.survey.Files }

// index surveys a snapshot. Where previous is of the same configuration only the files
// that differ are read.
func (r *Reconciler) index(ctx context.Context, snapshot *git.Snapshot, rules string, previous *Index) (*Index, error) {
	t := &tree{snapshot: snapshot}
	r.Files = t
	out := &Index{snapshot: snapshot, rules: rules}
	var err error
	if previous == nil || previous.rules != rules {
		if out.survey, err = r.Survey(ctx, nil); err == nil {
			slices.SortFunc(out.survey.Files, byPath)
			intern(out.survey.Files)
			snapshot.Release()
		}
	} else {
		var changed map[string]git.Entry
		if changed, err = differences(ctx, previous.snapshot, snapshot); err == nil {
			t.known, t.paths = changed, previous.paths.next(changed)
			out.survey, err = r.resurvey(ctx, previous.survey, t, changed)
		}
		if err == nil && len(changed) == 0 {
			out.following = previous.following
		}
		if err == nil && sameLinks(previous, out.survey, t.paths, changed) {
			out.reach = previous.reach
		}
	}
	if err != nil {
		return nil, err
	}
	t.known, out.paths = nil, t.paths
	return out, nil
}

// differences returns the entries that differ, by path; a zero entry is gone.
func differences(ctx context.Context, old, now *git.Snapshot) (map[string]git.Entry, error) {
	deltas, err := git.Diff(ctx, old, now)
	if err != nil {
		return nil, err
	}
	out := make(map[string]git.Entry, len(deltas))
	for _, d := range deltas {
		out[d.Path] = d.New
	}
	return out, nil
}

// resurvey reads the files that changed and keeps what was found in the others. The files
// of previous are in order of their paths, and so are those that it returns.
func (r *Reconciler) resurvey(ctx context.Context, previous *Survey, t *tree, changed map[string]git.Entry) (*Survey, error) {
	s := &surveyor{reconciler: r, found: map[int]check.File{}, seen: map[string]bool{}}
	for name := range previous.named {
		if _, differs := changed[name]; !differs {
			r.named.Store(name, true)
			s.seen[name] = true
		}
	}
	if len(changed) == 0 {
		return previous, nil
	}
	for i := range previous.Files {
		if f := &previous.Files[i]; len(f.Result.Local) > 0 {
			if _, differs := changed[f.Path]; !differs {
				s.note(*f)
			}
		}
	}
	var links []job
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		entry := changed[name]
		unreadable := t.hostile(entry)
		if errors.As(unreadable, new(link)) {
			links = append(links, job{path: name, unreadable: unreadable})
			continue
		}
		if entry.Path == "" || !r.looksAt(name) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.seen[name] = true
		s.do(job{index: len(s.seen) - 1, path: name, unreadable: unreadable})
	}
	s.report(links, func(path string) bool { return t.paths.at(path) == regular && r.looksAt(path) })
	s.followNames()
	fresh := slices.SortedFunc(maps.Values(s.found), byPath)
	fresh = append(fresh, s.links...)
	slices.SortFunc(fresh, byPath)
	out := &Survey{Total: max(previous.Total, len(s.seen)), named: s.followed}
	out.Files = make([]check.File, 0, len(previous.Files)+len(fresh))
	for _, f := range previous.Files {
		if _, differs := changed[f.Path]; differs {
			continue
		}
		for len(fresh) > 0 && byPath(fresh[0], f) < 0 {
			out.Files, fresh = append(out.Files, fresh[0]), fresh[1:]
		}
		if !previous.named[f.Path] || s.followed[f.Path] || manifest.FormatOf(f.Path) != manifest.None {
			out.Files = append(out.Files, f)
		}
	}
	out.Files = append(out.Files, fresh...)
	return out, nil
}

// sameLinks says whether files name the same files as before, which are there as before.
func sameLinks(previous *Index, now *Survey, at *paths, changed map[string]git.Entry) bool {
	if !maps.Equal(previous.survey.named, now.named) {
		return false
	}
	for name := range changed {
		before, had := previous.survey.file(name)
		after, has := now.file(name)
		if had != has || previous.paths.at(name) != at.at(name) || !slices.Equal(before.Result.Local, after.Result.Local) {
			return false
		}
	}
	return true
}

// file returns one of the files, which are in order of their paths.
func (s *Survey) file(name string) (check.File, bool) {
	i, ok := slices.BinarySearchFunc(s.Files, name, func(f check.File, name string) int { return cmp.Compare(f.Path, name) })
	if !ok {
		return check.File{}, false
	}
	return s.Files[i], true
}

func byPath(a, b check.File) int { return cmp.Compare(a.Path, b.Path) }

// A tree is a snapshot as a set of files. It is read only.
type tree struct {
	snapshot *git.Snapshot

	mu    sync.Mutex
	known map[string]git.Entry // entries that need no look-up
	paths *paths               // nil as long as not all are known
}

func (t *tree) Walk(ctx context.Context, visit func(string, error) error) error {
	known := map[string]git.Entry{}
	t.mu.Lock()
	t.known = known
	t.mu.Unlock()
	if err := t.snapshot.Walk(ctx, nil, func(e git.Entry) error {
		t.mu.Lock()
		known[e.Path] = e
		t.mu.Unlock()
		return visit(name(e), t.hostile(e))
	}); err != nil {
		return err
	}
	t.mu.Lock()
	t.paths = newPaths(known)
	t.mu.Unlock()
	return nil
}

func (t *tree) Read(path string, limit int64) ([]byte, error) {
	t.mu.Lock()
	e, ok := t.known[path]
	paths := t.paths
	t.mu.Unlock()
	if !ok || e.Path == "" {
		if paths != nil && !paths.has(path) {
			return nil, t.missing(path)
		}
		var err error
		if e, ok, err = t.snapshot.Lookup(path); err != nil {
			return nil, err
		}
	}
	if !ok {
		return nil, t.missing(path)
	}
	if err := t.hostile(e); err != nil {
		return nil, err
	}
	return t.snapshot.Blob(e.Blob, limit)
}

func (t *tree) missing(path string) error {
	return fmt.Errorf("%s: no such file in commit %s", path, t.snapshot.Commit)
}

func (t *tree) Replace(path string, _, _ []byte) error {
	return fmt.Errorf("%s: commit %s cannot be written to", path, t.snapshot.Commit)
}

// name returns the path of an entry, with a slash at its end where it is not entered.
func name(e git.Entry) string {
	if e.Problem != nil && e.Problem.Kind == git.Submodule {
		return e.Path + "/"
	}
	return e.Path
}

// A hostileEntry says why an entry of a tree is not read.
type hostileEntry struct {
	text  string
	names string // of a link: what it names in the tree
}

func (h hostileEntry) Error() string { return h.text }

// A linkEntry is a hostileEntry that is a symbolic link.
type linkEntry struct{ hostileEntry }

// Names returns the path that the link names, "" where that is outside of the tree.
func (l linkEntry) Names() string { return l.names }

// maxTarget is the longest target of a link that is looked at.
const maxTarget = 4096

func (t *tree) hostile(e git.Entry) error {
	if e.Problem == nil {
		return nil
	}
	h := hostileEntry{text: e.Problem.Text}
	if e.Problem.Kind != git.Symlink {
		return h
	}
	if target, err := t.snapshot.Blob(e.Blob, maxTarget); err == nil && !path.IsAbs(string(target)) {
		if at := path.Join(path.Dir(e.Path), string(target)); at != ".." && !strings.HasPrefix(at, "../") {
			h.names = at
		}
	}
	return linkEntry{h}
}

var _ Files = (*tree)(nil)
