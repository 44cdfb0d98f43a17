package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// Deliveries that never came are asked for again, oldest first; those that came, or that were
// answered well once, are not.
func TestRedeliver(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		h := byHand(t, url, Options{}, repo(1, 1))
		now := h.clock.Now()
		ago := func(id int64, guid string, d time.Duration, ok bool) event.Attempt {
			return event.Attempt{ID: id, GUID: guid, At: now.Add(-d), OK: ok}
		}
		kept := delivery(77, look(repo(1, 1), 0))
		accept(t, h.q, kept)
		h.w.attempts = []event.Attempt{
			ago(1, "late", time.Minute, false),
			ago(2, "failed", 2*time.Hour, false),
			ago(3, "failed twice", 3*time.Hour, false),
			ago(4, "failed twice", time.Hour, false),
			ago(5, "came at last", 3*time.Hour, false),
			ago(6, "came at last", time.Hour, true),
			ago(7, kept.GUID, time.Hour, false), // kept, and its answer was lost
			ago(8, "out of reach", 80*time.Hour, false),
			ago(9, "", time.Hour, false),
		}
		sweep := func(want ...int64) {
			t.Helper()
			h.w.asked = nil
			if err := h.q.redeliver(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(h.w.asked, want) {
				t.Errorf("asked for %v, want %v", h.w.asked, want)
			}
		}
		sweep(2, 4, 1)
		sweep() // not yet again
		// One comes; the others fail again, are asked for now and then, and less and less.
		accept(t, h.q, event.Delivery{GUID: "failed", Received: h.clock.Now()})
		h.clock.Move(5 * time.Minute)
		h.w.attempts = append(h.w.attempts, event.Attempt{ID: 10, GUID: "late", At: h.clock.Now()})
		sweep(4, 10)
		h.clock.Move(5 * time.Minute)
		sweep()
		h.clock.Move(5 * time.Minute)
		sweep(4, 10)
		asked := 0
		for range 2 * 72 {
			h.clock.Move(30 * time.Minute)
			h.w.asked = nil
			if err := h.q.redeliver(t.Context()); err != nil {
				t.Fatal(err)
			}
			asked += len(h.w.asked)
		}
		if asked < 20 || asked > 50 {
			t.Errorf("asked %d times in three days for two that fail each time", asked)
		}
		if s := status(t, h.q); s.Lost != 2 || s.Swept.IsZero() {
			t.Errorf("status %+v, want two lost", s)
		}
	})
}

// What GitHub says it can deliver no more is lost, and counted once.
func TestLost(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		h := byHand(t, url, Options{})
		h.w.attempts = []event.Attempt{{ID: 1, GUID: "a", At: h.clock.Now().Add(-2 * time.Minute)}, {ID: 2, GUID: "b", At: h.clock.Now().Add(-time.Minute)}}
		h.w.redeliver = func(id int64) error {
			if id == 1 {
				return fmt.Errorf("redeliver: %w", promotion.ErrNotFound)
			}
			return nil
		}
		for range 3 {
			if err := h.q.redeliver(t.Context()); err != nil {
				t.Fatal(err)
			}
			h.clock.Move(5 * time.Minute)
		}
		if s := status(t, h.q); s.Lost != 1 {
			t.Errorf("%d lost, want 1", s.Lost)
		}
		if diff := cmp.Diff(h.w.asked, []int64{1, 2, 2}); diff != "" {
			t.Errorf("asked for (got, want): %s", diff)
		}
	})
}

// A sweep that GitHub does not answer is made again.
func TestSweepFails(t *testing.T) {
	h := byHand(t, "sqlite:"+t.TempDir()+"/pinnace.db", Options{})
	h.w.attempts = []event.Attempt{{ID: 1, GUID: "a", At: h.clock.Now()}}
	h.w.redeliver = func(int64) error { return fmt.Errorf("redeliver: %w", promotion.ErrRateLimited) }
	if err := h.q.redeliver(t.Context()); !errors.Is(err, promotion.ErrRateLimited) {
		t.Errorf("the sweep says %v", err)
	}
	h.w.redeliver = nil
	if err := h.q.redeliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(h.w.asked, []int64{1, 1}) {
		t.Errorf("asked for %v", h.w.asked)
	}
}

