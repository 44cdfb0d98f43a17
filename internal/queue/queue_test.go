package queue

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/store"
	"github.com/pinnace-dev/pinnace/internal/store/postgres"
)

// At its start a queue visits every repository, and then those that events are about.
func TestRun(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		a, b := repo(1, 10), repo(2, 20)
		w := newWorld(a, b)
		heard := &hearing{}
		q, stop := start(t, Options{Store: open(t, url, store.Options{}), Work: w, Observer: heard, Again: []time.Duration{}})
		w.await(t, "a first visit to each", func() bool { return w.seen(a) == 1 && w.seen(b) == 1 })
		settled(t, q)

		if !accept(t, q, delivery(1, look(a, 7))) {
			t.Error("a first delivery is not fresh")
		}
		if accept(t, q, delivery(1, look(a, 7))) {
			t.Error("a second one is")
		}
		w.await(t, "a visit for the event", func() bool { return w.seen(a) == 2 })
		if s := settled(t, q); s.Subjects != 5 || s.Dirty != 0 || s.Oldest != 0 {
			t.Errorf("status %+v, want 5 subjects, none dirty", s)
		}
		stop()
		w.check(t)
		last := w.visits[len(w.visits)-1]
		if !slices.Equal(last.Pulls, []int{7}) || last.Since.IsZero() || last.Owner != "acme" || last.Name != "r10" {
			t.Errorf("the visit for the event is %+v", last)
		}
		if got := w.seen(b); got != 1 {
			t.Errorf("%d visits to a repository that nothing happened to, want the first alone", got)
		}
		// The App, two installations, two repositories, and one of these again.
		if diff := cmp.Diff(heard.counts, map[string]int{"fresh": 1, "known": 1, "begun": 6, "waited": 1, "ended done": 6, "swept": 1}); diff != "" {
			t.Errorf("observed (got, want): %s", diff)
		}
		if err := last.Fence(); !errors.Is(err, store.ErrExpired) {
			t.Errorf("the fence of a visit that is over: %v, want ErrExpired", err)
		}
	})
}

// A hearing counts what an observer is told.
type hearing struct {
	mu     sync.Mutex
	counts map[string]int
}

func (h *hearing) count(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.counts == nil {
		h.counts = map[string]int{}
	}
	h.counts[what]++
}

func (h *hearing) Accepted(fresh bool, _ time.Duration) {
	if fresh {
		h.count("fresh")
	} else {
		h.count("known")
	}
}

func (h *hearing) Refused() { h.count("refused") }

func (h *hearing) Begun(waited time.Duration) {
	h.count("begun")
	if waited > 0 {
		h.count("waited")
	}
}

func (h *hearing) Ended(o Outcome, _ time.Duration, _ int) { h.count("ended " + string(o)) }

func (h *hearing) Swept(int, int) { h.count("swept") }

// Ten thousand events for one repository are a handful of visits, and the last of these begins
// after the last event.
func TestBurst(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		a := repo(1, 10)
		w := newWorld(a)
		events := 10_000
		if testing.Short() {
			events = 1000
		}
		var accepted int // guarded by w.mu
		var latest int   // accepted when the latest visit began
		w.visit = func(context.Context, event.Visit) (event.Visited, error) {
			w.change(func() { latest = accepted })
			return event.Visited{}, nil
		}
		q, _ := start(t, Options{Store: open(t, url, store.Options{}), Work: w})
		w.await(t, "a first visit", func() bool { return w.seen(a) > 0 })
		settled(t, q)
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				for n := i; n < events; n += 16 {
					accept(t, q, delivery(n, look(a, n%200+1)))
					w.mu.Lock()
					accepted++
					w.mu.Unlock()
				}
			})
		}
		all.Wait()
		w.await(t, "a visit after the last event", func() bool { return latest == events })
		settled(t, q)
		w.check(t)
		// On two busy cores the burst itself takes a while; each 5 s of it may have a visit.
		if n := w.seen(a); n > 20 {
			t.Errorf("%d visits for %d events", n, events)
		} else {
			t.Logf("%d visits for %d events", n, events)
		}
	})
}

