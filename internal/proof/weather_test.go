package proof

import (
	"math/rand/v2"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// Weather is what becomes of deliveries on their way.
type weather struct {
	name  string
	lost  float64 // how many never arrive
	twice int     // how often each arrives besides
	mixed bool    // in any order
	late  int     // how many rounds of deliveries later
}

// Whatever becomes of the webhooks, each step ends as it does in fair weather: what was lost is
// found by the next look at everything, what comes twice, late or in another order does nothing.
func TestWeather(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	for _, x := range []weather{
		{name: "each five times in any order", twice: 4, mixed: true},
		{name: "all are lost", lost: 1},
		{name: "late by three rounds", late: 3},
		{name: "a third lost and the rest twice and in any order", lost: 0.3, twice: 1, mixed: true},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			x.blow(t, want)
		})
	}
}

func (x weather) blow(t *testing.T, want *telling) {
	s := newStory(t)
	h := s.unposted(onDisk(t))
	r := rand.New(rand.NewPCG(*crashSeed, 11))
	var held [][]sandbox.Delivery
	arrived, lost := 0, 0
	round := func(all []sandbox.Delivery) []sandbox.Delivery {
		var now []sandbox.Delivery
		for _, d := range all {
			if r.Float64() < x.lost {
				lost++
				continue
			}
			for range 1 + x.twice {
				now = append(now, d)
			}
		}
		if x.mixed {
			r.Shuffle(len(now), func(a, b int) { now[a], now[b] = now[b], now[a] })
		}
		if x.late == 0 {
			return now
		}
		if held = append(held, now); len(held) <= x.late {
			return nil
		}
		now, held = held[0], held[1:]
		return now
	}
	for i, step := range steps {
		if step.do(s); i == 0 {
			h.start()
		}
		for len(s.Pending()) > 0 {
			s.Arrange(round)
			n, err := s.Deliver(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			arrived += n
			h.rest()
		}
		if x.lost > 0 || x.late > 0 { // the look at everything: it comes with each start and every hour
			h.replace(h.running()[0])
		}
		h.rest()
		if step.then != nil {
			step.then(s)
		}
		if got := s.ending(); got != want.endings[i] {
			t.Fatalf("step %d, %q, ends otherwise (-in fair weather +got):\n%s", i, step.name, difference(want.endings[i], got))
		}
	}
	s.holds(t)
	t.Logf("%d deliveries arrived, %d were lost", arrived, lost)
	if x.lost == 1 && arrived > 0 || x.lost == 0 && lost > 0 || x.lost > 0 && lost == 0 {
		t.Errorf("%d deliveries arrived and %d were lost", arrived, lost)
	}
}
