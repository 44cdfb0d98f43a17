package main

import (
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// A row is what one program cost, at its best of several runs; Peak is its worst.
type row struct {
	name     string
	cost     cost
	bytes    int64   // size of the tree it worked on, 0 where it worked on none
	floor    span    // what it is compared with
	base     span    // the prototype at the same latency
	requests *counts // nil where nothing was asked
	verdict  *verdict
	expected int
}

// A span is the wall time of another row, or 0 where there is none.
type span time.Duration

func (r row) ratio(to span) string {
	if to == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", float64(r.cost.Wall)/float64(to))
}

// render prints the one table.
func render(w io.Writer, rows []row) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"", "wall", "cpu", "peak", "MB/s", "requests", "pinned", "files changed", "bytes outside", "x floor", "x prototype"})
	var numbers []table.ColumnConfig
	for n := 2; n <= 11; n++ {
		if n != 6 {
			numbers = append(numbers, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	t.SetColumnConfigs(numbers)
	for _, r := range rows {
		cells := table.Row{r.name, seconds(r.cost.Wall), seconds(r.cost.CPU), "", "", "", "", "", "", r.ratio(r.floor), r.ratio(r.base)}
		if r.cost.Peak > 0 {
			cells[3] = fmt.Sprintf("%.0f MB", float64(r.cost.Peak)/1e6)
		}
		if r.bytes > 0 {
			cells[4] = fmt.Sprintf("%.0f", r.speed())
		}
		if r.requests != nil {
			cells[5] = r.requests.String()
		}
		if v := r.verdict; v != nil {
			cells[6], cells[7], cells[8] = fmt.Sprintf("%d of %d", v.pinned, r.expected), len(v.changed), v.outside
		}
		t.AppendRow(cells)
	}
	t.Render()
}

// speed is in millions of bytes for each second.
func (r row) speed() float64 { return float64(r.bytes) / 1e6 / r.cost.Wall.Seconds() }

func seconds(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.3f s", d.Seconds())
}