// The visits of a burst, on a clock: how many there are does not depend on how fast they are.
func TestPace(t *testing.T) {
	h := byHand(t, "sqlite:"+filepath.Join(t.TempDir(), "pinnace.db"), Options{}, repo(1, 10))
	a, begun := repo(1, 10), []time.Duration(nil)
	h.w.visit = func(context.Context, event.Visit) (event.Visited, error) {
		begun = append(begun, h.clock.Now().Sub(newClock().at)-time.Minute)
		return event.Visited{}, nil
	}
	for n := range 100 {
		accept(t, h.q, delivery(n, look(a, 0)))
		h.pass(200 * time.Millisecond)
	}
	ms := func(n ...int) (all []time.Duration) {
		for _, m := range n {
			all = append(all, time.Duration(m)*time.Millisecond)
		}
		return all
	}
	if diff := cmp.Diff(begun, ms(200, 400, 600, 1200, 1800, 2400, 3000, 3600, 4200, 4800, 5400, 10400, 15400)); diff != "" {
		t.Errorf("visits during 20 s of an event every 200 ms (got, want): %s", diff)
	}
	begun = nil
	h.pass(5 * time.Second)
	h.pass(11 * time.Second)
	accept(t, h.q, delivery(1000, look(a, 0)))
	h.pass(0)
	if len(begun) < 2 || begun[len(begun)-1] != 36*time.Second {
		t.Errorf("visits %v, want one at once for an event after a calm while", begun)
	}
}

// A delivery that could not be kept does not make its redelivery a duplicate.
func TestDuplicateOnlyAfterCommit(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		h := byHand(t, url, Options{}, repo(1, 10))
		d := delivery(1, look(repo(1, 10), 3))
		rename := func(from, to string) {
			t.Helper()
			if _, err := h.store.DB().Exec("ALTER TABLE " + from + " RENAME TO " + to); err != nil {
				t.Fatal(err)
			}
		}
		// The inbox takes the delivery, and then its raise fails.
		rename("subjects", "away")
		if _, err := h.q.Accept(t.Context(), d); err == nil {
			t.Fatal("accepted what was not kept")
		}
		rename("away", "subjects")
		if !accept(t, h.q, d) {
			t.Error("the redelivery is a duplicate of a delivery that was not kept")
		}
		if accept(t, h.q, d) {
			t.Error("a third one is fresh, too")
		}
		h.serve()
		if h.w.seen(repo(1, 10)) != 1 {
			t.Errorf("visits %v, want one", h.w.visits)
		}
	})
}

// A transaction that fails when it is committed has kept nothing.
func TestCommitFails(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		h := byHand(t, url, Options{}, repo(1, 10))
		begin, end := []string{
			"CREATE TABLE parents (id TEXT PRIMARY KEY)",
			"CREATE TABLE children (id TEXT REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)",
		}, []string{"DROP TRIGGER orphan ON inbox"}
		if h.store.SQLite() {
			begin = append(begin, "CREATE TRIGGER orphan AFTER INSERT ON inbox BEGIN INSERT INTO children VALUES ('none'); END")
			end = []string{"DROP TRIGGER orphan"}
		} else {
			begin = append(begin,
				"CREATE FUNCTION orphan() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO children VALUES ('none'); RETURN NEW; END $$",
				"CREATE TRIGGER orphan AFTER INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION orphan()")
		}
		execute := func(statements []string) {
			t.Helper()
			for _, s := range statements {
				if _, err := h.store.DB().Exec(s); err != nil {
					t.Fatal(err)
				}
			}
		}
		execute(begin)
		d := delivery(1, look(repo(1, 10), 3))
		if fresh, err := h.q.Accept(t.Context(), d); err == nil || fresh {
			t.Fatalf("accepted what was not committed: %v, %v", fresh, err)
		}
		h.serve()
		if n := h.w.seen(repo(1, 10)); n != 0 {
			t.Errorf("%d visits for a delivery that was not accepted", n)
		}
		execute(end)
		if !accept(t, h.q, d) {
			t.Error("the redelivery is a duplicate")
		}
	})
}

