package reconcile

import (
	"context"
	"sync"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

// An asker asks each unique question once, a bounded number at a time for each registry,
// and calls back whoever waits for a set of answers.
type asker struct {
	ctx        context.Context
	reconciler *Reconciler
	wait       sync.WaitGroup

	mu        sync.Mutex
	questions map[question]*entry
	lanes     map[string]*lane // by registry
}

// A question is a reference with what is to be known about it: resolve asks for the tag's
// meaning, stat for the digest where it differs from that.
type question struct {
	repository, tag string
	digest          image.Digest
	resolve, stat   bool
}

// An entry is a question that was asked. Its answer is written once, before done is set
// under the asker's lock.
type entry struct {
	inquiry inquiry
	answer  plan.Answer
	done    bool
	waiting []*waiter
}

// A waiter is told once the entries that it waits for are done.
type waiter struct {
	pending int
	ready   func()
}

// A lane is the queue of one registry.
type lane struct {
	queue   []*entry
	running int
}

func newAsker(ctx context.Context, r *Reconciler) *asker {
	return &asker{ctx: ctx, reconciler: r, questions: map[question]*entry{}, lanes: map[string]*lane{}}
}

func questionOf(i inquiry) question {
	q := question{repository: i.ref.Repository(), resolve: i.resolve, stat: i.stat}
	if i.resolve {
		q.tag = i.ref.TagOrLatest()
	}
	if i.stat {
		q.digest = i.ref.Digest
	}
	return q
}

// An inquiry is what one finding needs to be known.
type inquiry struct {
	ref           image.Ref
	resolve, stat bool
}

// ask starts to ask what was not asked before, and calls ready once everything is
// answered, which may be before ask returns.
func (a *asker) ask(inquiries []inquiry, ready func()) {
	a.mu.Lock()
	w := &waiter{ready: ready}
	for _, i := range inquiries {
		q := questionOf(i)
		e := a.questions[q]
		if e == nil {
			e = &entry{inquiry: i}
			a.questions[q] = e
			a.reconciler.Progress.add(0, 1, 0)
			a.enqueue(e)
		}
		if !e.done {
			e.waiting = append(e.waiting, w)
			w.pending++
		}
	}
	now := w.pending == 0
	a.mu.Unlock()
	if now && ready != nil {
		ready()
	}
}

// enqueue adds the entry to its registry's lane, under the lock.
func (a *asker) enqueue(e *entry) {
	host := e.inquiry.ref.Registry()
	l := a.lanes[host]
	if l == nil {
		l = &lane{}
		a.lanes[host] = l
	}
	l.queue = append(l.queue, e)
	if l.running < a.reconciler.concurrency() {
		l.running++
		a.wait.Go(func() { a.work(l) })
	}
}

// work answers the questions of a lane until it is empty.
func (a *asker) work(l *lane) {
	for {
		a.mu.Lock()
		if len(l.queue) == 0 {
			l.running--
			a.mu.Unlock()
			return
		}
		e := l.queue[0]
		l.queue = l.queue[1:]
		a.mu.Unlock()

		a.fill(&e.answer, e.inquiry)

		a.mu.Lock()
		e.done = true
		var ready []func()
		for _, w := range e.waiting {
			if w.pending--; w.pending == 0 && w.ready != nil {
				ready = append(ready, w.ready)
			}
		}
		e.waiting = nil
		a.mu.Unlock()
		a.reconciler.Progress.add(0, 0, 1)
		for _, f := range ready {
			f()
		}
	}
}

func (a *asker) fill(out *plan.Answer, i inquiry) {
	resolver, r := a.reconciler.Resolver, i.ref
	if i.resolve {
		if p := a.reconciler.Platform; p != (image.Platform{}) {
			out.Tag, out.TagErr = resolver.Platform(a.ctx, r, p)
		} else {
			out.Tag, out.TagErr = resolver.Resolve(a.ctx, r)
		}
	}
	if !i.stat || out.TagErr == nil && out.Tag.Digest == r.Digest {
		return
	}
	out.Pinned, out.PinnedErr = resolver.Stat(a.ctx, r)
	if out.TagErr != nil || out.PinnedErr != nil || !out.Tag.IsIndex() || out.Pinned.IsIndex() {
		return
	}
	byTag := r
	byTag.Digest = out.Tag.Digest
	if index, err := resolver.Index(a.ctx, byTag); err == nil {
		out.Tag.Children = index.Children
	}
}

// answer returns what was answered so far.
func (a *asker) answer(i inquiry) (plan.Answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.questions[questionOf(i)]
	if e == nil || !e.done {
		return plan.Answer{}, false
	}
	return e.answer, true
}
