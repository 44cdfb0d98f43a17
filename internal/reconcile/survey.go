package reconcile

import (
	"context"
	"errors"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

// A Reconciler works on one set of files. Resolver may be nil where nothing is asked.
type Reconciler struct {
	Files    Files
	Resolver Resolver
	// Format tells how a file is read; manifest.FormatOf where nil.
	Format func(path string) manifest.Format
	// Selected says whether a file is looked at at all; every one where nil.
	Selected func(path string) bool
	// Exempt says why an image is left alone, or "".
	Exempt func(path string, r image.Ref) string
	// Extra names further places in a file, as manifest.Scan takes them.
	Extra func(path string) []manifest.Extra
	// Concurrency is how many questions one registry is asked at a time; 20 where zero.
	Concurrency int
	// Limit is the most bytes of one file; manifest.MaxFile where zero.
	Limit int64
	// Platform is the one whose digest is pinned; that of the index where zero.
	Platform image.Platform
	// Progress counts what is done, where it is not nil; it may be read while a method runs.
	Progress *Progress

	named sync.Map // paths that kustomizations name, read as YAML whatever they are called
}

// Progress counts files that were looked at, and images that were asked and answered.
type Progress struct {
	Files, Asked, Answered atomic.Int64
}

func (p *Progress) add(files, asked, answered int64) {
	if p != nil {
		p.Files.Add(files)
		p.Asked.Add(asked)
		p.Answered.Add(answered)
	}
}

// A Survey is what the files hold.
type Survey struct {
	Files []check.File // those in which anything was found, in the order of Walk
	Total int          // files that were looked at

	named map[string]bool // those read only because a kustomization names them
}

func (r *Reconciler) format(path string) manifest.Format {
	var f manifest.Format
	if r.Format != nil {
		f = r.Format(path)
	} else {
		f = manifest.FormatOf(path)
	}
	if _, named := r.named.Load(path); named && f == manifest.None {
		return manifest.YAML
	}
	return f
}

func (r *Reconciler) limit() int64 {
	if r.Limit > 0 {
		return r.Limit
	}
	return manifest.MaxFile
}

func (r *Reconciler) concurrency() int {
	if r.Concurrency > 0 {
		return r.Concurrency
	}
	return 20
}

func (r *Reconciler) extra(path string) []manifest.Extra {
	if r.Extra == nil {
		return nil
	}
	return r.Extra(path)
}

// A job is one path of the survey.
type job struct {
	index      int
	path       string
	unreadable error
}

// Survey scans every file, and those that kustomizations name whatever they are called.
// each, where it is not nil, is told of a file's findings at once and from several
// goroutines.
func (r *Reconciler) Survey(ctx context.Context, each func(check.File)) (*Survey, error) {
	jobs := make(chan job, 256)
	s := &surveyor{reconciler: r, each: each, found: map[int]check.File{}, seen: map[string]bool{}}
	g, ctx := errgroup.WithContext(ctx)
	var links []job
	g.Go(func() error {
		defer close(jobs)
		return r.Files.Walk(ctx, func(path string, unreadable error) error {
			if errors.As(unreadable, new(link)) {
				links = append(links, job{path: path, unreadable: unreadable})
				return nil
			}
			if !r.looksAt(path) {
				return nil
			}
			s.seen[path] = true
			select {
			case jobs <- job{len(s.seen) - 1, path, unreadable}:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for j := range jobs {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				s.do(j)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	s.report(links, func(path string) bool { return s.seen[path] })
	s.followNames()
	out := &Survey{Total: len(s.seen), named: s.followed}
	for i := range out.Total {
		if f, ok := s.found[i]; ok {
			out.Files = append(out.Files, f)
		}
	}
	out.Files = append(out.Files, s.links...)
	return out, nil
}

func (r *Reconciler) selected(path string) bool { return r.Selected == nil || r.Selected(path) }

// looksAt says whether a path is surveyed.
func (r *Reconciler) looksAt(path string) bool {
	if !r.selected(path) {
		return false
	}
	return strings.HasSuffix(path, "/") || r.format(path) != manifest.None
}

// A link is the error of a symbolic link.
type link interface {
	error
	Names() string
}

// report names the links that cannot be read. One to a file that is surveyed itself, and read
// in the same way, or to a directory with a kustomization, says no more than that.
func (s *surveyor) report(links []job, surveyed func(path string) bool) {
	r := s.reconciler
	for _, j := range links {
		var l link
		if !errors.As(j.unreadable, &l) || !r.selected(j.path) {
			continue
		}
		names, f := l.Names(), r.format(j.path)
		file := surveyed(names) && (r.format(names) == f || f == manifest.None)
		if file || slices.ContainsFunc(plan.KustomizationNames, func(k string) bool { return surveyed(path.Join(names, k)) }) {
			found := check.File{Path: j.path}
			found.Result.Local = []manifest.Local{{Field: plan.Link, Path: names, Root: true, Optional: true}}
			s.links = append(s.links, found)
			if s.each != nil {
				s.each(found)
			}
			continue
		}
		if f == manifest.None {
			continue
		}
		s.seen[j.path] = true
		j.index = len(s.seen) - 1
		s.do(j)
	}
}

// A surveyor collects what is found. found and named are owned by mu; seen by Walk, and
// after it by followNames.
type surveyor struct {
	reconciler *Reconciler
	each       func(check.File)
	seen       map[string]bool
	followed   map[string]bool // what followNames read
	links      []check.File    // to what is surveyed

	mu    sync.Mutex
	found map[int]check.File
	named []string // paths that kustomizations name
}

func (s *surveyor) do(j job) {
	file := check.File{Path: j.path}
	if j.unreadable != nil {
		file.Result.Problem = &manifest.Problem{Code: manifest.Unreadable, Text: j.unreadable.Error()}
	} else {
		file.Result = s.reconciler.scan(j.path)
	}
	s.reconciler.Progress.add(1, 0, 0)
	if file.Result.Problem == nil && len(file.Result.Findings) == 0 && len(file.Result.Local) == 0 && len(file.Result.Sources) == 0 {
		return
	}
	s.mu.Lock()
	s.found[j.index] = file
	s.note(file)
	s.mu.Unlock()
	if s.each != nil {
		s.each(file)
	}
}

// note remembers what a kustomization names.
func (s *surveyor) note(f check.File) {
	for _, l := range f.Result.Local {
		switch l.Field {
		case "resources", "bases", "patches", "patchesStrategicMerge", "patchesJson6902", "helmCharts", "transformers", "generators", "helm.valueFiles", "chart.valuesFiles":
			s.named = append(s.named, l.From(f.Path))
		}
	}
}

// followNames scans the files that kustomizations name and whose own names tell nothing.
func (s *surveyor) followNames() {
	r := s.reconciler
	slices.Sort(s.named)
	s.followed = map[string]bool{}
	for _, name := range slices.Compact(s.named) {
		if _, named := r.named.Load(name); named && s.seen[name] {
			s.followed[name] = true
			continue
		}
		if s.seen[name] || strings.HasPrefix(name, "../") || r.format(name) != manifest.None || r.Selected != nil && !r.Selected(name) {
			continue
		}
		if _, err := r.Files.Read(name, r.limit()); err != nil {
			continue // a directory, or nothing: kustomize says so
		}
		r.named.Store(name, true)
		s.seen[name], s.followed[name] = true, true
		s.do(job{index: len(s.seen) - 1, path: name})
	}
}

func (r *Reconciler) scan(path string) manifest.Result {
	data, err := r.Files.Read(path, r.limit())
	if err != nil {
		return manifest.Result{Problem: &manifest.Problem{Code: manifest.Unreadable, Text: err.Error()}}
	}
	result := manifest.Scan(data, r.format(path), r.extra(path)...)
	for i := range result.Findings {
		r.exempt(path, &result.Findings[i])
	}
	return result
}

// exempt marks a finding that the configuration leaves alone.
func (r *Reconciler) exempt(path string, f *manifest.Finding) {
	if r.Exempt == nil || f.Image == (image.Ref{}) || f.Problem != nil {
		return
	}
	if r.Exempt(path, f.Image) != "" {
		f.Ignored = true
	}
}

// step decides on one finding, and names the configuration where that leaves it alone.
func (r *Reconciler) step(path string, f *manifest.Finding, a plan.Answer, o plan.Options) plan.Step {
	s := plan.Decide(f, a, o)
	if f.Ignored && r.Exempt != nil {
		if why := r.Exempt(path, f.Image); why != "" {
			s.Reason = why
		}
	}
	return s
}
