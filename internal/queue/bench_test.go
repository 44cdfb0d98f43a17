package queue

import (
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/store"
	"github.com/pinnace-dev/pinnace/internal/store/postgres"
)

// BenchmarkAccept measures durable deliveries from 16 callers at a time for 400 repositories:
// to SQLite by itself and while visits go on that take no time, the worst there is, and to a
// PostgreSQL that does not flush to disk.
func BenchmarkAccept(b *testing.B) {
	for _, c := range []struct {
		name  string
		url   func(*testing.B) string
		visit bool
	}{
		{"alone", file, false},
		{"visiting", file, true},
		{"postgres", func(b *testing.B) string { return postgres.Start(b) }, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			o := Options{Store: open(b, c.url(b), store.Options{}), Work: newWorld()}
			q, err := New(o)
			if c.visit {
				q, _ = start(b, o)
			} else if err != nil {
				b.Fatal(err)
			}
			const callers = 16
			var next atomic.Int64
			took := make([][]time.Duration, callers)
			b.ResetTimer()
			var all sync.WaitGroup
			for i := range callers {
				all.Go(func() {
					for {
						n := int(next.Add(1))
						if n > b.N {
							return
						}
						at := time.Now()
						accept(b, q, delivery(n, look(repo(int64(n%20)+1, int64(n%400)+1), n%50)))
						took[i] = append(took[i], time.Since(at))
					}
				})
			}
			all.Wait()
			b.StopTimer()
			flat := slices.Concat(took...)
			slices.Sort(flat)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
			b.ReportMetric(float64(flat[len(flat)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(flat[len(flat)/2].Microseconds())/1000, "p50-ms")
		})
	}
}

func file(b *testing.B) string { return "sqlite:" + filepath.Join(b.TempDir(), "pinnace.db") }
