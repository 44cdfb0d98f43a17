package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

// A Ledger reads what stands in a repository, and who brought it there, from its commits.
type Ledger struct {
	Git    *git.Repository
	Commit git.Hash // the tip that is read

	*Reading
	entries plan.Entries
}

// Open reads the tip.
func (l *Ledger) Open(ctx context.Context) error {
	tip, err := l.Git.Snapshot(l.Commit)
	if err != nil {
		return fmt.Errorf("read commit %s: %w", l.Commit, err)
	}
	files, err := Documents(ctx, tip)
	if err != nil {
		return err
	}
	c, err := Configured(files)
	if err != nil {
		return err
	}
	if l.Reading, err = Read(ctx, tip, c, nil); err != nil {
		return err
	}
	l.entries = l.Entries()
	return nil
}

// NewLedger returns the ledger of a commit that was read already.
func NewLedger(g *git.Repository, r *Reading) *Ledger {
	return &Ledger{Git: g, Commit: r.Snapshot.Commit, Reading: r, entries: r.Entries()}
}

// An Arrival is a commit that brought an image to a place. Everything in it is what the
// commit says of itself: anybody can write an author, a date or a trailer.
type Arrival struct {
	Standing    plan.Standing
	Old         image.Ref // zero where the place is new
	Gone        bool      // the place is no more; Standing.Image is what stood there
	Commit      git.Hash
	When        time.Time
	Author      string
	PullRequest int // that the subject names, 0 where it names none
	Subject     string
	Kind        string // of the trailer Pinnace-Kind
}

// History calls visit with each arrival in the environment and app, the newest first, until
// visit returns false. An empty name selects all. cut says that the history goes on behind
// what was fetched.
func (l *Ledger) History(ctx context.Context, environment, app string, visit func(Arrival) bool) (cut bool, err error) {
	return l.HistoryOf(ctx, nil, environment, app, visit)
}

// HistoryOf is History of some files alone, which reads nothing else; nil are all.
func (l *Ledger) HistoryOf(ctx context.Context, paths []string, environment, app string, visit func(Arrival) bool) (cut bool, err error) {
	for c, err := range l.Git.Log(ctx, l.Commit, git.LogOptions{FirstParent: true}) {
		if errors.Is(err, git.ErrShallow) {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("read the history of %s: %w", l.Commit, err)
		}
		arrivals, err := l.arrivals(ctx, c, paths)
		if errors.Is(err, git.ErrMissing) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		for _, a := range arrivals {
			if environment != "" && a.Standing.Environment != environment || app != "" && a.Standing.App != app {
				continue
			}
			if !visit(a) {
				return false, nil
			}
		}
	}
	return false, nil
}

// arrivals compares a commit with its first parent.
func (l *Ledger) arrivals(ctx context.Context, c git.CommitInfo, paths []string) ([]Arrival, error) {
	now, err := l.Git.Snapshot(c.Hash)
	if err != nil {
		return nil, fmt.Errorf("read commit %s: %w", c.Hash, err)
	}
	var before *git.Snapshot
	if len(c.Parents) > 0 {
		if before, err = l.Git.Snapshot(c.Parents[0]); err != nil {
			return nil, fmt.Errorf("read commit %s: %w", c.Parents[0], err)
		}
	}
	deltas, err := since(ctx, before, now, paths)
	if err != nil {
		return nil, fmt.Errorf("compare commit %s with its parent: %w", c.Hash, err)
	}
	var old, new []plan.File
	for _, d := range deltas {
		if l.Format(d.Path) == manifest.None || strings.HasPrefix(d.Path, configDir+"/") {
			continue
		}
		for _, side := range []struct {
			snapshot *git.Snapshot
			entry    git.Entry
			files    *[]plan.File
		}{{before, d.Old, &old}, {now, d.New, &new}} {
			f, ok, err := l.Scan(side.snapshot, side.entry)
			if err != nil {
				return nil, err
			}
			if ok {
				*side.files = append(*side.files, f)
			}
		}
	}
	if len(old)+len(new) == 0 {
		return nil, nil
	}
	return l.compare(c, old, new), nil
}

// since returns what differs from an older snapshot, everything where that is nil; of some
// paths alone, where there are any.
func since(ctx context.Context, before, now *git.Snapshot, paths []string) ([]git.Delta, error) {
	if paths != nil {
		return sinceAt(before, now, paths)
	}
	if before != nil {
		return git.Diff(ctx, before, now)
	}
	var out []git.Delta
	err := now.Walk(ctx, nil, func(e git.Entry) error {
		out = append(out, git.Delta{Path: e.Path, New: e})
		return nil
	})
	return out, err
}

func sinceAt(before, now *git.Snapshot, paths []string) ([]git.Delta, error) {
	var out []git.Delta
	for _, path := range paths {
		d := git.Delta{Path: path}
		var err error
		if d.New, _, err = now.Lookup(path); err != nil {
			return nil, err
		}
		if before != nil {
			if d.Old, _, err = before.Lookup(path); err != nil {
				return nil, err
			}
		}
		if d.Old != d.New {
			out = append(out, d)
		}
	}
	return out, nil
}