// On a full disk nothing is accepted; with room again the same delivery is.
func TestFullDisk(t *testing.T) {
	h := byHand(t, "sqlite:"+filepath.Join(t.TempDir(), "pinnace.db"), Options{}, repo(1, 10))
	limit := func(pages int) {
		t.Helper()
		if _, err := h.store.Writer().Exec(fmt.Sprint("PRAGMA max_page_count = ", pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // which SQLite takes for: not one page more than there are
	var kept []event.Delivery
	var refused *event.Delivery
	for n := range 20_000 {
		d := delivery(n, look(repo(1, int64(n)+100), 1))
		fresh, err := h.q.Accept(t.Context(), d)
		if err != nil {
			if !strings.Contains(err.Error(), "no space left for the database") {
				t.Errorf("the error is %v", err)
			}
			refused = &d
			break
		}
		if !fresh {
			t.Fatalf("delivery %d is not fresh", n)
		}
		kept = append(kept, d)
	}
	if refused == nil || len(kept) == 0 {
		t.Fatalf("%d deliveries were kept, and none refused", len(kept))
	}
	limit(1 << 30)
	if !accept(t, h.q, *refused) {
		t.Error("the delivery that was refused is a duplicate")
	}
	for _, d := range kept {
		if accept(t, h.q, d) {
			t.Fatalf("delivery %s was accepted, and is not there", d.GUID)
		}
	}
}

func TestAcceptRefuses(t *testing.T) {
	h := byHand(t, "sqlite:"+filepath.Join(t.TempDir(), "pinnace.db"), Options{})
	for _, c := range []struct {
		name string
		d    event.Delivery
		want string
	}{
		{"no GUID", event.Delivery{}, "it has no GUID"},
		{"a long one", event.Delivery{GUID: strings.Repeat("a", 129)}, "129 bytes"},
		{"a strange one", event.Delivery{GUID: "a\x00b"}, "characters that no GUID has"},
		{"too much", event.Delivery{GUID: "a", Looks: make([]event.Look, 20001)}, "20001 looks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if fresh, err := h.q.Accept(t.Context(), c.d); fresh || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, %v, want %q", fresh, err, c.want)
			}
		})
	}
}

// What a payload says of names may be anything.
func TestHostileNames(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		h := byHand(t, url, Options{})
		l := event.Look{Subject: repo(1, 10), Owner: "a\x00\xff'; DROP TABLE subjects; --", Name: strings.Repeat("é", 5000), Pull: 1 << 40}
		d := delivery(1, l, event.Look{Subject: repo(-5, -6)}, event.Look{Subject: repo(1, 10), Pull: -1})
		d.Event, d.Action = "x\x00", strings.Repeat("y", 1<<16)
		if !accept(t, h.q, d) {
			t.Error("it is not fresh")
		}
		h.serve()
		if got := h.w.visits[len(h.w.visits)-1]; got.Owner != "a?'; DROP TABLE subjects; --" || len(got.Name) > 256 || !slices.Equal(got.Pulls, []int{1 << 40}) {
			t.Errorf("visited %+v", got)
		}
	})
}

