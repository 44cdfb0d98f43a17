package document

import (
	"fmt"
	"path"
	"slices"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// An explainer turns the errors of the schema library into problems in our words,
// and remembers which values to leave out.
type explainer struct {
	schema   *Schema
	file     string
	marks    Marks
	known    map[place]bool // places of problems that were found before
	root     any
	problems Problems
	bad      [][]string // locations of values that cannot be used
}

func (e *explainer) report(location []string, format string, args ...any) {
	m := e.marks[pointerOf(location)]
	e.add(location, m.Line, m.Column, format, args...)
}

func (e *explainer) add(location []string, line, column int, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if name := Dotted(pointerOf(location)); name != "" {
		message = name + ": " + message
	}
	e.problems = append(e.problems, Problem{File: e.file, Line: line, Column: column, Message: message})
}

// refuse reports a value and leaves it out. A value that could not be read was
// reported before.
func (e *explainer) refuse(location []string, format string, args ...any) {
	m := e.marks[pointerOf(location)]
	if e.value(location) == nil && e.known[place{m.Line, m.Column}] {
		e.bad = append(e.bad, location)
		return
	}
	e.report(location, format, args...)
	e.bad = append(e.bad, location)
}

func (e *explainer) explain(err *jsonschema.ValidationError) {
	at, s := err.InstanceLocation, e.schema.at(err.SchemaURL)
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
			e.report(at, "needs %s%s", name, e.schema.meaning(err.SchemaURL, name))
		}
	case *kind.DependentRequired:
		e.report(at, "%s needs %s as well%s", k.Prop, List(k.Missing, "and"), e.schema.meaning(err.SchemaURL, k.Missing[0]))
	case *kind.OneOf:
		e.choice(at, s)
	case *kind.AnyOf:
		e.report(at, "needs %s", List(alternatives(s["anyOf"]), "or"))
	case *kind.MinProperties:
		e.refuse(at, "is empty: write one of %s", List(keys(s), "or"))
	case *kind.Not:
		e.report(at, "%s is not for this type: delete it", List(alternatives([]any{s["not"]}), "and"))
	case *kind.Format:
		e.refuse(at, "%s", k.Err)
	case *kind.PropertyNames:
		// The library's location of this kind changes under it (v6.0.3 does not clone
		// it), so the schema's place is used: names are checked in keys of the root only.
		e.name([]string{path.Base(path.Dir(err.SchemaURL)), k.Property}, err.Causes)
	case *kind.Pattern:
		if _, formatted := s["format"]; !formatted {
			e.refuse(at, "%s does not match %s", Quote(k.Got), k.Want) // unreachable: each pattern has a format beside it
		}
	case *kind.MinLength:
		e.refuse(at, "is empty: write a name")
	case *kind.MinItems:
		e.refuse(at, "the list is empty: write at least one")
	case *kind.UniqueItems:
		i := k.Duplicates[1]
		twice := append(slices.Clone(at), strconv.Itoa(i))
		e.report(twice, "%s is written twice in this list: delete one", Quote(e.marks[pointerOf(twice)].Text))
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
	e.add(location[:len(location)-1], m.KeyLine, m.KeyColumn, "unknown key %s%s", Quote(name), HintUnless(len(e.problems) > MaxProblems, name, names))
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
			e.refuse(at, "expected text, got the truth value %s: write %q", m.Text, m.Text)
			return
		}
		e.refuse(at, "expected %s, got %s", expected, m.Text)
	case object:
		e.refuse(at, "expected %s, got keys and values", expected)
	case []any:
		e.refuse(at, "expected %s, got a list", expected)
	case string:
		switch {
		case len(want) == 1 && want[0] == "boolean":
			e.refuse(at, "expected true or false, got the text %s: write true or false, without quotes", Quote(v))
		case len(want) == 1 && want[0] == "array":
			e.refuse(at, "expected a list, got the text %s: write [%s]", Quote(v), strconv.Quote(v))
		default:
			e.refuse(at, "expected %s, got the text %s", expected, Quote(v))
		}
	default:
		if text {
			e.refuse(at, "expected text, got the number %s: write %q", m.Text, m.Text)
			return
		}
		e.refuse(at, "expected %s, got the number %s", expected, m.Text)
	}
}

func (e *explainer) enum(at []string, k *kind.Enum) {
	want := make([]string, len(k.Want))
	for i, w := range k.Want {
		want[i] = fmt.Sprint(w)
	}
	text := e.marks[pointerOf(at)].Text
	switch k.Got.(type) {
	case nil:
		e.refuse(at, "has no value: expected %s; write one, or delete the key", List(want, "or"))
	case object, []any:
		e.refuse(at, "expected %s", List(want, "or"))
	default:
		message := Quote(text) + ": expected " + List(want, "or")
		if s := Suggest(text, want); s != "" {
			message += "; did you mean " + s + "?"
		}
		e.refuse(at, "unknown value %s", message)
	}
}

// choice explains a oneOf whose branches each require keys.
func (e *explainer) choice(at []string, s object) {
	names := alternatives(s["oneOf"])
	values, _ := e.value(at).(object)
	var present []string
	for _, n := range names {
		if _, ok := values[n]; ok {
			present = append(present, n)
		}
	}
	if len(present) == 0 {
		e.report(at, "needs exactly one of %s, and has none", List(names, "or"))
		return
	}
	e.report(at, "needs exactly one of %s, and has %s: delete all but one", List(names, "or"), List(present, "and"))
}

// name explains why a key is refused.
func (e *explainer) name(at []string, causes []*jsonschema.ValidationError) {
	m := e.marks[pointerOf(at)]
	for _, cause := range causes {
		if k, ok := cause.ErrorKind.(*kind.Format); ok {
			e.add(at[:len(at)-1], m.KeyLine, m.KeyColumn, "%s", k.Err)
		} else {
			e.name(at, cause.Causes)
		}
	}
	e.bad = append(e.bad, at)
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
