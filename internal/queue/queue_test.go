package queue

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// At its start a queue visits every repository, and then those that events are about.
func TestRun(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		a, b := repo(1, 10), repo(2, 20)
		w := newWorld(a, b)
		heard := &hearing{}
		q, stop := start(t, Options{Store: open(t, url, store.Options{}), Work: w, Observer: heard, Again: []time.Duration{}})
		w.await(t, "a first visit to each", func() bool { return w.seen(a) == 1 && w.seen(b) == 1 })
		settled(t, q)

		if !accept(t, q, delivery(1, look(a, 7))) {
			t.Error("a first delivery is not fresh")
		}
		if accept(t, q, delivery(1, look(a, 7))) {
			t.Error("a second one is")
		}
		w.await(t, "a visit for the event", func() bool { return w.seen(a) == 2 })
		if s := settled(t, q); s.Subjects != 5 || s.Dirty != 0 || s.Oldest != 0 {
			t.Errorf("status %+v, want 5 subjects, none dirty", s)
		}
		stop()
		w.check(t)
		last := w.visits[len(w.visits)-1]
		if !slices.Equal(last.Pulls, []int{7}) || last.Since.IsZero() || last.Owner != "acme" || last.Name != "r10" {
			t.Errorf("the visit for the event is %+v", last)
		}
		if got := w.seen(b); got != 1 {
			t.Errorf("%d visits to a repository that nothing happened to, want the first alone", got)
		}
		// The App, two installations, two repositories, and one of these again.
		if diff := cmp.Diff(heard.counts, map[string]int{"fresh": 1, "known": 1, "begun": 6, "waited": 1, "ended done": 6, "swept": 1}); diff != "" {
			t.Errorf("observed (got, want): %s", diff)
		}
		if err := last.Fence(); !errors.Is(err, store.ErrExpired) {
			t.Errorf("the fence of a visit that is over: %v, want ErrExpired", err)
		}
	})
}

// A hearing counts what an observer is told.
type hearing struct {
	mu     sync.Mutex
	counts map[string]int
}

func (h *hearing) count(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.counts == nil {
		h.counts = map[string]int{}
	}
	h.counts[what]++
}

func (h *hearing) Accepted(fresh bool, _ time.Duration) {
	if fresh {
		h.count("fresh")
	} else {
		h.count("known")
	}
}

func (h *hearing) Refused() { h.count("refused") }

func (h *hearing) Begun(waited time.Duration) {
	h.count("begun")
	if waited > 0 {
		h.count("waited")
	}
}

func (h *hearing) Ended(o Outcome, _ time.Duration, _ int) { h.count("ended " + string(o)) }

func (h *hearing) Swept(int, int) { h.count("swept") }

// Ten thousand events for one repository are a handful of visits, and the last of these begins
// after the last event.
func TestBurst(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		a := repo(1, 10)
		w := newWorld(a)
		events := 10_000
		if testing.Short() {
			events = 1000
		}
		var accepted int // guarded by w.mu
		var latest int   // accepted when the latest visit began
		w.visit = func(context.Context, event.Visit) (event.Visited, error) {
			w.change(func() { latest = accepted })
			return event.Visited{}, nil
		}
		q, _ := start(t, Options{Store: open(t, url, store.Options{}), Work: w})
		w.await(t, "a first visit", func() bool { return w.seen(a) > 0 })
		settled(t, q)
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				for n := i; n < events; n += 16 {
					accept(t, q, delivery(n, look(a, n%200+1)))
					w.mu.Lock()
					accepted++
					w.mu.Unlock()
				}
			})
		}
		all.Wait()
		w.await(t, "a visit after the last event", func() bool { return latest == events })
		settled(t, q)
		w.check(t)
		// On two busy cores the burst itself takes a while; each 5 s of it may have a visit.
		if n := w.seen(a); n > 20 {
			t.Errorf("%d visits for %d events", n, events)
		} else {
			t.Logf("%d visits for %d events", n, events)
		}
	})
}

// The visits of a burst, on a clock: how many there are does not depend on how fast they are.
func TestPace(t *testing.T) {
	h := byHand(t, lite(t), Options{}, repo(1, 10))
	a, begun := repo(1, 10), []time.Duration(nil)
	h.w.visit = func(context.Context, event.Visit) (event.Visited, error) {
		begun = append(begun, h.clock.Now().Sub(newClock().at)-time.Minute)
		return event.Visited{}, nil
	}
	for n := range 100 {
		accept(t, h.q, delivery(n, look(a, 0)))
		h.pass(200 * time.Millisecond)
	}
	ms := func(n ...int) (all []time.Duration) {
		for _, m := range n {
			all = append(all, time.Duration(m)*time.Millisecond)
		}
		return all
	}
	if diff := cmp.Diff(begun, ms(200, 400, 600, 1200, 1800, 2400, 3000, 3600, 4200, 4800, 5400, 10400, 15400)); diff != "" {
		t.Errorf("visits during 20 s of an event every 200 ms (got, want): %s", diff)
	}
	begun = nil
	h.pass(5 * time.Second)
	h.pass(11 * time.Second)
	accept(t, h.q, delivery(1000, look(a, 0)))
	h.pass(0)
	if len(begun) < 2 || begun[len(begun)-1] != 36*time.Second {
		t.Errorf("visits %v, want one at once for an event after a calm while", begun)
	}
}

