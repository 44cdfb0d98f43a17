package document

import (
	"errors"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Decode holds what Read returned to a schema and reads it into a Go value, its defaults
// filled in. What the schema refuses is reported and left out, as is text that some YAML
// readers take for a truth value. It returns false where nothing can be read.
func (r *Reader) Decode(s *Schema, value any, at Marks, into any) bool {
	line := max(at[""].Line, 1)
	if err := s.compiled.Validate(value); err != nil {
		var invalid *jsonschema.ValidationError
		if !errors.As(err, &invalid) {
			r.Report(line, 1, "cannot be validated: %s", err) // unreachable: Read returns JSON values only
			return false
		}
		e := explainer{schema: s, file: r.File, marks: at, known: r.places(), root: value}
		e.explain(invalid)
		if !e.problems.HasErrors() && !r.Problems.HasErrors() {
			r.Report(line, 1, "the document is not valid") // unreachable: explain has words for each keyword in the schemas
		}
		r.Problems = append(r.Problems, e.problems...)
		value = e.prune()
	}
	r.Problems = append(r.Problems, r.yaml11(at)...)
	if err := s.Decode(value, into); err != nil {
		r.Report(line, 1, "cannot be read: %s", err) // unreachable: the schema has settled every type
		return false
	}
	return true
}

// yaml11 reports text without quotes that older YAML readers take for a truth value, where
// nothing else is wrong with it.
func (r *Reader) yaml11(at Marks) Problems {
	known := r.places()
	var problems Problems
	for pointer, m := range at {
		if !m.Plain || known[place{m.Line, m.Column}] {
			continue
		}
		switch m.Text {
		case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF":
			problems = append(problems, Problem{
				File: r.File, Line: m.Line, Column: m.Column,
				Message: fmt.Sprintf("%s: %s without quotes is a truth value to some YAML readers and text to others: write %q",
					Dotted(pointer), m.Text, m.Text),
			})
		}
	}
	return problems
}

// A place is a line and a column.
type place struct{ line, column int }

// places returns where problems were found so far.
func (r *Reader) places() map[place]bool {
	known := map[place]bool{}
	for _, p := range r.Problems {
		known[place{p.Line, p.Column}] = true
	}
	return known
}
