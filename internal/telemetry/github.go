package telemetry

import (
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A limit is what an installation may still ask of GitHub.
type limit struct {
	remaining int
	until     time.Time // when it starts anew
}

// maxLimits bounds the installations whose limits are kept; the lowest ones matter.
const maxLimits = 10_000

// GitHub counts a request to GitHub and times its answer; status 0 is no answer. Route is the
// kind of the address, such as "/graphql": of it, only the request's kind is counted, which is
// read, write, graphql or token.
func (t *Telemetry) GitHub(method, route string, status int, took time.Duration) {
	t.github.WithLabelValues(kind(method, route), code(status)).Inc()
	t.calls.Observe(took.Seconds())
	if status == http.StatusNotModified {
		t.unmodified.Inc()
	}
}

func kind(method, route string) string {
	switch {
	case route == "/graphql":
		return "graphql"
	case strings.HasSuffix(route, "/access_tokens"):
		return "token"
	case method == http.MethodGet || method == http.MethodHead:
		return "read"
	}
	return "write"
}

// Limit says what an installation may still ask of GitHub until a time. Only the least of all
// installations is shown.
func (t *Telemetry) Limit(installation int64, remaining int, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.limits[installation]; !ok && len(t.limits) >= maxLimits {
		t.expire()
		if len(t.limits) >= maxLimits {
			t.evict(remaining)
		}
		if len(t.limits) >= maxLimits {
			return
		}
	}
	t.limits[installation] = limit{remaining: remaining, until: until}
}

// expire forgets limits that have started anew.
func (t *Telemetry) expire() {
	now := t.now()
	for id, l := range t.limits {
		if !l.until.After(now) {
			delete(t.limits, id)
		}
	}
}

// evict forgets one limit that is above what remains.
func (t *Telemetry) evict(remaining int) {
	for id, l := range t.limits {
		if l.remaining > remaining {
			delete(t.limits, id)
			return
		}
	}
}

// remaining collects the least of all limits; there is none before the first answer and once
// all have started anew.
type remaining struct{ t *Telemetry }

var remainingDesc = prometheus.NewDesc(namespace+"_github_rate_limit_remaining",
	"Requests that are left to the installation that has the fewest left.", nil, nil)

func (remaining) Describe(c chan<- *prometheus.Desc) { c <- remainingDesc }

func (r remaining) Collect(c chan<- prometheus.Metric) {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	r.t.expire()
	if len(r.t.limits) == 0 {
		return
	}
	least := math.MaxInt
	for _, l := range r.t.limits {
		least = min(least, l.remaining)
	}
	c <- prometheus.MustNewConstMetric(remainingDesc, prometheus.GaugeValue, float64(least))
}
