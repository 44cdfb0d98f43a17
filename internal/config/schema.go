package config

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// SchemaID is the address that names the schema.
const SchemaID = "https://pinnace.dev/schema/v1alpha1/config.schema.json"

//go:embed schema/config.schema.json
var schemaText []byte

//go:embed schema/example.yaml
var exampleText []byte

// Schema returns the JSON schema (draft 2020-12) of the Config document.
func Schema() []byte { return bytes.Clone(schemaText) }

// Example returns a Config document that holds every key that has a common use.
func Example() []byte { return bytes.Clone(exampleText) }

// An object is a JSON object of the schema.
type object = map[string]any

// rawSchema is the schema as JSON.
var rawSchema = sync.OnceValue(func() object {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText))
	if err != nil {
		panic("config: embedded schema: " + err.Error()) // unreachable: a test reads it
	}
	return v.(object)
})

// compiled is the schema, ready to validate. It is compiled when first needed.
var compiled = sync.OnceValue(func() *jsonschema.Schema {
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
	if err := c.AddResource(SchemaID, rawSchema()); err != nil {
		panic("config: embedded schema: " + err.Error()) // unreachable: a test compiles it
	}
	return c.MustCompile(SchemaID)
})

// noLoader refuses to read what the schema may refer to: it refers to itself only.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) { return nil, errors.New("not loaded: " + url) }

// schemaAt returns the part of the schema that a URL of a validation error names.
func schemaAt(url string) object {
	_, fragment, _ := strings.Cut(url, "#")
	var at any = rawSchema()
	for part := range strings.SplitSeq(strings.TrimPrefix(fragment, "/"), "/") {
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

func unescape(part string) string {
	return strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
}

// deref follows the reference of s, and lays the keys of s over what it finds.
func deref(s object) object {
	ref, ok := s["$ref"].(string)
	if !ok {
		return s
	}
	merged := object{}
	for k, v := range deref(schemaAt(ref)) {
		merged[k] = v
	}
	for k, v := range s {
		if k != "$ref" {
			merged[k] = v
		}
	}
	return merged
}

// fill adds the defaults of schema s to a value, in place where it can.
func fill(s object, v any) any {
	s = deref(s)
	switch v := v.(type) {
	case object:
		properties, _ := s["properties"].(object)
		for name, p := range properties {
			p := deref(p.(object))
			if old, ok := v[name]; ok {
				v[name] = fill(p, old)
			} else if d, ok := p["default"]; ok {
				v[name] = fill(p, clone(d))
			}
		}
	case []any:
		if items, ok := s["items"].(object); ok {
			for i := range v {
				v[i] = fill(items, v[i])
			}
		}
	}
	return v
}

func clone(v any) any {
	switch v := v.(type) {
	case object:
		c := make(object, len(v))
		for k, x := range v {
			c[k] = clone(x)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, x := range v {
			c[i] = clone(x)
		}
		return c
	}
	return v
}

// decode fills in the defaults and reads the value into a Config.
func decode(v any) (*Config, error) {
	text, err := json.Marshal(fill(rawSchema(), v))
	if err != nil {
		return nil, err
	}
	var c Config
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, err
	}
	return &c, nil
}