// Whom looks raise.
func TestRaises(t *testing.T) {
	for _, c := range []struct {
		name  string
		looks []event.Look
		want  []string
	}{
		{"none", nil, nil},
		{"a repository", []event.Look{look(repo(1, 10), 7)}, []string{"1/10 acme/r10 [7]"}},
		{"twice the same, with two pull requests", []event.Look{look(repo(1, 10), 7), look(repo(1, 10), 8), look(repo(1, 10), 7)}, []string{"1/10 acme/r10 [7 8]"}},
		{"an installation", []event.Look{{Subject: repo(1, 0)}}, []string{"1/0 / []"}},
		{"all of an installation", []event.Look{{Subject: repo(1, 0), Everywhere: true}}, []string{"1/0 / [] everywhere"}},
		{"an installation that is gone", []event.Look{{Subject: repo(1, 0), Gone: true}}, []string{"0/0 / []"}},
		{"a repository that is gone", []event.Look{{Subject: repo(1, 10), Gone: true}}, []string{"1/0 / []"}},
		{"a push to a registry", []event.Look{{Subject: repo(1, 0), Image: "ghcr.io/acme/api:1"}}, nil},
		{"a push to a repository's registry", []event.Look{{Subject: repo(1, 10), Image: "ghcr.io/acme/api:1"}}, []string{"1/10 / []"}},
		{"no installation", []event.Look{{Subject: repo(0, 10)}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, r := range raises(c.looks, time.Time{}, true) {
				s := fmt.Sprintf("%d/%d %s/%s %v", r.Installation, r.Repository, r.owner, r.name, r.pulls)
				if r.everywhere {
					s += " everywhere"
				}
				got = append(got, s)
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("(got, want): %s", diff)
			}
		})
	}
}

// A holder that was stopped beyond its lease may write no more, by its own clock and before
// anything tells it; another one visits meanwhile; and what the first one has to say about its
// visit counts for nothing.
func TestStoppedBeyondItsLease(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		a := repo(1, 10)
		h := byHand(t, url, Options{Lease: 30 * time.Second}, a)
		accept(t, h.q, delivery(1, look(a, 7)))
		var fences []error
		h.w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
			h.w.visit = func(_ context.Context, second event.Visit) (event.Visited, error) {
				fences = append(fences, second.Fence())
				if !slices.Equal(second.Pulls, []int{7}) {
					t.Errorf("the second visit has pulls %v", second.Pulls)
				}
				return event.Visited{}, nil
			}
			fences = append(fences, v.Fence())
			h.clock.Move(23 * time.Second)
			fences = append(fences, v.Fence())
			h.clock.Move(time.Second)
			fences = append(fences, v.Fence())
			// Another process takes it up, which on PostgreSQL a second one is.
			other := &hand{t: t, clock: h.clock, store: h.store, w: newWorld(), q: h.q}
			other.w.visit = h.w.visit
			q, err := New(Options{Store: h.store, Work: other.w, Now: h.clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			other.q = q
			other.pass(0)
			if n := other.w.seen(a); n != 0 {
				t.Errorf("%d visits by another process before the lease ran out", n)
			}
			other.pass(6 * time.Second)
			if n := other.w.seen(a); n != 1 {
				t.Errorf("%d visits by another process after it ran out, want 1", n)
			}
			return event.Visited{Gone: true}, nil
		}
		h.serve()
		var got []bool
		for _, err := range fences {
			got = append(got, err == nil)
			if err != nil && !errors.Is(err, store.ErrExpired) {
				t.Errorf("the fence says %v", err)
			}
		}
		if want := []bool{true, true, false, true}; !slices.Equal(got, want) {
			t.Errorf("the fences were open %v, want %v", got, want)
		}
		if s := status(t, h.q); s.Dirty != 0 || s.Subjects != 3 {
			t.Errorf("status %+v: the first visit's end was written down", s)
		}
	})
}

