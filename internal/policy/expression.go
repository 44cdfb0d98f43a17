package policy

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// maxExpression is the longest condition that is compiled, in bytes.
const maxExpression = 10_000

// An Expression is a condition of a document, compiled.
type Expression struct {
	Source    string
	Line      int
	Condition *condition.Condition

	timed  bool   // time alone may change what it comes to
	clocks bool   // it reads the time itself, and not how much has passed only
	counts bool   // it reads who approved
	shown  string // the source, as results show it
}

// expression compiles the condition at a JSON pointer of a document; nil where none is
// written or it does not compile.
func (r *reader) expression(d parsed, pointer, source string) *Expression {
	key := document.Dotted(pointer)
	if strings.TrimSpace(source) == "" {
		if m, written := d.marks[pointer]; written && m.Text != "" && strings.TrimSpace(m.Text) == "" {
			r.Report(m.Line, m.Column, "%s: holds blanks only: write a condition, or delete the key", key)
		}
		return nil
	}
	m := d.marks[pointer]
	if len(source) > maxExpression {
		r.Report(m.Line, m.Column, "%s: has more than %d bytes: part it into several policies", key, maxExpression)
		return nil
	}
	compiled, problems := condition.Compile(source)
	for _, p := range problems {
		line, column := d.place(pointer, source, p.Line, p.Column)
		severity := Error
		if p.Severity == condition.Warning {
			severity = Warning
		}
		r.Problems = append(r.Problems, Problem{
			File: r.File, Line: line, Column: column, Severity: severity, Message: key + ": " + p.Message, Snippet: p.Snippet,
		})
	}
	if compiled == nil {
		if len(problems) == 0 {
			r.Report(m.Line, m.Column, "%s: does not compile", key) // unreachable: Compile says why
		}
		return nil
	}
	return &Expression{
		Source: source, Line: m.Line, Condition: compiled, shown: clip(source),
		timed: timed.MatchString(source), clocks: clocks.MatchString(source), counts: counts.MatchString(source),
	}
}

// place returns the place in the file of a line and column of a condition. Folding, quotes
// and indentation change blanks only, so the characters between them are counted.
func (d parsed) place(pointer, source string, line, column int) (int, int) {
	m := d.marks[pointer]
	node := d.root
	for part := range strings.SplitSeq(pointer[1:], "/") {
		node = child(node, part)
	}
	if node == nil || node.Kind != yaml.ScalarNode {
		return m.Line, m.Column // an alias: the problem stands where it is used
	}
	return locate(d.data, d.line, node, ahead(source, line, column))
}

// ahead returns how many characters, blanks left out, stand before a line and column.
func ahead(source string, line, column int) int {
	n, l, c := 0, 1, 1
	for _, r := range source {
		if l > line || l == line && c >= column {
			break
		}
		if r == '\n' {
			l, c = l+1, 1
			continue
		}
		c++
		if !blank(r) {
			n++
		}
	}
	return n
}

// locate finds the character of a scalar that n others, blanks left out, stand before; the
// scalar's last where there are fewer.
func locate(data []byte, first int, node *yaml.Node, n int) (line, column int) {
	s := scanner{data: data, line: first, column: 1}
	for s.line < node.Line || s.line == node.Line && s.column < node.Column {
		if !s.step() {
			return node.Line, node.Column
		}
	}
	single, double := node.Style&yaml.SingleQuotedStyle != 0, node.Style&yaml.DoubleQuotedStyle != 0
	switch {
	case node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		for l := s.line; s.line == l; {
			if !s.step() {
				return node.Line, node.Column
			}
		}
	case single || double:
		s.step()
	}
	line, column = s.line, s.column
	for s.at < len(s.data) {
		c := s.data[s.at]
		next := byte(0)
		if s.at+1 < len(s.data) {
			next = s.data[s.at+1]
		}
		switch {
		case blank(rune(c)) || lineBreak(s.data, s.at) > 0:
			s.step()
			continue
		case double && c == '\\' && strings.IndexByte("nt \r\n", next) >= 0:
			s.step()
			s.step()
			continue
		case single && c == '\'' && next != '\'' || double && c == '"':
			return line, column
		}
		line, column = s.line, s.column
		if n == 0 {
			return line, column
		}
		n--
		if single && c == '\'' || double && c == '\\' {
			s.step()
		}
		if double && c == '\\' {
			for range map[byte]int{'x': 2, 'u': 4, 'U': 8}[next] {
				s.step()
			}
		}
		s.step()
	}
	return line, column
}

// A scanner walks over the characters of a document.
type scanner struct {
	data         []byte
	at           int
	line, column int
}

// step goes to the next character, and says whether there was one.
func (s *scanner) step() bool {
	if s.at >= len(s.data) {
		return false
	}
	if n := lineBreak(s.data, s.at); n > 0 {
		s.at, s.line, s.column = s.at+n, s.line+1, 1
		return true
	}
	_, size := utf8.DecodeRune(s.data[s.at:])
	s.at, s.column = s.at+size, s.column+1
	return true
}

func blank(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }

// child returns the value of a key of a mapping, or an item of a list by its number, or nil.
func child(n *yaml.Node, key string) *yaml.Node {
	if n != nil && n.Kind == yaml.SequenceNode {
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i]
		}
	}
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
