package queue

import (
	"context"
	"path/filepath"
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
	h := byHand(t, "sqlite:"+filepath.Join(t.TempDir(), "pinnace.db"), Options{}, a)
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
