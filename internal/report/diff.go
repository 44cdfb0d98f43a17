package report

import (
	"strings"

	udiff "github.com/aymanbagabas/go-udiff"
	"github.com/fatih/color"
)

// Diff returns a unified diff of one file. Without colour it is exact, so that it can be
// applied; in colour, for a terminal, control characters are made visible.
func Diff(path string, old, data []byte) string {
	text := udiff.Unified("a/"+path, "b/"+path, string(old), string(data))
	if color.NoColor {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		body := strings.TrimRight(line, "\r\n")
		end := line[len(body):]
		body = strings.ReplaceAll(Plain(body), `\t`, "\t")
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
