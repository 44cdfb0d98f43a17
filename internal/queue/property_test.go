package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// A schedule is a random history of deliveries, visits that fail in every way, processes that
// die, and time that passes. Nothing runs by itself: turns are taken from River's table by
// hand, so that one that is missing is seen.
type schedule struct {
	t     *testing.T
	r     *rand.Rand
	clock *clock
	store *store.Store
	w     *world
	q     *Queue // of the process that lives now

	mu   sync.Mutex
	seq  int
	open map[event.Subject][]happening // not yet seen to by a visit that succeeded

	refused map[event.Subject]bool // a visit since the last success was told no, and so nobody waits
	calm    bool                   // nothing fails any more
	deadly  bool                   // processes die
	again   bool                   // subjects are looked at again by themselves
	history []string
}

// A happening is an event that was accepted.
type happening struct{ seq, pull int }

var subjectsOfSchedule = []event.Subject{repo(1, 11), repo(1, 12), repo(1, 13), repo(2, 21), repo(2, 22), repo(3, 31)}

func newSchedule(t *testing.T, url string, seed uint64) *schedule {
	s := &schedule{t: t, deadly: seed%2 == 0, again: seed%3 == 0, r: rand.New(rand.NewPCG(seed, 7)), clock: newClock(), w: newWorld(subjectsOfSchedule...), open: map[event.Subject][]happening{}, refused: map[event.Subject]bool{}}
	s.store = open(t, url, store.Options{Now: s.clock.Now})
	s.w.visit = s.visit
	s.restart()
	return s
}

func (s *schedule) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history = append(s.history, fmt.Sprintf(format, args...))
}

// chance is true once in n.
func (s *schedule) chance(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.IntN(n) == 0
}

func (s *schedule) pick(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.IntN(n)
}

