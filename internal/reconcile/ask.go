package reconcile

import (
	"context"
	"sync"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

// An asker asks each unique question once, and goes on while others are answered. The
// Resolver bounds how many are on the wire.
type asker struct {
	reconciler *Reconciler
	wait       sync.WaitGroup

	mu      sync.Mutex
	answers map[question]*plan.Answer // owned by the goroutine that asks until wait is over
}

// A question is a reference with what is to be known about it.
type question struct {
	repository, tag string
	digest          image.Digest
	resolve, stat   bool
}

func newAsker(r *Reconciler) *asker {
	return &asker{reconciler: r, answers: map[question]*plan.Answer{}}
}

// ask starts to ask, unless the same was asked before. resolve asks for the tag's
// meaning, and stat for the digest where it differs from that.
func (a *asker) ask(ctx context.Context, r image.Ref, resolve, stat bool) {
	q := questionOf(r, resolve, stat)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.answers[q] != nil {
		return
	}
	answer := &plan.Answer{}
	a.answers[q] = answer
	a.reconciler.Progress.Asked.Add(1)
	a.wait.Go(func() {
		a.fill(ctx, answer, r, resolve, stat)
		a.reconciler.Progress.Answered.Add(1)
	})
}

func questionOf(r image.Ref, resolve, stat bool) question {
	q := question{repository: r.Repository(), resolve: resolve, stat: stat}
	if resolve {
		q.tag = r.TagOrLatest()
	}
	if stat {
		q.digest = r.Digest
	}
	return q
}

func (a *asker) fill(ctx context.Context, out *plan.Answer, r image.Ref, resolve, stat bool) {
	resolver := a.reconciler.Resolver
	if resolve {
		if p := a.reconciler.Platform; p != (image.Platform{}) {
			out.Tag, out.TagErr = resolver.Platform(ctx, r, p)
		} else {
			out.Tag, out.TagErr = resolver.Resolve(ctx, r)
		}
	}
	if !stat || out.TagErr == nil && out.Tag.Digest == r.Digest {
		return
	}
	out.Pinned, out.PinnedErr = resolver.Stat(ctx, r)
	if out.TagErr != nil || out.PinnedErr != nil || !out.Tag.IsIndex() || out.Pinned.IsIndex() {
		return
	}
	byTag := r
	byTag.Digest = out.Tag.Digest
	if index, err := resolver.Index(ctx, byTag); err == nil {
		out.Tag.Children = index.Children
	}
}

// answer returns what was asked, once wait is over.
func (a *asker) answer(r image.Ref, resolve, stat bool) (plan.Answer, bool) {
	found := a.answers[questionOf(r, resolve, stat)]
	if found == nil {
		return plan.Answer{}, false
	}
	return *found, true
}
