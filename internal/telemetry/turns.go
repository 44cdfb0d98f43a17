package telemetry

import "time"

// Turns count what a queue does, whose outcomes of visits are of type O. It is
// [Telemetry] as queue.Observer wants it: telemetry.Turns[queue.Outcome]{T: t}.
type Turns[O ~string] struct{ T *Telemetry }

// Accepted times the commit of a delivery that the inbox keeps; one that it had already costs
// the same.
func (t Turns[O]) Accepted(_ bool, took time.Duration) { t.T.inbox.Observe(took.Seconds()) }

// Refused counts a delivery that could not be kept.
func (t Turns[O]) Refused() { t.T.unkept.Inc() }

// Begun says how long the oldest event that asked for a visit had waited when it began; 0, where
// none did, counts nothing.
func (t Turns[O]) Begun(waited time.Duration) {
	if waited > 0 {
		t.T.age.Observe(waited.Seconds())
	}
}

// Ended counts and times a visit, and counts what it changed on GitHub.
func (t Turns[O]) Ended(outcome O, took time.Duration, writes int) {
	t.T.visits.WithLabelValues(known(visitOutcomes, string(outcome))).Inc()
	t.T.visit.Observe(took.Seconds())
	t.T.writes.Add(float64(max(writes, 0)))
	if outcome == "expired" {
		t.T.leases.Inc()
	}
}

// Swept counts deliveries that GitHub was asked for again. Those that are lost are in the
// queue's state, which outlives the process.
func (t Turns[O]) Swept(redelivered, _ int) { t.T.redelivered.Add(float64(max(redelivered, 0))) }
