package queue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/store"
	"github.com/pinnace-dev/pinnace/internal/store/postgres"
)

// A holder that was stopped beyond its lease may write no more, by its own clock and before
// anything tells it; another one visits meanwhile; and what the first one has to say about its
// visit counts for nothing.
func TestStoppedBeyondItsLease(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		a := repo(1, 10)
		h := byHand(t, url, Options{Lease: 30 * time.Second}, a)
		accept(t, h.q, delivery(1, look(a, 7)))
		var fences []error
		h.w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
			h.w.visit = func(_ context.Context, second event.Visit) (event.Visited, error) {
				fences = append(fences, second.Fence())
				if !slices.Equal(second.Pulls, []int{7}) {
					t.Errorf("the second visit has pulls %v", second.Pulls)
				}
				return event.Visited{}, nil
			}
			fences = append(fences, v.Fence())
			h.clock.Move(23 * time.Second)
			fences = append(fences, v.Fence())
			h.clock.Move(time.Second)
			fences = append(fences, v.Fence())
			// Another process takes it up, which on PostgreSQL a second one is.
			other := &hand{t: t, clock: h.clock, store: h.store, w: newWorld(), q: h.q}
			other.w.visit = h.w.visit
			q, err := New(Options{Store: h.store, Work: other.w, Now: h.clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			other.q = q
			other.pass(0)
			if n := other.w.seen(a); n != 0 {
				t.Errorf("%d visits by another process before the lease ran out", n)
			}
			other.pass(6 * time.Second)
			if n := other.w.seen(a); n != 1 {
				t.Errorf("%d visits by another process after it ran out, want 1", n)
			}
			return event.Visited{Gone: true}, nil
		}
		h.serve()
		var got []bool
		for _, err := range fences {
			got = append(got, err == nil)
			if err != nil && !errors.Is(err, store.ErrExpired) {
				t.Errorf("the fence says %v", err)
			}
		}
		if want := []bool{true, true, false, true}; !slices.Equal(got, want) {
			t.Errorf("the fences were open %v, want %v", got, want)
		}
		if s := status(t, h.q); s.Dirty != 0 || s.Subjects != 3 {
			t.Errorf("status %+v: the first visit's end was written down", s)
		}
	})
}

// Several processes on one PostgreSQL: no two visit a subject at a time, one that stops leaves
// its work to the others, and all is done.
func TestReplicas(t *testing.T) {
	url := postgres.Start(t)
	var repos []event.Subject
	for n := range int64(30) {
		repos = append(repos, repo(n%3+1, n+1))
	}
	w := newWorld(repos...)
	var replicas []*Queue
	var stops []func()
	for range 4 {
		q, stop := start(t, Options{Store: open(t, url, store.Options{Connections: 12}), Work: w, Workers: 4})
		replicas, stops = append(replicas, q), append(stops, stop)
	}
	var all sync.WaitGroup
	latest := map[event.Subject]int{} // the last event's number; guarded by w.mu
	knows := map[event.Subject]int{}  // what the last visit began with
	w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
		w.mu.Lock()
		n := latest[v.Subject]
		w.mu.Unlock()
		return event.Visited{}, w.whole(v, n, knows)
	}
	for i := range 4 {
		all.Go(func() {
			for n := i; n < 600; n += 4 {
				r := repos[n*7%len(repos)]
				q := replicas[0] // which goes on
				if i > 1 && n > 300 {
					q = replicas[3]
				}
				accept(t, q, delivery(n, look(r, 0)))
				w.mu.Lock()
				latest[r] = max(latest[r], n)
				w.mu.Unlock()
				if n == 200 {
					stops[1]()
				}
				if n == 401 {
					stops[2]()
				}
			}
		})
	}
	all.Wait()
	w.await(t, "a visit after each subject's last event", func() bool {
		for r, n := range latest {
			if knows[r] < n {
				return false
			}
		}
		return true
	})
	if s := settled(t, replicas[0]); s.Quarantined != 0 || len(s.Troubled) != 0 {
		t.Errorf("status %+v", s)
	}
	w.check(t)
}

// A server that throws everyone out now and then: what was accepted is seen to all the same,
// and what was not is taken when it is delivered again.
func TestCutOff(t *testing.T) {
	url := postgres.Start(t)
	repos := []event.Subject{repo(1, 1), repo(1, 2), repo(2, 3)}
	w := newWorld(repos...)
	latest, knows := map[event.Subject]int{}, map[event.Subject]int{} // guarded by w.mu
	w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
		w.mu.Lock()
		n := latest[v.Subject]
		w.mu.Unlock()
		return event.Visited{}, w.whole(v, n, knows)
	}
	q, _ := start(t, Options{Store: open(t, url, store.Options{}), Work: w, Lease: 3 * time.Second, Again: []time.Duration{}})
	for _, r := range repos {
		w.await(t, "a first visit", func() bool { return w.seen(r) > 0 })
	}
	other := open(t, url, store.Options{Connections: 1})
	refused := 0
	for n := range 240 {
		if n%30 == 15 {
			if _, err := other.DB().Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
				t.Fatal(err)
			}
		}
		r := repos[n%3]
		for {
			_, err := q.Accept(t.Context(), delivery(n, look(r, 0)))
			if err == nil {
				break
			}
			if refused++; refused > 1000 {
				t.Fatal(err)
			}
		}
		w.mu.Lock()
		latest[r] = n
		w.mu.Unlock()
	}
	w.await(t, "a visit after each subject's last event", func() bool {
		for r, n := range latest {
			if knows[r] < n {
				return false
			}
		}
		return true
	})
	if s := settled(t, q); s.Quarantined != 0 {
		t.Errorf("status %+v", s)
	}
	w.check(t)
	t.Logf("%d deliveries were refused", refused)
}