// restart is what a new process does first.
func (s *schedule) restart() {
	o := Options{Store: s.store, Work: s.w, Now: s.clock.Now, Workers: 2, Lease: 30 * time.Second, Resync: 10000 * time.Hour, Log: slog.New(slog.DiscardHandler)}
	if !s.again {
		o.Again = []time.Duration{}
	}
	q, err := New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.q = q
	if err := q.begin(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

// happen has a delivery accepted, and sometimes once more.
func (s *schedule) happen(about event.Subject) {
	s.mu.Lock()
	s.seq++
	h := happening{s.seq, s.r.IntN(5)}
	s.mu.Unlock()
	d := delivery(h.seq, look(about, h.pull))
	d.Received = s.clock.Now()
	if !accept(s.t, s.q, d) {
		s.t.Errorf("delivery %d is not fresh", h.seq)
	}
	s.mu.Lock()
	s.open[about] = append(s.open[about], h)
	s.mu.Unlock()
	s.note("event %d for %v", h.seq, about)
	if s.chance(4) && accept(s.t, s.q, d) {
		s.t.Errorf("delivery %d is fresh twice", h.seq)
	}
}

// visit is a visit of the world's: it sees what happened up to its beginning.
func (s *schedule) visit(_ context.Context, v event.Visit) (event.Visited, error) {
	s.mu.Lock()
	begun := slices.Clone(s.open[v.Subject])
	calm := s.calm
	s.mu.Unlock()
	for _, h := range begun {
		if h.pull > 0 && !slices.Contains(v.Pulls, h.pull) {
			s.t.Errorf("visit to %v has pulls %v, without %d of event %d", v.Subject, v.Pulls, h.pull, h.seq)
		}
	}
	s.mu.Lock()
	refused := s.refused[v.Subject]
	s.mu.Unlock()
	if len(begun) > 0 && v.Since.IsZero() && !refused {
		s.t.Errorf("visit to %v after event %d says that none asked for it", v.Subject, begun[0].seq)
	}
	if !calm && s.chance(3) {
		s.happen(v.Subject)
	}
	if err := v.Fence(); err != nil {
		s.t.Errorf("the fence of a visit under way: %v", err)
	}
	failures := []error{
		promotion.ErrConflict, promotion.ErrForbidden, promotion.ErrInvalid, promotion.ErrRateLimited, promotion.ErrTransient, promotion.ErrBlocked,
		promotion.ErrUnauthenticated, promotion.ErrNotFound, errors.New("nobody knows"),
	}
	if !calm {
		switch n := s.pick(30); {
		case n < len(failures):
			s.note("visit to %v fails: %v", v.Subject, failures[n])
			s.mu.Lock()
			s.refused[v.Subject] = refused || Retries[outcomeOf(failures[n])].Resync
			s.mu.Unlock()
			return event.Visited{}, failures[n]
		case n == len(failures):
			s.note("visit to %v panics", v.Subject)
			panic("as a test wants it")
		case n == len(failures)+1 && s.deadly:
			// The process dies before it can write down what came of it.
			s.note("the process dies in a visit to %v", v.Subject)
			return event.Visited{}, store.ErrExpired
		}
	}
	s.note("visit to %v sees %v", v.Subject, begun)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[v.Subject] = false
	s.open[v.Subject] = slices.DeleteFunc(s.open[v.Subject], func(h happening) bool { return slices.Contains(begun, h) })
	if !s.again {
		return event.Visited{}, nil
	}
	return event.Visited{Again: time.Duration(s.r.IntN(3)) * time.Minute}, nil
}

// work takes a turn, where there is one, and serves on it as a worker of River's does.
func (s *schedule) work() bool {
	r, err := s.store.Writer().Exec("DELETE FROM river_job WHERE id IN (SELECT id FROM river_job WHERE state = 'available' LIMIT 1)")
	if err != nil {
		s.t.Fatal(err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return false
	}
	if err := s.q.serve(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	return true
}

func (s *schedule) must(err error) {
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *schedule) step() {
	ctx := context.Background()
	switch n := s.pick(20); {
	case n < 6:
		s.happen(subjectsOfSchedule[s.pick(len(subjectsOfSchedule))])
	case n < 11:
		s.work()
	case n < 13:
		// Two workers at a time.
		var both sync.WaitGroup
		both.Go(func() { s.work() })
		both.Go(func() { s.work() })
		both.Wait()
	case n < 16:
		d := time.Duration(s.pick(20_000)) * time.Millisecond
		if s.chance(6) {
			d *= 100
		}
		s.note("%s pass", d)
		s.clock.Move(d)
	case n < 18:
		s.must(s.q.wakeAll(ctx))
	case n < 19:
		s.must(s.q.collect(ctx))
	case s.deadly:
		// The process dies between two visits, or right after it chose a subject.
		if s.chance(2) {
			v, ok, err := s.q.choose(ctx)
			s.must(err)
			if ok {
				s.note("the process dies before its visit to %v", v.Subject)
			}
		}
		s.note("a new process")
		s.restart()
	}
}

// settle lets time pass without faults until nothing is left to do.
func (s *schedule) settle() {
	ctx := context.Background()
	s.mu.Lock()
	s.calm = true
	s.mu.Unlock()
	for range 400 {
		st := status(s.t, s.q)
		for _, p := range st.Troubled {
			// No resync comes to those that wait for one.
			s.must(s.q.Release(ctx, repo(p.Installation, p.Repository)))
		}
		if st.Dirty == 0 {
			return
		}
		s.clock.Move(31 * time.Second)
		s.must(s.q.collect(ctx))
		s.must(s.q.wakeAll(ctx))
		if s.deadly {
			// Turns that a dead process had taken are put back by the sweep alone.
			s.must(s.q.refill(ctx))
		}
		for s.work() {
		}
	}
	s.t.Errorf("not settled: %+v", status(s.t, s.q))
}

// Whatever happens, each event is followed by a visit that began after it and succeeded, and
// that knew its pull request; no two visits to a subject overlap; and in the end nothing is
// left to do.
func TestNothingIsLost(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		seeds, steps := 12, 150
		if testing.Short() {
			seeds = 3
		}
		for seed := range seeds {
			s := newSchedule(t, url, uint64(seed))
			for range steps {
				s.step()
			}
			s.settle()
			for about, open := range s.open {
				if len(open) > 0 {
					t.Errorf("events %v for %v were never seen to", open, about)
				}
			}
			s.w.check(t)
			if t.Failed() {
				for _, h := range s.history {
					t.Log(h)
				}
				t.Fatalf("seed %d", seed)
			}
			if err := s.store.Close(); err != nil {
				t.Fatal(err)
			}
			reset(t, url)
		}
	})
}

// reset empties a database of everything but its tables.
func reset(t *testing.T, url string) {
	t.Helper()
	s := open(t, url, store.Options{})
	for _, table := range []string{"inbox", "chased", "subjects", "looks", "shares", "marks", "leases", "river_job"} {
		if _, err := s.Writer().Exec("DELETE FROM " + table); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
