package manifest

import (
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// quick reads the part of YAML that most manifests are written in: block mappings and
// sequences, values on their key's line, flow collections on one line, literal blocks,
// anchors of scalars. It builds the nodes that the decoder builds, without comments,
// several times as fast, and returns false at the first thing that it does not know for
// certain: tags, escapes, values over several lines, tabs, keys that are no plain words.
//
// It serves to find images. Whatever is edited is decoded and proved by kyaml. That the
// nodes are equal wherever quick answers is a fuzz target.
func quick(data []byte) (docs []*yaml.Node, ok bool) {
	wide := false
	for i, c := range data {
		if c == 0x7f || c < ' ' && c != '\n' && (c != '\r' || i+1 == len(data) || data[i+1] != '\n') {
			return nil, false
		}
		wide = wide || c > 0x7f
	}
	if wide && !isOrdinary(data) {
		return nil, false
	}
	q := &quickReader{text: string(data), wide: wide}
	defer func() {
		if r := recover(); r != nil {
			if r != errNotQuick {
				panic(r)
			}
			docs, ok = nil, false
		}
	}()
	q.advance()
	for {
		if q.marker {
			q.marker = false
			q.advance()
			if q.end || q.marker {
				return nil, false // an empty document
			}
		}
		if q.end {
			return docs, true
		}
		root := q.block(0)
		if !q.end && !q.marker {
			return nil, false
		}
		docs = append(docs, &yaml.Node{Kind: yaml.DocumentNode, Line: root.Line, Column: root.Column, Content: []*yaml.Node{root}})
	}
}

// isOrdinary says whether data is UTF-8 of which every character is text to the decoder,
// and none a line break or a byte order mark.
func isOrdinary(data []byte) bool {
	if !utf8.Valid(data) {
		return false
	}
	for _, r := range string(data) {
		if r > 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r >= '\ufff0' && r <= '\uffff' {
			return false
		}
	}
	return true
}

// notQuick stops the reader at something that it does not know.
type notQuick struct{}

func (notQuick) Error() string { return "not in the plain part of YAML" }

var errNotQuick error = notQuick{}

func give() { panic(errNotQuick) }

// A quickReader stands on one significant line: neither blank nor a comment.
type quickReader struct {
	text string
	wide bool // it holds more than ASCII
	next int  // offset of the line after the present one
	line int  // number of the present line, from 1

	start  int    // offset of the present line
	indent int    // column, from 0, of what is left of it
	rest   string // what is left of it, without trailing blanks
	end    bool   // there is no further line
	marker bool   // the line is "---"

	nodes   []yaml.Node // allocated ahead
	anchors map[string]*yaml.Node
	depth   int
}

// advance goes to the next significant line.
func (q *quickReader) advance() {
	for q.next < len(q.text) {
		q.rawLine()
		trimmed := strings.TrimLeft(q.rest, " ")
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		q.indent = len(q.rest) - len(trimmed)
		q.rest = trimmed
		if q.indent == 0 {
			switch {
			case trimmed == "---":
				q.marker = true
			case trimmed[0] == '%', strings.HasPrefix(trimmed, "--- "), strings.HasPrefix(trimmed, "..."):
				give()
			}
		}
		return
	}
	q.end, q.rest, q.indent = true, "", -1
}

// rawLine takes the next line, blanks and all.
func (q *quickReader) rawLine() {
	q.start = q.next
	i := strings.IndexByte(q.text[q.next:], '\n')
	if i < 0 {
		q.rest, q.next = q.text[q.start:], len(q.text)
	} else {
		q.rest, q.next = q.text[q.start:q.start+i], q.start+i+1
	}
	q.rest = strings.TrimRight(strings.TrimSuffix(q.rest, "\r"), " ")
	q.line++
}

func (q *quickReader) node(kind yaml.Kind, tag string, column int) *yaml.Node {
	if len(q.nodes) == 0 {
		q.nodes = make([]yaml.Node, 32)
	}
	n := &q.nodes[0]
	q.nodes = q.nodes[1:]
	if q.wide {
		column = utf8.RuneCountInString(q.text[q.start : q.start+column])
	}
	n.Kind, n.Tag, n.Line, n.Column = kind, tag, q.line, column+1
	return n
}

func isDash(s string) bool { return s == "-" || strings.HasPrefix(s, "- ") }

// stands says whether the present line belongs to a collection at the indent.
func (q *quickReader) stands(indent int) bool { return !q.end && !q.marker && q.indent == indent }

// block reads the collection or scalar that starts on the present line.
func (q *quickReader) block(least int) *yaml.Node {
	if q.depth++; q.depth > 64 || q.indent < least {
		give()
	}
	defer func() { q.depth-- }()
	if isDash(q.rest) {
		return q.sequence(q.indent)
	}
	if _, _, isKey := cutKey(q.rest); isKey {
		return q.mapping(q.indent)
	}
	if c := q.rest[0]; c != '{' && c != '[' {
		give()
	}
	return q.value(q.rest, q.indent, q.indent-1)
}

func (q *quickReader) sequence(indent int) *yaml.Node {
	seq := q.node(yaml.SequenceNode, "!!seq", indent)
	for q.stands(indent) && isDash(q.rest) {
		item := strings.TrimLeft(q.rest[1:], " ")
		if item == "" || item[0] == '#' {
			q.advance()
			if q.end || q.marker || q.indent <= indent {
				give()
			}
			seq.Content = append(seq.Content, q.block(indent+1))
			continue
		}
		q.indent += len(q.rest) - len(item)
		q.rest = item
		_, _, isKey := cutKey(item)
		if isKey || isDash(item) {
			seq.Content = append(seq.Content, q.block(indent+1))
			continue
		}
		seq.Content = append(seq.Content, q.value(item, q.indent, indent))
	}
	if !q.end && !q.marker && q.indent > indent {
		give()
	}
	return seq
}

func (q *quickReader) mapping(indent int) *yaml.Node {
	m := q.node(yaml.MappingNode, "!!map", indent)
	for q.stands(indent) {
		key, after, isKey := cutKey(q.rest)
		if !isKey {
			if isDash(q.rest) && len(m.Content) > 0 {
				break
			}
			give()
		}
		k := q.node(yaml.ScalarNode, plainTag(key), indent)
		k.Value = key
		if k.Tag == "!!merge" {
			give()
		}
		m.Content = append(m.Content, k)
		value := strings.TrimLeft(after, " ")
		if value != "" && value[0] != '#' {
			m.Content = append(m.Content, q.value(value, q.indent+len(q.rest)-len(value), indent))
			continue
		}
		null := q.node(yaml.ScalarNode, "!!null", indent+len(key)+1)
		q.advance()
		switch {
		case !q.end && !q.marker && q.indent > indent:
			m.Content = append(m.Content, q.block(indent+1))
		case q.stands(indent) && isDash(q.rest):
			m.Content = append(m.Content, q.sequence(indent))
		default:
			m.Content = append(m.Content, null)
		}
	}
	if !q.end && !q.marker && q.indent > indent {
		give()
	}
	return m
}

// maxKey is the longest key that quick reads; the decoder refuses those over 1,024
// characters.
const maxKey = 128

// cutKey splits a line into a plain key and what follows its colon.
func cutKey(s string) (key, rest string, ok bool) {
	i := 0
	for i < len(s) && (isWord(s[i]) || s[i] == '.' || s[i] == '/' || s[i] == '-' && i > 0) {
		i++
	}
	if i == 0 || i > maxKey || i == len(s) || s[i] != ':' || i+1 < len(s) && s[i+1] != ' ' {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// value reads a value that starts at a column of the present line and ends on it, but for
// a literal block; parent is the indent of the collection that it is in.
func (q *quickReader) value(s string, column, parent int) *yaml.Node {
	var n *yaml.Node
	var rest string
	switch s[0] {
	case '|':
		return q.literal(s, column, parent)
	case '&':
		n, rest = q.anchored(s, column)
	case '*':
		n, rest = q.alias(s, column)
	default:
		n, rest = q.inline(s, column, false)
	}
	if rest != "" && !strings.HasPrefix(strings.TrimLeft(rest, " "), "#") || rest != "" && rest[0] != ' ' {
		give()
	}
	q.advance()
	if !q.end && !q.marker && q.indent > parent {
		give() // a value that goes on
	}
	return n
}

// cutAnchor splits the name of an anchor from what follows it.
func cutAnchor(s string) (name, rest string) {
	i := 0
	for i < len(s) && (isWord(s[i]) || s[i] == '-') {
		i++
	}
	if i == 0 || i < len(s) && s[i] != ' ' {
		give()
	}
	return s[:i], s[i:]
}

// anchored reads a scalar with an anchor before it, whose place is the anchor's.
func (q *quickReader) anchored(s string, column int) (*yaml.Node, string) {
	name, rest := cutAnchor(s[1:])
	value := strings.TrimLeft(rest, " ")
	if value == "" || strings.IndexByte("#&*!|>[{-?", value[0]) >= 0 {
		give()
	}
	n, rest := q.inline(value, column+len(s)-len(value), false)
	if q.wide {
		column = utf8.RuneCountInString(q.text[q.start : q.start+column])
	}
	n.Anchor, n.Column = name, column+1
	if q.anchors == nil {
		q.anchors = map[string]*yaml.Node{}
	}
	q.anchors[name] = n
	return n, rest
}

func (q *quickReader) alias(s string, column int) (*yaml.Node, string) {
	name, rest := cutAnchor(s[1:])
	target := q.anchors[name]
	if target == nil {
		give()
	}
	n := q.node(yaml.AliasNode, "", column)
	n.Value, n.Alias = name, target
	return n, rest
}

// inline reads a scalar or a flow collection and returns what follows it.
func (q *quickReader) inline(s string, column int, flow bool) (*yaml.Node, string) {
	switch c := s[0]; {
	case c == '"' || c == '\'':
		end := strings.IndexByte(s[1:], c)
		if end < 0 {
			give()
		}
		text, rest := s[1:end+1], s[end+2:]
		if c == '"' && strings.IndexByte(text, '\\') >= 0 || c == '\'' && strings.HasPrefix(rest, "'") {
			give()
		}
		n := q.node(yaml.ScalarNode, "!!str", column)
		n.Value, n.Style = text, yaml.DoubleQuotedStyle
		if c == '\'' {
			n.Style = yaml.SingleQuotedStyle
		}
		return n, rest
	case c == '[' || c == '{':
		return q.flow(s, column)
	case flow:
		return q.flowPlain(s, column)
	}
	return q.plain(s, column)
}

// startsPlain says whether a byte can start a plain scalar, of those that quick reads.
func startsPlain(s string) bool {
	switch c := s[0]; {
	case isWord(c), c == '/', c == '.', c == '+', c == '(', c == '$', c == '~':
		return true
	case c == '-':
		return len(s) > 1 && s[1] != ' '
	}
	return false
}

func (q *quickReader) plain(s string, column int) (*yaml.Node, string) {
	if !startsPlain(s) {
		give()
	}
	rest := ""
	if i := strings.Index(s, " #"); i >= 0 {
		s, rest = strings.TrimRight(s[:i], " "), s[i:]
	}
	if strings.Contains(s, ": ") || s[len(s)-1] == ':' {
		give()
	}
	n := q.node(yaml.ScalarNode, plainTag(s), column)
	n.Value = s
	if n.Tag == "!!merge" {
		give()
	}
	return n, rest
}

// plainTag returns the tag that the decoder resolves a plain scalar to.
func plainTag(s string) string {
	switch c := s[0]; {
	case c >= '0' && c <= '9', c == '+', c == '-', c == '.', c == '~', c == '<', c == '=',
		c == 'n', c == 'N', c == 't', c == 'T', c == 'f', c == 'F', c == 'y', c == 'Y', c == 'o', c == 'O':
		n := yaml.Node{Kind: yaml.ScalarNode, Value: s}
		return n.ShortTag()
	}
	return "!!str"
}

func (q *quickReader) flowPlain(s string, column int) (*yaml.Node, string) {
	if !startsPlain(s) {
		give()
	}
	i := 0
	for i < len(s) && (isWord(s[i]) || strings.IndexByte("/.@+=-$()~", s[i]) >= 0 || s[i] == ':' && i+1 < len(s) && (isWord(s[i+1]) || s[i+1] == '/')) {
		i++
	}
	n := q.node(yaml.ScalarNode, plainTag(s[:i]), column)
	n.Value = s[:i]
	if n.Tag == "!!merge" {
		give()
	}
	return n, s[i:]
}

// flow reads a collection that ends on its line.
func (q *quickReader) flow(s string, column int) (*yaml.Node, string) {
	if q.depth++; q.depth > 64 {
		give()
	}
	defer func() { q.depth-- }()
	closer, n := byte(']'), q.node(yaml.SequenceNode, "!!seq", column)
	if s[0] == '{' {
		closer = '}'
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
	}
	n.Style = yaml.FlowStyle
	all := s
	skip := func(t string) string {
		if t = strings.TrimLeft(t, " "); t == "" {
			give()
		}
		return t
	}
	for s = skip(s[1:]); s[0] != closer; {
		var item *yaml.Node
		item, s = q.inline(s, column+len(all)-len(s), true)
		n.Content = append(n.Content, item)
		s = skip(s)
		if closer == '}' {
			if item.Kind != yaml.ScalarNode || len(item.Value) > maxKey || s[0] != ':' || len(s) < 2 || s[1] != ' ' {
				give()
			}
			s = skip(s[1:])
			item, s = q.inline(s, column+len(all)-len(s), true)
			n.Content = append(n.Content, item)
			s = skip(s)
		}
		switch s[0] {
		case ',':
			s = skip(s[1:])
		case closer:
		default:
			give()
		}
	}
	return n, s[1:]
}

// literal reads a literal block.
func (q *quickReader) literal(header string, column, parent int) *yaml.Node {
	keep, strip := header == "|+", header == "|-"
	if header != "|" && !keep && !strip {
		give()
	}
	n := q.node(yaml.ScalarNode, "!!str", column)
	n.Style = yaml.LiteralStyle
	var b strings.Builder
	indent, blank := -1, 0
	for q.next < len(q.text) {
		at, line := q.next, q.line
		q.rawLine()
		raw := strings.TrimSuffix(strings.TrimSuffix(q.text[q.start:q.next], "\n"), "\r")
		width := len(raw) - len(strings.TrimLeft(raw, " "))
		switch {
		case width == len(raw) && (indent < 0 || width > indent):
			give() // blanks before the text, or text of blanks
		case width == len(raw):
			blank++
			continue
		case indent < 0 && width <= parent:
			give()
		case indent < 0:
			indent = width
		case width < indent && width > parent:
			give()
		}
		if width < indent {
			q.next, q.line = at, line
			break
		}
		for ; blank > 0; blank-- {
			b.WriteByte('\n')
		}
		b.WriteString(raw[indent:])
		if q.text[q.next-1] == '\n' {
			blank++
		}
	}
	if indent < 0 {
		give()
	}
	switch {
	case strip:
	case keep:
		give() // how many line breaks are kept depends on what follows
	case blank > 0:
		b.WriteByte('\n')
	}
	n.Value = b.String()
	q.advance()
	if !q.end && !q.marker && q.indent > parent {
		give()
	}
	return n
}