// A visit that panics and one that kills its process are quarantined; all others are made.
func TestPoison(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		subjects := int64(1000)
		if strings.HasPrefix(url, "sqlite:") || testing.Short() {
			subjects = 200 // on SQLite each visit is two flushes of the disk
		}
		panics, kills := repo(1, 50), repo(2, 150)
		var repos []event.Subject
		for n := range subjects {
			repos = append(repos, repo(n/100+1, n+1))
		}
		h := &hand{t: t, clock: newClock(), w: newWorld(repos...)}
		h.store = open(t, url, store.Options{Now: h.clock.Now})
		o := Options{Workers: 4, Resync: time.Hour}
		dead, cured := 0, false
		h.w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
			switch {
			case cured:
			case v.Subject == panics:
				panic("as a test wants it")
			case v.Subject == kills:
				dead++
				return event.Visited{}, store.ErrExpired
			}
			return event.Visited{}, nil
		}
		h.restart(o)
		for n := 0; n < 60; n++ {
			before := dead
			h.pass(31 * time.Second)
			if dead > before {
				h.restart(o)
			}
		}
		s := status(t, h.q)
		if s.Quarantined != 2 || s.Dirty != 2 {
			t.Fatalf("status %+v, want two in quarantine and nothing else to do", s)
		}
		for i, want := range []struct {
			about   event.Subject
			problem string
		}{{panics, "panicked: panic: as a test wants it"}, {kills, "the process died"}} {
			got := s.Troubled[slices.IndexFunc(s.Troubled, func(p Troubled) bool { return p.Repository == want.about.Repository })]
			if !strings.HasPrefix(got.Problem, want.problem) || got.Quarantined.IsZero() || got.Next.IsZero() || got.Name != fmt.Sprint("acme/r", want.about.Repository) {
				t.Errorf("%d: %+v, want the problem %q", i, got, want.problem)
			}
			if n := h.w.seen(want.about); n != 5 {
				t.Errorf("%d visits to %v, want 5", n, want.about)
			}
		}
		for _, r := range repos {
			if h.w.seen(r) == 0 {
				t.Errorf("%v was never visited", r)
			}
		}
		// Events do not bring it back, a resync tries it once, and a visit that succeeds frees it.
		h.forget()
		accept(t, h.q, delivery(1, look(panics, 0)))
		h.serve()
		if n := h.w.seen(panics); n != 0 {
			t.Errorf("%d visits to a quarantined subject for an event", n)
		}
		for range 70 {
			h.pass(time.Minute)
		}
		if n := h.w.seen(panics); n != 1 {
			t.Errorf("%d visits to a quarantined subject within a resync, want 1", n)
		}
		cured = true
		if err := h.q.Release(t.Context(), panics); err != nil {
			t.Fatal(err)
		}
		h.serve()
		for range 70 {
			h.pass(time.Minute)
		}
		if s := status(t, h.q); s.Quarantined != 0 || s.Dirty != 0 {
			t.Errorf("status after the cure: %+v", s)
		}
		if err := h.q.Release(t.Context(), repo(9, 9)); err == nil || !strings.Contains(err.Error(), "no such subject") {
			t.Errorf("released what is not known: %v", err)
		}
	})
}

// Those that happen to be visited while another visit kills the process again and again are
// not taken for it.
func TestInnocent(t *testing.T) {
	h := byHand(t, "sqlite:"+filepath.Join(t.TempDir(), "pinnace.db"), Options{}, repo(1, 1), repo(2, 2), repo(3, 3), repo(4, 4))
	kills := repo(3, 3)
	for n := range int64(4) {
		accept(t, h.q, delivery(int(n), look(repo(n+1, n+1), 0)))
	}
	for range 40 {
		// As four workers would: choose until nothing may be chosen, and then die if the one is among
		// the chosen.
		var chosen []*stay
		for {
			v, ok, err := h.q.choose(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			chosen = append(chosen, v)
		}
		if slices.ContainsFunc(chosen, func(v *stay) bool { return v.Subject == kills }) {
			h.restart(Options{})
		} else {
			for _, v := range chosen {
				h.q.stay(v)
			}
		}
		h.clock.Move(11 * time.Second)
		if err := h.q.wakeAll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s := status(t, h.q)
	if s.Quarantined != 1 || s.Troubled[0].Repository != kills.Repository {
		t.Errorf("status %+v, want the one that kills in quarantine", s)
	}
}

// A process that is killed over and over within a moment does not send anyone into quarantine.
func TestRestartStorm(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		h := byHand(t, url, Options{}, repo(1, 1), repo(2, 2))
		accept(t, h.q, delivery(1, look(repo(1, 1), 0)))
		for range 100 {
			if _, _, err := h.q.choose(t.Context()); err != nil {
				t.Fatal(err)
			}
			// On PostgreSQL another process must wait for the lease of the dead one.
			h.clock.Move(300 * time.Millisecond)
			h.restart(Options{})
		}
		for range 20 {
			h.pass(31 * time.Second)
		}
		if s := status(t, h.q); s.Quarantined != 0 || s.Dirty != 0 {
			t.Errorf("status %+v, want nothing left to do", s)
		}
	})
}

