package queue

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// Ten thousand subjects that nothing happens to are rows of a table, and nothing in memory.
func TestIdle(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		s := open(t, url, store.Options{})
		var repos []event.Subject
		for n := range int64(10_000) {
			repos = append(repos, repo(n%20+1, n+1))
		}
		for part := range slices.Chunk(repos, 100) {
			var b statement
			b.text("INSERT INTO subjects (installation, repository, raised, done, due) VALUES ")
			for i, r := range part {
				b.row(i, r.Installation, r.Repository, int64(1), int64(1), time.Now().Add(time.Hour).UnixMicro())
			}
			if _, err := s.Writer().Exec(b.b.String(), b.args...); err != nil {
				t.Fatal(err)
			}
		}
		heap := func() int64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		before := heap()
		w := newWorld()
		// The survey of a start would visit them all; here it fails, and they stay idle.
		q, _ := start(t, Options{Store: s, Work: silent{w}, Lease: 5 * time.Second})
		w.await(t, "the survey", func() bool { return w.surveys[0] > 0 })
		if st := status(t, q); st.Subjects != len(repos)+1 {
			t.Errorf("%d subjects", st.Subjects)
		}
		if more := heap() - before; more > 8<<20 {
			t.Errorf("a queue of %d idle subjects holds %d bytes", len(repos), more)
		}
		if len(w.visits) != 0 {
			t.Errorf("%d visits", len(w.visits))
		}
	})
}

// silent is a world whose list of installations cannot be read.
type silent struct{ *world }

func (s silent) Installations(context.Context) ([]int64, error) {
	s.change(func() { s.surveys[0]++ })
	return nil, wrapped(context.DeadlineExceeded)
}

// BenchmarkEventToVisit measures the time from a delivery's arrival to the beginning of the
// visit that it asks for, on an idle queue: twice a commit, and River's asking for jobs.
func BenchmarkEventToVisit(b *testing.B) {
	begun := make(chan time.Time, 1)
	w := newWorld(repo(1, 1))
	w.visit = func(context.Context, event.Visit) (event.Visited, error) {
		begun <- time.Now()
		return event.Visited{}, nil
	}
	q, _ := start(b, Options{Store: open(b, "sqlite:"+filepath.Join(b.TempDir(), "pinnace.db"), store.Options{}), Work: w, Again: []time.Duration{}})
	<-begun
	var took []time.Duration
	// One after the other has been seen to, so that no worker is awake.
	tick := time.NewTicker(130 * time.Millisecond)
	defer tick.Stop()
	for n := range b.N {
		<-tick.C
		at := time.Now()
		accept(b, q, delivery(n, look(repo(1, int64(n)+2), 0)))
		took = append(took, (<-begun).Sub(at))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
}
