package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// An object is a JSON object.
type object = map[string]any

// A Schema is a JSON schema (draft 2020-12), ready to validate.
type Schema struct {
	root     object
	compiled *jsonschema.Schema
}

// Compile reads the text of a schema that refers to itself only. The id is its address, and
// formats check the texts that it names a format for: each error says what is wrong, what is
// expected and what to do.
func Compile(id string, text []byte, formats map[string]func(string) error) (*Schema, error) {
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	c.AssertFormat()
	for name, check := range formats {
		c.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(v any) error {
			if s, ok := v.(string); ok {
				return check(s)
			}
			return nil // a value of another type is a problem of type
		}})
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %s: %w", id, err)
	}
	root, ok := v.(object)
	if !ok {
		return nil, fmt.Errorf("reading the schema: %s: it is no object", id)
	}
	if err := c.AddResource(id, root); err != nil {
		return nil, fmt.Errorf("reading the schema: %s: %w", id, err)
	}
	compiled, err := c.Compile(id)
	if err != nil {
		return nil, fmt.Errorf("compiling the schema: %s: %w", id, err)
	}
	return &Schema{root: root, compiled: compiled}, nil
}

// noLoader refuses to read what a schema may refer to.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) { return nil, errors.New("not loaded: " + url) }

// Decode fills in the defaults of a value, in place where it can, and reads it into a Go
// value. It does not validate.
func (s *Schema) Decode(value, into any) error {
	text, err := json.Marshal(fill(s.root, s.root, value))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// at returns the part of the schema that a URL of a validation error names.
func (s *Schema) at(url string) object {
	_, fragment, _ := strings.Cut(url, "#")
	return within(s.root, fragment)
}

// within returns the part of a schema at a JSON pointer.
func within(root object, pointer string) object {
	var at any = root
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if part == "" {
			continue
		}
		switch parent := at.(type) {
		case object:
			at = parent[unescape(part)]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(parent) {
				return nil // unreachable: the library names places that are there
			}
			at = parent[i]
		}
	}
	found, _ := at.(object)
	return found
}
