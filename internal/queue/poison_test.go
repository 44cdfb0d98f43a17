package queue

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// A visit that panics and one that kills its process are quarantined; all others are made.
func TestPoison(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		subjects := int64(1000)
		if strings.HasPrefix(url, "sqlite:") || testing.Short() {
			subjects = 200 // on SQLite each visit is two flushes of the disk
		}
		panics, kills := repo(1, 50), repo(2, 150)
		var repos []event.Subject
		for n := range subjects {
			repos = append(repos, repo(n/100+1, n+1))
		}
		h := &hand{t: t, clock: newClock(), w: newWorld(repos...)}
		h.store = open(t, url, store.Options{Now: h.clock.Now})
		o := Options{Workers: 4, Resync: time.Hour}
		dead, cured := 0, false
		h.w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
			switch {
			case cured:
			case v.Subject == panics:
				panic("as a test wants it")
			case v.Subject == kills:
				dead++
				return event.Visited{}, store.ErrExpired
			}
			return event.Visited{}, nil
		}
		h.restart(o)
		for n := 0; n < 60; n++ {
			before := dead
			h.pass(31 * time.Second)
			if dead > before {
				h.restart(o)
			}
		}
		s := status(t, h.q)
		if s.Quarantined != 2 || s.Dirty != 2 {
			t.Fatalf("status %+v, want two in quarantine and nothing else to do", s)
		}
		for i, want := range []struct {
			about   event.Subject
			problem string
		}{{panics, "panicked: panic: as a test wants it"}, {kills, "the process died"}} {
			got := s.Troubled[slices.IndexFunc(s.Troubled, func(p Troubled) bool { return p.Repository == want.about.Repository })]
			if !strings.HasPrefix(got.Problem, want.problem) || got.Quarantined.IsZero() || got.Next.IsZero() || got.Name != fmt.Sprint("acme/r", want.about.Repository) {
				t.Errorf("%d: %+v, want the problem %q", i, got, want.problem)
			}
			if n := h.w.seen(want.about); n != 5 {
				t.Errorf("%d visits to %v, want 5", n, want.about)
			}
		}
		for _, r := range repos {
			if h.w.seen(r) == 0 {
				t.Errorf("%v was never visited", r)
			}
		}
		// Events do not bring it back, a resync tries it once, and a visit that succeeds frees it.
		h.forget()
		accept(t, h.q, delivery(1, look(panics, 0)))
		h.serve()
		if n := h.w.seen(panics); n != 0 {
			t.Errorf("%d visits to a quarantined subject for an event", n)
		}
		for range 70 {
			h.pass(time.Minute)
		}
		if n := h.w.seen(panics); n != 1 {
			t.Errorf("%d visits to a quarantined subject within a resync, want 1", n)
		}
		cured = true
		if err := h.q.Release(t.Context(), panics); err != nil {
			t.Fatal(err)
		}
		h.serve()
		for range 70 {
			h.pass(time.Minute)
		}
		if s := status(t, h.q); s.Quarantined != 0 || s.Dirty != 0 {
			t.Errorf("status after the cure: %+v", s)
		}
		if err := h.q.Release(t.Context(), repo(9, 9)); err == nil || !strings.Contains(err.Error(), "no such subject") {
			t.Errorf("released what is not known: %v", err)
		}
	})
}

// Those that happen to be visited while another visit kills the process again and again are
// not taken for it.
func TestInnocent(t *testing.T) {
	h := byHand(t, lite(t), Options{}, repo(1, 1), repo(2, 2), repo(3, 3), repo(4, 4))
	kills := repo(3, 3)
	for n := range int64(4) {
		accept(t, h.q, delivery(int(n), look(repo(n+1, n+1), 0)))
	}
	for range 40 {
		// As four workers would: choose until nothing may be chosen, and then die if the one is among
		// the chosen.
		var chosen []*stay
		for {
			v, ok, err := h.q.choose(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			chosen = append(chosen, v)
		}
		if slices.ContainsFunc(chosen, func(v *stay) bool { return v.Subject == kills }) {
			h.restart(Options{})
		} else {
			for _, v := range chosen {
				h.q.stay(v)
			}
		}
		h.clock.Move(11 * time.Second)
		if err := h.q.wakeAll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s := status(t, h.q)
	if s.Quarantined != 1 || s.Troubled[0].Repository != kills.Repository {
		t.Errorf("status %+v, want the one that kills in quarantine", s)
	}
}

// A process that is killed over and over within a moment does not send anyone into quarantine.
func TestRestartStorm(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		h := byHand(t, url, Options{}, repo(1, 1), repo(2, 2))
		accept(t, h.q, delivery(1, look(repo(1, 1), 0)))
		for range 100 {
			if _, _, err := h.q.choose(t.Context()); err != nil {
				t.Fatal(err)
			}
			// On PostgreSQL another process must wait for the lease of the dead one.
			h.clock.Move(300 * time.Millisecond)
			h.restart(Options{})
		}
		for range 20 {
			h.pass(31 * time.Second)
		}
		if s := status(t, h.q); s.Quarantined != 0 || s.Dirty != 0 {
			t.Errorf("status %+v, want nothing left to do", s)
		}
	})
}
