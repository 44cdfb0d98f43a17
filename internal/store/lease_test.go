package store

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/store/postgres"
)

// databases runs a test on SQLite on disk and on a real PostgreSQL.
func databases(t *testing.T, f func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, "sqlite:"+filepath.Join(t.TempDir(), "pinnace.db")) })
	t.Run("postgres", func(t *testing.T) { f(t, postgres.Start(t)) })
}

func open(t testing.TB, url string, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// A clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func TestLease(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		ctx := t.Context()
		c := newClock()
		s := open(t, url, Options{Now: c.Now})
		take := func(want bool) *Lease {
			t.Helper()
			l, ok, err := s.Lease(ctx, "x", 10*time.Second)
			if err != nil || ok != want {
				t.Fatalf("took the lease: %v, %v, want %v", ok, err, want)
			}
			return l
		}
		first := take(true)
		take(false)
		if other, ok, err := s.Lease(ctx, "y", time.Second); err != nil || !ok || other.Fence != 1 {
			t.Errorf("another name's lease: %+v, %v, %v", other, ok, err)
		}
		c.Move(6 * time.Second)
		if err := first.Renew(ctx); err != nil {
			t.Fatal(err)
		}
		c.Move(7 * time.Second)
		take(false)
		if err := first.Check(); err != nil {
			t.Errorf("7 s after a renewal for 10: %v", err)
		}
		// Its own clock alone tells a holder that it may be too late, and a while before another
		// one may begin.
		c.Move(time.Second)
		if err := first.Check(); !errors.Is(err, ErrExpired) {
			t.Errorf("8 s after a renewal for 10: %v, want ErrExpired", err)
		}
		take(false)
		if err := first.Renew(ctx); !errors.Is(err, ErrExpired) {
			t.Errorf("renewed what ran out: %v", err)
		}
		c.Move(2 * time.Second)
		second := take(true)
		if second.Fence != first.Fence+1 {
			t.Errorf("fence %d after %d", second.Fence, first.Fence)
		}
		// What the first one does now is without effect on the second one's.
		if err := first.Release(ctx); err != nil {
			t.Fatal(err)
		}
		take(false)
		if err := second.Release(ctx); err != nil {
			t.Fatal(err)
		}
		if err := second.Check(); !errors.Is(err, ErrExpired) {
			t.Errorf("after its release: %v", err)
		}
		if third := take(true); third.Fence != second.Fence+1 {
			t.Errorf("fence %d after %d", third.Fence, second.Fence)
		}
	})
}

// Of many who ask at once one gets the lease.
func TestLeaseOnce(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		s := open(t, url, Options{})
		const askers = 12
		var (
			all sync.WaitGroup
			mu  sync.Mutex
			got int
		)
		for range askers {
			all.Go(func() {
				_, ok, err := s.Lease(t.Context(), "x", time.Hour)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if ok {
					got++
				}
			})
		}
		all.Wait()
		if got != 1 {
			t.Errorf("%d of %d got the lease", got, askers)
		}
	})
}

// The clocks of a term: whichever says first that it is over is believed, for ever.
func TestTerm(t *testing.T) {
	begin := time.Now()
	monotonic := func(d time.Duration) time.Time { return begin.Add(d) }
	// A time without its monotonic reading, as after a suspended machine woke up.
	wall := func(d time.Duration) time.Time { return begin.Add(d).Round(0) }
	for _, c := range []struct {
		name string
		at   []time.Time
		over []bool
	}{
		{"in time", []time.Time{monotonic(0), monotonic(7999 * time.Millisecond)}, []bool{false, false}},
		{"a fifth before its end", []time.Time{monotonic(8 * time.Second)}, []bool{true}},
		{"stopped for an hour", []time.Time{monotonic(time.Hour)}, []bool{true}},
		{"the wall clock alone went on", []time.Time{wall(time.Hour)}, []bool{true}},
		{"the wall clock jumped there and back", []time.Time{wall(time.Hour), monotonic(time.Second)}, []bool{true, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := begin
			term := NewTerm(func() time.Time { return now }, begin, 10*time.Second)
			for i, at := range c.at {
				now = at
				if err := term.Check(); (err != nil) != c.over[i] {
					t.Errorf("after %s: %v, want over %v", at.Sub(begin), err, c.over[i])
				}
			}
		})
	}
}

// On PostgreSQL the server's clock counts, so that replicas agree whatever theirs say.
func TestNowIsTheServers(t *testing.T) {
	s := open(t, postgres.Start(t), Options{})
	ctx := context.Background()
	var earlier, later int64
	const micro = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
	if err := s.DB().QueryRow(micro).Scan(&earlier); err != nil {
		t.Fatal(err)
	}
	now, err := s.Now(ctx, s.DB())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DB().QueryRow(micro).Scan(&later); err != nil {
		t.Fatal(err)
	}
	if n := now.UnixMicro(); n < earlier || n > later {
		t.Errorf("now is %d, not between %d and %d", n, earlier, later)
	}
}
