package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// A passage is from one commit to another one.
type passage struct {
	*base
	before, after *reconcile.Reading
	onto          *reconcile.Reading // that it will be merged onto; nil where it is merged
}

// had and has name the environments that a file affects before and after.
func (p *passage) had(path string) []string { return p.joined(p.before.Environments(path), path) }

func (p *passage) has(path string) []string { return p.joined(p.after.Environments(path), path) }

// joined adds the environments that a file affects where it is merged onto, and did not before.
func (p *passage) joined(all []string, path string) []string {
	if p.onto == nil || p.before.SameReach(p.onto) {
		return all
	}
	was, out := p.before.Environments(path), slices.Clone(all)
	for _, e := range p.onto.Environments(path) {
		if !slices.Contains(was, e) && !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

// format says how a file is read that either commit, or the tip, names.
func (p *passage) format(path string) manifest.Format {
	return cmp.Or(p.reading.Format(path), p.before.Format(path), p.after.Format(path))
}

// pairs are the files that differ, and those that come to an environment or leave one.
func (p *passage) pairs(h *hearing) ([]plan.Pair, error) {
	var out []plan.Pair
	seen := map[string]bool{}
	for _, d := range h.paths {
		if strings.HasPrefix(d.Path, ".pinnace/") {
			continue
		}
		seen[d.Path] = true
		x := plan.Pair{Path: d.Path, Had: d.Old.Path != "", Has: d.New.Path != ""}
		for _, side := range []struct {
			at    *git.Snapshot
			entry git.Entry
			data  *[]byte
		}{{h.from, d.Old, &x.Old}, {h.now, d.New, &x.New}} {
			if side.entry.Path == "" {
				continue
			}
			if side.entry.Problem != nil {
				x.Why = side.entry.Problem.Text
				continue
			}
			if p.format(d.Path) == manifest.None && len(p.had(d.Path))+len(p.has(d.Path)) == 0 {
				continue // no file that could say what runs
			}
			data, err := side.at.Blob(side.entry.Blob, manifest.MaxFile)
			if err != nil {
				x.Why = "it cannot be read: " + err.Error()
				continue
			}
			*side.data = data
		}
		out = append(out, x)
	}
	for _, path := range p.after.Moved(p.before) {
		if seen[path] || strings.HasPrefix(path, ".pinnace/") {
			continue
		}
		x, ok, err := p.moved(path)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, x)
		}
	}
	return out, nil
}

// moved is a file that nobody changes, as it will be once merged.
func (p *passage) moved(path string) (plan.Pair, bool, error) {
	x := plan.Pair{Path: path, Had: true, Has: true}
	all := []*git.Snapshot{p.after.Snapshot}
	if p.onto != nil {
		all = []*git.Snapshot{p.onto.Snapshot, p.after.Snapshot}
	}
	for _, s := range all {
		e, ok, err := s.Lookup(path)
		if err != nil {
			return x, false, fmt.Errorf("read %s of commit %s: %w", path, s.Commit, err)
		}
		if !ok {
			continue
		}
		if e.Problem != nil {
			x.Why = e.Problem.Text
		} else if x.New, err = s.Blob(e.Blob, manifest.MaxFile); err != nil {
			x.Why = "it cannot be read: " + err.Error()
		}
		x.Old = x.New
		return x, true, nil
	}
	return x, false, nil
}
