package telemetry

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A Queue is how much work there is.
type Queue struct {
	Waiting     int           // repositories that wait for a look
	Running     int           // repositories that are looked at now
	Quarantined int           // repositories that are left alone, since looks at them failed again and again
	Oldest      time.Duration // how long the oldest event that no look has seen to has waited
	Lost        int64         // deliveries that never came in and that GitHub can make no more, since the database began
}

// Watch has each scrape ask for the state of the queue, at most once in five seconds. Call it
// once.
func (t *Telemetry) Watch(ask func(context.Context) (Queue, error)) {
	t.registry.MustRegister(&depth{ask: ask, now: t.now})
}

const (
	depthTime = 5 * time.Second // how long asking may take
	depthLife = 5 * time.Second // how long an answer is good
)

// A depth collects the state of the queue. Several scrapers share one answer.
type depth struct {
	ask func(context.Context) (Queue, error)
	now func() time.Time

	mu   sync.Mutex
	at   time.Time
	last Queue
	err  error
}

var (
	waitingDesc     = prometheus.NewDesc(namespace+"_queue_depth", "Repositories that wait for a look or are looked at.", []string{"state"}, nil)
	oldestDesc      = prometheus.NewDesc(namespace+"_queue_oldest_age_seconds", "How long the oldest event that no look has seen to has waited.", nil, nil)
	quarantinedDesc = prometheus.NewDesc(namespace+"_queue_quarantined", "Repositories that are left alone, since looks at them failed again and again.", nil, nil)
	lostDesc        = prometheus.NewDesc(namespace+"_lost_events_total", "Events that never came in and that GitHub can no longer deliver, since the database began; the same in each replica.", nil, nil)
)

func (*depth) Describe(c chan<- *prometheus.Desc) {
	c <- waitingDesc
	c <- oldestDesc
	c <- quarantinedDesc
	c <- lostDesc
}

func (d *depth) Collect(c chan<- prometheus.Metric) {
	q, err := d.state()
	if err != nil {
		err = fmt.Errorf("state of the queue: %w", err)
		for _, desc := range []*prometheus.Desc{waitingDesc, oldestDesc, quarantinedDesc, lostDesc} {
			c <- prometheus.NewInvalidMetric(desc, err)
		}
		return
	}
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	gauge(waitingDesc, float64(q.Waiting), "waiting")
	gauge(waitingDesc, float64(q.Running), "running")
	gauge(oldestDesc, q.Oldest.Seconds())
	gauge(quarantinedDesc, float64(q.Quarantined))
	c <- prometheus.MustNewConstMetric(lostDesc, prometheus.CounterValue, float64(q.Lost))
}

func (d *depth) state() (Queue, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.at.IsZero() && d.now().Sub(d.at) < depthLife {
		return d.last, d.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), depthTime)
	defer cancel()
	d.last, d.err = d.ask(ctx)
	d.at = d.now()
	return d.last, d.err
}
