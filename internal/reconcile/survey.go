package reconcile

import (
	"context"
	"runtime"
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
	// Concurrency is how many questions one registry is asked at a time; 32 where zero.
	Concurrency int
	// Limit is the most bytes of one file; manifest.MaxFile where zero.
	Limit int64
	// Platform is the one whose digest is pinned; that of the index where zero.
	Platform image.Platform
	// Progress counts what is done; it may be read while a method runs.
	Progress Progress
}

// Progress counts files that were looked at, and images that were asked and answered.
type Progress struct {
	Files, Asked, Answered atomic.Int64
}

// A Survey is what the files hold.
type Survey struct {
	Files []check.File // those in which anything was found, in the order of Walk
	Total int          // files that were looked at
	Bytes int64
}

func (r *Reconciler) format(path string) manifest.Format {
	if r.Format != nil {
		return r.Format(path)
	}
	return manifest.FormatOf(path)
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
	return 32
}

func (r *Reconciler) extra(path string) []manifest.Extra {
	if r.Extra == nil {
		return nil
	}
	return r.Extra(path)
}

// Survey scans every file. each, where it is not nil, is told of a file's findings at
// once and from several goroutines.
func (r *Reconciler) Survey(ctx context.Context, each func(check.File)) (*Survey, error) {
	type job struct {
		index int
		path  string
		link  bool
	}
	jobs := make(chan job, 256)
	var s Survey
	var mu sync.Mutex
	var bytes atomic.Int64
	found := map[int]check.File{}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(jobs)
		return r.Files.Walk(ctx, func(path string, link bool) error {
			if r.format(path) == manifest.None || r.Selected != nil && !r.Selected(path) {
				return nil
			}
			select {
			case jobs <- job{s.Total, path, link}:
				s.Total++
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
				file := check.File{Path: j.path}
				if j.link {
					file.Result.Problem = &manifest.Problem{Code: manifest.Unreadable, Text: "a symbolic link: it is not followed"}
				} else {
					var n int
					file.Result, n = r.scan(j.path)
					bytes.Add(int64(n))
				}
				r.Progress.Files.Add(1)
				if file.Result.Problem == nil && len(file.Result.Findings) == 0 && len(file.Result.Local) == 0 {
					continue
				}
				mu.Lock()
				found[j.index] = file
				mu.Unlock()
				if each != nil {
					each(file)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	s.Bytes = bytes.Load()
	for i := range s.Total {
		if f, ok := found[i]; ok {
			s.Files = append(s.Files, f)
		}
	}
	return &s, nil
}

func (r *Reconciler) scan(path string) (manifest.Result, int) {
	data, err := r.Files.Read(path, r.limit())
	if err != nil {
		return manifest.Result{Problem: &manifest.Problem{Code: manifest.Unreadable, Text: err.Error()}}, 0
	}
	result := manifest.Scan(data, r.format(path), r.extra(path)...)
	for i := range result.Findings {
		r.exempt(path, &result.Findings[i])
	}
	return result, len(data)
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