// One installation with many repositories neither holds all workers nor keeps others waiting.
func TestFair(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		hostile, normal := 400, 50
		if testing.Short() {
			hostile = 200
		}
		var repos []event.Subject
		for n := range int64(hostile) {
			repos = append(repos, repo(1, n+1))
		}
		for n := range int64(normal) {
			repos = append(repos, repo(n+2, 1000+n))
		}
		w := newWorld(repos...)
		q, _ := start(t, Options{Store: open(t, url, store.Options{}), Work: w, Workers: 8, Again: []time.Duration{}})
		for _, r := range repos {
			w.await(t, fmt.Sprint("a first visit to ", r), func() bool { return w.seen(r) > 0 })
		}
		settled(t, q)

		// The hostile installation's visits take for ever until the gate opens.
		gate := make(chan struct{})
		w.change(func() {
			w.visits = nil
			w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
				if v.Installation == 1 {
					<-gate
				}
				return event.Visited{}, nil
			}
		})
		var looks []event.Look
		for n := range int64(hostile) {
			looks = append(looks, look(repo(1, n+1), 0))
		}
		accept(t, q, delivery(1, looks...))
		w.await(t, "six visits to the hostile installation", func() bool { return len(w.under) == 6 })
		for n := range int64(normal) {
			accept(t, q, delivery(int(n)+2, look(repo(n+2, 1000+n), 0)))
		}
		w.await(t, "visits to all others", func() bool {
			for n := range int64(normal) {
				if w.seen(repo(n+2, 1000+n)) == 0 {
					return false
				}
			}
			return true
		})
		w.mu.Lock()
		if n := len(w.visits); n != normal+6 {
			t.Errorf("%d visits while the hostile installation's last for ever, want %d and 6", n, normal)
		}
		w.mu.Unlock()

		// With visits that do end, what comes behind a backlog is served long before it is worked off.
		marks := len(w.visits)
		for n := range int64(normal) {
			accept(t, q, delivery(int(n)+1000, look(repo(n+2, 1000+n), 0)))
		}
		close(gate)
		settled(t, q)
		last := 0
		for i, v := range w.visits[marks:] {
			if v.Installation != 1 {
				last = i
			}
		}
		if most := 2 * normal; last > most {
			t.Errorf("the last of %d others was visited after %d visits, most of them the hostile installation's; want at most %d", normal, last, most)
		}
		w.check(t)
	})
}

// Events come before what only time asks for, and do not keep it from ever happening.
func TestUrgentFirst(t *testing.T) {
	var repos []event.Subject
	for n := range int64(40) {
		repos = append(repos, repo(1, n+1))
	}
	busy := repo(1, 1)
	h := byHand(t, "sqlite:"+filepath.Join(t.TempDir(), "pinnace.db"), Options{}, append(repos, repo(2, 100))...)
	accept(t, h.q, delivery(1, event.Look{Subject: repo(1, 0), Everywhere: true}))
	h.w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
		if n := len(h.w.visits); n == 1 {
			accept(t, h.q, delivery(2, look(repo(2, 100), 0)))
			accept(t, h.q, delivery(3, look(repo(1, 40), 9)))
		}
		return event.Visited{}, nil
	}
	h.serve()
	at := func(s event.Subject) int {
		return slices.IndexFunc(h.w.visits, func(v event.Visit) bool { return v.Subject == s })
	}
	if a, b := at(repo(2, 100)), at(repo(1, 40)); max(a, b) > 2 {
		t.Errorf("visited for events as number %d and %d, want right after the one under way", a, b)
	}
	// Without end events for some: the others' resyncs take place all the same.
	h.clock.Move(2 * time.Hour)
	h.forget()
	n := 10
	h.w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
		h.clock.Move(6 * time.Second)
		if n++; n < 2000 {
			accept(t, h.q, delivery(n, look(busy, 0)))
			if err := h.q.wakeAll(t.Context()); err != nil {
				t.Error(err)
			}
		}
		return event.Visited{}, nil
	}
	accept(t, h.q, delivery(10, look(busy, 0)))
	if err := h.q.wakeAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.serve()
	for _, r := range repos {
		if i := at(r); i < 0 || i > 1900 {
			t.Errorf("%v was visited as number %d of %d", r, i, len(h.w.visits))
		}
	}
}

