package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/store/postgres"
)

// An etagRig is a database of one kind, with a clock.
type etagRig struct {
	*Store
	now time.Time
}

// eachETagStore runs a test on each kind of database.
func eachETagStore(t *testing.T, run func(*testing.T, *etagRig)) {
	for kind, url := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "pinnace.db") },
		"postgres": func(t *testing.T) string { return postgres.Start(t) },
	} {
		t.Run(kind, func(t *testing.T) {
			r := &etagRig{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
			s, err := Open(t.Context(), url(t), Options{Now: func() time.Time { return r.now }})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			r.Store = s
			run(t, r)
		})
	}
}

// recalled is what is remembered of a request, "" where nothing is.
func recalled(e *ETags, tenant, request string) string {
	c, ok := e.Recall(tenant, request)
	if !ok {
		return ""
	}
	return c.ETag + " " + c.Link + " " + string(c.Body)
}

func answerOf(tag, body string) promotion.Cached {
	return promotion.Cached{ETag: tag, Link: "<x>; rel=\"next\"", Body: []byte(body)}
}

// noise does not compress.
func noise(seed uint64, n int) string {
	r := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, "%016x", r.Uint64())
	}
	return b.String()
}

// What is kept is there at once, and after a restart where it was written down; nobody else's.
func TestETags(t *testing.T) {
	eachETagStore(t, func(t *testing.T, r *etagRig) {
		e := r.ETags(ETagOptions{})
		e.Keep("1", " https://api.github.com/a", answerOf(`W/"a"`, "first"))
		e.Keep("1", " https://api.github.com/b", answerOf(`W/"b"`, ""))
		e.Keep("1", " https://api.github.com/a", answerOf(`W/"a2"`, "second"))
		e.Keep("2", " https://api.github.com/a", answerOf(`W/"other"`, "other"))
		seen := func(e *ETags) []string {
			return []string{
				recalled(e, "1", " https://api.github.com/a"), recalled(e, "1", " https://api.github.com/b"), recalled(e, "2", " https://api.github.com/a"),
				recalled(e, "2", " https://api.github.com/b"), recalled(e, "1", "https://api.github.com/a"), recalled(e, "", ""),
			}
		}
		const link = ` <x>; rel="next" `
		want := []string{`W/"a2"` + link + "second", `W/"b"` + link, `W/"other"` + link + "other", "", "", ""}
		if diff := cmp.Diff(want, seen(e)); diff != "" {
			t.Errorf("before it is written (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(make([]string, 6), seen(r.ETags(ETagOptions{}))); diff != "" {
			t.Errorf("written without Flush (-want +got):\n%s", diff)
		}
		if err := e.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(e.pending) != 0 || e.size != 0 {
			t.Errorf("%d answers of %d bytes wait after all are written", len(e.pending), e.size)
		}
		if diff := cmp.Diff(want, seen(r.ETags(ETagOptions{}))); diff != "" {
			t.Errorf("after a restart (-want +got):\n%s", diff)
		}
		e.Keep("1", " https://api.github.com/a", answerOf(`W/"a3"`, "third"))
		if err := e.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := recalled(r.ETags(ETagOptions{}), "1", " https://api.github.com/a"); got != `W/"a3"`+link+"third" {
			t.Errorf("got %s", got)
		}
	})
}

// What is of use stays, what is of none for two weeks goes, and of what is too much the oldest.
func TestETagsAreForgotten(t *testing.T) {
	eachETagStore(t, func(t *testing.T, r *etagRig) {
		left := func(tenants ...string) (all []string) {
			e := r.ETags(ETagOptions{})
			for _, tenant := range tenants {
				for i := range 10 {
					if recalled(e, tenant, fmt.Sprint(i)) != "" {
						all = append(all, fmt.Sprint(tenant, i))
					}
				}
			}
			return all
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		e := r.ETags(ETagOptions{Tenant: 5 << 10, All: 12 << 10})
		for i := range 10 { // a has 10 KiB, b 6, c 2
			for tenant, n := range map[string]int{"a": 10, "b": 6, "c": 2} {
				if i < n {
					e.Keep(tenant, fmt.Sprint(i), answerOf("t", noise(uint64(i), 1024)))
				}
			}
			must(e.Flush(t.Context()))
			r.now = r.now.Add(time.Minute)
		}
		must(e.Prune(t.Context()))
		got := left("a", "b", "c")
		for _, tenant := range []string{"a", "b", "c"} {
			newest := map[string]string{"a": "a9", "b": "b5", "c": "c1"}[tenant]
			if !strings.Contains(strings.Join(got, " "), newest) {
				t.Errorf("the newest of %s is forgotten: %v", tenant, got)
			}
		}
		sizes, err := e.sizes(t.Context())
		must(err)
		if sizes["a"] > 5<<10 || sizes["b"] > 5<<10 || sizes["c"] == 0 || sizes["a"] < 4<<10 {
			t.Errorf("bytes of each tenant: %v", sizes)
		}

		r.now = r.now.Add(10 * 24 * time.Hour)
		again := r.ETags(ETagOptions{})
		if recalled(again, "c", "1") == "" {
			t.Fatal("c1 is forgotten")
		}
		must(again.Flush(t.Context()))
		r.now = r.now.Add(5 * 24 * time.Hour)
		must(again.Prune(t.Context()))
		if diff := cmp.Diff([]string{"c1"}, left("a", "b", "c")); diff != "" {
			t.Errorf("after two weeks, in which c1 was of use (-want +got):\n%s", diff)
		}
	})
}

func TestETagShares(t *testing.T) {
	for _, c := range []struct {
		name  string
		o     ETagOptions
		sizes map[string]int64
		want  int64
	}{
		{"nothing", ETagOptions{Tenant: 10, All: 100}, nil, 10},
		{"little", ETagOptions{Tenant: 10, All: 100}, map[string]int64{"a": 5, "b": 50}, 10},
		{"many", ETagOptions{Tenant: 50, All: 100}, map[string]int64{"a": 10, "b": 60, "c": 60}, 45},
		{"all alike", ETagOptions{Tenant: 50, All: 90}, map[string]int64{"a": 40, "b": 40, "c": 40}, 30},
	} {
		e := &ETags{o: c.o}
		if got := e.bound(c.sizes); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

// Neither what waits to be written nor what is in memory grows beyond its bound.
func TestETagsHoldLittle(t *testing.T) {
	e := (&Store{}).ETags(ETagOptions{})
	body := make([]byte, etagBody)
	for i := range 100 {
		e.Keep("1", fmt.Sprint(i), promotion.Cached{ETag: "x", Body: body})
	}
	e.Keep("1", "large", promotion.Cached{ETag: "x", Body: make([]byte, etagBody+1)})
	if e.size > etagPending || len(e.pending) != etagPending/(etagBody+etagRow) || e.pending[keyOf("1", "large")].ETag != "" {
		t.Errorf("%d answers of %d bytes wait", len(e.pending), e.size)
	}
}

// Without a database nothing is remembered, and nobody fails but who writes it down.
func TestETagsWithoutDatabase(t *testing.T) {
	eachETagStore(t, func(t *testing.T, r *etagRig) {
		e := r.ETags(ETagOptions{})
		r.Store.Close()
		e.Keep("1", "a", answerOf("x", "y"))
		if _, ok := e.Recall("1", "b"); ok {
			t.Error("recalled from a closed database")
		}
		if err := e.Flush(t.Context()); err == nil || len(e.pending) != 0 {
			t.Errorf("got %v, %d wait", err, len(e.pending))
		}
		if err := e.Prune(t.Context()); err == nil {
			t.Error("got no error")
		}
	})
}

// A row that is damaged, or too large when it is inflated, is as good as none.
func TestDamagedETags(t *testing.T) {
	eachETagStore(t, func(t *testing.T, r *etagRig) {
		bomb, err := deflate(make([]byte, etagBody+1))
		if err != nil {
			t.Fatal(err)
		}
		for name, body := range map[string][]byte{"no deflate": []byte("\xff\xff\xff"), "cut off": bomb[:len(bomb)-10], "bomb": bomb} {
			e := r.ETags(ETagOptions{})
			e.Keep("1", "a", answerOf("x", "y"))
			if err := e.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := r.DB().Exec("UPDATE etags SET body = $1", body); err != nil {
				t.Fatal(err)
			}
			if c, ok := r.ETags(ETagOptions{}).Recall("1", "a"); ok {
				t.Errorf("%s: recalled %d bytes", name, len(c.Body))
			}
		}
	})
}

// Run writes what is kept while many ask, and at its end the rest.
func TestETagsRun(t *testing.T) {
	eachETagStore(t, func(t *testing.T, r *etagRig) {
		e := r.ETags(ETagOptions{})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- e.Run(ctx) }()
		var tasks sync.WaitGroup
		for k := range 4 {
			tasks.Go(func() {
				for i := range 200 {
					tenant, request := fmt.Sprint(k%2), fmt.Sprint(i)
					e.Keep(tenant, request, answerOf("t"+tenant, tenant+request))
					if c, ok := e.Recall(tenant, request); !ok || string(c.Body) != tenant+request {
						t.Errorf("%s %s: got %q", tenant, request, c.Body)
					}
				}
			})
		}
		tasks.Wait()
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		fresh := r.ETags(ETagOptions{})
		for i := range 200 {
			if c, ok := fresh.Recall("1", fmt.Sprint(i)); !ok || string(c.Body) != "1"+fmt.Sprint(i) {
				t.Errorf("%d: got %q", i, c.Body)
			}
		}
	})
}

// BenchmarkETags is the time of a recall from a database of 10,000 repositories with ten answers
// each, and what all that takes of memory and of the disk.
func BenchmarkETags(b *testing.B) {
	s, err := Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "pinnace.db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	e := s.ETags(ETagOptions{})
	body := []byte(strings.Repeat(`{"id":1,"node_id":"x","name":"config","full_name":"acme/config","private":false},`, 60))
	request := func(i int) string {
		return fmt.Sprintf(" https://api.github.com/repos/acme/config-%d/pulls?page=%d", i/10, i%10)
	}
	began := time.Now()
	for i := range 100_000 {
		e.Keep("1", request(i), promotion.Cached{ETag: `W/"0123456789abcdef"`, Body: append(body[:len(body):len(body)], noise(uint64(i), 500)...)})
		if i%1000 == 999 {
			if err := e.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	wrote := time.Since(began)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	n := 0
	for b.Loop() {
		if _, ok := e.Recall("1", request(n*7919%100_000)); !ok {
			b.Fatal("forgotten")
		}
		n++
	}
	sizes, err := e.sizes(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(wrote.Microseconds())/100_000, "µs/write")
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MB-heap")
	b.ReportMetric(float64(sizes["1"])/(1<<20), "MB-disk")
}
