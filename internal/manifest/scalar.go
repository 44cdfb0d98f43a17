package manifest

import (
	"bytes"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// A scalar is a YAML value whose bytes have been found and checked against what the
// decoder read.
type scalar struct {
	node     Position // where the decoder says the node starts, properties included
	position Position // where the text starts, after a quote
	span     Span     // the text, without quotes
	quote    byte     // ' or ", or 0 for a plain value
	value    string   // what the decoder read
	exact    bool     // the text is the value, byte for byte
	null     bool     // the decoder reads no value
	flow     bool     // it stands in a flow collection, which may be JSON
	number   bool     // the decoder reads an integer, a float or a boolean
}

// locate finds the bytes of a scalar node. The position of a node is that of its
// first property (anchor or tag); its end is not reported and is lexed by style.
func (l *lines) locate(n *yaml.Node) (scalar, *Problem) {
	s := scalar{node: Position{n.Line, n.Column}, position: Position{n.Line, n.Column}, value: strings.Clone(n.Value)}
	s.null = n.Tag == "!!null"
	s.number = n.Tag == "!!int" || n.Tag == "!!float" || n.Tag == "!!bool"
	switch {
	case n.Style&yaml.LiteralStyle != 0:
		return s, problem(Block, "the value is a literal block (|): write it on the key's line")
	case n.Style&yaml.FoldedStyle != 0:
		return s, problem(Block, "the value is a folded block (>): write it on the key's line")
	}
	offset, ok := l.at(n.Line, n.Column)
	if !ok {
		return s, problem(Unlocated, "the decoder's position is outside the file")
	}
	offset, ok = l.skipProperties(offset, n)
	if !ok {
		return s, problem(Unlocated, "the value could not be found after its anchor or tag")
	}
	var p *Problem
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		p = l.quoted(&s, offset, '"')
	case n.Style&yaml.SingleQuotedStyle != 0:
		p = l.quoted(&s, offset, '\'')
	default:
		p = l.plain(&s, offset)
	}
	if p == nil {
		s.position = l.position(s.span.Start)
	}
	return s, p
}

// skipProperties moves over anchors and tags, and over the breaks and comments that
// may stand between them and the value.
func (l *lines) skipProperties(offset int, n *yaml.Node) (int, bool) {
	if n.Anchor == "" && n.Style&yaml.TaggedStyle == 0 {
		if offset >= len(l.data) || l.data[offset] != '!' && l.data[offset] != '&' {
			return offset, true
		}
	}
	for offset < len(l.data) {
		switch c := l.data[offset]; {
		case c == '&' || c == '!':
			for offset < len(l.data) && !isBlank(l.data[offset]) && breakAt(l.data, offset) == 0 {
				offset++
			}
		case isBlank(c):
			offset++
		case c == '#':
			offset = l.end(offset)
		default:
			size := breakAt(l.data, offset)
			if size == 0 {
				return offset, true
			}
			offset += size
		}
	}
	return 0, false
}

func (l *lines) quoted(s *scalar, offset int, quote byte) *Problem {
	if offset >= len(l.data) || l.data[offset] != quote {
		return problem(Unlocated, "no %c stands where the decoder saw one", quote)
	}
	s.quote, s.span.Start = quote, offset+1
	escapes := false
	for i := s.span.Start; i < len(l.data); i++ {
		switch c := l.data[i]; {
		case c == '\\' && quote == '"':
			escapes = true
			i++
			if i < len(l.data) && breakAt(l.data, i) > 0 {
				return problem(Multiline, "the value goes on over several lines")
			}
		case c == quote && quote == '\'' && i+1 < len(l.data) && l.data[i+1] == quote:
			escapes = true
			i++
		case c == quote:
			s.span.End = i
			return s.check(l.data, escapes)
		default:
			if breakAt(l.data, i) > 0 {
				return problem(Multiline, "the value goes on over several lines")
			}
		}
	}
	return problem(Unlocated, "the closing %c could not be found", quote)
}

