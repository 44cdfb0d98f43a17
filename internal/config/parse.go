package config

import (
	"errors"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Default returns what holds with no file at all.
func Default() *Config {
	c, err := decode(object{"apiVersion": APIVersion, "kind": KindConfig})
	if err != nil {
		panic("config: defaults of the embedded schema: " + err.Error()) // unreachable: a test reads them
	}
	return c
}

// Parse reads the bytes of .pinnace/config.yaml. It returns all problems; the
// Config is nil where one of them is an error.
func Parse(file string, data []byte) (*Config, Problems) {
	docs, problems := split(file, data)
	r := &reader{file: file, problems: problems}
	var c *Config
	for _, d := range docs {
		switch {
		case d.Kind != KindConfig:
			line, column := d.Locate("/kind")
			r.report(line, column, "a %s does not belong in this file: move it to %s", d.Kind, homeOf(d.Kind))
		case c == nil:
			c = r.config(d)
		}
	}
	if len(docs) == 0 && !r.problems.HasErrors() {
		c = Default()
		c.file = file
		r.problems = append(r.problems, Problem{
			File: file, Line: 1, Column: 1, Severity: Warning,
			Message: "the file holds no document: the defaults hold; delete it, or write apiVersion, kind and what differs",
		})
	}
	problems = r.problems.tidy()
	if problems.HasErrors() {
		return nil, problems
	}
	return c, problems
}

func homeOf(kind string) string {
	switch kind {
	case KindConfig:
		return ".pinnace/config.yaml"
	case KindFreeze:
		return ".pinnace/freeze.yaml"
	}
	return ".pinnace/policies/"
}

// config validates the document and reads it. What the schema refuses is left out
// of what is read, so that the other checks still say what they find.
func (r *reader) config(d Document) *Config {
	value := d.value
	if err := compiled().Validate(value); err != nil {
		var invalid *jsonschema.ValidationError
		if !errors.As(err, &invalid) {
			r.report(d.Line, 1, "cannot be validated: %s", err) // unreachable: read returns JSON values only
			return nil
		}
		e := explainer{file: r.file, marks: d.marks, known: r.places(), root: value}
		e.explain(invalid)
		if !e.problems.HasErrors() && !r.problems.HasErrors() {
			r.report(d.Line, 1, "the document is not valid") // unreachable: explain has words for each keyword in the schema
		}
		r.problems = append(r.problems, e.problems...)
		value = e.prune()
	}
	r.problems = append(r.problems, r.yaml11(d.marks)...)
	c, err := decode(value)
	if err != nil {
		r.report(d.Line, 1, "cannot be read: %s", err) // unreachable: the schema has settled every type
		return nil
	}
	c.file, c.marks = r.file, d.marks
	r.problems = append(r.problems, c.check()...)
	return c
}

// yaml11 reports text without quotes that older YAML readers take for a truth
// value, where nothing else is wrong with it.
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
