package reference

import (
	"fmt"
	"strings"
)

// manyValues is how many values of a label are more than a table names.
const manyValues = 16

func (p Program) metrics() string {
	var b strings.Builder
	b.WriteString("What `pinnace serve` tells of itself. How to read it, with traces, a dashboard and alerts, is in [metrics.md](../metrics.md).\n\n")
	b.WriteString("## Metrics\n\nThose of the Go runtime and of the process (`go_`, `process_`) come along.\n\n")
	var rows [][]string
	for _, m := range p.Metrics {
		var labels []string
		for _, l := range m.Labels {
			label := code(l.Name)
			switch n := len(l.Values); {
			case n > manyValues:
				label += fmt.Sprintf(": %d values", n)
			case n > 0:
				label += ": " + strings.Join(l.Values, ", ")
			}
			labels = append(labels, label)
		}
		rows = append(rows, []string{code(m.Name), m.Type, strings.Join(labels, "; "), prose(m.Help)})
	}
	table(&b, []string{"metric", "type", "labels", "what it is"}, rows)
	b.WriteString("## Log keys\n\nBesides `time`, `level` and `msg`. Each has one meaning everywhere. Keys are added, never renamed.\n\n")
	rows = nil
	for _, k := range p.LogKeys {
		rows = append(rows, []string{code(k.Name), prose(k.Text)})
	}
	table(&b, []string{"key", "what it is"}, rows)
	return b.String()
}
