package reconcile

import (
	"context"
	"errors"
	"runtime"
	"sync"

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

	edits []manifest.Edit // what is still to be written
}

// Pinned is what Pin did.
type Pinned struct {
	Survey *Survey
	Files  []FilePlan
}

// Pin adds digests to the images of every file. A file is replaced once all of its own
// images are answered, while others are still asked about. Once ctx is done no further
// file is replaced, and the error says so.
func (r *Reconciler) Pin(ctx context.Context, o PinOptions) (*Pinned, error) {
	a := newAsker(ctx, r)
	w := &writers{reconciler: r, options: o, ready: make(chan *FilePlan, 256)}
	if o.Change == nil {
		w.start(ctx)
	}
	var mu sync.Mutex
	plans := map[string]*FilePlan{}
	survey, err := r.Survey(ctx, func(f check.File) {
		p := &FilePlan{Path: f.Path, Problem: f.Result.Problem}
		mu.Lock()
		plans[f.Path] = p
		mu.Unlock()
		findings := f.Result.Findings
		var all []inquiry
		for i := range findings {
			if tag, digest := plan.Needs(&findings[i], o.Options); tag {
				all = append(all, inquiry{plan.Tagged(&findings[i]), tag, digest})
			}
		}
		a.ask(all, func() { w.decide(p, findings, a) })
	})
	a.wait.Wait()
	w.finish()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	out := &Pinned{Survey: survey, Files: make([]FilePlan, len(survey.Files))}
	for i, f := range survey.Files {
		p := plans[f.Path]
		if o.Change != nil && p.edits != nil {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			w.rewrite(ctx, p)
		}
		out.Files[i] = *p
	}
	return out, nil
}

// writers rewrite files whose images are answered, one for each core.
type writers struct {
	reconciler *Reconciler
	options    PinOptions
	ready      chan *FilePlan
	wait       sync.WaitGroup
	started    bool
}

func (w *writers) start(ctx context.Context) {
	w.started = true
	for range runtime.GOMAXPROCS(0) {
		w.wait.Go(func() {
			for p := range w.ready {
				if ctx.Err() == nil {
					w.rewrite(ctx, p)
				}
			}
		})
	}
}

// finish waits until every file that is ready is written.
func (w *writers) finish() {
	close(w.ready)
	w.wait.Wait()
}

// decide fills the plan of one file from its answers, and hands it on where something is
// to be written.
func (w *writers) decide(p *FilePlan, findings []manifest.Finding, a *asker) {
	p.Steps = make([]plan.Step, len(findings))
	for i := range findings {
		f := &findings[i]
		tag, digest := plan.Needs(f, w.options.Options)
		var answer plan.Answer
		if tag {
			answer, _ = a.answer(inquiry{plan.Tagged(f), tag, digest})
		}
		p.Steps[i] = w.reconciler.step(p.Path, f, answer, w.options.Options)
		if e, ok := p.Steps[i].Edit(w.options.Style); ok {
			p.edits = append(p.edits, e)
		}
	}
	if p.edits != nil && w.started {
		w.ready <- p
	}
}

func (w *writers) rewrite(ctx context.Context, p *FilePlan) {
	p.Changed, p.Err = w.reconciler.rewrite(ctx, p.Path, p.edits, w.options)
	p.edits = nil
}

func (r *Reconciler) rewrite(ctx context.Context, path string, edits []manifest.Edit, o PinOptions) (bool, error) {
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
	if err := ctx.Err(); err != nil {
		return false, err
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
