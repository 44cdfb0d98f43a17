package condition

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A Severity says whether a condition can be used in spite of a problem.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning" // it can, but it may not say what its author means
)

// A Problem is a mistake in an expression.
type Problem struct {
	Line, Column int // from 1, in the expression; columns in characters
	Severity     Severity
	Message      string // one line
	Snippet      string // two lines: the source, and a caret under the column
}

// Problems are in the order of their places.
type Problems []Problem

// HasErrors says whether one is more than a warning.
func (ps Problems) HasErrors() bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return p.Severity == Error })
}

// snippet returns line and a caret under column, shortened around it.
func snippet(source string, line, column int) string {
	const before, after = 60, 60
	lines := strings.Split(source, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	text := []rune(strings.TrimRight(lines[line-1], "\r"))
	for i, c := range text {
		if c < ' ' || c == utf8.RuneError || c == 0x7f {
			text[i] = ' '
		}
	}
	column = max(1, min(column, len(text)+1))
	start, end := max(0, column-1-before), min(len(text), column-1+after)
	head, tail := "", ""
	if start > 0 {
		head = "..."
	}
	if end < len(text) {
		tail = "..."
	}
	return head + string(text[start:end]) + tail + "\n" + strings.Repeat(" ", len(head)+column-1-start) + "^"
}
