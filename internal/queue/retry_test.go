package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// delayed is an error that knows how long to wait.
type delayed struct {
	error
	after time.Duration
}

func (d delayed) RetryAfter() time.Duration { return d.after }

func (d delayed) Unwrap() error { return d.error }

// wrapped is an error as an adapter returns it.
func wrapped(err error) error { return fmt.Errorf("read pull request: acme/r1: %w", err) }

// never is longer than a test looks: only a resync comes.
const never = 40 * time.Minute

// Each row of Retries: how long until the subject is visited again after the first, second and
// so on failure in a row if nothing happens, and how long after an event.
func TestRetries(t *testing.T) {
	const s, m = time.Second, time.Minute
	rows := []struct {
		outcome Outcome
		fail    error
		alone   []time.Duration
		event   time.Duration // after the first failure
	}{
		{Done, nil, []time.Duration{never}, 0},
		{NotFound, wrapped(promotion.ErrNotFound), []time.Duration{never}, 10 * s},
		{Conflict, wrapped(promotion.ErrConflict), []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, m, m}, s},
		{Forbidden, wrapped(promotion.ErrForbidden), []time.Duration{never}, 10 * s},
		{Unauthenticated, wrapped(promotion.ErrUnauthenticated), []time.Duration{m, 2 * m, 4 * m, 8 * m}, m},
		{RateLimited, wrapped(promotion.ErrRateLimited), []time.Duration{m, m, m}, m},
		{RateLimited, delayed{wrapped(promotion.ErrRateLimited), 7 * m}, []time.Duration{7 * m, 7 * m}, 7 * m},
		{RateLimited, wrapped(delayed{promotion.ErrRateLimited, 3 * s}), []time.Duration{m}, m},
		{Invalid, wrapped(promotion.ErrInvalid), []time.Duration{never}, 10 * s},
		{Transient, wrapped(promotion.ErrTransient), []time.Duration{2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 64 * s, 128 * s, 256 * s, 512 * s, 10 * m, 10 * m}, 2 * s},
		{Transient, delayed{promotion.ErrTransient, 20 * s}, []time.Duration{20 * s, 20 * s, 20 * s, 20 * s, 32 * s}, 20 * s},
		{Transient, wrapped(context.DeadlineExceeded), []time.Duration{2 * s}, 2 * s},
		{Blocked, wrapped(promotion.ErrBlocked), []time.Duration{never}, 10 * s},
		{Slow, wrapped(errSlow), []time.Duration{m, 2 * m, 4 * m}, m},
		{Panicked, &panicked{"x"}, []time.Duration{10 * s, 20 * s, 40 * s, 80 * s, never}, 10 * s},
		{Stopped, wrapped(errStopped), []time.Duration{0}, 0},
		{Unknown, errors.New("nobody knows"), []time.Duration{5 * s, 10 * s, 20 * s, 40 * s}, 5 * s},
	}
	a := repo(1, 1)
	for _, c := range rows {
		t.Run(strings.ReplaceAll(fmt.Sprint(c.outcome, " ", c.fail), "/", " "), func(t *testing.T) {
			if got := outcomeOf(c.fail); got != c.outcome {
				t.Fatalf("the outcome is %s, want %s", got, c.outcome)
			}
			if c.outcome == Stopped {
				// Made anew at once, which would not end: TestShutdown shows it.
				return
			}
			o := Options{Resync: time.Hour, Again: []time.Duration{}}
			h := byHand(t, lite(t), o, a)
			h.w.visit = func(context.Context, event.Visit) (event.Visited, error) {
				var p *panicked
				if errors.As(c.fail, &p) {
					panic(p.value)
				}
				return event.Visited{}, c.fail
			}
			begin := func() {
				t.Helper()
				h.forget()
				if err := h.q.Release(t.Context(), a); err != nil {
					t.Fatal(err)
				}
				h.serve()
				if n := h.w.seen(a); n != 1 {
					t.Fatalf("%d visits to begin with", n)
				}
			}
			begin()
			for i, want := range c.alone {
				if got := h.until(a, never); got != want {
					t.Errorf("%s until the visit after failure %d, want %s", got, i+1, want)
				}
			}
			begin()
			accept(t, h.q, delivery(1, look(a, 0)))
			if got := h.until(a, never); got != c.event {
				t.Errorf("%s until the visit for an event, want %s", got, c.event)
			}
		})
	}
	seen := map[Outcome]bool{}
	for _, c := range rows {
		seen[c.outcome] = true
	}
	for _, o := range slices.Sorted(maps.Keys(Retries)) {
		if !seen[o] {
			t.Errorf("%s has no row in this test", o)
		}
	}
}

// Of an error of two classes the one counts that says how to go on.
func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Outcome
	}{
		{fmt.Errorf("%w: %w", store.ErrExpired, promotion.ErrTransient), Expired},
		{fmt.Errorf("%w: %w", errStopped, context.Canceled), Stopped},
		{fmt.Errorf("%w: %w", errSlow, context.DeadlineExceeded), Slow},
		{errors.Join(promotion.ErrTransient, promotion.ErrRateLimited), RateLimited},
		{&panicked{promotion.ErrTransient}, Panicked},
	} {
		if got := outcomeOf(c.err); got != c.want {
			t.Errorf("%v is %s, want %s", c.err, got, c.want)
		}
	}
}

