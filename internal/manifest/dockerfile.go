package manifest

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// A token is a word of a Dockerfile instruction.
type token struct {
	text  string
	span  Span
	split bool // it goes on on the next line
}

// An instruction is a Dockerfile instruction with its continuation lines.
type instruction struct{ tokens []token }

// scanDockerfile reads the images that a Dockerfile builds on: FROM, COPY and ADD
// --from, RUN --mount=from, and the syntax directive
// (https://docs.docker.com/reference/dockerfile/).
func scanDockerfile(data []byte) scanned {
	s := scanned{lines: dockerLines(data)}
	d := &dockerfile{data: data, escape: '\\', stages: map[string]bool{}}
	d.directives()
	if d.syntax.text != "" {
		d.image(d.syntax, "", Frontend)
	}
	for _, i := range d.instructions() {
		d.instruction(i)
	}
	if d.open != nil {
		return scanned{problem: d.open}
	}
	for i := range d.found {
		f := &d.found[i].Finding
		f.Position = s.lines.position(f.Span.Start)
	}
	s.found = d.found
	return s
}

// dockerLines indexes the lines of a Dockerfile, which break at LF alone.
func dockerLines(data []byte) *lines {
	l := &lines{data: data, starts: []int{0}}
	if bytes.HasPrefix(data, bom) {
		l.starts[0] = len(bom)
	}
	for i, c := range data {
		if c == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

type dockerfile struct {
	data   []byte
	body   int // where the directives end
	escape byte
	syntax token
	stages map[string]bool
	index  int
	ignore bool
	glued  bool // the line before ended inside a word
	found  []candidate
	open   *Problem // a here-document that does not end
}

// directives reads the comments at the top that set the parser's escape character and
// frontend (https://docs.docker.com/reference/dockerfile/#parser-directives).
func (d *dockerfile) directives() {
	offset := 0
	if bytes.HasPrefix(d.data, bom) {
		offset = len(bom)
		d.body = offset
	}
	for offset < len(d.data) {
		line, next := d.cut(offset)
		text := strings.TrimSpace(string(d.data[line.Start:line.End]))
		if offset == d.body && strings.HasPrefix(text, "#!") {
			offset = next
			continue
		}
		rest, ok := strings.CutPrefix(text, "#")
		if !ok {
			rest, ok = strings.CutPrefix(text, "//")
		}
		key, value, directive := strings.Cut(rest, "=")
		if !ok || !directive {
			return
		}
		if value = strings.TrimSpace(value); value == "" {
			return
		}
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "escape":
			if value == "`" {
				d.escape = '`'
			}
		case "syntax":
			if i := bytes.Index(d.data[line.Start:line.End], []byte(value)); value != "" && i >= 0 {
				d.syntax = token{text: value, span: Span{line.Start + i, line.Start + i + len(value)}}
			}
		case "check":
		default:
			return
		}
		offset = next
		d.body = next
	}
}

// cut returns the span of the line at offset, without its break, and where the next
// one starts. Dockerfiles break lines at LF and CRLF only.
func (d *dockerfile) cut(offset int) (Span, int) {
	end := len(d.data)
	next := end
	if i := bytes.IndexByte(d.data[offset:], '\n'); i >= 0 {
		end, next = offset+i, offset+i+1
	}
	if end > offset && d.data[end-1] == '\r' {
		end--
	}
	return Span{offset, end}, next
}

// instructions splits the file into instructions: continuation lines are joined,
// comments and the bodies of here-documents are left out.
func (d *dockerfile) instructions() []instruction {
	var all []instruction
	var current *instruction
	for offset := d.body; offset < len(d.data); {
		line, next := d.cut(offset)
		trimmed := bytes.TrimSpace(d.data[line.Start:line.End])
		offset = next
		if len(trimmed) == 0 || trimmed[0] == '#' {
			if current == nil && len(trimmed) > 0 {
				all = append(all, instruction{tokens: []token{{text: "#", span: Span{line.Start, line.End}}}})
			}
			continue
		}
		if current == nil {
			current = &instruction{}
		}
		goesOn := d.continues(d.data[line.Start:line.End])
		end := line.End
		if goesOn {
			end = line.Start + bytes.LastIndexByte(d.data[line.Start:line.End], d.escape)
		}
		words := d.words(nil, line.Start, end)
		if d.glued && len(words) > 0 && len(current.tokens) > 0 && words[0].span.Start == line.Start {
			last := &current.tokens[len(current.tokens)-1]
			last.text, last.split = last.text+words[0].text, true
			words = words[1:]
		}
		d.glued = goesOn && end > line.Start && !isSpace(d.data[end-1])
		current.tokens = append(current.tokens, words...)
		if goesOn {
			continue
		}
		if len(current.tokens) == 0 {
			current = nil
			continue
		}
		for _, word := range hereDocs(*current) {
			offset = d.skipHereDoc(offset, word)
		}
		all = append(all, *current)
		current = nil
	}
	if current != nil && len(current.tokens) > 0 {
		all = append(all, *current)
	}
	return all
}

// continues says whether a line goes on on the next one: it ends in one escape character,
// blanks aside. Builders disagree about two.
func (d *dockerfile) continues(line []byte) bool {
	line = bytes.TrimRight(line, " \t")
	n := len(line)
	if n == 0 || line[n-1] != d.escape {
		return false
	}
	if n > 1 && line[n-2] == d.escape {
		d.open = problem(Unreadable, "a line ends in two escape characters, and builders disagree whether it goes on")
		return false
	}
	return true
}

func (d *dockerfile) words(tokens []token, start, end int) []token {
	for i := start; i < end; {
		if isSpace(d.data[i]) {
			i++
			continue
		}
		j := i
		for j < end && !isSpace(d.data[j]) {
			j++
		}
		tokens = append(tokens, token{text: string(d.data[i:j]), span: Span{i, j}})
		i = j
	}
	return tokens
}

// isSpace names what separates the words of an instruction.
func isSpace(c byte) bool { return isBlank(c) || c == '\v' || c == '\f' || c == '\r' }

// A hereDoc is the word that ends a here-document.
type hereDoc struct {
	word string
	tabs bool // leading tabs are stripped from the end line
}

// hereDocs returns the here-documents that an instruction opens, which only RUN, COPY
// and ADD can (https://docs.docker.com/reference/dockerfile/#here-documents).
func hereDocs(i instruction) []hereDoc {
	tokens := i.tokens
	if strings.EqualFold(tokens[0].text, "ONBUILD") && len(tokens) > 1 {
		tokens = tokens[1:]
	}
	switch strings.ToUpper(tokens[0].text) {
	case "RUN", "COPY", "ADD":
	default:
		return nil
	}
	if len(tokens) > 1 && strings.HasPrefix(tokens[1].text, "[") {
		return nil // the JSON form
	}
	var docs []hereDoc
	quote, escaped := byte(0), false
	for _, t := range tokens[1:] {
		inside := quote != 0
		escaped = false
		for j := range len(t.text) {
			switch c := t.text[j]; {
			case escaped:
				escaped = false
			case c == '\\' && quote != '\'':
				escaped = true
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
			case c == quote:
				quote = 0
			}
		}
		if inside {
			continue
		}
		word := strings.TrimLeft(t.text, "0123456789")
		rest, ok := strings.CutPrefix(word, "<<")
		if !ok || strings.HasPrefix(rest, "<") {
			continue
		}
		rest, tabs := strings.CutPrefix(rest, "-")
		rest = strings.Trim(rest, `"'`)
		if rest != "" && !strings.Contains(rest, "<") {
			docs = append(docs, hereDoc{rest, tabs})
		}
	}
	return docs
}

func (d *dockerfile) skipHereDoc(offset int, doc hereDoc) int {
	for offset < len(d.data) {
		line, after := d.cut(offset)
		offset = after
		text := string(d.data[line.Start:line.End])
		if doc.tabs {
			text = strings.TrimLeft(text, "\t")
		}
		if text == doc.word {
			return offset
		}
	}
	d.open = problem(Unreadable, "here-document %s has no end: what follows is not looked at", clip(doc.word))
	return offset
}

func (d *dockerfile) instruction(i instruction) {
	if i.tokens[0].text == "#" {
		comment := strings.TrimSpace(strings.TrimLeft(string(d.data[i.tokens[0].span.Start:i.tokens[0].span.End]), " \t#"))
		d.ignore = d.ignore || isIgnored(comment)
		return
	}
	tokens := i.tokens
	if strings.EqualFold(tokens[0].text, "ONBUILD") {
		tokens = tokens[1:]
	}
	if len(tokens) > 1 {
		d.plainFlags(tokens)
		switch strings.ToUpper(tokens[0].text) {
		case "FROM":
			d.from(tokens[1:])
		case "COPY", "ADD":
			d.flags(tokens[1:], "--from=")
		case "RUN":
			d.mounts(tokens[1:])
		}
	}
	d.ignore = false
}

// plainFlags refuses flags that a builder reads otherwise than they are spelled: it takes
// quotes and escapes out of them.
func (d *dockerfile) plainFlags(tokens []token) {
	switch strings.ToUpper(tokens[0].text) {
	case "FROM", "COPY", "ADD", "RUN":
	default:
		return
	}
	for _, t := range tokens[1:] {
		if !strings.HasPrefix(t.text, "--") {
			return
		}
		if strings.ContainsAny(t.text, "\"'\\`") || strings.EqualFold(t.text, "--from") || strings.EqualFold(t.text, "--mount") {
			d.open = problem(Unreadable, "flag %s is not written plainly: write it without quotes and escapes, as --name=value", clip(t.text))
		}
	}
}

func (d *dockerfile) from(tokens []token) {
	for len(tokens) > 0 && strings.HasPrefix(tokens[0].text, "--") {
		tokens = tokens[1:]
	}
	if len(tokens) == 0 {
		return
	}
	base := tokens[0]
	if base.text != "scratch" && !d.stages[strings.ToLower(base.text)] {
		d.image(base, "", Stage)
	}
	if len(tokens) > 2 && strings.EqualFold(tokens[1].text, "AS") {
		d.stages[strings.ToLower(tokens[2].text)] = true
	}
}

func (d *dockerfile) flags(tokens []token, flag string) {
	for _, t := range tokens {
		if !strings.HasPrefix(t.text, "--") {
			return
		}
		if value, ok := strings.CutPrefix(t.text, flag); ok {
			d.source(token{value, Span{t.span.Start + len(flag), t.span.End}, t.split})
		}
	}
}

func (d *dockerfile) mounts(tokens []token) {
	for _, t := range tokens {
		if !strings.HasPrefix(t.text, "--") {
			return
		}
		rest, ok := strings.CutPrefix(t.text, "--mount=")
		if !ok {
			continue
		}
		at := t.span.Start + len("--mount=")
		for field := range strings.SplitSeq(rest, ",") {
			if key, value, ok := strings.Cut(field, "="); ok && strings.EqualFold(key, "from") {
				d.source(token{value, Span{at + len("from="), at + len(field)}, t.split})
			}
			at += len(field) + 1
		}
	}
}

// source reads what --from names: a stage by name or number, or an image.
func (d *dockerfile) source(t token) {
	if _, err := strconv.Atoi(t.text); err == nil || d.stages[strings.ToLower(t.text)] {
		return
	}
	d.image(t, "", CopyFrom)
}

func (d *dockerfile) image(t token, prefix string, place Place) {
	d.index++
	c := candidate{Finding: Finding{
		Span: t.span, Pointer: "/" + strconv.Itoa(d.index) + "/" + strings.ReplaceAll(string(place), " ", "-"), Indices: 1,
		Place: place, Text: t.text, Ignored: d.ignore,
	}}
	written := t.text
	if n := len(written); n > 1 && written[0] == '"' && written[n-1] == '"' {
		written = written[1 : n-1]
		c.Span = Span{t.span.Start + 1, t.span.End - 1}
		c.Text = written
	}
	ref, err := image.Parse(written)
	switch {
	case t.split:
		c.Problem = problem(Multiline, "the word goes on on the next line")
	case err == nil:
		c.Image = ref
	case strings.ContainsRune(written, '$'):
		c.Problem = problem(Templated, "a build argument stands for the image: pin its default")
	default:
		c.Problem = problem(Malformed, "%s", err)
	}
	c.form = whole{scalar{span: c.Span, value: written, exact: true, quote: '"'}, prefix}
	d.found = append(d.found, c)
}
