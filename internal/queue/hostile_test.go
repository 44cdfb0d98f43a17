package queue

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/store"
)

func lite7(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "p.db") }

// a survey of all installations that misses one for a moment (GitHub's list lags the
// webhook `installation created`; or suspend+unsuspend) forgets rows whose visits are under way.
// The next event makes the row anew with fence 0, the next visit gets fence 1 again, and both
// visits renew the very same lease.
func TestHostileFenceIsReused(t *testing.T) {
	w := newWorld(repo(7, 70))
	w.repos[9] = nil
	s := open(t, lite7(t), store.Options{})
	let := make(chan struct{})
	defer close(let)
	var fences []func() error
	w.visit = func(ctx context.Context, v event.Visit) (event.Visited, error) {
		w.change(func() { fences = append(fences, v.Fence) })
		select {
		case <-let:
		case <-ctx.Done():
		}
		return event.Visited{}, ctx.Err()
	}
	q, _ := start(t, Options{Store: s, Work: w, Lease: 3 * time.Second, Grace: time.Millisecond})
	w.await(t, "the first visit", func() bool { return w.under[repo(7, 70)] == 1 })
	w.change(func() { delete(w.repos, 7) }) // the list does not show it for a moment
	accept(t, q, delivery(1, event.Look{Subject: event.Subject{Installation: 8}, Gone: true}))
	for i := 0; ; i++ { // until the row is gone
		var n int
		if err := s.DB().QueryRow("SELECT COUNT(*) FROM subjects WHERE installation = 7 AND repository = 70").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
		if i > 300 {
			t.Skip("not forgotten")
		}
	}
	w.change(func() { w.repos[7] = []event.Repository{{Subject: repo(7, 70), Owner: "acme", Name: "r70"}} })
	accept(t, q, delivery(2, look(repo(7, 70), 1)))
	time.Sleep(6 * time.Second) // two leases: both go on
	w.mu.Lock()
	defer w.mu.Unlock()
	ok := 0
	for _, f := range fences {
		if f() == nil {
			ok++
		}
	}
	if ok > 1 {
		t.Errorf("%d visits to one repository, %d of them may write, two leases later; %v", len(fences), ok, w.problems)
	}
}

// the list of deliveries takes longer than the sweep's own lease of a minute.
type slowList struct {
	*world
	c *clock
	d time.Duration
}

func (s slowList) Attempts(ctx context.Context, since time.Time) ([]event.Attempt, error) {
	s.c.Move(s.d)
	return s.world.Attempts(ctx, since)
}

