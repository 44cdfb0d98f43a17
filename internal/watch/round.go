package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/image"
)

const (
	perHost   = 4   // looks in flight at one host
	largest   = 500 // looks of one batch
	raiseAt   = 500 // looks that are raised at a time
	alertMost = 100 // repositories that an alert names
)

// Run asks registries until the context ends, and then returns nil once the looks under way
// are done with. An error of a round is logged, and the next round tries again.
func (w *Watcher) Run(ctx context.Context) error {
	var rounds sync.WaitGroup
	defer rounds.Wait()
	tick := time.NewTicker(w.Every)
	defer tick.Stop()
	for {
		if err := w.round(ctx, &rounds); err != nil && ctx.Err() == nil {
			w.Log.Error("watch registries", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-w.wake: // other hints follow closely
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(w.Every / 10):
			}
		}
	}
}

// Tick makes one round and waits until it is done with.
func (w *Watcher) Tick(ctx context.Context) error {
	var rounds sync.WaitGroup
	err := w.round(ctx, &rounds)
	rounds.Wait()
	return err
}

// round writes down the hints and, where this replica leads, begins a batch of looks at each
// host that has something due.
func (w *Watcher) round(ctx context.Context, rounds *sync.WaitGroup) error {
	now := w.Now()
	if err := w.hint(ctx, now); err != nil {
		return err
	}
	if !w.leads(ctx) {
		return nil
	}
	if err := w.keep(ctx, now); err != nil {
		return err
	}
	w.report(ctx, now, rounds)
	hosts, err := w.Ledger.Hosts(ctx, now)
	if err != nil {
		return fmt.Errorf("list the registries to ask: %w", err)
	}
	var registries Registry
	for _, name := range hosts {
		most := min(w.take(name, now), largest)
		if most == 0 {
			continue
		}
		if registries == nil {
			if registries, err = w.Open(); err != nil {
				w.with(name, func(h *host) { h.busy = false })
				return fmt.Errorf("open the registries: %w", err)
			}
		}
		rounds.Go(func() {
			defer w.with(name, func(h *host) { h.busy = false })
			if err := w.batch(ctx, registries, name, most); err != nil && ctx.Err() == nil {
				w.Log.Error("watch a registry", "host", name, "error", err)
			}
		})
	}
	return nil
}

// leads says whether this replica leads. One that does so no more counts nothing as gone, since
// another one does.
func (w *Watcher) leads(ctx context.Context) bool {
	yes := w.Lead(ctx)
	w.mu.Lock()
	before := w.leading
	w.leading = yes
	w.vanished = w.vanished || !yes
	w.mu.Unlock()
	if before && !yes {
		w.Observer.Vanished(0)
	}
	return yes
}

// batch looks at what is due at one host, and writes down what it saw.
func (w *Watcher) batch(ctx context.Context, registries Registry, name string, most int) error {
	began := w.Now()
	things, err := w.Ledger.Due(ctx, name, began, most)
	if err != nil {
		return fmt.Errorf("list what to look at: %w", err)
	}
	sights := make([]*event.Sight, len(things))
	flight := make(chan struct{}, perHost)
	var looks sync.WaitGroup
	for i, thing := range things {
		flight <- struct{}{}
		if now := w.Now(); ctx.Err() != nil || w.resting(name, now) || now.Sub(began) > batchTime {
			break
		}
		looks.Go(func() {
			defer func() { <-flight }()
			w.slots <- struct{}{}
			defer func() { <-w.slots }()
			sights[i] = w.look(ctx, registries, thing)
		})
	}
	looks.Wait()
	var seen []event.Sight
	var failed error
	for _, s := range sights {
		if s == nil {
			continue
		}
		err := w.tell(ctx, *s)
		if err == nil {
			s.Reports, err = w.touched(ctx, *s)
		}
		if err != nil { // it stays due, and is seen to move again
			failed = cmp.Or(failed, err)
			continue
		}
		seen = append(seen, *s)
	}
	if err := w.Ledger.Saw(ctx, seen); err != nil {
		return fmt.Errorf("write down what was seen: %w", err)
	}
	for _, s := range seen {
		switch {
		case s.Moved():
			w.moved(s)
		case vanished(s):
			w.gone(s)
		}
		if s.Gaps != s.Now.Gaps && s.Now.Digest != "" {
			w.recount()
		}
	}
	return failed
}

// vanished says whether a look was the one after which a digest that was seen counts as gone.
func vanished(s event.Sight) bool {
	return s.Now.Digest != "" && s.Was != "" && s.Now.Gaps == gaps && s.Gaps < gaps
}