// Several processes on one PostgreSQL: no two visit a subject at a time, one that stops leaves
// its work to the others, and all is done.
func TestReplicas(t *testing.T) {
	url := postgres.Start(t)
	var repos []event.Subject
	for n := range int64(30) {
		repos = append(repos, repo(n%3+1, n+1))
	}
	w := newWorld(repos...)
	var replicas []*Queue
	var stops []func()
	for range 4 {
		q, stop := start(t, Options{Store: open(t, url, store.Options{Connections: 12}), Work: w, Workers: 4})
		replicas, stops = append(replicas, q), append(stops, stop)
	}
	var all sync.WaitGroup
	latest := map[event.Subject]int{} // the last event's number; guarded by w.mu
	knows := map[event.Subject]int{}  // what the last visit began with
	w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
		w.mu.Lock()
		n := latest[v.Subject]
		w.mu.Unlock()
		return event.Visited{}, w.whole(v, n, knows)
	}
	for i := range 4 {
		all.Go(func() {
			for n := i; n < 600; n += 4 {
				r := repos[n*7%len(repos)]
				q := replicas[0] // which goes on
				if i > 1 && n > 300 {
					q = replicas[3]
				}
				accept(t, q, delivery(n, look(r, 0)))
				w.mu.Lock()
				latest[r] = max(latest[r], n)
				w.mu.Unlock()
				if n == 200 {
					stops[1]()
				}
				if n == 401 {
					stops[2]()
				}
			}
		})
	}
	all.Wait()
	w.await(t, "a visit after each subject's last event", func() bool {
		for r, n := range latest {
			if knows[r] < n {
				return false
			}
		}
		return true
	})
	if s := settled(t, replicas[0]); s.Quarantined != 0 || len(s.Troubled) != 0 {
		t.Errorf("status %+v", s)
	}
	w.check(t)
}

// A server that throws everyone out now and then: what was accepted is seen to all the same,
// and what was not is taken when it is delivered again.
func TestCutOff(t *testing.T) {
	url := postgres.Start(t)
	repos := []event.Subject{repo(1, 1), repo(1, 2), repo(2, 3)}
	w := newWorld(repos...)
	latest, knows := map[event.Subject]int{}, map[event.Subject]int{} // guarded by w.mu
	w.visit = func(_ context.Context, v event.Visit) (event.Visited, error) {
		w.mu.Lock()
		n := latest[v.Subject]
		w.mu.Unlock()
		return event.Visited{}, w.whole(v, n, knows)
	}
	q, _ := start(t, Options{Store: open(t, url, store.Options{}), Work: w, Lease: 3 * time.Second, Again: []time.Duration{}})
	for _, r := range repos {
		w.await(t, "a first visit", func() bool { return w.seen(r) > 0 })
	}
	other := open(t, url, store.Options{Connections: 1})
	refused := 0
	for n := range 240 {
		if n%30 == 15 {
			if _, err := other.DB().Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
				t.Fatal(err)
			}
		}
		r := repos[n%3]
		for {
			_, err := q.Accept(t.Context(), delivery(n, look(r, 0)))
			if err == nil {
				break
			}
			if refused++; refused > 1000 {
				t.Fatal(err)
			}
		}
		w.mu.Lock()
		latest[r] = n
		w.mu.Unlock()
	}
	w.await(t, "a visit after each subject's last event", func() bool {
		for r, n := range latest {
			if knows[r] < n {
				return false
			}
		}
		return true
	})
	if s := settled(t, q); s.Quarantined != 0 {
		t.Errorf("status %+v", s)
	}
	w.check(t)
	t.Logf("%d deliveries were refused", refused)
}

