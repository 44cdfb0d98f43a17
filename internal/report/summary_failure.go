package report

import (
	"io"
	"strings"
)

// A Failure is a command that came to no result.
type Failure struct {
	Command string
	Error   string
	Next    string // what to do, as a sentence; "" where the error says it
}

// Summary writes the failure, as the Markdown of a job's summary.
func (f Failure) Summary(w io.Writer) {
	var out page
	out.head("❌", code("pinnace "+f.Command)+" failed")
	lines := strings.Split(strings.TrimSpace(f.Error), "\n")
	out.list("error", len(lines), func(i int) string { return "error: " + prose(lines[i]) })
	out.next(prose(f.Next))
	out.write(w)
}
