package queue

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/store"
	"github.com/pinnace-dev/pinnace/internal/store/postgres"
)

// A shift is a process whose visits last as long as the test says, by the clock that it moves.
// Installations up to slow are visited for minutes, the others for seconds.
type shift struct {
	*hand
	r    *rand.Rand
	slow int64
	ends map[*stay]time.Time // visits under way, and when they will be over

	short map[int64]bool      // installations of which a short visit is over
	long  map[int64]time.Time // when a long one was over
	seen  map[event.Subject]int
	guid  int
}

func newShift(t *testing.T, url string, seed uint64, workers int, slow int64, repos []event.Subject) *shift {
	s := &shift{
		hand: &hand{t: t, clock: newClock(), w: newWorld(repos...)}, r: rand.New(rand.NewPCG(seed, 1)), slow: slow,
		ends: map[*stay]time.Time{}, short: map[int64]bool{}, long: map[int64]time.Time{}, seen: map[event.Subject]int{},
	}
	s.store = open(t, url, store.Options{Now: s.clock.Now})
	s.begin(workers)
	return s
}

// begin is what a new process does first; what the one before had under way is lost.
func (s *shift) begin(workers int) {
	s.ends = map[*stay]time.Time{}
	s.restart(Options{Workers: workers, Lease: 24 * time.Hour, Resync: 100 * time.Hour, Again: []time.Duration{}})
}

// happens has an event accepted.
func (s *shift) happens(about event.Subject) {
	s.guid++
	accept(s.t, s.q, delivery(s.guid, look(about, 0)))
}

// brisk says whether all visits to an installation were short, and it had one.
func (s *shift) brisk(installation int64) bool {
	return s.short[installation] && s.long[installation].IsZero()
}

// others counts the visits under way that may not have the last worker.
func (s *shift) others() (n int) {
	for v := range s.ends {
		if v.Repository.Repository != 0 && (!s.brisk(v.Installation) || s.clock.Now().Sub(v.chosen) > time.Minute) {
			n++
		}
	}
	return n
}

// staff has every idle worker look for something to do.
func (s *shift) staff() {
	s.t.Helper()
	for len(s.ends) < s.q.o.Workers {
		v, ok, err := s.q.choose(context.Background())
		if err != nil {
			s.t.Fatal(err)
		}
		if !ok {
			break
		}
		last := time.Duration(1+s.r.IntN(20)) * time.Second
		if v.Installation != 0 && v.Installation <= s.slow && v.Repository.Repository != 0 {
			last = time.Minute + time.Duration(1+s.r.IntN(600))*time.Second
		}
		s.ends[v] = s.clock.Now().Add(last)
		if n := s.others(); s.q.o.Workers > 1 && n >= s.q.o.Workers && !s.brisk(v.Installation) && v.Repository.Repository != 0 {
			s.t.Fatalf("%d of %d workers visit installations that are not known to be brisk, the last one %d", n, s.q.o.Workers, v.Installation)
		}
	}
	s.idle()
}

// idle fails the test where a worker has nothing to do though somebody waits whom it may visit.
func (s *shift) idle() {
	s.t.Helper()
	free := s.q.o.Workers - len(s.ends)
	if free == 0 {
		return
	}
	load := map[int64]int{}
	for v := range s.ends {
		load[v.Installation]++
	}
	rows, err := s.store.DB().Query("SELECT DISTINCT installation FROM subjects WHERE queued > 0 AND ends = 0 AND repository <> 0")
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var i int64
		if err := rows.Scan(&i); err != nil {
			s.t.Fatal(err)
		}
		most := max(1, s.q.o.Workers-max(1, s.q.o.Workers/4))
		if load[i] < most && (s.brisk(i) || s.others() < s.q.o.Workers-1) {
			s.t.Fatalf("%d workers are idle, and installation %d waits: %d of its own and %d of all are under way", free, i, load[i], s.others())
		}
	}
}

