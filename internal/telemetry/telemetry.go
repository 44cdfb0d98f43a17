package telemetry

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options say who counts.
type Options struct {
	// Version and Commit of the program; "" is "unknown".
	Version, Commit string
	// Hosts are registries that the operator named, counted by their names; at most 20.
	Hosts []string
	// Log gets what a scrape could not learn; nil drops it.
	Log *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// A Telemetry counts. Its methods are safe for use by several goroutines, cheap, and never
// fail.
type Telemetry struct {
	registry *prometheus.Registry
	log      *slog.Logger
	now      func() time.Time
	hosts    map[string]bool

	events      *prometheus.CounterVec
	accept      prometheus.Histogram
	age         prometheus.Histogram
	inbox       prometheus.Histogram
	unkept      prometheus.Counter
	visits      *prometheus.CounterVec
	visit       prometheus.Histogram
	decisions   *prometheus.CounterVec
	writes      prometheus.Counter
	github      *prometheus.CounterVec
	calls       prometheus.Histogram
	unmodified  prometheus.Counter
	registries  *prometheus.CounterVec
	moves       prometheus.Counter
	vanished    prometheus.Gauge
	alerts      *prometheus.CounterVec
	redelivered prometheus.Counter
	leases      prometheus.Counter
	mirrors     prometheus.Gauge
	evicted     prometheus.Counter
	leader      prometheus.Gauge

	mu     sync.Mutex
	limits map[int64]limit // by installation
}

// maxHosts bounds the hosts that an operator can name.
const maxHosts = 20

// New returns a Telemetry with a registry of its own.
func New(o Options) *Telemetry {
	t := &Telemetry{
		registry: prometheus.NewRegistry(), log: o.Log, now: o.Now,
		hosts: map[string]bool{}, limits: map[int64]limit{},
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if t.now == nil {
		t.now = time.Now
	}
	for _, h := range o.Hosts[:min(len(o.Hosts), maxHosts)] {
		t.hosts[strings.ToLower(h)] = true
	}
	t.count()
	t.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		remaining{t},
		build(cmp.Or(o.Version, "unknown"), cmp.Or(o.Commit, "unknown")),
	)
	return t
}

// Handler answers with all metrics, at most four scrapes at a time.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{
		ErrorLog:            scrapeLog{t.log},
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
	})
}

// A scrapeLog says what a scrape could not learn.
type scrapeLog struct{ log *slog.Logger }

func (s scrapeLog) Println(v ...any) {
	for _, x := range v {
		if err, ok := x.(error); ok {
			s.log.Warn("metrics: scrape", "error", err)
		}
	}
}

// known returns the value where the set has it, and "other" otherwise.
func known(set []string, value string) string {
	if slices.Contains(set, value) {
		return value
	}
	return other
}