// Skipped lists what the tip holds that could not be read as images.
func (l *Ledger) Skipped() []plan.Left {
	var out []plan.Left
	for _, f := range l.index.Files() {
		if p := f.Result.Problem; p != nil {
			out = append(out, plan.Left{Path: f.Path, Line: p.Position.Line, Reason: p.Text})
		}
		for _, found := range f.Result.Findings {
			if found.Image == (image.Ref{}) && found.Problem != nil {
				out = append(out, plan.Left{Path: f.Path, Line: found.Position.Line, Image: found.Text, Reason: found.Problem.Text})
			}
		}
	}
	return out
}

// compare returns what differs between the places of two sets of files.
func (l *Ledger) compare(c git.CommitInfo, old, new []plan.File) []Arrival {
	apps := l.Apps(append(slices.Clone(old), new...))
	left := l.standing(old, apps)
	base := Arrival{Commit: c.Hash, When: c.Committer.When, Author: c.Author.Name, Subject: subject(c.Message)}
	base.PullRequest = pullRequestOf(base.Subject)
	if kinds := message.ParseTrailers(c.Message)[message.TrailerKind]; len(kinds) == 1 {
		base.Kind = kinds[0]
	}
	come := l.standing(new, apps)
	var out []Arrival
	for _, same := range []func(a, b plan.Standing) bool{samePlace, moved, sameRepository} {
		var rest []plan.Standing
		for _, s := range come {
			i := slices.IndexFunc(left, func(was plan.Standing) bool { return same(was, s) })
			if i < 0 {
				rest = append(rest, s)
				continue
			}
			if was := left[i]; was.Image != s.Image {
				a := base
				a.Standing, a.Old = s, was.Image
				out = append(out, a)
			}
			left = slices.Delete(left, i, i+1)
		}
		come = rest
	}
	for _, s := range come {
		a := base
		a.Standing = s
		out = append(out, a)
	}
	for _, s := range left {
		a := base
		a.Standing, a.Gone = s, true
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b Arrival) int {
		x, y := a.Standing, b.Standing
		return cmp.Or(cmp.Compare(x.Environment, y.Environment), cmp.Compare(x.App, y.App), cmp.Compare(x.Path, y.Path), cmp.Compare(x.Pointer, y.Pointer))
	})
	return out
}

// standing lists what says what runs.
func (l *Ledger) standing(files []plan.File, apps config.AppNames) []plan.Standing {
	all := plan.Inventory(l.Config, files, apps, l.entries, l.Environments, l.Owner)
	return slices.DeleteFunc(all, func(s plan.Standing) bool { return s.Overridden })
}

func samePlace(was, is plan.Standing) bool {
	return sameRepository(was, is) && was.Document == is.Document && was.Pointer == is.Pointer
}

// moved says whether an image is the same one, at another place of its file, or in a file that
// was moved. A file that belongs to no environment today may have been any's.
func moved(was, is plan.Standing) bool {
	return was.Image == is.Image && (was.Environment == is.Environment || was.Environment == "")
}

// sameRepository says whether an image was replaced while its place moved within the file.
func sameRepository(was, is plan.Standing) bool {
	return was.Environment == is.Environment && was.Path == is.Path && was.Image.Repository() == is.Image.Repository()
}

// Since finds for each standing the commit that brought its image there. One that is not
// found came before what was fetched;
// cut is that of History.
func (l *Ledger) Since(ctx context.Context, all []plan.Standing) (found map[plan.Standing]Arrival, cut bool, err error) {
	type place struct {
		environment, path, pointer string
		document                   int
	}
	waiting := map[place]plan.Standing{}
	for _, s := range all {
		waiting[place{s.Environment, s.Path, s.Pointer, s.Document}] = s
	}
	found = map[plan.Standing]Arrival{}
	if len(all) == 0 {
		return found, false, nil
	}
	var paths []string
	for _, s := range all {
		if !slices.Contains(paths, s.Path) {
			paths = append(paths, s.Path)
		}
	}
	if len(paths) > maxPaths {
		paths = nil // it is less to compare whole commits
	}
	cut, err = l.HistoryOf(ctx, paths, "", "", func(a Arrival) bool {
		key := place{a.Standing.Environment, a.Standing.Path, a.Standing.Pointer, a.Standing.Document}
		if s, ok := waiting[key]; ok && !a.Gone {
			found[s] = a
			delete(waiting, key)
		}
		return len(waiting) > 0
	})
	return found, cut, err
}

// maxPaths is how many files are looked up one by one in each commit.
const maxPaths = 50

func subject(message string) string {
	line, _, _ := strings.Cut(message, "\n")
	return line
}

var (
	squashed = regexp.MustCompile(`\(#([0-9]{1,9})\)$`)
	merged   = regexp.MustCompile(`^Merge pull request #([0-9]{1,9}) from `)
)

// pullRequestOf reads the number that GitHub writes into the subject of a merge
// (https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges).
func pullRequestOf(subject string) int {
	for _, form := range []*regexp.Regexp{squashed, merged} {
		if m := form.FindStringSubmatch(subject); m != nil {
			n, _ := strconv.Atoi(m[1])
			return n
		}
	}
	return 0
}
