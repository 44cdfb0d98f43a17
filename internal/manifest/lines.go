package manifest

import (
	"bytes"
	"unicode/utf8"
)

// bom is the byte order mark, which the decoder skips at the start and does not count.
var bom = []byte("\ufeff")

// lines maps the decoder's positions to offsets. It remembers the last one it
// answered, so that positions asked in the order of the text cost one pass in all.
type lines struct {
	data   []byte
	starts []int // offset of the first byte of each line

	line, column, offset int // the last answer of at
	from, stop           int // the last question and answer of end
}

func newLines(data []byte) *lines {
	l := &lines{data: data, starts: make([]int, 1, bytes.Count(data, []byte{'\n'})+2)}
	if bytes.HasPrefix(data, bom) {
		l.starts[0] = len(bom)
	}
	for i := 0; i < len(data); {
		n := breakAt(data, i)
		if n == 0 {
			i++
			continue
		}
		i += n
		l.starts = append(l.starts, i)
	}
	return l
}

// breakAt returns the length of the line break at data[i], or 0: LF, CR, CRLF, NEL,
// LS and PS, as YAML 1.1 has them (https://yaml.org/spec/1.1/#id871136).
func breakAt(data []byte, i int) int {
	switch data[i] {
	case '\n':
		return 1
	case '\r':
		if i+1 < len(data) && data[i+1] == '\n' {
			return 2
		}
		return 1
	case 0xC2:
		if i+1 < len(data) && data[i+1] == 0x85 {
			return 2
		}
	case 0xE2:
		if i+2 < len(data) && data[i+1] == 0x80 && (data[i+2] == 0xA8 || data[i+2] == 0xA9) {
			return 3
		}
	}
	return 0
}

// at returns the offset of a position, or false where there is no such place.
func (l *lines) at(line, column int) (int, bool) {
	if line < 1 || line > len(l.starts) || column < 1 {
		return 0, false
	}
	offset, have := l.starts[line-1], 1
	if line == l.line && column >= l.column {
		offset, have = l.offset, l.column
	}
	for ; have < column; have++ {
		if offset >= len(l.data) || breakAt(l.data, offset) > 0 {
			return 0, false
		}
		_, size := utf8.DecodeRune(l.data[offset:])
		offset += size
	}
	l.line, l.column, l.offset = line, column, offset
	return offset, true
}

// position returns the position of an offset on a known line or a later one.
func (l *lines) position(line, offset int) Position {
	for line < len(l.starts) && l.starts[line] <= offset {
		line++
	}
	start, column := l.starts[line-1], 1
	if line == l.line && l.offset <= offset {
		start, column = l.offset, l.column
	}
	column += utf8.RuneCount(l.data[start:offset])
	l.line, l.column, l.offset = line, column, offset
	return Position{line, column}
}

// end returns the offset of the break that ends the line holding offset, or of the
// end of the data.
func (l *lines) end(offset int) int {
	if l.from <= offset && offset <= l.stop && l.stop > 0 {
		return l.stop
	}
	l.from = offset
	for offset < len(l.data) && breakAt(l.data, offset) == 0 {
		offset++
	}
	l.stop = offset
	return offset
}
