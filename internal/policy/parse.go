package policy

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/document"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// A Document is one document of a file of .pinnace/.
type Document struct {
	File string
	Line int // of the file where Data begins, from 1; 0 is 1
	Kind string
	Data []byte // its bytes, with its "---" if it has one
}

// parsed is a document as a value, with its places.
type parsed struct {
	Document
	line  int
	data  []byte
	root  *yaml.Node
	value any
	marks document.Marks
}

// A reader reads the documents of one file.
type reader struct{ document.Reader }

// parse reads the YAML of a document, and says whether it can be used.
func (r *reader) parse(d Document) (parsed, bool) {
	p := parsed{Document: d, line: max(d.Line, 1), data: d.Data}
	if len(d.Data) > document.MaxBytes {
		r.Report(p.line, 1, "the document has %d bytes: more than 1 MiB is not read", len(d.Data))
		return p, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(d.Data))
	var n yaml.Node
	switch err := decoder.Decode(&n); {
	case errors.Is(err, io.EOF):
		r.Report(p.line, 1, "the document is empty: write apiVersion and kind, or delete it")
		return p, false
	case err != nil:
		r.syntax(p, err)
		return p, false
	}
	var more yaml.Node
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		r.Report(p.line+max(more.Line, 1)-1, max(more.Column, 1), "a second document begins here: one is expected")
		return p, false
	}
	document.Shift(&n, p.line-1)
	if n.Kind != yaml.DocumentNode || len(n.Content) != 1 || n.Content[0].Kind != yaml.MappingNode {
		r.Report(p.line, 1, "expected keys and values, such as kind: %s", KindImagePromotionPolicy)
		return p, false
	}
	p.root = n.Content[0]
	p.value, p.marks = r.Read(p.root)
	return p, p.value != nil && r.header(&p)
}

// syntax reports what the parser said; it knows the line only.
func (r *reader) syntax(p parsed, err error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if rest, ok := strings.CutPrefix(message, "line "); ok {
		if number, text, ok := strings.Cut(rest, ": "); ok {
			if n, err := strconv.Atoi(number); err == nil {
				line, message = max(n, 1), text
			}
		}
	}
	message = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(message, "?"))
	r.Report(p.line+line-1, 1, "not valid YAML: %s", message)
}

// header checks apiVersion and kind. A missing kind is not guessed.
func (r *reader) header(p *parsed) bool {
	values, _ := p.value.(object)
	kind, _ := values["kind"].(string)
	at := p.marks["/kind"]
	switch {
	case values["kind"] == nil:
		at = p.marks[""]
		r.Report(at.Line, at.Column, "kind is missing: expected one of %s", list(Kinds(), "or"))
		return false
	case kind == "":
		r.Report(at.Line, at.Column, "kind must be text: expected one of %s", list(Kinds(), "or"))
		return false
	case schemaNames[kind] == "":
		r.Report(at.Line, at.Column, "unknown kind %s%s", document.Quote(kind), document.Hint(kind, Kinds()))
		return false
	case p.Kind != "" && p.Kind != kind:
		r.Report(at.Line, at.Column, "the document was taken for a %s and is a %s", p.Kind, kind)
		return false
	}
	p.Kind = kind
	return true
}

// validate holds the value to its schema and reads it into a document.
func (r *reader) validate(p parsed, into any) bool {
	return r.Decode(schemas()[p.Kind], p.value, p.marks, into)
}

// lineBreak returns the length of the line break at i, or 0. Lines end as they do for the
// parser, which counts NEL, LS and PS, too.
func lineBreak(data []byte, i int) int {
	switch rest := data[i:]; {
	case bytes.HasPrefix(rest, []byte("\r\n")):
		return 2
	case rest[0] == '\n' || rest[0] == '\r':
		return 1
	case bytes.HasPrefix(rest, []byte("\u0085")):
		return 2
	case bytes.HasPrefix(rest, []byte("\u2028")), bytes.HasPrefix(rest, []byte("\u2029")):
		return 3
	}
	return 0
}
