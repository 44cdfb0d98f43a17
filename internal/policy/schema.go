package policy

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// APIVersion is the version of every document that Pinnace defines.
const APIVersion = "pinnace.dev/v1alpha1"

// The kinds of document that this package reads.
const (
	KindPullImageDigestPolicy   = "PullImageDigestPolicy"
	KindImagePromotionPolicy    = "ImagePromotionPolicy"
	KindArtifactPromotionPolicy = "artifactPromotionPolicy" // its apiVersion is "v1"
	KindFilterCondition         = "FilterCondition"
	KindFreeze                  = "Freeze"
)

const schemaBase = "https://pinnace.dev/schema/v1alpha1/"

//go:embed schema/*.schema.json
var schemaFiles embed.FS

// schemaNames maps each kind to the last segment of its schema's address.
var schemaNames = map[string]string{
	KindPullImageDigestPolicy:   "pull-image-digest-policy.schema.json",
	KindImagePromotionPolicy:    "image-promotion-policy.schema.json",
	KindArtifactPromotionPolicy: "artifact-promotion-policy.schema.json",
	KindFilterCondition:         "filter-condition.schema.json",
	KindFreeze:                  "freeze.schema.json",
}

// Kinds returns the kinds of document, in the order of the reference.
func Kinds() []string {
	return []string{
		KindPullImageDigestPolicy, KindImagePromotionPolicy, KindArtifactPromotionPolicy, KindFilterCondition, KindFreeze,
	}
}

// Schema returns the JSON schema (draft 2020-12) of a kind of document, nil for another kind.
func Schema(kind string) []byte {
	name, ok := schemaNames[kind]
	if !ok {
		return nil
	}
	text, err := schemaFiles.ReadFile("schema/" + name)
	if err != nil {
		panic("policy: embedded schema: " + err.Error()) // unreachable: a test reads each
	}
	return text
}

// SchemaID returns the address that names the schema of a kind.
func SchemaID(kind string) string { return schemaBase + schemaNames[kind] }

// An object is a JSON object.
type object = map[string]any

// A form is the schema of one kind.
type form struct {
	raw      object
	compiled *jsonschema.Schema
}

// forms are compiled when one is first needed.
var forms = sync.OnceValue(func() map[string]form {
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
	all := map[string]form{}
	for _, kind := range Kinds() {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema(kind)))
		if err == nil {
			err = c.AddResource(SchemaID(kind), v)
		}
		if err != nil {
			panic("policy: embedded schema: " + err.Error()) // unreachable: a test reads each
		}
		all[kind] = form{raw: v.(object)}
	}
	for kind, f := range all {
		f.compiled = c.MustCompile(SchemaID(kind))
		all[kind] = f
	}
	return all
})

// noLoader refuses to read what a schema may refer to: each refers to itself only.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) { return nil, errors.New("not loaded: " + url) }

// schemaAt returns the part of a schema that a URL of a validation error names.
func schemaAt(url string) object {
	base, fragment, _ := strings.Cut(url, "#")
	for kind, name := range schemaNames {
		if base == schemaBase+name {
			return within(forms()[kind].raw, fragment)
		}
	}
	return nil // unreachable: there are no other schemas
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

func unescape(part string) string {
	return strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
}

// deref follows the reference of s, and lays the keys of s over what it finds.
func deref(root, s object) object {
	ref, ok := s["$ref"].(string)
	if !ok {
		return s
	}
	merged := object{}
	for k, v := range deref(root, within(root, strings.TrimPrefix(ref, "#"))) {
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
func fill(root, s object, v any) any {
	s = deref(root, s)
	switch v := v.(type) {
	case object:
		properties, _ := s["properties"].(object)
		for name, p := range properties {
			p := deref(root, p.(object))
			if old, ok := v[name]; ok {
				v[name] = fill(root, p, old)
			} else if d, ok := p["default"]; ok {
				v[name] = fill(root, p, clone(d))
			}
		}
	case []any:
		if items, ok := s["items"].(object); ok {
			for i := range v {
				v[i] = fill(root, items, v[i])
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

// decode fills in the defaults of a kind and reads the value.
func decode(kind string, v, into any) error {
	root := forms()[kind].raw
	text, err := json.Marshal(fill(root, root, v))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
