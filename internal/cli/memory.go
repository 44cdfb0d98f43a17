package cli

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// tuneGC lets the heap grow by more than the runtime would before it is collected: a run is
// short, and most of what it parses dies at once. GOGC and GOMEMLIMIT have the last word.
func tuneGC() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(800)
	watchGC(new(sentinel))
}

// room returns how far a heap may grow beyond what lives in it, in bytes: by 20 MiB at
// least, threefold up to 140 MiB in all, and by half beyond.
func room(live uint64) uint64 {
	const least, most = 20 << 20, 140 << 20
	switch {
	case live*3 < least:
		return least
	case live*3 < most:
		return live * 2
	}
	return max(live/2, most-min(live, most))
}

// A sentinel dies with each collection.
type sentinel struct{ _ [16]byte }

func watchGC(s *sentinel) {
	runtime.SetFinalizer(s, func(s *sentinel) {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(sample)
		live := max(sample[0].Value.Uint64(), 1<<20)
		debug.SetGCPercent(int(room(live) * 100 / live))
		watchGC(s)
	})
}
