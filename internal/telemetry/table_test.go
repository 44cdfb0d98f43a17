package telemetry

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the table of metrics into docs/metrics.md")

// TestMetricsTable holds docs/metrics.md to the metrics that there are.
func TestMetricsTable(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, after, ok := strings.Cut(string(data), "<!-- metrics -->\n")
	got, rest, ok2 := strings.Cut(after, "<!-- /metrics -->")
	if !ok || !ok2 {
		t.Fatal("docs/metrics.md has no table of metrics")
	}
	want := table(t)
	if got == want {
		return
	}
	if *update {
		if err := os.WriteFile(page, []byte(before+"<!-- metrics -->\n"+want+"<!-- /metrics -->"+rest), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("docs/metrics.md is not current: go test ./internal/telemetry -run TestMetricsTable -update\n%s", cmp.Diff(want, got))
}

// manyValues is how many values of a label are more than a table names.
const manyValues = 16

func table(t *testing.T) string {
	t.Helper()
	families, err := full().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("\n| metric | type | labels | what it is |\n|---|---|---|---|\n")
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
		var labels []string
		for _, name := range slices.Sorted(maps.Keys(values)) {
			label := "`" + name + "`"
			switch set := slices.Sorted(maps.Keys(values[name])); {
			case name == "version" || name == "commit" || name == "code":
			case len(set) > manyValues:
				label += fmt.Sprintf(": %d values", len(set))
			default:
				label += ": " + strings.Join(set, ", ")
			}
			labels = append(labels, label)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, "; "), f.GetHelp())
	}
	b.WriteString("\n")
	return b.String()
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
