package reconcile

import (
	"context"
	"errors"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

// PinOptions say what Pin does with what it decides.
type PinOptions struct {
	plan.Options
	// Write replaces files; without it nothing is written.
	Write bool
	// Change, where it is not nil, is told of each file that changes, in order.
	Change func(path string, old, data []byte)
}

// A FilePlan is what happens to one file. Err says why the file was left alone although
// it was to be changed.
type FilePlan struct {
	Path    string
	Problem *manifest.Problem
	Steps   []plan.Step
	Changed bool
	Err     error
}

// Pinned is what Pin did.
type Pinned struct {
	Survey *Survey
	Files  []FilePlan
}

// Pin adds digests to the images of every file. Nothing is written before every question
// is answered; then each file is replaced by itself. Once ctx is done no further file is
// replaced, and the error says so.
func (r *Reconciler) Pin(ctx context.Context, o PinOptions) (*Pinned, error) {
	a := newAsker(r)
	survey, err := r.Survey(ctx, func(f check.File) {
		for _, found := range f.Result.Findings {
			if tag, digest := plan.Needs(found, o.Options); tag {
				a.ask(ctx, plan.Tagged(found), tag, digest)
			}
		}
	})
	a.wait.Wait()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := &Pinned{Survey: survey, Files: make([]FilePlan, len(survey.Files))}
	for i, f := range survey.Files {
		out.Files[i] = FilePlan{Path: f.Path, Problem: f.Result.Problem}
		for _, found := range f.Result.Findings {
			tag, digest := plan.Needs(found, o.Options)
			answer, _ := a.answer(plan.Tagged(found), tag, digest)
			out.Files[i].Steps = append(out.Files[i].Steps, r.step(f.Path, found, answer, o.Options))
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	if o.Change != nil {
		g.SetLimit(1)
	}
	for i := range out.Files {
		f := &out.Files[i]
		edits := f.edits(o.Style)
		if len(edits) == 0 {
			continue
		}
		g.Go(func() error {
			if err := gctx.Err(); err != nil {
				return err
			}
			f.Changed, f.Err = r.rewrite(f.Path, edits, o)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return out, err
	}
	return out, ctx.Err()
}

func (f *FilePlan) edits(style manifest.Style) []manifest.Edit {
	var edits []manifest.Edit
	for _, s := range f.Steps {
		if e, ok := s.Edit(style); ok {
			edits = append(edits, e)
		}
	}
	return edits
}

func (r *Reconciler) rewrite(path string, edits []manifest.Edit, o PinOptions) (bool, error) {
	old, err := r.Files.Read(path, r.limit())
	if err != nil {
		return false, err
	}
	data, err := manifest.Apply(old, r.format(path), edits, r.extra(path)...)
	if err != nil {
		return false, err
	}
	if string(data) == string(old) {
		return false, nil
	}
	if o.Change != nil {
		o.Change(path, old, data)
	}
	if !o.Write {
		return true, nil
	}
	if err := r.Files.Replace(path, old, data); err != nil {
		return false, err
	}
	return true, nil
}

// Failed joins the errors of every step and file, or nil.
func (p *Pinned) Failed() error {
	var all []error
	for _, f := range p.Files {
		if f.Err != nil {
			all = append(all, f.Err)
		}
		for _, s := range f.Steps {
			if s.Err != nil {
				all = append(all, s.Err)
			}
		}
	}
	return errors.Join(all...)
}