// check holds the text between the quotes to what the decoder read.
func (s *scalar) check(data []byte, escapes bool) *Problem {
	text := data[s.span.Start:s.span.End]
	if !escapes {
		s.exact = string(text) == s.value
		if !s.exact {
			return problem(Unlocated, "the text differs from what the decoder read")
		}
		return nil
	}
	var n yaml.Node
	lexeme := data[s.span.Start-1 : s.span.End+1]
	if err := yaml.NewDecoder(bytes.NewReader(lexeme)).Decode(&n); err != nil || len(n.Content) != 1 || n.Content[0].Value != s.value {
		return problem(Unlocated, "the escaped text differs from what the decoder read")
	}
	return nil
}

func (l *lines) plain(s *scalar, offset int) *Problem {
	s.span = Span{offset, offset}
	if s.value == "" {
		return nil
	}
	if !bytes.HasPrefix(l.data[offset:], []byte(s.value)) {
		if strings.ContainsAny(s.value, " \n") {
			return problem(Multiline, "the value goes on over several lines")
		}
		return problem(Unlocated, "the text differs from what the decoder read")
	}
	s.span.End = offset + len(s.value)
	if s.span.End < len(l.data) {
		switch c := l.data[s.span.End]; {
		case isBlank(c), c == ',', c == '}', c == ']', c == ':', breakAt(l.data, s.span.End) > 0:
		default:
			return problem(Unlocated, "the text goes on after what the decoder read")
		}
	}
	s.exact = true
	return nil
}

// closers is how many bytes may stand between a value and the comment on its line,
// blanks aside: the quote and brackets that close it.
const closers = 32

// comment returns the comment that ends the line of offset, without its "#", or "".
func (l *lines) comment(offset int) string {
	stop := l.end(offset)
	for n := 0; offset < stop && n < closers; offset++ {
		switch c := l.data[offset]; {
		case c == '#' && isBlank(l.data[offset-1]):
			return strings.TrimSpace(string(l.data[offset+1 : stop]))
		case isBlank(c):
		case strings.IndexByte(`"'}],`, c) >= 0:
			n++
		default:
			return ""
		}
	}
	return ""
}

// ignoreMark is the comment that leaves the image on its line alone.
const ignoreMark = "pinnace:ignore"

func isIgnored(comment string) bool {
	rest, ok := strings.CutPrefix(comment, ignoreMark)
	return ok && (rest == "" || strings.ContainsAny(rest[:1], " \t,:;(-"))
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// readsAsString reports whether a plain value is a string to readers of YAML 1.1 and
// of YAML 1.2 alike.
func readsAsString(v string) bool {
	switch strings.ToLower(v) {
	case "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", "-.inf", "+.inf", ".nan":
		return false
	}
	if strings.Trim(v[:1], "0123456789+-.") != "" {
		return true
	}
	// Numbers of every base, with exponents, underscores and sexagesimal colons, and
	// timestamps, hold nothing else.
	body := strings.TrimLeft(v, "+-")
	if rest, ok := cutAnyPrefix(body, "0x", "0X"); ok {
		return rest == "" || strings.Trim(rest, "0123456789abcdefABCDEF_") != ""
	}
	if rest, ok := cutAnyPrefix(body, "0o", "0b"); ok {
		return rest == "" || strings.Trim(rest, "01234567_") != ""
	}
	if isNumber(body) {
		return false
	}
	return !isSexagesimal(body) && !isTimestamp(body)
}

func cutAnyPrefix(s string, prefixes ...string) (string, bool) {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return rest, true
		}
	}
	return s, false
}

func isNumber(s string) bool {
	mantissa, exponent, has := strings.Cut(strings.ToLower(s), "e")
	if has && strings.Trim(strings.TrimLeft(exponent, "+-"), "0123456789_") != "" {
		return false
	}
	return strings.Trim(mantissa, "0123456789_.") == "" && strings.Count(mantissa, ".") <= 1 && strings.ContainsAny(mantissa, "0123456789")
}

func isSexagesimal(s string) bool {
	return strings.Contains(s, ":") && strings.Trim(s, "0123456789_.:") == ""
}

func isTimestamp(s string) bool {
	return len(s) >= 8 && strings.Trim(s[:4], "0123456789") == "" && s[4] == '-' && strings.Trim(s, "0123456789-:.TtZz+ ") == ""
}
