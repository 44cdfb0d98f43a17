package manifest

import (
	"bytes"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// A Style says how a pinned reference is written.
type Style string

// The styles.
const (
	TagAndDigest Style = "tag-and-digest" // shop:1.4@sha256:...
	DigestOnly   Style = "digest-only"    // shop@sha256:... # 1.4
)

// A form is how the image at one place is written, and how it is written anew.
type form interface {
	splices(l *lines, want image.Ref, style Style) ([]splice, *Problem)
}

// A splice replaces the bytes of a span. The proof needs to know what the decoder will
// read there afterwards.
type splice struct {
	span    Span
	text    string
	node    Position // the scalar that changes, where the decoder sees it
	value   string   // its new value
	key     string   // set where a key is inserted after that scalar's line
	comment string   // set where a comment is added to that scalar's line
	added   *addition
}

// set replaces a scalar's text, keeping its quotes, its escapes and what did not change.
func (s scalar) set(value string) (splice, *Problem) {
	out := splice{span: s.span, text: value, node: s.node, value: value}
	switch {
	case s.exact && s.quote == 0 && (!readsAsString(value) || s.flow && s.number):
		out.text = `"` + value + `"`
	case s.exact:
		keep := commonPrefix(s.value, value)
		if s.quote == 0 && s.number {
			keep = 0
		}
		out.span.Start += keep
		out.text = value[keep:]
	default:
		kept := commonPrefix(s.value, value)
		gone := s.value[kept:]
		if len(gone) > s.span.End-s.span.Start {
			return out, problem(Escaped, "the value is written with escapes: write it plainly")
		}
		out.span.Start = s.span.End - len(gone)
		out.text = value[kept:]
	}
	return out, nil
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// whole is a value that spells the whole reference after a prefix.
type whole struct {
	scalar scalar
	prefix string
}

func (w whole) splices(l *lines, want image.Ref, style Style) ([]splice, *Problem) {
	note := ""
	if style == DigestOnly && want.Pinned() && tagOf(want.Tag) != "" && l.canComment(w) {
		note, want.Tag = want.Tag, ""
	}
	s, p := w.scalar.set(w.prefix + want.String())
	if p != nil || note == "" {
		return []splice{s}, p
	}
	end := w.scalar.span.End
	if w.scalar.quote != 0 {
		end++
	}
	if old, at := l.tagComment(end); old != "" && w.bare() {
		return []splice{s, {span: at, text: note, node: s.node, value: s.value, comment: note}}, nil
	}
	return []splice{s, {span: Span{end, end}, text: " # " + note, node: s.node, value: s.value, comment: note}}, nil
}

// bare says whether the reference is a digest without a tag, so that a comment beside it
// may hold the tag.
func (w whole) bare() bool {
	r, err := image.Parse(strings.TrimPrefix(w.scalar.value, w.prefix))
	return err == nil && r.Pinned() && r.Tag == ""
}

// canComment says whether a comment that holds the tag can stand after the value: it
// ends its line, or the comment that follows holds the tag already.
func (l *lines) canComment(w whole) bool {
	if w.scalar.node == (Position{}) || w.scalar.flow {
		return false
	}
	end := w.scalar.span.End
	if w.scalar.quote != 0 {
		end++
	}
	if rest := bytes.TrimLeft(l.data[end:l.end(end)], " \t"); len(rest) == 0 {
		return true
	}
	old, _ := l.tagComment(end)
	return old != "" && w.bare()
}

// tagComment returns the tag that is all of the comment after offset, and its span.
func (l *lines) tagComment(offset int) (string, Span) {
	stop := l.end(offset)
	i := offset
	for i < stop && isBlank(l.data[i]) {
		i++
	}
	if i == offset || i == stop || l.data[i] != '#' {
		return "", Span{}
	}
	i++
	for i < stop && isBlank(l.data[i]) {
		i++
	}
	for stop > i && isBlank(l.data[stop-1]) {
		stop--
	}
	return tagOf(string(l.data[i:stop])), Span{i, stop}
}

// tagOf returns a comment that is a tag and nothing else, or "". A word without a digit
// may be anything; of those "latest" alone is a tag.
func tagOf(comment string) string {
	if comment != "latest" && !strings.ContainsAny(comment, "0123456789") {
		return ""
	}
	if r, err := image.Parse("a:" + comment); err == nil && r.Tag == comment && !r.Pinned() {
		return comment
	}
	return ""
}

func (p *parts) splices(l *lines, want image.Ref, style Style) ([]splice, *Problem) {
	digest := string(want.Digest)
	if p.bare {
		digest = want.Digest.Hex()
	}
	tagAndDigest := want.Tag
	if want.Pinned() {
		tagAndDigest += "@" + string(want.Digest)
	}
	switch {
	case p.digest != nil:
		s, problem := p.digest.set(digest)
		if problem != nil || p.tag == nil || tagBefore(p.tag.value) == want.Tag && !p.quoteTag() {
			return []splice{s}, problem
		}
		t, problem := p.setTag(want.Tag)
		return []splice{t, s}, problem
	case p.insert != nil && want.Pinned():
		out := []splice{{span: Span{p.insert.offset, p.insert.offset}, text: p.insert.before + "digest: " + digest, node: p.tag.node, key: "digest", value: digest}}
		if p.tag.value != want.Tag || p.quoteTag() {
			t, problem := p.setTag(want.Tag)
			return append(out, t), problem
		}
		return out, nil
	}
	s, problem := p.tag.set(tagAndDigest)
	return []splice{s}, problem
}

// quoteTag says whether the tag must be quoted although it does not change: kustomize
// refuses a number, and readers differ on what is one.
func (p *parts) quoteTag() bool {
	return p.kustomize && p.tag != nil && p.tag.quote == 0 && !readsAsString(p.tag.value) && !isTimestamp(p.tag.value)
}

func (p *parts) setTag(tag string) (splice, *Problem) {
	if p.quoteTag() {
		return splice{span: p.tag.span, text: `"` + tag + `"`, node: p.tag.node, value: tag}, nil
	}
	return p.tag.set(tag)
}

// tagBefore returns the tag of a value that may go on with a digest.
func tagBefore(v string) string {
	tag, _, _ := strings.Cut(v, "@")
	return tag
}

// An insertion is where a key can be added to a block mapping.
type insertion struct {
	offset int    // the end of the sibling's line
	before string // line break and indentation
}

// after returns where a key can be added after the one that holds value, or nil where it
// cannot be added exactly: in a flow mapping, or where the value is not on its key's line.
func (l *lines) after(m, value *yaml.Node) *insertion {
	if m.Style&yaml.FlowStyle != 0 {
		return nil
	}
	var key *yaml.Node
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i+1] == value {
			key = m.Content[i]
		}
	}
	if key == nil || key.Line != value.Line || key.Column < 1 {
		return nil
	}
	start := l.starts[key.Line-1]
	offset, ok := l.at(key.Line, key.Column)
	if !ok || len(bytes.Trim(l.data[start:offset], " -")) > 0 {
		return nil
	}
	end := l.end(offset)
	eol := "\n"
	switch {
	case end < len(l.data):
		eol = string(l.data[end : end+breakAt(l.data, end)])
	case len(l.starts) > 1:
		last := l.starts[1]
		first := l.end(l.starts[0])
		eol = string(l.data[first:last])
	}
	return &insertion{offset: end, before: eol + strings.Repeat(" ", offset-start)}
}
