package report

import (
	"fmt"
	"strings"

	udiff "github.com/aymanbagabas/go-udiff"
	"github.com/fatih/color"
)

// gitName quotes a name as git does in a patch, where it holds a quote or a control
// character (https://git-scm.com/docs/git-config#Documentation/git-config.txt-corequotePath).
func gitName(name string) string {
	if strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f }) < 0 {
		return name
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(name) {
		switch c := name[i]; {
		case c == '"' || c == '\\':
			b.WriteString("\\" + string(c))
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, "\\%03o", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "\""
}

// Diff returns a unified diff of one file. Without colour it is exact, so that it can be
// applied; in colour, for a terminal, control characters are made visible.
func Diff(path string, old, data []byte) string {
	path = strings.TrimLeft(path, "/")
	text := udiff.Unified(gitName("a/"+path), gitName("b/"+path), string(old), string(data))
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