// whole notes what a visit began with, having taken a moment.
func (w *world) whole(v event.Visit, n int, knows map[event.Subject]int) error {
	if err := v.Fence(); err != nil {
		return err
	}
	w.change(func() { knows[v.Subject] = max(knows[v.Subject], n) })
	return nil
}

// When Run's context ends, visits may end for a while, those that do not are told to, and the
// next process goes on at once.
func TestShutdown(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		quick, slow := repo(1, 1), repo(2, 2)
		w := newWorld(quick, slow)
		s := open(t, url, store.Options{})
		q, stop := start(t, Options{Store: s, Work: w, Grace: 300 * time.Millisecond})
		w.await(t, "a first visit to each", func() bool { return w.seen(quick) > 0 && w.seen(slow) > 0 })
		settled(t, q)
		stopping := make(chan struct{})
		w.change(func() {
			w.visits = nil
			w.visit = func(ctx context.Context, v event.Visit) (event.Visited, error) {
				<-stopping
				if v.Subject == slow {
					<-ctx.Done()
					return event.Visited{}, fmt.Errorf("read repository: %w: %w", promotion.ErrTransient, ctx.Err())
				}
				return event.Visited{}, nil
			}
		})
		accept(t, q, delivery(1, look(quick, 0)))
		accept(t, q, delivery(2, look(slow, 5)))
		w.await(t, "both visits", func() bool { return len(w.under) == 2 })
		done := make(chan struct{})
		go func() { stop(); close(done) }()
		close(stopping)
		<-done
		st := status(t, q)
		if st.Running != 0 || st.Dirty != 1 || st.Waiting != 1 || len(st.Troubled) != 0 {
			t.Errorf("status after the stop: %+v, want the slow one to wait", st)
		}
		w.change(func() { w.visits, w.visit = nil, nil })
		q, stop = start(t, Options{Store: s, Work: w})
		w.await(t, "the slow one's visit by the next process", func() bool {
			return slices.ContainsFunc(w.visits, func(v event.Visit) bool { return v.Subject == slow && slices.Equal(v.Pulls, []int{5}) })
		})
		settled(t, q)
		stop()
		w.check(t)
	})
}

// Deleted, restored from yesterday's copy, or as it was: everything is visited after a start.
func TestOldDatabase(t *testing.T) {
	a, b, c := repo(1, 1), repo(1, 2), repo(2, 3)
	p := filepath.Join(t.TempDir(), "pinnace.db")
	h := byHand(t, "sqlite:"+p, Options{}, a, b)
	if _, err := h.store.DB().Exec("VACUUM INTO $1", p+".copy"); err != nil {
		t.Fatal(err)
	}
	// After the copy: an event that was seen to, an installation that came, a repository that went.
	accept(t, h.q, delivery(1, look(a, 4)))
	h.w.repos = newWorld(a, c).repos
	h.pass(3 * time.Hour)
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"an old copy", "none"} {
		for _, end := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(p + end); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		if kind == "an old copy" {
			if err := os.Rename(p+".copy", p); err != nil {
				t.Fatal(err)
			}
		}
		h.store = open(t, "sqlite:"+p, store.Options{Now: h.clock.Now})
		h.forget()
		h.restart(Options{})
		h.serve()
		if h.w.seen(a) == 0 || h.w.seen(c) == 0 {
			t.Errorf("%s: visits %v, want all repositories", kind, h.w.visits)
		}
		h.forget()
		h.pass(3 * time.Hour)
		if h.w.seen(b) != 0 {
			t.Errorf("%s: the repository that went is visited", kind)
		}
		if s := status(t, h.q); s.Dirty != 0 || s.Subjects != 5 {
			t.Errorf("%s: status %+v, want the App, two installations and two repositories", kind, s)
		}
		if err := h.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