// look asks for one thing, counts what that cost and how the host bore it. It returns nil where
// nothing was found out.
func (w *Watcher) look(ctx context.Context, registries Registry, thing event.Watched) *event.Sight {
	seen, cost, err := w.ask(ctx, registries, thing)
	if ctx.Err() != nil {
		return nil
	}
	now := w.Now()
	var limit Limited
	limited := errors.As(err, &limit)
	w.with(thing.Host, func(h *host) {
		h.tokens -= float64(cost)
		switch {
		case limited:
			h.halt(limit.Resumes())
		case errors.Is(err, image.ErrTransient), errors.Is(err, context.DeadlineExceeded):
			h.strike(now)
		default:
			h.strikes, h.rests = 0, 0
		}
	})
	if limited {
		w.Log.Info("a registry limits us", "host", thing.Host, "until", limit.Resumes().UTC())
		return nil
	}
	s := w.sight(thing, seen, err, now)
	if err != nil {
		w.Log.Debug("look at an image", "image", spelled(thing), "failures", s.Now.Failures, "gaps", s.Now.Gaps, "error", err)
	}
	return &s
}

// tell raises a look at every repository that a change is about.
func (w *Watcher) tell(ctx context.Context, s event.Sight) error {
	thing := s.Now
	if s.Was == "" || s.Was == thing.Seen {
		return nil
	}
	for after := int64(0); ; {
		ids, err := w.Ledger.Where(ctx, thing.Installation, thing.Name, thing.Tag, after, raiseAt)
		if err != nil {
			return fmt.Errorf("find where %s stands: %w", spelled(thing), err)
		}
		var looks []event.Look
		for _, id := range ids {
			looks = append(looks, event.Look{Subject: event.Subject{Installation: thing.Installation, Repository: id}, Image: spelled(thing)})
		}
		if len(looks) == 0 {
			return nil
		}
		if err := w.Raise(ctx, looks...); err != nil {
			return fmt.Errorf("raise looks for %s: %w", spelled(thing), err)
		}
		if len(ids) < raiseAt {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

// touched returns the repositories that are to be told of a sight: their files pin what a tag
// meant that looks like one that stays, or a digest that is gone now.
func (w *Watcher) touched(ctx context.Context, s event.Sight) ([]int64, error) {
	thing := s.Now
	var ids []int64
	var err error
	switch {
	case s.Moved() && Fixed(thing.Tag):
		ids, err = w.Ledger.Pinned(ctx, thing.Installation, thing.Name, thing.Tag, s.Was, alertMost)
	case vanished(s):
		ids, err = w.Ledger.Pinned(ctx, thing.Installation, thing.Name, "", thing.Digest, alertMost)
	}
	if err != nil {
		return nil, fmt.Errorf("find who pins %s: %w", spelled(thing), err)
	}
	return ids, nil
}

// moved counts a move, and says so where it should not have happened.
func (w *Watcher) moved(s event.Sight) {
	thing := s.Now
	w.Observer.TagMoved()
	w.Log.Info("a tag moved", "installation", thing.Installation, "image", spelled(thing), "old", s.Was, "new", thing.Seen)
	if len(s.Reports) > 0 {
		w.Observer.Alert("tag_moved")
		w.Log.Warn("a tag moved without us", "installation", thing.Installation, "image", spelled(thing), "old", s.Was, "new", thing.Seen, "repositories", s.Reports)
	}
}

// gone says that a digest that files pin is not there any more.
func (w *Watcher) gone(s event.Sight) {
	thing := s.Now
	if len(s.Reports) > 0 {
		w.Observer.Alert("digest_vanished")
		w.Log.Warn("a pinned digest is gone", "installation", thing.Installation, "image", spelled(thing), "since", thing.Gone.UTC(), "repositories", s.Reports)
	}
}

// recount asks for the digests that are gone to be counted again.
func (w *Watcher) recount() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.vanished = true
}

// keep counts what is gone, and keeps up the ledger now and then.
func (w *Watcher) keep(ctx context.Context, now time.Time) error {
	w.mu.Lock()
	count, prune := w.vanished, now.Sub(w.upkept) >= upkeep || w.upkept.After(now)
	w.mu.Unlock()
	if count || prune {
		n, err := w.Ledger.Vanished(ctx, gaps)
		if err != nil {
			return fmt.Errorf("count the digests that are gone: %w", err)
		}
		w.Observer.Vanished(n)
	}
	if prune {
		latest := now.Add(2 * max(w.Pins, longestWait, w.Tags, w.Lists))
		if err := w.Ledger.Upkeep(ctx, now.Add(-forgotten), now, latest); err != nil {
			return fmt.Errorf("keep up the ledger: %w", err)
		}
		w.idle(now)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.vanished = w.vanished && !count; prune {
		w.upkept = now
	}
	return nil
}

// spelled is the reference to a thing.
func spelled(thing event.Watched) string {
	return image.Ref{Name: thing.Name, Tag: thing.Tag, Digest: image.Digest(thing.Digest)}.String()
}
