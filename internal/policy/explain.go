package policy

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// An explainer turns the errors of the schema library into problems in our words,
// and remembers which values to leave out.
type explainer struct {
	file     string
	marks    marks
	known    map[place]bool // places of problems that were found before
	root     any
	problems Problems
	bad      [][]string // locations of values that cannot be used
}

func (e *explainer) report(location []string, format string, args ...any) {
	m := e.marks[pointerOf(location)]
	e.add(location, m.line, m.column, format, args...)
}

func (e *explainer) add(location []string, line, column int, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if name := dotted(pointerOf(location)); name != "" {
		message = name + ": " + message
	}
	e.problems = append(e.problems, Problem{File: e.file, Line: line, Column: column, Message: message})
}

// refuse reports a value and leaves it out. A value that could not be read was
// reported before.
func (e *explainer) refuse(location []string, format string, args ...any) {
	m := e.marks[pointerOf(location)]
	if e.value(location) == nil && e.known[place{m.line, m.column}] {
		e.bad = append(e.bad, location)
		return
	}
	e.report(location, format, args...)
	e.bad = append(e.bad, location)
}

func (e *explainer) explain(err *jsonschema.ValidationError) {
	at, s := err.InstanceLocation, schemaAt(err.SchemaURL)
	switch k := err.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		properties, _ := s["properties"].(object)
		for _, name := range k.Properties {
			e.unknown(append(slices.Clone(at), name), name, properties)
		}
	case *kind.Type:
		e.mistyped(at, s, k.Want)
	case *kind.Enum:
		e.enum(at, k)
	case *kind.Const:
		e.refuse(at, "expected %v", k.Want)
	case *kind.Required:
		for _, name := range k.Missing {
			e.report(at, "needs %s%s", name, meaning(err.SchemaURL, name))
		}
	case *kind.MinProperties:
		e.refuse(at, "is empty: write one of %s", list(keys(s), "or"))
	case *kind.AnyOf:
		e.report(at, "needs %s", list(alternatives(s["anyOf"]), "or"))
	case *kind.Format:
		e.refuse(at, "%s", k.Err)
	case *kind.MinItems:
		e.refuse(at, "the list is empty: write at least one")
	case *kind.UniqueItems:
		i := k.Duplicates[1]
		twice := append(slices.Clone(at), strconv.Itoa(i))
		e.report(twice, "%s is written twice in this list: delete one", quote(e.marks[pointerOf(twice)].text))
	case *kind.Minimum:
		e.refuse(at, "%s is too low: expected %s or more", number(k.Got), number(k.Want))
	case *kind.Maximum:
		e.refuse(at, "%s is too high: expected %s or less", number(k.Got), number(k.Want))
	default: // Schema, Group, Reference, AllOf: the reasons are below
		for _, cause := range err.Causes {
			e.explain(cause)
		}
	}
}

func (e *explainer) unknown(location []string, name string, known object) {
	names := keys(object{"properties": known})
	m := e.marks[pointerOf(location)]
	e.add(location[:len(location)-1], m.keyLine, m.keyColumn, "unknown key %s%s", quote(name), hintUnless(len(e.problems) > maxProblems, name, names))
	e.bad = append(e.bad, location)
}

func (e *explainer) mistyped(at []string, s object, want []string) {
	expected := typeNoun(s, want)
	m := e.marks[pointerOf(at)]
	text := len(want) == 1 && want[0] == "string"
	if s["format"] == "pinnace-duration" {
		expected, text = wantDuration[len("expected "):], false
	}
	switch v := e.value(at).(type) {
	case nil:
		e.refuse(at, "has no value: expected %s; write one, or delete the key", expected)
	case bool:
		if text {
			e.refuse(at, "expected text, got the truth value %s: write %q", m.text, m.text)
			return
		}
		e.refuse(at, "expected %s, got %s", expected, m.text)
	case object:
		e.refuse(at, "expected %s, got keys and values", expected)
	case []any:
		e.refuse(at, "expected %s, got a list", expected)
	case string:
		switch {
		case len(want) == 1 && want[0] == "boolean":
			e.refuse(at, "expected true or false, got the text %s: write true or false, without quotes", quote(v))
		case len(want) == 1 && want[0] == "array":
			e.refuse(at, "expected a list, got the text %s: write [%s]", quote(v), strconv.Quote(v))
		default:
			e.refuse(at, "expected %s, got the text %s", expected, quote(v))
		}
	default:
		if text {
			e.refuse(at, "expected text, got the number %s: write %q", m.text, m.text)
			return
		}
		e.refuse(at, "expected %s, got the number %s", expected, m.text)
	}
}

func (e *explainer) enum(at []string, k *kind.Enum) {
	want := make([]string, len(k.Want))
	for i, w := range k.Want {
		want[i] = fmt.Sprint(w)
	}
	text := e.marks[pointerOf(at)].text
	switch k.Got.(type) {
	case nil:
		e.refuse(at, "has no value: expected %s; write one, or delete the key", list(want, "or"))
	case object, []any:
		e.refuse(at, "expected %s", list(want, "or"))
	default:
		message := quote(text) + ": expected " + list(want, "or")
		if s := suggest(text, want); s != "" {
			message += "; did you mean " + s + "?"
		}
		e.refuse(at, "unknown value %s", message)
	}
}

// value returns the value at a location.
func (e *explainer) value(location []string) any {
	v := e.root
	for _, part := range location {
		switch at := v.(type) {
		case object:
			v = at[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(at) {
				return nil // unreachable: the library names places that are there
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// prune returns the root without the refused values. An item of a list becomes nil,
// so that those after it keep their place.
func (e *explainer) prune() any {
	for _, location := range e.bad {
		if len(location) == 0 {
			return object{}
		}
		last := location[len(location)-1]
		switch parent := e.value(location[:len(location)-1]).(type) {
		case object:
			delete(parent, last)
		case []any:
			if i, err := strconv.Atoi(last); err == nil && i < len(parent) {
				parent[i] = nil
			}
		}
	}
	return e.root
}
