package queue

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// One installation with many repositories neither holds all workers nor keeps others waiting.
func TestFair(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		hostile, normal := 400, 50
		if testing.Short() {
			hostile = 200
		}
		var repos []event.Subject
		for n := range int64(hostile) {
			repos = append(repos, repo(1, n+1))
		}
		for n := range int64(normal) {
			repos = append(repos, repo(n+2, 1000+n))
		}
		w := newWorld(repos...)
		q, _ := start(t, Options{Store: open(t, url, store.Options{}), Work: w, Workers: 8, Again: []time.Duration{}})
		for _, r := range repos {
			w.await(t, fmt.Sprint("a first visit to ", r), func() bool { return w.seen(r) > 0 })
		}
		settled(t, q)

		// The hostile installation's visits take for ever until the gate opens.
		gate := make(chan struct{})
		w.change(func() {
			w.visits = nil
			w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
				if v.Installation == 1 {
					<-gate
				}
				return event.Visited{}, nil
			}
		})
		var looks []event.Look
		for n := range int64(hostile) {
			looks = append(looks, look(repo(1, n+1), 0))
		}
		accept(t, q, delivery(1, looks...))
		w.await(t, "six visits to the hostile installation", func() bool { return len(w.under) == 6 })
		for n := range int64(normal) {
			accept(t, q, delivery(int(n)+2, look(repo(n+2, 1000+n), 0)))
		}
		w.await(t, "visits to all others", func() bool {
			for n := range int64(normal) {
				if w.seen(repo(n+2, 1000+n)) == 0 {
					return false
				}
			}
			return true
		})
		w.mu.Lock()
		if n := len(w.visits); n != normal+6 {
			t.Errorf("%d visits while the hostile installation's last for ever, want %d and 6", n, normal)
		}
		w.mu.Unlock()

		// With visits that do end, what comes behind a backlog is served long before it is worked off.
		marks := len(w.visits)
		for n := range int64(normal) {
			accept(t, q, delivery(int(n)+1000, look(repo(n+2, 1000+n), 0)))
		}
		close(gate)
		settled(t, q)
		last := 0
		for i, v := range w.visits[marks:] {
			if v.Installation != 1 {
				last = i
			}
		}
		if most := 2 * normal; last > most {
			t.Errorf("the last of %d others was visited after %d visits, most of them the hostile installation's; want at most %d", normal, last, most)
		}
		w.check(t)
	})
}

// Events come before what only time asks for, and do not keep it from ever happening.
func TestUrgentFirst(t *testing.T) {
	var repos []event.Subject
	for n := range int64(40) {
		repos = append(repos, repo(1, n+1))
	}
	busy := repo(1, 1)
	h := byHand(t, lite(t), Options{}, append(repos, repo(2, 100))...)
	accept(t, h.q, delivery(1, event.Look{Subject: repo(1, 0), Everywhere: true}))
	h.w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
		if n := len(h.w.visits); n == 1 {
			accept(t, h.q, delivery(2, look(repo(2, 100), 0)))
			accept(t, h.q, delivery(3, look(repo(1, 40), 9)))
		}
		return event.Visited{}, nil
	}
	h.serve()
	at := func(s event.Subject) int {
		return slices.IndexFunc(h.w.visits, func(v event.Visit) bool { return v.Subject == s })
	}
	if a, b := at(repo(2, 100)), at(repo(1, 40)); max(a, b) > 2 {
		t.Errorf("visited for events as number %d and %d, want right after the one under way", a, b)
	}
	// Without end events for some: the others' resyncs take place all the same.
	h.clock.Move(2 * time.Hour)
	h.forget()
	n := 10
	h.w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
		h.clock.Move(6 * time.Second)
		if n++; n < 2000 {
			accept(t, h.q, delivery(n, look(busy, 0)))
			if err := h.q.wakeAll(t.Context()); err != nil {
				t.Error(err)
			}
		}
		return event.Visited{}, nil
	}
	accept(t, h.q, delivery(10, look(busy, 0)))
	if err := h.q.wakeAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.serve()
	for _, r := range repos {
		if i := at(r); i < 0 || i > 1900 {
			t.Errorf("%v was visited as number %d of %d", r, i, len(h.w.visits))
		}
	}
}