// next lets the visit end that is over first.
func (s *shift) next() {
	s.t.Helper()
	var first *stay
	for v, at := range s.ends {
		if first == nil || at.Before(s.ends[first]) || at.Equal(s.ends[first]) && inOrder(v.Subject, first.Subject) < 0 {
			first = v
		}
	}
	s.clock.Move(max(0, s.ends[first].Sub(s.clock.Now())))
	delete(s.ends, first)
	s.seen[first.Subject]++
	// What attend does of surveys.
	var err error
	switch {
	case first.Repository.Repository != 0:
		if i := first.Installation; s.clock.Now().Sub(first.chosen) > time.Minute {
			s.long[i] = s.clock.Now()
		} else {
			s.short[i] = true
		}
	default:
		_, err = s.q.attend(context.Background(), first)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.q.end(first, event.Visited{}, nil); err != nil {
		s.t.Fatal(err)
	}
	s.q.left(first)
	if err := s.q.wakeAll(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

// TestBrisk: installations whose visits last for minutes never hold all workers together, not
// even after a restart; those whose visits are short do not wait for them, and nobody starves.
func TestBrisk(t *testing.T) {
	var repos []event.Subject
	for i := range int64(5) {
		for n := range int64(6) {
			repos = append(repos, repo(i+1, 100*(i+1)+n))
		}
	}
	databases(t, func(t *testing.T, url string) {
		for seed, workers := range []int{1, 2, 4, 8} {
			t.Run(fmt.Sprint(workers, " workers"), func(t *testing.T) {
				if seed > 0 && testing.Short() {
					t.Skip("one number of workers is enough for a first look")
				}
				at := url
				if seed > 0 { // a database of its own
					at = fresh(t, url)
				}
				s := newShift(t, at, uint64(seed), workers, 3, repos)
				for range 60 { // everybody is visited once
					if s.staff(); len(s.ends) == 0 {
						break
					}
					s.next()
				}
				for _, r := range repos {
					if s.seen[r] == 0 {
						t.Fatalf("%v was not visited at first", r)
					}
				}
				var waited time.Duration // of those that are brisk, at most
				since := map[event.Subject]time.Time{}
				for n := range 80 {
					if n == 40 && s.store.SQLite() {
						s.begin(workers)
						if err := s.q.collect(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					for range 3 {
						r := repos[s.r.IntN(len(repos))]
						s.happens(r)
						if _, waits := since[r]; !waits {
							since[r] = s.clock.Now()
						}
					}
					s.staff()
					for v := range s.ends {
						if from, ok := since[v.Subject]; ok && s.brisk(v.Installation) {
							waited = max(waited, v.chosen.Sub(from))
						}
						delete(since, v.Subject)
					}
					if n := s.others(); workers > 1 && n >= workers {
						t.Fatalf("%d of %d workers visit slow installations", n, workers)
					}
					s.next()
				}
				// Two brisk installations have twelve repositories, of twenty seconds each at most.
				if most := 12 * 20 * time.Second; workers > 1 && waited > most {
					t.Errorf("a brisk installation waited %s, want %s at most", waited, most)
				}
				before := map[event.Subject]int{}
				for _, r := range repos {
					s.happens(r)
					before[r] = s.seen[r]
				}
				for s.staff(); len(s.ends) > 0; s.staff() {
					s.next()
				}
				for _, r := range repos {
					if s.seen[r] == before[r] {
						t.Errorf("%v was never visited", r)
					}
				}
			})
		}
	})
}

// fresh is another database of the kind of one.
func fresh(t *testing.T, like string) string {
	if like[:6] == "sqlite" {
		return lite(t)
	}
	return postgres.Start(t)
}

// TestBriskAgain: a long visit counts while it is under way, for other processes as well, and
// until two resyncs have gone by.
func TestBriskAgain(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		h := byHand(t, url, Options{Workers: 2, Lease: 24 * time.Hour, Again: []time.Duration{}, Resync: time.Hour}, repo(1, 1), repo(2, 2), repo(3, 3))
		brisk := func(installation int64) (at int64) {
			t.Helper()
			if err := h.store.DB().QueryRow("SELECT brisk FROM shares WHERE installation = $1", installation).Scan(&at); err != nil {
				t.Fatal(err)
			}
			return at
		}
		if at := brisk(1); at == 0 || at > h.clock.Now().UnixMicro() {
			t.Fatalf("after a short visit brisk is %d, want a time that is over", at)
		}
		accept(t, h.q, delivery(1, look(repo(1, 1), 0)))
		v, ok, err := h.q.choose(t.Context())
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		h.clock.Move(time.Minute + time.Second)
		if held, err := h.q.renew(t.Context(), v); !held || err != nil {
			t.Fatal(held, err)
		}
		until := h.clock.Now().Add(2 * time.Hour).UnixMicro()
		if at := brisk(1); at != until {
			t.Fatalf("during a long visit brisk is from %d on, want %d", at, until)
		}
		// Its next visit has one worker, and no second one beside it.
		if _, err := h.q.end(v, event.Visited{}, nil); err != nil {
			t.Fatal(err)
		}
		h.q.left(v)
		accept(t, h.q, delivery(2, look(repo(1, 1), 0)))
		if v, ok, err = h.q.choose(t.Context()); !ok || err != nil || v.isBrisk() {
			t.Fatalf("chosen %v, brisk %v, %v; want a visit that is not", ok, v != nil && v.isBrisk(), err)
		}
		if _, err := h.q.end(v, event.Visited{}, nil); err != nil {
			t.Fatal(err)
		}
		h.q.left(v)
		if at := brisk(1); at != until {
			t.Errorf("after a short visit brisk is from %d on, want still %d", at, until)
		}
		h.clock.Move(2 * time.Hour)
		accept(t, h.q, delivery(3, look(repo(1, 1), 0)))
		if v, ok, err = h.q.choose(t.Context()); !ok || err != nil || !v.isBrisk() {
			t.Fatalf("chosen %v, %v; want a visit that is brisk again", ok, err)
		}
	})
}
