package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
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
	marks marks
}

// parse reads the YAML of a document, and says whether it can be used.
func (r *reader) parse(d Document) (parsed, bool) {
	p := parsed{Document: d, line: max(d.Line, 1), data: d.Data, marks: marks{}}
	if len(d.Data) > maxBytes {
		r.report(p.line, 1, "the document has %d bytes: more than 1 MiB is not read", len(d.Data))
		return p, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(d.Data))
	var n yaml.Node
	switch err := decoder.Decode(&n); {
	case errors.Is(err, io.EOF):
		r.report(p.line, 1, "the document is empty: write apiVersion and kind, or delete it")
		return p, false
	case err != nil:
		r.syntax(p, err)
		return p, false
	}
	var more yaml.Node
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		r.report(p.line+max(more.Line, 1)-1, max(more.Column, 1), "a second document begins here: one is expected")
		return p, false
	}
	shift(&n, p.line-1)
	if n.Kind != yaml.DocumentNode || len(n.Content) != 1 || n.Content[0].Kind != yaml.MappingNode {
		r.report(p.line, 1, "expected keys and values, such as kind: %s", KindImagePromotionPolicy)
		return p, false
	}
	p.root = n.Content[0]
	p.value = r.read(p.root, p.marks, "", nil, 0)
	return p, p.value != nil && r.header(&p)
}

// shift moves the positions of a tree down. It follows no alias, and so ends.
func shift(n *yaml.Node, lines int) {
	n.Line += lines
	for _, c := range n.Content {
		shift(c, lines)
	}
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
	r.report(p.line+line-1, 1, "not valid YAML: %s", message)
}

// header checks apiVersion and kind. A missing kind is not guessed.
func (r *reader) header(p *parsed) bool {
	values, _ := p.value.(object)
	kind, _ := values["kind"].(string)
	at := p.marks["/kind"]
	switch {
	case values["kind"] == nil:
		at = p.marks[""]
		r.report(at.line, at.column, "kind is missing: expected one of %s", list(Kinds(), "or"))
		return false
	case kind == "":
		r.report(at.line, at.column, "kind must be text: expected one of %s", list(Kinds(), "or"))
		return false
	case schemaNames[kind] == "":
		r.report(at.line, at.column, "unknown kind %s%s", quote(kind), hint(kind, Kinds()))
		return false
	case p.Kind != "" && p.Kind != kind:
		r.report(at.line, at.column, "the document was taken for a %s and is a %s", p.Kind, kind)
		return false
	}
	p.Kind = kind
	return true
}

// validate holds the value to its schema and reads it into a document. What the schema
// refuses is left out of what is read, so that the other checks still say what they find.
func (r *reader) validate(p parsed, into any) bool {
	if err := forms()[p.Kind].compiled.Validate(p.value); err != nil {
		var invalid *jsonschema.ValidationError
		if !errors.As(err, &invalid) {
			r.report(p.line, 1, "cannot be validated: %s", err) // unreachable: read returns JSON values only
			return false
		}
		e := explainer{file: r.file, marks: p.marks, known: r.places(), root: p.value}
		e.explain(invalid)
		if !e.problems.HasErrors() && !r.problems.HasErrors() {
			r.report(p.line, 1, "the document is not valid") // unreachable: explain has words for each keyword in the schemas
		}
		r.problems = append(r.problems, e.problems...)
		p.value = e.prune()
	}
	r.problems = append(r.problems, r.yaml11(p.marks)...)
	if err := decode(p.Kind, p.value, into); err != nil {
		r.report(p.line, 1, "cannot be read: %s", err) // unreachable: the schema has settled every type
		return false
	}
	return true
}

// yaml11 reports text without quotes that older YAML readers take for a truth value, where
// nothing else is wrong with it.
func (r *reader) yaml11(at marks) Problems {
	known := r.places()
	var problems Problems
	for pointer, m := range at {
		if !m.plain || known[place{m.line, m.column}] {
			continue
		}
		switch m.text {
		case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF":
			problems = append(problems, Problem{
				File: r.file, Line: m.line, Column: m.column,
				Message: fmt.Sprintf("%s: %s without quotes is a truth value to some YAML readers and text to others: write %q",
					dotted(pointer), m.text, m.text),
			})
		}
	}
	return problems
}

// A place is a line and a column.
type place struct{ line, column int }

// places returns where problems were found so far.
func (r *reader) places() map[place]bool {
	known := map[place]bool{}
	for _, p := range r.problems {
		known[place{p.Line, p.Column}] = true
	}
	return known
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
