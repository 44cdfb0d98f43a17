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
	what := fmt.Sprintf("%d idle repositories", b.repositories)
	began := time.Now()
	for i, name := range []string{"first", "second", "third"} { // the second sees what the first wrote
		if err := c.await("look at each repository", b.idle/3, looked((i+1)*b.repositories)); err != nil {
			return err
		}
		reads, same := w.reads.Swap(0), w.same.Swap(0)
		b.row(fmt.Sprintf("%s, %s round within", what, name), short(time.Since(began)), "", true)
		b.row(fmt.Sprintf("%s, reads of each in the %s round", what, name), fmt.Sprintf("%.1f", float64(reads)/float64(b.repositories)), "", true)
		share, target := float64(same)/float64(max(reads, 1)), ""
		if name == "third" {
			target = "at least 95 %"
		}
		b.row(fmt.Sprintf("%s, answered with 304 in the %s round", what, name), fmt.Sprintf("%.1f %%", 100*share), target, share >= 0.95)
		began = time.Now()
	}
	now, peak, err := c.memory()
	if err != nil {
		return err
	}
	b.row(what+", resident", mega(now), "under 300 MB", now < 300e6)
	b.row(what+", resident at most", mega(peak), "", true)
	return nil
}
