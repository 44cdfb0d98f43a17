package cli

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// roomyHeap is how large the heap may grow before it is collected, however little of it
// lives: a run is short, and most of what it parses dies at once.
const roomyHeap = 24 << 20

// tuneGC lets a small heap grow to roomyHeap, and a larger one to twice what lives. GOGC
// and GOMEMLIMIT have the last word.
func tuneGC() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(400)
	watchGC(new(sentinel))
}

// A sentinel dies with each collection.
type sentinel struct{ _ [16]byte }

func watchGC(s *sentinel) {
	runtime.SetFinalizer(s, func(s *sentinel) {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		percent := 100
		if n := live[0].Value.Uint64(); n > 0 && n < roomyHeap/2 {
			percent = int((roomyHeap - n) * 100 / n)
		}
		debug.SetGCPercent(min(percent, 800))
		watchGC(s)
	})
}
