package queue

import (
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/store"
)

// BenchmarkAccept measures durable deliveries to SQLite from 16 callers at a time: about 400
// repositories, while visits go on.
func BenchmarkAccept(b *testing.B) {
	for _, c := range []struct {
		name  string
		visit bool
	}{{"alone", false}, {"visiting", true}} {
		b.Run(c.name, func(b *testing.B) {
			o := Options{Store: open(b, "sqlite:"+filepath.Join(b.TempDir(), "pinnace.db"), store.Options{}), Work: newWorld()}
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
