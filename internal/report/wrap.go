package report

import (
	"strings"
	"unicode/utf8"
)

// Width is how many columns the terminal has that a report is written to. Lines of a tree that
// are longer go on below where their text began. 0: no line is broken.
var Width int

// narrow is the least room that is worth a line of its own.
const narrow = 24

// wrapped breaks a text that begins in a column, counted from 0, into lines of a terminal.
func wrapped(text string, at int) string {
	room := Width - at
	if Width == 0 || room < narrow || utf8.RuneCountInString(text) <= room {
		return text
	}
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > room:
			b.WriteString("\n" + strings.Repeat(" ", at))
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
