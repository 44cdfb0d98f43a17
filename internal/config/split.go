package config

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pinnace-dev/pinnace/internal/document"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// A Document is one sound document of a file of .pinnace/: its root is a mapping
// with a known apiVersion and kind, its keys are text and unique, its tags are
// plain, and its aliases do not explode.
type Document struct {
	File       string
	APIVersion string
	Kind       string
	Line       int        // line of the file where Data begins, from 1
	Data       []byte     // the document's bytes, with its "---" if it has one
	Node       *yaml.Node // the root mapping; its positions count from the file's start

	value   any
	marks   document.Marks
	unsound bool // a problem was found in it
}

// Locate returns the line and column, in the file, of the value at a JSON pointer;
// zeros where there is none.
func (d Document) Locate(pointer string) (line, column int) {
	m := d.marks[pointer]
	return m.Line, m.Column
}

// Split returns the documents of a file. One with a problem is left out; the
// others are returned all the same.
func Split(file string, data []byte) ([]Document, Problems) {
	docs, problems := split(file, data)
	docs = slices.DeleteFunc(docs, func(d Document) bool { return d.unsound })
	return docs, problems.Tidy()
}

// split returns the documents whose kind is known, those with problems included.
func split(file string, data []byte) ([]Document, Problems) {
	r := &reader{document.Reader{File: file}}
	if len(data) > document.MaxBytes {
		r.Report(1, 1, "the file has %d bytes: more than 1 MiB is not read", len(data))
		return nil, r.Problems
	}
	var docs []Document
	for _, c := range cut(data) {
		docs = append(docs, r.chunk(c)...)
	}
	var first *Document
	for i, d := range docs {
		switch {
		case d.Kind != KindConfig:
		case first == nil:
			first = &docs[i]
		default:
			docs[i].unsound = true
			line, column := d.Locate("/kind")
			earlier, _ := first.Locate("/kind")
			r.Report(line, column, "a second Config document, the first is in line %d: a repository has one", earlier)
		}
	}
	return docs, r.Problems
}

// A reader reads the documents of one file.
type reader struct{ document.Reader }

// A chunk is the part of a file from one document marker to the next.
type chunk struct {
	line int // of its first byte
	data []byte
}

// cut parts a stream at its document markers, so that a syntax error in one
// document hides no other. YAML allows a marker nowhere else than at the start of a
// line, inside a scalar neither.
func cut(data []byte) []chunk {
	var chunks []chunk
	start, startLine := 0, 1
	line := 1
	for i := 0; i < len(data); {
		end, next := lineEnd(data, i)
		text := data[i:end]
		if i == 0 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		switch {
		case marker(text, "---"):
			if i > start {
				chunks = append(chunks, chunk{startLine, data[start:i]})
			}
			start, startLine = i, line
		case marker(text, "..."):
			chunks = append(chunks, chunk{startLine, data[start:i]})
			start, startLine = next, line+1
		}
		i = next
		line++
	}
	if start < len(data) {
		chunks = append(chunks, chunk{startLine, data[start:]})
	}
	return chunks
}

func marker(line []byte, mark string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(mark))
	return ok && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t')
}

// lineEnd returns where the line at i ends and where the next one begins. Lines
// end as they do for the parser, which counts NEL, LS and PS, too.
func lineEnd(data []byte, i int) (end, next int) {
	for ; i < len(data); i++ {
		switch c := data[i]; {
		case c == '\n':
			return i, i + 1
		case c == '\r':
			if i+1 < len(data) && data[i+1] == '\n' {
				return i, i + 2
			}
			return i, i + 1
		case c == 0xC2 && i+1 < len(data) && data[i+1] == 0x85:
			return i, i + 2
		case c == 0xE2 && i+2 < len(data) && data[i+1] == 0x80 && (data[i+2] == 0xA8 || data[i+2] == 0xA9):
			return i, i + 3
		}
	}
	return len(data), len(data)
}

// chunk returns the documents of c: one, or none where it holds comments only.
func (r *reader) chunk(c chunk) []Document {
	decoder := yaml.NewDecoder(bytes.NewReader(c.data))
	var docs []Document
	for {
		var n yaml.Node
		if err := decoder.Decode(&n); err != nil {
			if !errors.Is(err, io.EOF) {
				r.syntax(c, err)
			}
			return docs
		}
		if len(docs) > 0 {
			r.Report(n.Line+c.line-1, n.Column, "a document begins where no line does: write --- on a line of its own")
			return docs
		}
		if d, ok := r.document(c, &n); ok {
			docs = append(docs, d)
		}
	}
}

func (r *reader) document(c chunk, n *yaml.Node) (Document, bool) {
	if n.Kind != yaml.DocumentNode || len(n.Content) != 1 {
		return Document{}, false
	}
	document.Shift(n, c.line-1)
	root := n.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" && root.Value == "" {
		return Document{}, false
	}
	if root.Kind != yaml.MappingNode {
		r.Report(root.Line, root.Column, "expected keys and values, such as kind: %s", KindConfig)
		return Document{}, false
	}
	before := len(r.Problems)
	d := Document{File: r.File, Line: c.line, Data: c.data, Node: root}
	d.value, d.marks = r.Read(root)
	d.unsound = len(r.Problems) > before
	return d, d.value != nil && r.header(&d)
}

// syntax reports what the parser said. It knows the line only, and for a block the
// line where the block begins, counted from 0.
func (r *reader) syntax(c chunk, err error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if rest, ok := strings.CutPrefix(message, "line "); ok {
		if number, text, ok := strings.Cut(rest, ": "); ok {
			if n, err := strconv.Atoi(number); err == nil {
				line, message = n, text
			}
		}
	}
	switch {
	case bytes.HasPrefix(bytes.TrimSpace(c.data), []byte("%")):
		message = "directives (%) are not supported: delete the line"
	case strings.HasPrefix(message, "did not find expected"):
		message += ": look at the indentation and the quotes here and below"
	case strings.HasPrefix(message, "mapping values are not allowed"):
		message += ": look at the indentation, and put text that holds a colon in quotes"
	case strings.HasPrefix(message, "found unexpected end of stream"):
		message = "a quote or bracket is opened here and never closed"
	case strings.HasPrefix(message, "found character that cannot start"):
		message += ": indent with spaces, and put text that begins with a sign in quotes"
	}
	column := 1
	if name, ok := strings.CutPrefix(message, "unknown anchor '"); ok {
		name, _, _ = strings.Cut(name, "'")
		line, column = find(c.data, "*"+name)
		message = "no value is named &" + name + " above"
	}
	r.Report(line+c.line-1, column, "not valid YAML: %s", message)
}

// find returns where text first stands, or the beginning.
func find(data []byte, text string) (line, column int) {
	line = 1
	for i := 0; i < len(data); line++ {
		end, next := lineEnd(data, i)
		if at := bytes.Index(data[i:end], []byte(text)); at >= 0 {
			return line, utf8.RuneCount(data[i:i+at]) + 1
		}
		i = next
	}
	return 1, 1
}
