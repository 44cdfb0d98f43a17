package queue

import (
	"encoding/json"
	"testing"
	"time"
)

// TestStatusOldest: the age of the oldest event is told in seconds.
func TestStatusOldest(t *testing.T) {
	h := byHand(t, lite(t), Options{}, repo(1, 1))
	for _, c := range []struct {
		waits time.Duration
		want  string
	}{{0, "0"}, {150 * time.Millisecond, "0.15"}, {90 * time.Second, "90.15"}, {1900 * time.Microsecond, "90.152"}, {300 * time.Hour, "1080090.152"}} {
		if c.waits == 0 {
			d := delivery(1, look(repo(1, 1), 0))
			d.Received = h.clock.Now()
			accept(t, h.q, d)
		}
		h.clock.Move(c.waits)
		data, err := json.Marshal(status(t, h.q))
		if err != nil {
			t.Fatal(err)
		}
		var page map[string]any
		var exact struct {
			Oldest json.RawMessage `json:"oldest_seconds"`
		}
		if err := json.Unmarshal(data, &page); err != nil || json.Unmarshal(data, &exact) != nil {
			t.Fatal(err)
		}
		if string(exact.Oldest) != c.want {
			t.Errorf("after %s more: %s, want %s", c.waits, exact.Oldest, c.want)
		}
	}
}
