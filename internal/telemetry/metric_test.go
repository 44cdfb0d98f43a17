package telemetry

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMetricsList: each metric says what it is, and which values its labels have.
func TestMetricsList(t *testing.T) {
	all := map[string]Metric{}
	for _, m := range Metrics() {
		if m.Help == "" || m.Type == "" {
			t.Errorf("%+v says nothing", m)
		}
		all[m.Name] = m
	}
	want := Metric{
		Name: "pinnace_alerts_total", Type: "counter", Help: "Alerts that were raised, by kind.",
		Labels: []Label{{"kind", []string{"digest_vanished", "incident", "other", "tag_moved"}}},
	}
	if diff := cmp.Diff(all[want.Name], want); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
	if diff := cmp.Diff(all["pinnace_build_info"].Labels, []Label{{Name: "commit"}, {Name: "version"}}); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
	if len(all) < 20 || all["pinnace_queue_depth"].Name == "" {
		t.Errorf("%d metrics", len(all))
	}
}

// TestOutcomes holds the outcomes of visits to those of the queue, which this package may not
// import.
func TestOutcomes(t *testing.T) {
	data, err := os.ReadFile("../queue/retry.go")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(data)) {
		name, rest, ok := strings.Cut(line, " Outcome = \"")
		if ok && !strings.Contains(name, "//") {
			value, _, _ := strings.Cut(rest, `"`)
			want = append(want, value)
		}
	}
	if len(want) == 0 {
		t.Fatal("found no outcome in internal/queue/retry.go")
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(visitOutcomes))); diff != "" {
		t.Errorf("-queue +telemetry\n%s", diff)
	}
}