// A delivery's GUID is known for 8 days, which is longer than GitHub can deliver it again.
func TestPrune(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		h := byHand(t, url, Options{})
		var old, young []event.Delivery
		for n := range 600 {
			d := delivery(n)
			d.Received = h.clock.Now()
			accept(t, h.q, d)
			old = append(old, d)
		}
		h.clock.Move(7*24*time.Hour + time.Hour)
		for n := range 3 {
			d := delivery(1000 + n)
			d.Received = h.clock.Now()
			accept(t, h.q, d)
			young = append(young, d)
		}
		if err := h.q.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if accept(t, h.q, old[5]) {
			t.Error("forgotten after 7 days")
		}
		h.clock.Move(24 * time.Hour)
		if err := h.q.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		var left int
		if err := h.store.DB().QueryRow("SELECT COUNT(*) FROM inbox").Scan(&left); err != nil || left != len(young) {
			t.Errorf("%d deliveries are left, %v; want %d", left, err, len(young))
		}
	})
}

// A slowList takes longer to list than the sweep's lease lasts.
type slowList struct {
	*world
	c *clock
	d time.Duration
}

func (s slowList) Attempts(ctx context.Context, since time.Time) ([]event.Attempt, error) {
	s.c.Move(s.d)
	return s.world.Attempts(ctx, since)
}

// A list that takes longer than the lease of the sweep is swept all the same.
func TestLongList(t *testing.T) {
	c := newClock()
	w := newWorld(repo(7, 70))
	w.attempts = []event.Attempt{{ID: 1, GUID: "a", At: c.Now().Add(-time.Hour)}}
	s := open(t, lite(t), store.Options{Now: c.Now})
	q, err := New(Options{Store: s, Work: slowList{w, c, 70 * time.Second}, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if err := q.redeliver(t.Context()); err != nil {
			t.Log(i, err)
		}
		c.Move(5 * time.Minute)
	}
	if len(w.asked) == 0 {
		t.Error("ten sweeps, and the delivery that failed was never asked for")
	}
}

// One delivery that GitHub makes an error of keeps nobody behind it waiting.
func TestSweepGoesOn(t *testing.T) {
	c := newClock()
	w := newWorld(repo(7, 70))
	w.attempts = []event.Attempt{{ID: 1, GUID: "a", At: c.Now().Add(-2 * time.Hour)}, {ID: 2, GUID: "b", At: c.Now().Add(-time.Hour)}}
	got := map[int64]int{}
	w.redeliver = func(id int64) error {
		got[id]++
		if id == 1 {
			return promotion.ErrForbidden
		}
		return nil
	}
	s := open(t, lite(t), store.Options{Now: c.Now})
	q, err := New(Options{Store: s, Work: w, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 * 24 * 12 { // two days
		_ = q.redeliver(t.Context())
		c.Move(5 * time.Minute)
	}
	if got[2] == 0 {
		t.Errorf("in two days the second delivery was never asked for, the first %d times", got[1])
	}
}

// sinces counts the lists of more than two hours.
type sinces struct {
	*world
	c    *clock
	long int
}

func (s *sinces) Attempts(ctx context.Context, since time.Time) ([]event.Attempt, error) {
	if s.c.Now().Sub(since) > 2*time.Hour {
		s.long++
	}
	return s.world.Attempts(ctx, since)
}

// A delivery that fails each time has days listed only when it is due, not at each sweep.
func TestListedWhenDue(t *testing.T) {
	c := newClock()
	w := &sinces{world: newWorld(repo(7, 70)), c: c}
	w.attempts = []event.Attempt{{ID: 1, GUID: "a", At: c.Now()}}
	s := open(t, lite(t), store.Options{Now: c.Now})
	q, err := New(Options{Store: s, Work: w, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	for range 48 * 12 { // two days
		if err := q.redeliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Move(5 * time.Minute)
	}
	if w.long > 3*len(w.asked) {
		t.Errorf("asked again %d times, and listed days %d times", len(w.asked), w.long)
	}
}
