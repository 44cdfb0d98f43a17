package queue

import (
	"testing"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// At its start a queue visits every repository, and then those that events are about.
func TestVisits(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		a, b := repo(1, 10), repo(2, 20)
		w := newWorld(a, b)
		q, stop := start(t, Options{Store: open(t, url, store.Options{}), Work: w})
		w.await(t, "a first visit to each", func() bool { return w.seen(a) == 1 && w.seen(b) == 1 })
		settled(t, q)

		if !accept(t, q, delivery(1, look(a, 7))) {
			t.Error("a first delivery is not fresh")
		}
		if accept(t, q, delivery(1, look(a, 7))) {
			t.Error("a second one is")
		}
		w.await(t, "a visit for the event", func() bool { return w.seen(a) == 2 })
		s := settled(t, q)
		if s.Subjects != 5 || s.Dirty != 0 {
			t.Errorf("status %+v, want 5 subjects, none dirty", s)
		}
		stop()
		w.check(t)
		last := w.visits[len(w.visits)-1]
		if len(last.Pulls) != 1 || last.Pulls[0] != 7 || last.Since.IsZero() || last.Name != "r10" {
			t.Errorf("the visit for the event is %+v", last)
		}
		if got := w.seen(b); got != 1 {
			t.Errorf("%d visits to a repository that nothing happened to, want the first alone", got)
		}
		if err := last.Fence(); err == nil {
			t.Log("the fence of a visit that ended stays open until its term ends")
		}
		_ = event.Visited{}
	})
}