// Whom looks raise.
func TestRaises(t *testing.T) {
	for _, c := range []struct {
		name  string
		looks []event.Look
		want  []string
	}{
		{"none", nil, nil},
		{"a repository", []event.Look{look(repo(1, 10), 7)}, []string{"1/10 acme/r10 [7]"}},
		{"twice the same, with two pull requests", []event.Look{look(repo(1, 10), 7), look(repo(1, 10), 8), look(repo(1, 10), 7)}, []string{"1/10 acme/r10 [7 8]"}},
		{"an installation", []event.Look{{Subject: repo(1, 0)}}, []string{"1/0 / []"}},
		{"all of an installation", []event.Look{{Subject: repo(1, 0), Everywhere: true}}, []string{"1/0 / [] everywhere"}},
		{"an installation that is gone", []event.Look{{Subject: repo(1, 0), Gone: true}}, []string{"0/0 / []"}},
		{"a repository that is gone", []event.Look{{Subject: repo(1, 10), Gone: true}}, []string{"1/0 / []"}},
		{"a push to a registry", []event.Look{{Subject: repo(1, 0), Image: "ghcr.io/acme/api:1"}}, nil},
		{"a push to a repository's registry", []event.Look{{Subject: repo(1, 10), Image: "ghcr.io/acme/api:1"}}, []string{"1/10 / []"}},
		{"no installation", []event.Look{{Subject: repo(0, 10)}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, r := range raises(c.looks, time.Time{}, true) {
				s := fmt.Sprintf("%d/%d %s/%s %v", r.Installation, r.Repository, r.owner, r.name, r.pulls)
				if r.everywhere {
					s += " everywhere"
				}
				got = append(got, s)
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("(got, want): %s", diff)
			}
		})
	}
}

// whole notes what a visit began with, having taken a moment.
func (w *world) whole(v event.Visit, n int, knows map[event.Subject]int) error {
	if err := v.Fence(); err != nil {
		return err
	}
	w.change(func() { knows[v.Subject] = max(knows[v.Subject], n) })
	return nil
}

// When Run's context ends, visits may end for a while, those that do not are told to, and the
// next process goes on at once.
func TestShutdown(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		quick, slow := repo(1, 1), repo(2, 2)
		w := newWorld(quick, slow)
		s := open(t, url, store.Options{})
		q, stop := start(t, Options{Store: s, Work: w, Grace: 300 * time.Millisecond})
		w.await(t, "a first visit to each", func() bool { return w.seen(quick) > 0 && w.seen(slow) > 0 })
		settled(t, q)
		stopping := make(chan struct{})
		w.change(func() {
			w.visits = nil
			w.visit = func(ctx context.Context, v event.Visit) (event.Visited, error) {
				<-stopping
				if v.Subject == slow {
					<-ctx.Done()
					return event.Visited{}, fmt.Errorf("read repository: %w: %w", promotion.ErrTransient, ctx.Err())
				}
				return event.Visited{}, nil
			}
		})
		accept(t, q, delivery(1, look(quick, 0)))
		accept(t, q, delivery(2, look(slow, 5)))
		w.await(t, "both visits", func() bool { return len(w.under) == 2 })
		done := make(chan struct{})
		go func() { stop(); close(done) }()
		close(stopping)
		<-done
		st := status(t, q)
		if st.Running != 0 || st.Dirty != 1 || st.Waiting != 1 || len(st.Troubled) != 0 {
			t.Errorf("status after the stop: %+v, want the slow one to wait", st)
		}
		w.change(func() { w.visits, w.visit = nil, nil })
		q, stop = start(t, Options{Store: s, Work: w})
		w.await(t, "the slow one's visit by the next process", func() bool {
			return slices.ContainsFunc(w.visits, func(v event.Visit) bool { return v.Subject == slow && slices.Equal(v.Pulls, []int{5}) })
		})
		settled(t, q)
		stop()
		w.check(t)
	})
}

// Deleted, restored from yesterday's copy, or as it was: everything is visited after a start.
func TestOldDatabase(t *testing.T) {
	a, b, c := repo(1, 1), repo(1, 2), repo(2, 3)
	p := filepath.Join(t.TempDir(), "pinnace.db")
	h := byHand(t, "sqlite:"+p, Options{}, a, b)
	if _, err := h.store.DB().Exec("VACUUM INTO $1", p+".copy"); err != nil {
		t.Fatal(err)
	}
	// After the copy: an event that was seen to, an installation that came, a repository that went.
	accept(t, h.q, delivery(1, look(a, 4)))
	h.w.repos = newWorld(a, c).repos
	h.pass(3 * time.Hour)
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"an old copy", "none"} {
		for _, end := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(p + end); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		if kind == "an old copy" {
			if err := os.Rename(p+".copy", p); err != nil {
				t.Fatal(err)
			}
		}
		h.store = open(t, "sqlite:"+p, store.Options{Now: h.clock.Now})
		h.forget()
		h.restart(Options{})
		h.serve()
		if h.w.seen(a) == 0 || h.w.seen(c) == 0 {
			t.Errorf("%s: visits %v, want all repositories", kind, h.w.visits)
		}
		h.forget()
		h.pass(3 * time.Hour)
		if h.w.seen(b) != 0 {
			t.Errorf("%s: the repository that went is visited", kind)
		}
		if s := status(t, h.q); s.Dirty != 0 || s.Subjects != 5 {
			t.Errorf("%s: status %+v, want the App, two installations and two repositories", kind, s)
		}
		if err := h.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
