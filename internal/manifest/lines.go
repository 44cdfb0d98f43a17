package manifest

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// bom is the byte order mark, which the decoder skips at the start and does not count.
var bom = []byte("\ufeff")

// lines maps the decoder's positions to offsets and back. A long line gets marks, so that
// a question about any of its columns costs the same.
type lines struct {
	data   []byte
	starts []int // offset of the first byte of each line
	marked int   // the line that marks are for
	marks  []int // offsets of the columns 1, 1+stride, 1+2*stride, ...
}

const stride = 512

func newLines(data []byte) *lines {
	l := &lines{data: data, starts: make([]int, 1, bytes.Count(data, []byte{'\n'})+2)}
	if bytes.HasPrefix(data, bom) {
		l.starts[0] = len(bom)
	}
	if bytes.IndexByte(data, '\r') < 0 && bytes.IndexByte(data, 0xC2) < 0 && bytes.IndexByte(data, 0xE2) < 0 {
		for i := 0; ; {
			n := bytes.IndexByte(data[i:], '\n')
			if n < 0 {
				return l
			}
			i += n + 1
			l.starts = append(l.starts, i)
		}
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
	stop := l.stop(line)
	offset, have := l.starts[line-1], 1
	if stop-offset > 2*stride {
		l.mark(line, stop)
		i := min((column-1)/stride, len(l.marks)-1)
		offset, have = l.marks[i], 1+i*stride
	}
	for ; have < column; have++ {
		if offset >= stop {
			return 0, false
		}
		_, size := utf8.DecodeRune(l.data[offset:])
		offset += size
	}
	return offset, true
}

// mark notes where every stride-th column of a line is.
func (l *lines) mark(line, stop int) {
	if l.marked == line {
		return
	}
	l.marked, l.marks = line, l.marks[:0]
	for offset, n := l.starts[line-1], 0; offset < stop; n++ {
		if n%stride == 0 {
			l.marks = append(l.marks, offset)
		}
		_, size := utf8.DecodeRune(l.data[offset:])
		offset += size
	}
}

// lineOf returns the line that holds an offset, from 1.
func (l *lines) lineOf(offset int) int {
	line, _ := slices.BinarySearch(l.starts, offset+1)
	return max(line, 1)
}

// position returns the position of an offset.
func (l *lines) position(offset int) Position {
	line := l.lineOf(offset)
	start, column := l.starts[line-1], 1
	if stop := l.stop(line); stop-start > 2*stride && offset > start {
		l.mark(line, stop)
		i, _ := slices.BinarySearch(l.marks, offset+1)
		start, column = l.marks[i-1], 1+(i-1)*stride
	}
	return Position{line, column + utf8.RuneCount(l.data[start:max(start, offset)])}
}

// stop returns where the break of a line is, or the end of the data.
func (l *lines) stop(line int) int {
	if line >= len(l.starts) {
		return len(l.data)
	}
	next := l.starts[line]
	for size := 1; size <= 3 && next-size >= l.starts[line-1]; size++ {
		if n := breakAt(l.data, next-size); n == size && (size > 1 || next < 2 || l.data[next-2] != '\r' || l.data[next-1] != '\n' || next-2 < l.starts[line-1]) {
			return next - size
		}
	}
	return next
}

// end returns the offset of the break that ends the line holding offset, or of the
// end of the data.
func (l *lines) end(offset int) int { return max(offset, l.stop(l.lineOf(offset))) }
