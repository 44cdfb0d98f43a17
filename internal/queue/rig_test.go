package queue

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/store"
	"github.com/pinnace-dev/pinnace/internal/store/postgres"
)

// soon is how long anything may take that a test waits for.
const soon = 60 * time.Second

// databases runs a test on SQLite on disk and on a real PostgreSQL.
func databases(t *testing.T, f func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, lite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, postgres.Start(t)) })
}

// lite is a new SQLite database.
func lite(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "pinnace.db") }

func open(t testing.TB, url string, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url, o)
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

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

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

// A world is what GitHub would say, and what was asked of it.
type world struct {
	mu       sync.Mutex
	changed  chan struct{} // closed and replaced with each change
	repos    map[int64][]event.Repository
	visits   []event.Visit
	under    map[event.Subject]int // visits under way
	most     int                   // at a time
	surveys  map[int64]int
	attempts []event.Attempt
	asked    []int64 // redeliveries
	problems []string

	// visit does what a test wants in a visit; it is called without the lock.
	visit     func(context.Context, event.Visit) (event.Visited, error)
	redeliver func(int64) error
}

func newWorld(repos ...event.Subject) *world {
	w := &world{changed: make(chan struct{}), repos: map[int64][]event.Repository{}, under: map[event.Subject]int{}, surveys: map[int64]int{}}
	for _, r := range repos {
		w.repos[r.Installation] = append(w.repos[r.Installation], event.Repository{Subject: r, Owner: "acme", Name: fmt.Sprint("r", r.Repository)})
	}
	return w
}

func (w *world) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	close(w.changed)
	w.changed = make(chan struct{})
}

// await returns once f is true, which is asked under the lock after each change.
func (w *world) await(t testing.TB, what string, f func() bool) {
	t.Helper()
	late := time.After(soon)
	for {
		w.mu.Lock()
		ok, changed := f(), w.changed
		w.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late:
			w.mu.Lock()
			defer w.mu.Unlock()
			t.Fatalf("not within %s: %s; %d visits, under way %v", soon, what, len(w.visits), w.under)
		}
	}
}

func (w *world) Installations(context.Context) ([]int64, error) {
	var all []int64
	w.change(func() {
		w.surveys[0]++
		for i := range w.repos {
			all = append(all, i)
		}
	})
	slices.Sort(all)
	return all, nil
}

func (w *world) Repositories(_ context.Context, i int64) (all []event.Repository, err error) {
	w.change(func() {
		w.surveys[i]++
		all = slices.Clone(w.repos[i])
	})
	return all, nil
}

func (w *world) Visit(ctx context.Context, v event.Visit) (event.Visited, error) {
	w.change(func() {
		w.visits = append(w.visits, v)
		w.under[v.Subject]++
		n := 0
		for _, u := range w.under {
			n += u
		}
		w.most = max(w.most, n)
		if w.under[v.Subject] > 1 {
			w.problems = append(w.problems, fmt.Sprintf("two visits to %v at a time", v.Subject))
		}
	})
	defer w.change(func() {
		if w.under[v.Subject]--; w.under[v.Subject] == 0 {
			delete(w.under, v.Subject)
		}
	})
	if w.visit == nil {
		return event.Visited{}, nil
	}
	return w.visit(ctx, v)
}

func (w *world) Attempts(_ context.Context, since time.Time) ([]event.Attempt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.attempts), func(a event.Attempt) bool { return a.At.Before(since) }), nil
}

func (w *world) Redeliver(_ context.Context, id int64) error {
	w.change(func() { w.asked = append(w.asked, id) })
	if w.redeliver != nil {
		return w.redeliver(id)
	}
	return nil
}

// seen counts the visits to a subject.
func (w *world) seen(s event.Subject) (n int) {
	for _, v := range w.visits {
		if v.Subject == s {
			n++
		}
	}
	return n
}

// check fails the test where two visits to one subject overlapped.
func (w *world) check(t testing.TB) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.problems {
		t.Error(p)
	}
}

// start makes a queue and runs it until the test ends, or until stop is called, which waits.
func start(t testing.TB, o Options) (q *Queue, stop func()) {
	t.Helper()
	q, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return q, stop
}

func repo(installation, repository int64) event.Subject {
	return event.Subject{Installation: installation, Repository: repository}
}

func look(s event.Subject, pull int) event.Look {
	return event.Look{Subject: s, Owner: "acme", Name: fmt.Sprint("r", s.Repository), Pull: pull}
}

func delivery(n int, looks ...event.Look) event.Delivery {
	return event.Delivery{GUID: fmt.Sprintf("00000000-0000-0000-0000-%012d", n), Event: "push", Received: time.Now(), Looks: looks}
}

func accept(t testing.TB, q *Queue, d event.Delivery) bool {
	t.Helper()
	fresh, err := q.Accept(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

func status(t testing.TB, q *Queue) Status {
	t.Helper()
	s, err := q.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// settled waits until nothing waits or is visited, and what is dirty is quarantined or paused.
func settled(t testing.TB, q *Queue) Status {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(soon)
	for {
		s := status(t, q)
		if s.Waiting == 0 && s.Running == 0 && s.Dirty <= s.Quarantined {
			return s
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not settled within %s: %+v", soon, s)
		}
	}
}

// A hand works a queue by hand, on a clock that only it moves: nothing happens by itself.
type hand struct {
	t     *testing.T
	clock *clock
	store *store.Store
	w     *world
	q     *Queue
}

// byHand returns a hand on a queue that has visited everything once.
func byHand(t *testing.T, url string, o Options, repos ...event.Subject) *hand {
	t.Helper()
	h := &hand{t: t, clock: newClock(), w: newWorld(repos...)}
	h.store = open(t, url, store.Options{Now: h.clock.Now})
	h.restart(o)
	h.serve()
	// Long enough for no streak to go on.
	h.clock.Move(time.Minute)
	h.forget()
	return h
}

// restart is what a new process does first.
func (h *hand) restart(o Options) {
	h.t.Helper()
	o.Store, o.Work, o.Now = h.store, h.w, h.clock.Now
	q, err := New(o)
	if err != nil {
		h.t.Fatal(err)
	}
	h.q = q
	if err := q.begin(context.Background()); err != nil {
		h.t.Fatal(err)
	}
}

// serve makes all visits whose turn has come.
func (h *hand) serve() {
	h.t.Helper()
	if err := h.q.serve(context.Background()); err != nil {
		h.t.Fatal(err)
	}
}

// pass lets time pass, and then does what is due.
func (h *hand) pass(d time.Duration) {
	h.t.Helper()
	h.clock.Move(d)
	if err := h.q.collect(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	if err := h.q.wakeAll(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	h.serve()
}

// forget forgets the visits so far.
func (h *hand) forget() {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	h.w.visits = nil
}

// until lets time pass from one moment at which something is due to the next until a subject is
// visited, and returns how long that took, or most where it was not.
func (h *hand) until(s event.Subject, most time.Duration) time.Duration {
	h.t.Helper()
	h.forget()
	begin := h.clock.Now()
	h.pass(0)
	for h.w.seen(s) == 0 {
		var due int64
		if err := h.store.DB().QueryRow("SELECT COALESCE(MIN(due), 0) FROM subjects WHERE due > 0").Scan(&due); err != nil {
			h.t.Fatal(err)
		}
		next := time.UnixMicro(due)
		if due == 0 || next.Sub(begin) >= most {
			h.clock.Move(begin.Add(most).Sub(h.clock.Now()))
			return most
		}
		h.pass(max(0, next.Sub(h.clock.Now())))
	}
	return h.clock.Now().Sub(begin)
}