// A wait that an answer asks for is believed up to a resync.
func TestLongDelay(t *testing.T) {
	d := delayed{promotion.ErrRateLimited, 1000 * time.Hour}
	if got := Retries[RateLimited].pause(d, 1, time.Hour); got != time.Hour {
		t.Errorf("pause %s, want one hour", got)
	}
}

// A visit that goes on for too long is ended, and made again later.
func TestSlow(t *testing.T) {
	h := byHand(t, lite(t), Options{}, repo(1, 1))
	h.q.o.Patience = time.Millisecond
	h.w.visit = func(ctx context.Context, _ event.Visit) (event.Visited, error) {
		<-ctx.Done()
		return event.Visited{}, wrapped(ctx.Err())
	}
	accept(t, h.q, delivery(1, look(repo(1, 1), 0)))
	h.serve()
	if s := status(t, h.q); len(s.Troubled) != 1 || !strings.HasPrefix(s.Troubled[0].Problem, "slow: ") {
		t.Errorf("status %+v", s)
	}
}

// After an event a subject is looked at again, three times; events that come in a row share
// these looks; and then the next is a resync.
func TestAgain(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		a := repo(1, 1)
		h := byHand(t, url, Options{}, a)
		var at []time.Duration
		begin := h.clock.Now()
		h.w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
			at = append(at, h.clock.Now().Sub(begin))
			return event.Visited{}, nil
		}
		event := func(n int) {
			d := delivery(n, look(a, 0))
			d.Received = h.clock.Now()
			accept(t, h.q, d)
		}
		event(1)
		h.pass(0)
		h.pass(2 * time.Second)
		event(2)
		for h.until(a, 10*time.Minute) < 10*time.Minute {
		}
		want := []time.Duration{0, 2 * time.Second, 7 * time.Second, 32 * time.Second, 302 * time.Second}
		if !slices.Equal(at, want) {
			t.Errorf("visits at %v, want %v", at, want)
		}
		if resync := h.until(a, 2*time.Hour); resync < 38*time.Minute || resync > 61*time.Minute {
			t.Errorf("then visited after %s, want a resync an hour after the last visit, more or less", resync)
		}
	})
}

// Resyncs of subjects that began together do not stay together, and none is much too late.
func TestResync(t *testing.T) {
	var repos []event.Subject
	for n := range int64(60) {
		repos = append(repos, repo(1, n+1))
	}
	h := byHand(t, lite(t), Options{Resync: time.Hour}, repos...)
	minutes := map[int]int{}
	begin := h.clock.Now().Add(-time.Minute)
	h.w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
		if !v.Since.IsZero() {
			t.Error("a resync says that an event asked for it")
		}
		minutes[int(h.clock.Now().Sub(begin)/time.Minute)]++
		return event.Visited{}, nil
	}
	for range 70 {
		h.pass(time.Minute)
	}
	total := 0
	for m, n := range minutes {
		total += n
		if m < 54 || m > 67 || n > 30 {
			t.Errorf("%d visits in minute %d", n, m)
		}
	}
	if total != len(repos) {
		t.Errorf("%d visits, want %d", total, len(repos))
	}
}

// Visited.Again is kept, and so is what a survey finds.
func TestVisitedAgain(t *testing.T) {
	a := repo(1, 1)
	h := byHand(t, lite(t), Options{}, a)
	h.w.visit = func(context.Context, event.Visit) (event.Visited, error) {
		return event.Visited{Again: 90 * time.Second}, nil
	}
	if err := h.q.Raise(t.Context(), look(a, 0)); err != nil {
		t.Fatal(err)
	}
	h.serve()
	if got := h.until(a, never); got != 90*time.Second {
		t.Errorf("visited again after %s, want 90 s", got)
	}
}

// What a visit says of when to look again holds although one thing in it was refused.
func TestAgainDespiteAnError(t *testing.T) {
	a := repo(7, 70)
	h := byHand(t, lite(t), Options{Again: []time.Duration{}}, a)
	h.w.visit = func(context.Context, event.Visit) (event.Visited, error) {
		return event.Visited{Again: 5 * time.Minute}, promotion.ErrForbidden
	}
	accept(t, h.q, delivery(1, look(a, 1)))
	h.serve()
	if got := h.until(a, never); got != 5*time.Minute {
		t.Errorf("looked at again after %s, want 5 min", got)
	}
}

// GitHub's API may not show yet what its event was about: a no is looked at again as soon as a
// yes is.
func TestAgainAfterANo(t *testing.T) {
	for name, no := range map[string]struct {
		visited event.Visited
		err     error
	}{
		"something in it is not found": {err: promotion.ErrNotFound},
		"the repository is not found":  {visited: event.Visited{Gone: true}},
		"a head is not there":          {err: promotion.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			a := repo(7, 70)
			h := byHand(t, lite(t), Options{}, a)
			h.w.visit = func(context.Context, event.Visit) (event.Visited, error) { return no.visited, no.err }
			d := delivery(1, look(a, 1))
			d.Received = h.clock.Now()
			accept(t, h.q, d)
			h.serve()
			h.w.visit = nil
			if got := h.until(a, never); got > 30*time.Second {
				t.Errorf("looked at again after %s", got)
			}
		})
	}
}

// A subject in quarantine whose look is stopped by a shutdown is looked at at the next resync.
func TestStoppedInQuarantine(t *testing.T) {
	s := open(t, lite(t), store.Options{})
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
