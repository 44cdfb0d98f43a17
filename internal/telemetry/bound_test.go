package telemetry

import (
	"fmt"
	"io"
	"testing"
	"time"
)

// TestSeriesAreBounded tells of strangers without end: the number of series stays.
func TestSeriesAreBounded(t *testing.T) {
	count := func(tel *Telemetry) int {
		families, err := tel.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, f := range families {
			n += len(f.Metric)
		}
		return n
	}
	tel := full()
	before := count(tel)
	for i := range 10_000 {
		s := fmt.Sprint("x", i)
		tel.Event(s, s)
		tel.GitHub(s, "/"+s, i, time.Second)
		tel.Registry(s+".example", i)
		tel.Registry(s+".amazonaws.com", i)
		tel.Decided(s)
		tel.Alert(s)
		tel.Limit(int64(i), i, time.Unix(int64(i), 0))
		Turns[outcome]{tel}.Ended(outcome(s), time.Second, 1)
	}
	const statuses = 70 // with a name, and the classes
	if got, most := count(tel), before+3*statuses; got > most {
		t.Errorf("%d series, %d before: want %d at most", got, before, most)
	}
}

// BenchmarkLine is a line that holds nothing secret, as most do.
func BenchmarkLine(b *testing.B) {
	log, err := Logger(io.Discard, "json", "info")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		log.Info("accepted", "door", "github", "delivery", "6f1e2a3c-0000-1111-2222-333344445555", "event", "push", "action", "", "duration_ms", 3.2,
			"outcome", "accepted", "status", 202, "bytes", 7300, "installation", 123456, "repo", "acme/config")
	}
}

// BenchmarkEvent is what a delivery costs to count.
func BenchmarkEvent(b *testing.B) {
	tel := New(Options{})
	b.ReportAllocs()
	for b.Loop() {
		tel.Event("push", "accepted")
		tel.Accepted(time.Millisecond)
	}
}
