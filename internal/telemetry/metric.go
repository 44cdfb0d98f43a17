package telemetry

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Metric of the reference.
type Metric struct {
	Name, Type, Help string
	Labels           []Label // in order of their names
}

// A Label of a metric; no values: they have no fixed set.
type Label struct {
	Name   string
	Values []string
}

// Metrics lists the metrics that a server of Pinnace counts, by name, without those of Go and of
// the process.
func Metrics() []Metric {
	families, err := full().registry.Gather()
	if err != nil {
		panic("telemetry: " + err.Error()) // unreachable: nothing is asked of anybody
	}
	var all []Metric
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), namespace+"_") {
			continue
		}
		values := map[string]map[string]bool{}
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if values[l.GetName()] == nil {
					values[l.GetName()] = map[string]bool{}
				}
				values[l.GetName()][l.GetValue()] = true
			}
		}
		metric := Metric{Name: f.GetName(), Type: strings.ToLower(f.GetType().String()), Help: f.GetHelp()}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			label := Label{Name: name}
			if name != "version" && name != "commit" && name != "code" {
				label.Values = slices.Sorted(maps.Keys(values[name]))
			}
			metric.Labels = append(metric.Labels, label)
		}
		all = append(all, metric)
	}
	return all
}

// full returns a Telemetry that has been told everything: each label's values, and one that is
// none of them.
func full() *Telemetry {
	t := New(Options{Version: "1.2.3", Commit: "abc", Now: func() time.Time { return time.Unix(1000, 0) }})
	for _, event := range slices.Concat(events, []string{"stranger"}) {
		for _, outcome := range slices.Concat(eventOutcomes, []string{"stranger"}) {
			t.Event(event, outcome)
		}
	}
	t.Accepted(time.Millisecond)
	turns := Turns[string]{t}
	turns.Accepted(true, time.Millisecond)
	turns.Refused()
	turns.Begun(time.Second)
	for _, o := range slices.Concat(visitOutcomes, []string{"stranger"}) {
		turns.Ended(o, time.Second, 1)
	}
	turns.Swept(1, 1)
	for _, outcome := range slices.Concat(decisions, []string{"stranger"}) {
		t.Decided(outcome)
	}
	t.GitHub("GET", "/repos/{owner}/{repo}", 200, time.Second)
	t.GitHub("POST", "/graphql", 304, time.Second)
	t.GitHub("POST", "/app/installations/{}/access_tokens", 499, time.Second)
	t.GitHub("POST", "/repos/{owner}/{repo}/pulls", 0, time.Second)
	t.Limit(1, 4000, time.Unix(2000, 0))
	for host := range registryHosts {
		t.Registry(host, 200)
	}
	t.Registry("stranger.example", 0)
	t.TagMoved()
	t.Vanished(1)
	for _, kind := range slices.Concat(alerts, []string{"stranger"}) {
		t.Alert(kind)
	}
	t.Leading(true)
	t.Watch(func(context.Context) (Queue, error) {
		return Queue{Waiting: 1, Running: 2, Quarantined: 3, Oldest: time.Minute}, nil
	})
	return t
}
