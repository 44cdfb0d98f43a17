package queue

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// What comes and goes: repositories and installations, by events and without.
func TestSurvey(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		a, b, c, d := repo(1, 1), repo(1, 2), repo(1, 3), repo(2, 4)
		h := byHand(t, url, Options{}, a, b)
		want := func(when string, subjects int, visited ...event.Subject) {
			t.Helper()
			h.serve()
			for _, s := range []event.Subject{a, b, c, d} {
				n := 0
				for _, v := range visited {
					if v == s {
						n++
					}
				}
				if got := h.w.seen(s); got != n {
					t.Errorf("%s: %d visits to %v, want %d", when, got, s, n)
				}
			}
			if s := status(t, h.q); s.Subjects != subjects || s.Dirty != 0 {
				t.Errorf("%s: status %+v, want %d subjects, none dirty", when, s, subjects)
			}
			h.clock.Move(time.Minute)
			h.forget()
		}
		set := func(repos ...event.Subject) { h.w.repos = newWorld(repos...).repos }

		set(a, b, c)
		accept(t, h.q, delivery(1, event.Look{Subject: repo(1, 0)}))
		want("a repository was added", 5, c)

		set(a, c)
		accept(t, h.q, delivery(2, event.Look{Subject: b, Gone: true}))
		want("one was taken off", 4)

		set(a, c, d)
		accept(t, h.q, delivery(3, event.Look{Subject: repo(2, 0)}))
		want("an installation came", 6, d)

		accept(t, h.q, delivery(4, event.Look{Subject: repo(1, 0), Everywhere: true}))
		want("a team changed", 6, a, c)

		set(a, c)
		accept(t, h.q, delivery(5, event.Look{Subject: repo(2, 0), Gone: true}))
		want("an installation went", 4)

		// Without any event the next survey finds it.
		set(a, d)
		for range 130 {
			h.pass(time.Minute)
		}
		if h.w.seen(d) == 0 {
			t.Error("an installation that came without an event was never visited")
		}
		h.forget()
		for range 130 {
			h.pass(time.Minute)
		}
		if n := h.w.seen(c); n != 0 {
			t.Errorf("%d visits to a repository that went without an event", n)
		}
	})
}

// What comes up while GitHub's list is on its way is not taken for gone.
func TestSurveyMeanwhile(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		old, young := repo(1, 1), repo(1, 2)
		h := byHand(t, url, Options{}, old)
		h.w.repos = map[int64][]event.Repository{1: nil}
		h.q.work = meanwhile{h.w, func(n int64) {
			h.clock.Move(time.Second)
			if n == 1 {
				accept(t, h.q, delivery(2, look(old, 5), look(young, 6)))
				h.w.repos = newWorld(old, young).repos
			}
		}}
		accept(t, h.q, delivery(1, event.Look{Subject: repo(1, 0)}))
		h.serve()
		if h.w.seen(old) != 1 || h.w.seen(young) != 1 {
			t.Errorf("visits %v, want one to each", h.w.visits)
		}
		h.pass(time.Minute)
		if s := status(t, h.q); s.Subjects != 4 || s.Dirty != 0 {
			t.Errorf("status %+v, want both repositories", s)
		}
	})
}

// meanwhile is a world in which something happens while its lists are read.
type meanwhile struct {
	*world
	happens func(installation int64)
}

func (m meanwhile) Repositories(ctx context.Context, i int64) ([]event.Repository, error) {
	defer m.happens(i)
	return m.world.Repositories(ctx, i)
}

// A visit that finds its repository gone forgets it, unless something happened meanwhile.
func TestGone(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		a := repo(1, 1)
		h := byHand(t, url, Options{Again: []time.Duration{}}, a)
		again := true
		h.w.visit = func(context.Context, event.Visit) (event.Visited, error) {
			if again {
				again = false
				accept(t, h.q, delivery(2, look(a, 3)))
			}
			return event.Visited{Gone: true}, nil
		}
		accept(t, h.q, delivery(1, look(a, 0)))
		h.serve()
		if n := h.w.seen(a); n != 2 {
			t.Errorf("%d visits, want 2", n)
		}
		if s := status(t, h.q); s.Subjects != 2 || s.Dirty != 0 {
			t.Errorf("status %+v, want the App and the installation", s)
		}
		var looks int
		if err := h.store.DB().QueryRow("SELECT COUNT(*) FROM looks").Scan(&looks); err != nil || looks != 0 {
			t.Errorf("%d looks are left, %v", looks, err)
		}
	})
}

// A repository that a visit cannot see has its installation's list read.
func TestNotFoundIsSurveyed(t *testing.T) {
	a := repo(1, 1)
	h := byHand(t, "sqlite:"+t.TempDir()+"/pinnace.db", Options{}, a, repo(1, 2))
	h.w.repos = newWorld(repo(1, 2)).repos
	h.w.visit = func(context.Context, event.Visit) (event.Visited, error) {
		return event.Visited{}, fmt.Errorf("read repository: %w", promotion.ErrNotFound)
	}
	accept(t, h.q, delivery(1, look(a, 0)))
	h.serve()
	if s := status(t, h.q); s.Subjects != 3 || s.Dirty != 0 {
		t.Errorf("status %+v, want the repository forgotten", s)
	}
}

// A list that misses an installation for a moment takes no lease away from the visit that is
// under way; and where its row is lost after all, the next visit has another fence.
func TestFenceIsNotUsedTwice(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		a := repo(7, 70)
		h := byHand(t, url, Options{Again: []time.Duration{}}, a)
		accept(t, h.q, delivery(1, look(a, 1)))
		first, ok, err := h.q.choose(t.Context())
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		delete(h.w.repos, 7)
		accept(t, h.q, delivery(2, event.Look{Subject: event.Subject{Installation: 8}, Gone: true}))
		h.serve()
		h.pass(time.Second)
		if held, err := h.q.renew(t.Context(), first); !held || err != nil {
			t.Fatalf("the survey took the lease: %v, %v", held, err)
		}
		if _, err := h.store.DB().Exec("DELETE FROM subjects WHERE installation = 7"); err != nil {
			t.Fatal(err)
		}
		h.w.repos[7] = []event.Repository{{Subject: a, Owner: "acme", Name: "r70"}}
		h.clock.Move(time.Second)
		accept(t, h.q, delivery(3, look(a, 1)))
		second, ok, err := h.q.choose(t.Context())
		if !ok || err != nil || second.Subject != a {
			t.Fatal(second, ok, err)
		}
		if second.fence <= first.fence {
			t.Errorf("fences %d and then %d: one may be that of two visits", first.fence, second.fence)
		}
		if held, err := h.q.renew(t.Context(), first); held || err != nil {
			t.Errorf("both visits hold the lease, with fences %d and %d, %v", first.fence, second.fence, err)
		}
		if o, err := h.q.end(first, event.Visited{Gone: true}, nil); o != Expired || err != nil {
			t.Errorf("the first visit ended with %s, %v", o, err)
		}
		if held, err := h.q.renew(t.Context(), second); !held || err != nil {
			t.Errorf("the second visit lost its lease: %v", err)
		}
	})
}
