package fleet

import (
	"log/slog"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
)

// TestPortAtOnce: a mirror is not closed under the visit that uses it, however visits to two
// repositories take and leave the one warm berth.
func TestPortAtOnce(t *testing.T) {
	p, err := newPort(t.TempDir(), 0, 1, time.Now, slog.New(slog.DiscardHandler), func(int64, int) {})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan bool)
	for i := range int64(2) {
		go func() {
			s := event.Subject{Installation: 1, Repository: i + 1}
			for range 200 {
				b, err := p.take(s)
				if err != nil {
					t.Error(err)
					break
				}
				p.leave(s, b)
			}
			done <- true
		}()
	}
	<-done
	<-done
}
