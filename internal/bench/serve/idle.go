package main

import (
	"context"
	"fmt"
	"time"
)

// idle measures what repositories cost in which nothing happens.
func idle(ctx context.Context, b *bench) (err error) {
	// The next round begins when each repository was looked at once: as soon as one is done, the
	// clock of the next is running.
	round := max(10*time.Second, time.Duration(b.repositories)*10*time.Millisecond)
	s, err := b.stage(ctx, "idle", nil, func(w *world) {
		for i := range b.repositories {
			w.config(fmt.Sprintf("config-%05d", i))
		}
		w.app.Install("acme")
		w.Arrange(nothing)
	}, "--resync", round.String())
	if err != nil {
		return err
	}
	defer s.close(&err)
	looked := func(n int) func() bool {
		return func() bool {
			visits, err := s.metric("pinnace_visits_total")
			return err == nil && visits >= float64(n)
		}
	}
	what := fmt.Sprintf("%d idle repositories", b.repositories)
	began := time.Now()
	for i, name := range []string{"first", "second", "third"} { // the second sees what the first wrote
		if err := s.await("look at each repository", b.idle/3, looked((i+1)*b.repositories)); err != nil {
			return err
		}
		reads, same := s.reads.Swap(0), s.same.Swap(0)
		b.row(fmt.Sprintf("%s, %s round within", what, name), short(time.Since(began)), "", true)
		b.row(fmt.Sprintf("%s, reads of each in the %s round", what, name), fmt.Sprintf("%.1f", float64(reads)/float64(b.repositories)), "", true)
		share, target := float64(same)/float64(max(reads, 1)), ""
		if name == "third" {
			target = "at least 95 %"
		}
		b.row(fmt.Sprintf("%s, answered with 304 in the %s round", what, name), fmt.Sprintf("%.1f %%", 100*share), target, share >= 0.95)
		began = time.Now()
	}
	now, peak, err := s.memory()
	if err != nil {
		return err
	}
	b.row(what+", resident", mega(now), "under 300 MB", now < 300e6)
	b.row(what+", resident at most", mega(peak), "", true)
	return nil
}
