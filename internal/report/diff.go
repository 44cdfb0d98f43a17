package report

import (
	"strings"

	udiff "github.com/aymanbagabas/go-udiff"
	"github.com/fatih/color"
)

// Diff returns a unified diff of one file, in colour where colour is on. Line ends are
// kept as they are, so that the text can be applied.
func Diff(path string, old, data []byte) string {
	text := udiff.Unified("a/"+path, "b/"+path, string(old), string(data))
	if color.NoColor {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		body := strings.TrimRight(line, "\r\n")
		end := line[len(body):]
		switch {
		case strings.HasPrefix(body, "--- "), strings.HasPrefix(body, "+++ "):
			body = color.New(color.Bold).Sprint(body)
		case strings.HasPrefix(body, "@@"):
			body = color.New(color.FgCyan).Sprint(body)
		case strings.HasPrefix(body, "-"):
			body = color.New(color.FgRed).Sprint(body)
		case strings.HasPrefix(body, "+"):
			body = color.New(color.FgGreen).Sprint(body)
		}
		b.WriteString(body + end)
	}
	return b.String()
}
