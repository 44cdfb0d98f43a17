package store

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrExpired says that a lease may have passed to another holder.
var ErrExpired = errors.New("the lease ran out")

// A Term is how long a holder may believe that a lease is its own, judged by its own clocks
// alone: from before the database was asked, and for less long than the database grants it.
// It ends too early rather than too late: when the monotonic clock or the wall clock says so,
// whichever does first (the monotonic one stands still while a machine is suspended).
type Term struct {
	now func() time.Time

	mu    sync.Mutex
	since time.Time
	last  time.Duration
	over  error
}

// margin is the share of a lease that is not used: what a holder does right after a Check
// ends before the lease does.
const margin = 5

// NewTerm begins a term of a lease that was asked for at a moment and granted for ttl. The
// moment is from now, nil = time.Now.
func NewTerm(now func() time.Time, asked time.Time, ttl time.Duration) *Term {
	if now == nil {
		now = time.Now
	}
	return &Term{now: now, since: asked, last: ttl - ttl/margin}
}

// Extend begins the term anew: the lease was asked for again at that moment and granted.
func (t *Term) Extend(asked time.Time, ttl time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.since, t.last = asked, ttl-ttl/margin
}

// End ends the term with a reason.
func (t *Term) End(why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over == nil {
		t.over = why
	}
}

// Check returns an error once the lease may be another's. It asks no database.
func (t *Term) Check() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over != nil {
		return fmt.Errorf("%w: %w", ErrExpired, t.over)
	}
	now := t.now()
	held := max(now.Sub(t.since), now.Round(0).Sub(t.since.Round(0)))
	if held >= t.last {
		// Once over, for ever over: the wall clock may jump back.
		t.over = fmt.Errorf("it was last renewed %s ago", held.Round(time.Millisecond))
		return fmt.Errorf("%w: %w", ErrExpired, t.over)
	}
	return nil
}

// Left is how long Check will go on returning nil if nothing else happens.
func (t *Term) Left() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over != nil {
		return 0
	}
	now := t.now()
	return t.last - max(now.Sub(t.since), now.Round(0).Sub(t.since.Round(0)))
}
