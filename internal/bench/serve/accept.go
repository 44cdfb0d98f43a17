package main

import (
	"context"
	"fmt"
	"time"

	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// accept measures the door.
func accept(ctx context.Context, b *bench) (err error) {
	var repos []*sandbox.Repository
	s, err := b.stage(ctx, "accept", nil, func(w *world) {
		for i := range 10 {
			repos = append(repos, w.config(fmt.Sprintf("config-%d", i)))
		}
		w.app.Install("acme")
	})
	if err != nil {
		return err
	}
	defer s.close(&err)
	if err := s.idle(patience); err != nil {
		return err
	}
	pushes := s.pushes(repos)
	for _, load := range []struct {
		name   string
		events []event
	}{
		{"of no use", []event{{"star", pushes[0].body}}},
		{"pushes to 10 repositories", pushes},
	} {
		p := newPoster(s.child, load.name[:2], b.connections, load.events)
		took, err := p.steady(ctx, b.connections, b.rate, b.last)
		if err != nil {
			return err
		}
		what := fmt.Sprintf("accept %d/s, %s", b.rate, load.name)
		b.spread(what, took, 0.99, 50*time.Millisecond)
		now, peak, err := s.memory()
		if err != nil {
			return err
		}
		b.row(what+", resident, and at most", mega(now)+", "+mega(peak), "at most 256 MB", peak <= 256e6)
	}
	return nil
}

// burst measures what many deliveries about one repository become.
func burst(ctx context.Context, b *bench) (err error) {
	var r *sandbox.Repository
	s, err := b.stage(ctx, "burst", nil, func(w *world) {
		r = w.config("config")
		w.app.Install("acme")
	})
	if err != nil {
		return err
	}
	defer s.close(&err)
	if err := s.idle(patience); err != nil {
		return err
	}
	p := newPoster(s.child, "burst", b.connections, s.pushes([]*sandbox.Repository{r}))
	before, err := s.metric("pinnace_visits_total")
	if err != nil {
		return err
	}
	began := time.Now()
	// A rate that nobody keeps up with is as fast as it goes.
	if _, err := p.steady(ctx, b.connections, 1_000_000, time.Duration(b.burst)*time.Microsecond); err != nil {
		return err
	}
	took := time.Since(began)
	if err := s.idle(patience); err != nil {
		return err
	}
	after, err := s.metric("pinnace_visits_total")
	if err != nil {
		return err
	}
	b.row(fmt.Sprintf("burst of %d, taken within", b.burst), short(took), "", true)
	b.row("burst, deliveries a second", fmt.Sprintf("%.0f", float64(b.burst)/took.Seconds()), "", true)
	// One look at a time, again and again while deliveries come, and at the end one more.
	most := max(10, 4*took.Seconds()+2)
	b.row("burst, looks at the repository", fmt.Sprintf("%.0f", after-before), fmt.Sprintf("a handful: at most %.0f", most), after-before <= most)
	return nil
}