func TestHostileSweepOutlivesItsLease(t *testing.T) {
	c := newClock()
	w := newWorld(repo(7, 70))
	w.attempts = []event.Attempt{{ID: 1, GUID: "a", At: c.Now().Add(-time.Hour)}}
	s := open(t, lite7(t), store.Options{Now: c.Now})
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

// one delivery that GitHub answers with an error other than 404/422 stops all behind it.
func TestHostileSweepHeadOfLine(t *testing.T) {
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
	s := open(t, lite7(t), store.Options{Now: c.Now})
	q, err := New(Options{Store: s, Work: w, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 * 24 * 12 { // two days
		_ = q.redeliver(t.Context())
		c.Move(5 * time.Minute)
	}
	st, _ := q.Status(t.Context())
	t.Logf("asked for 1: %d times, for 2: %d times, lost %d, swept %v", got[1], got[2], st.Lost, st.Swept)
	if got[2] == 0 {
		t.Error("in two days the second delivery was never asked for; and neither is counted as lost")
	}
}

// the clock was ahead once.
func TestHostileClockBack(t *testing.T) {
	c := newClock()
	c.Move(3 * 365 * 24 * time.Hour)
	w := newWorld(repo(7, 70))
	s := open(t, lite7(t), store.Options{Now: c.Now})
	q, stop := start(t, Options{Store: s, Work: w, Now: c.Now, Again: []time.Duration{}})
	w.await(t, "the first visit", func() bool { return w.seen(repo(7, 70)) == 1 })
	settled(t, q)
	w.visit = func(context.Context, event.Visit) (event.Visited, error) {
		return event.Visited{}, promotion.ErrConflict
	}
	accept(t, q, delivery(1, look(repo(7, 70), 1)))
	w.await(t, "a visit that fails", func() bool { return w.seen(repo(7, 70)) == 2 })
	time.Sleep(500 * time.Millisecond)
	stop()
	w.visit = nil
	c.Move(-3 * 365 * 24 * time.Hour) // NTP puts it right
	q, _ = start(t, Options{Store: s, Work: w, Now: c.Now, Again: []time.Duration{}})
	accept(t, q, delivery(2, look(repo(7, 70), 2)))
	w.attempts = []event.Attempt{{ID: 1, GUID: "lost", At: c.Now().Add(-time.Minute)}}
	for range 24 {
		time.Sleep(50 * time.Millisecond)
		c.Move(time.Hour)
		_ = q.redeliver(t.Context())
	}
	time.Sleep(time.Second)
	w.mu.Lock()
	n, asked := w.seen(repo(7, 70)), len(w.asked)
	w.mu.Unlock()
	var held, due int64
	_ = s.DB().QueryRow("SELECT held, due FROM subjects WHERE repository = 70").Scan(&held, &due)
	if n < 3 {
		t.Errorf("an event and a day of resyncs later: no visit; held until %v, due %v, now %v", time.UnixMicro(held).UTC(), time.UnixMicro(due).UTC(), c.Now())
	}
	if asked == 0 {
		t.Error("and deliveries that did not come are not asked for until the clock is there again")
	}
}

// a quarantined subject whose retry is stopped by a shutdown is retried by no other process.
func TestHostileStoppedQuarantine(t *testing.T) {
	s := open(t, lite7(t), store.Options{})
	w := newWorld()
	q, err := New(Options{Store: s, Work: w})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Raise(t.Context(), look(repo(7, 70), 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.DB().Exec("UPDATE subjects SET quarantined = 1, attempts = 5 WHERE repository = 70"); err != nil {
		t.Fatal(err)
	}
	v, ok, err := q.choose(t.Context())
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if o, err := q.end(v, event.Visited{}, errors.Join(errStopped, context.Canceled)); o != Stopped || err != nil {
		t.Fatal(o, err)
	}
	var queued, due, ends int64
	if err := s.DB().QueryRow("SELECT queued, due, ends FROM subjects WHERE repository = 70").Scan(&queued, &due, &ends); err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.Fatal(err)
	}
	if queued == 0 && due == 0 && ends == 0 {
		t.Error("it neither waits, nor is it due, nor visited: wake, collect and refill never look at it again")
	}
}

// a visit found out that a soak is over in five minutes, and that one of the pull requests
// is none of its business (403). The next look is the resync's.
func TestHostileAgainIsLostByAnError(t *testing.T) {
	w := newWorld(repo(7, 70))
	w.visit = func(context.Context, event.Visit) (event.Visited, error) {
		return event.Visited{Again: 5 * time.Minute}, promotion.ErrForbidden
	}
	s := open(t, lite7(t), store.Options{})
	start(t, Options{Store: s, Work: w, Again: []time.Duration{}})
	w.await(t, "a visit", func() bool { return w.seen(repo(7, 70)) > 0 })
	time.Sleep(500 * time.Millisecond)
	var due int64
	if err := s.DB().QueryRow("SELECT due FROM subjects WHERE repository = 70").Scan(&due); err != nil {
		t.Fatal(err)
	}
	if in := time.Until(time.UnixMicro(due)); in > 6*time.Minute {
		t.Errorf("it is looked at again in %s, where the verdict said 5m", in.Round(time.Minute))
	}
}

// GitHub's API does not show yet what its event was about, and says so as it does: 404.
func TestHostileLagAs404(t *testing.T) {
	for name, what := range map[string]func() (event.Visited, error){
		"a 404 of something in it":  func() (event.Visited, error) { return event.Visited{}, promotion.ErrNotFound },
		"a 404 of the repository":   func() (event.Visited, error) { return event.Visited{Gone: true}, nil },
		"a 422 of a head not there": func() (event.Visited, error) { return event.Visited{}, promotion.ErrInvalid },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(repo(7, 70))
			s := open(t, lite7(t), store.Options{})
			q, _ := start(t, Options{Store: s, Work: w, Again: []time.Duration{500 * time.Millisecond, 2 * time.Second, 5 * time.Minute}})
			w.await(t, "the first visit", func() bool { return w.seen(repo(7, 70)) == 1 })
			settled(t, q)
			asked := time.Now()
			w.visit = func(context.Context, event.Visit) (event.Visited, error) {
				if time.Since(asked) < time.Second {
					return what()
				}
				return event.Visited{}, nil
			}
			accept(t, q, delivery(1, look(repo(7, 70), 1)))
			w.await(t, "the visit of the event", func() bool { return w.seen(repo(7, 70)) == 2 })
			time.Sleep(13 * time.Second)
			w.mu.Lock()
			defer w.mu.Unlock()
			last := w.seen(repo(7, 70))
			var due int64
			_ = s.DB().QueryRow("SELECT due FROM subjects WHERE repository = 70").Scan(&due)
			if last < 3 {
				t.Errorf("no look after the event's own: Options.Again is dropped; due in %s", time.Until(time.UnixMicro(due)).Round(time.Second))
			}
		})
	}
}

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

// one delivery that fails each time (a wrong secret on one of two servers, a body that is
// refused) has all of three days listed at each sweep, though it is asked for every six hours.
func TestHostileSweepListsThreeDays(t *testing.T) {
	c := newClock()
	w := &sinces{world: newWorld(repo(7, 70)), c: c}
	w.attempts = []event.Attempt{{ID: 1, GUID: "a", At: c.Now()}}
	s := open(t, lite7(t), store.Options{Now: c.Now})
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
	t.Logf("asked again %d times, listed hours or days %d times of %d", len(w.asked), w.long, 48*12)
	if w.long > 3*len(w.asked) {
		t.Error("the list of days is read at each sweep, whether the delivery is due or not")
	}
}
