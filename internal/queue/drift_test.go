package queue

import (
	"context"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func TestDrift(t *testing.T) {
	var d drift
	at := newClock().at
	for i, c := range []struct {
		wall, steady, want time.Duration
	}{
		{0, 0, 0},
		{time.Second, time.Second, 0},
		{time.Hour, 2 * time.Second, 0}, // set forward, or the machine slept
		{time.Hour + time.Second, 3 * time.Second, 0},
		{50 * time.Minute, 4 * time.Second, 10*time.Minute + 2*time.Second},
		{50*time.Minute + time.Second, 5 * time.Second, 0},
		{50*time.Minute + 500*time.Millisecond, 6 * time.Second, 0}, // slewed
	} {
		if got := d.since(at.Add(c.wall), c.steady); got != c.want {
			t.Errorf("%d: set back by %s, want %s", i, got, c.want)
		}
	}
}

// A clock that is set back by an hour holds nothing up.
func TestSetBack(t *testing.T) {
	a := repo(1, 1)
	h := byHand(t, lite(t), Options{}, a)
	fails := true
	h.w.visit = func(context.Context, event.Visit) (event.Visited, error) {
		if fails {
			return event.Visited{}, wrapped(promotion.ErrTransient)
		}
		return event.Visited{}, nil
	}
	accept(t, h.q, delivery(1, look(a, 0)))
	h.serve()
	fails = false
	h.clock.Move(-time.Hour)
	if err := h.q.setBack(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := h.until(a, never); got != 2*time.Second {
		t.Errorf("tried again after %s, want 2 s", got)
	}
	if s := status(t, h.q); s.Dirty != 0 {
		t.Errorf("status %+v", s)
	}
}

// A clock that was years ahead, as before NTP was asked, holds nothing up once it is right.
func TestClockWasAhead(t *testing.T) {
	const years = 3 * 365 * 24 * time.Hour
	a := repo(7, 70)
	h := byHand(t, lite(t), Options{Again: []time.Duration{}}, a)
	h.clock.Move(years)
	h.w.visit = func(context.Context, event.Visit) (event.Visited, error) {
		return event.Visited{}, promotion.ErrConflict
	}
	accept(t, h.q, delivery(1, look(a, 1)))
	h.serve()
	if err := h.q.redeliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.w.visit = nil
	h.clock.Move(-years)
	h.restart(Options{Again: []time.Duration{}})
	h.forget()
	accept(t, h.q, delivery(2, look(a, 2)))
	h.serve()
	h.w.attempts = []event.Attempt{{ID: 1, GUID: "lost", At: h.clock.Now().Add(-time.Minute)}}
	for range 24 {
		h.pass(time.Hour)
		if err := h.q.redeliver(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if h.w.seen(a) == 0 {
		t.Error("an event and a day of resyncs, and no visit")
	}
	if len(h.w.asked) == 0 {
		t.Error("a delivery that did not come is not asked for until the clock is there again")
	}
}
