package watch

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// BenchmarkLedger measures a ledger of 10,000 repositories with 20 images each, 40,000 of them
// different, at 20 hosts: to write it the first time, to say the same again, and to take
// one batch where everything is due.
func BenchmarkLedger(b *testing.B) {
	const repositories, images, different, hosts = 10_000, 20, 40_000, 20
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s, err := store.Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "pinnace.db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	w := &Watcher{Options: Options{Ledger: s, Pins: 24 * time.Hour, Now: func() time.Time { return now }}}
	stand := func(repo int64) {
		var all []event.Stands
		for i := range int64(images) {
			n := (repo*images + i*7919) % different
			all = append(all, event.Stands{
				Name: fmt.Sprintf("registry-%02d.example.com/team/service-%d", n%hosts, n), Tag: "1.4.2", Digest: digestOf(fmt.Sprint(n)), Place: "envs/prod/service.yaml:12",
			})
		}
		if err := w.Standing(b.Context(), event.Subject{Installation: repo % 100, Repository: repo + 1}, all); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	for repo := range int64(repositories) {
		stand(repo)
	}
	b.Logf("the first time: %s for each repository", time.Since(began)/repositories)
	began = time.Now()
	for repo := range int64(1000) {
		stand(repo)
	}
	b.Logf("the same again: %s for each repository", time.Since(began)/1000)
	now = now.Add(25 * time.Hour)
	for b.Loop() {
		all, err := s.Hosts(b.Context(), now)
		if err != nil || len(all) != hosts {
			b.Fatal(len(all), err)
		}
		began := time.Now()
		things, err := s.Due(b.Context(), all[0], now, 25)
		if err != nil || len(things) != 25 {
			b.Fatal(len(things), err)
		}
		due := time.Since(began)
		began = time.Now()
		var sights []event.Sight
		for _, t := range things {
			sights = append(sights, w.sight(t, "sha256:x", nil, now))
		}
		if err := s.Saw(b.Context(), sights); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(due.Microseconds())/1000, "due-ms")
		b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "saw-ms")
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MB")
}
