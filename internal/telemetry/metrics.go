package telemetry

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const namespace = "pinnace"

// other stands for each value that is in no set.
const other = "other"

// The sets of values that labels have.
var (
	// events are the names of the webhooks that an App like ours is sent
	// (https://docs.github.com/en/webhooks/webhook-events-and-payloads), and "registry".
	events = strings.Fields(`
		branch_protection_configuration branch_protection_rule check_run check_suite create delete deployment_status
		github_app_authorization installation installation_repositories installation_target issue_comment issues
		marketplace_purchase member membership merge_group meta organization package ping public pull_request
		pull_request_review pull_request_review_comment pull_request_review_thread push registry registry_package
		repository repository_dispatch repository_ruleset security_advisory status team team_add workflow_run`)
	eventOutcomes = []string{"accepted", "duplicate", "ignored", "refused", "failed"}
	visitOutcomes = strings.Fields(`
		done gone not_found conflict forbidden unauthenticated rate_limited invalid transient blocked slow panicked stopped
		expired unknown`)
	decisions = []string{"approved", "denied", "pending", "error"}
	alerts    = []string{"tag_moved", "digest_vanished", "incident"}
)

// count makes the metrics.
func (t *Telemetry) count() {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
		t.registry.MustRegister(c)
		return c
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
		t.registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
		t.registry.MustRegister(g)
		return g
	}
	histogram := func(name, help string, buckets ...float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
		t.registry.MustRegister(h)
		return h
	}
	t.events = counters("events_total", "Deliveries that came in, by the event's name and what became of them.", "event", "outcome")
	t.accept = histogram("webhook_accept_seconds", "From a delivery's header to the answer that says it is kept.",
		.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10)
	t.age = histogram("event_age_seconds", "From an event's arrival to the beginning of the visit that it asked for; of several, the oldest.",
		.1, .25, .5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 4*3600)
	t.inbox = histogram("inbox_commit_seconds", "From a delivery's way into the inbox to the commit that keeps it.",
		.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10)
	t.unkept = counter("inbox_refused_total", "Deliveries that the inbox could not keep. GitHub was told, and they are asked for again.")
	t.visits = counters("visits_total", "Looks at a repository, by what came of them.", "outcome")
	t.visit = histogram("visit_duration_seconds", "How long a look at a repository took.",
		.05, .1, .25, .5, 1, 2, 5, 10, 30, 60, 300, 900)
	t.decisions = counters("decisions_total", "Decisions about pull requests, by outcome.", "outcome")
	t.writes = counter("github_writes_total", "What was changed on GitHub: branches, pull requests, comments, check runs, merges.")
	t.github = counters("github_requests_total", "Requests to GitHub, by kind and by the answer's status; code \"none\" is no answer.", "kind", "code")
	t.calls = histogram("github_request_seconds", "How long GitHub took to answer, in whole.",
		.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30)
	t.unmodified = counter("github_not_modified_total", "Answers of GitHub with status 304, which cost nothing of the limit.")
	t.registries = counters("registry_requests_total", "Requests to image registries, by host and by the answer's status; code \"none\" is no answer.", "host", "code")
	t.moves = counter("tag_moves_total", "Tags that were seen to mean another digest than before.")
	t.vanished = gauge("vanished_digests", "Pinned digests that their registry no longer has, as of the last look.")
	t.alerts = counters("alerts_total", "Alerts that were raised, by kind.", "kind")
	t.redelivered = counter("redeliveries_total", "Deliveries that GitHub was asked for again, since they had not come in.")
	t.leases = counter("lease_lost_total", "Looks of this process whose lease ran out, and which then wrote no more.")
	t.mirrors = gauge("mirrors_bytes", "What the mirrors of repositories take on this process's disk.")
	t.evicted = counter("mirrors_evicted_total", "Mirrors that were removed since all together took too much; the next look at such a repository fetches it anew.")
	t.leader = gauge("leader", "1 where this process does what only one of the replicas does, such as to watch registries; else 0.")

	for _, outcome := range visitOutcomes {
		t.visits.WithLabelValues(outcome)
	}
	for _, outcome := range decisions {
		t.decisions.WithLabelValues(outcome)
	}
	for _, kind := range alerts {
		t.alerts.WithLabelValues(kind)
	}
}

// build returns the metric that says which program this is.
func build(version, commit string) prometheus.Collector {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "1, for the version and the commit of the program.",
	}, []string{"version", "commit"})
	g.WithLabelValues(version, commit).Set(1)
	return g
}

// Event counts a delivery: accepted, duplicate, ignored (of no use to us), refused (unsigned,
// too large) or failed (not durable). Event is GitHub's name of it, or "registry".
func (t *Telemetry) Event(event, outcome string) {
	t.events.WithLabelValues(known(events, event), known(eventOutcomes, outcome)).Inc()
}

// Accepted times the answer to a delivery that is kept.
func (t *Telemetry) Accepted(d time.Duration) { t.accept.Observe(d.Seconds()) }

// Decided counts a decision about a pull request: approved, denied, pending or error.
func (t *Telemetry) Decided(outcome string) {
	t.decisions.WithLabelValues(known(decisions, outcome)).Inc()
}

// Registry counts a request to an image registry; status 0 is no answer.
func (t *Telemetry) Registry(host string, status int) {
	t.registries.WithLabelValues(t.host(host), code(status)).Inc()
}

// TagMoved counts a tag that means another digest than before.
func (t *Telemetry) TagMoved() { t.moves.Inc() }

// Vanished says how many pinned digests are gone from their registries.
func (t *Telemetry) Vanished(n int) { t.vanished.Set(float64(n)) }

// Alert counts an alert: tag_moved, digest_vanished, or incident, which is what came past the
// rules.
func (t *Telemetry) Alert(kind string) { t.alerts.WithLabelValues(known(alerts, kind)).Inc() }

// Mirrors says how many bytes the mirrors of repositories take, and counts those that were
// removed for room.
func (t *Telemetry) Mirrors(bytes int64, evicted int) {
	t.mirrors.Set(float64(bytes))
	t.evicted.Add(float64(max(evicted, 0)))
}

// Leading says whether this process does what only one of the replicas does.
func (t *Telemetry) Leading(yes bool) {
	if yes {
		t.leader.Set(1)
	} else {
		t.leader.Set(0)
	}
}

// code is the label of a status: itself where it has a name, else its class, as "4xx".
func code(status int) string {
	switch {
	case status == 0:
		return "none"
	case status < 100 || status > 599:
		return other
	case http.StatusText(status) == "":
		return strconv.Itoa(status/100) + "xx"
	}
	return strconv.Itoa(status)
}
