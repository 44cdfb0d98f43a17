package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// idle measures what repositories cost in which nothing happens.
func idle(ctx context.Context, b *bench) (err error) {
	at, err := address()
	if err != nil {
		return err
	}
	w, err := newWorld("http://"+at+"/webhooks/github", nil)
	if err != nil {
		return err
	}
	defer w.Close()
	for i := range b.repositories {
		w.config(fmt.Sprintf("config-%05d", i))
	}
	w.app.Install("acme")
	w.Arrange(nothing)
	// The next round begins when each repository was looked at once: as soon as one is done, the
	// clock of the next is running.
	round := max(10*time.Second, time.Duration(b.repositories)*10*time.Millisecond)
	c, err := b.serve(ctx, w, at, "idle", "--resync", round.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop(), w.broken()) }()
	looked := func(n int) func() bool {
		return func() bool {
			visits, err := c.metric("pinnace_visits_total")
			return err == nil && visits >= float64(n)
		}
	}
	began := time.Now()
	if err := c.await("look at each repository", b.idle/2, looked(b.repositories)); err != nil {
		return err
	}
	what := fmt.Sprintf("%d idle repositories", b.repositories)
	b.row(what+", looked at for the first time within", short(time.Since(began)), "", true)
	reads, same := w.reads.Load(), w.same.Load()
	b.row(what+", reads of each at first", fmt.Sprintf("%.1f", float64(reads)/float64(b.repositories)), "", true)
	if err := c.await("look at each repository again", b.idle/2, looked(2*b.repositories)); err != nil {
		return err
	}
	reads, same = w.reads.Load()-reads, w.same.Load()-same
	b.row(what+", reads of each in the next round", fmt.Sprintf("%.1f", float64(reads)/float64(b.repositories)), "", true)
	share := float64(same) / float64(max(reads, 1))
	b.row(what+", answered with 304", fmt.Sprintf("%.1f %%", 100*share), "at least 95 %", share >= 0.95)
	now, peak, err := c.memory()
	if err != nil {
		return err
	}
	b.row(what+", resident", mega(now), "under 300 MB", now < 300e6)
	b.row(what+", resident at most", mega(peak), "", true)
	return nil
}
