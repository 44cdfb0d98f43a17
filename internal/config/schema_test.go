package config

import (
	"bytes"
	"encoding"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

type object = map[string]any

func TestSchemaIsValid(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	const meta = "https://json-schema.org/draft/2020-12/schema"
	s, err := jsonschema.NewCompiler().Compile(meta)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Error(err)
	}
	if got := doc.(object)["$schema"]; got != meta {
		t.Errorf("$schema = %v, want %s", got, meta)
	}
	if got := doc.(object)["$id"]; got != SchemaID {
		t.Errorf("$id = %v, want %s", got, SchemaID)
	}
	schema()
}

// root is the schema as JSON.
func root(t *testing.T) object {
	t.Helper()
	var v object
	if err := json.Unmarshal(Schema(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestSchemaAgrees holds the schema and the Go types to the same keys, both ways,
// and to types that fit.
func TestSchemaAgrees(t *testing.T) {
	agree(t, "", root(t), reflect.TypeFor[Config]())
}

func agree(t *testing.T, path string, s object, typ reflect.Type) {
	t.Helper()
	s = document.Deref(root(t), s)
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	text := reflect.PointerTo(typ).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
	_, isEnum := s["enum"]
	_, isConst := s["const"]
	switch want := s["type"]; {
	case isEnum || isConst || want == "string":
		if !text && typ.Kind() != reflect.String {
			t.Errorf("%s: the schema says text, the type is %s", path, typ)
		}
	case want == "boolean":
		if typ.Kind() != reflect.Bool {
			t.Errorf("%s: the schema says boolean, the type is %s", path, typ)
		}
	case want == "integer":
		if typ.Kind() != reflect.Int && typ.Kind() != reflect.Int64 {
			t.Errorf("%s: the schema says integer, the type is %s", path, typ)
		}
	case want == "array":
		if typ.Kind() != reflect.Slice {
			t.Errorf("%s: the schema says array, the type is %s", path, typ)
			return
		}
		agree(t, path+"[]", s["items"].(object), typ.Elem())
	case want == "object" && typ.Kind() == reflect.Map:
		agree(t, path+".*", s["additionalProperties"].(object), typ.Elem())
	case want == "object":
		if s["additionalProperties"] != false {
			t.Errorf("%s: the schema lets unknown keys pass", path)
		}
		properties := s["properties"].(object)
		seen := map[string]bool{}
		for i := range typ.NumField() {
			f := typ.Field(i)
			if !f.IsExported() {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			seen[name] = true
			p, ok := properties[name].(object)
			if !ok {
				t.Errorf("%s: field %s has no key %q in the schema", path, f.Name, name)
				continue
			}
			agree(t, path+"."+name, p, f.Type)
		}
		for name := range properties {
			if !seen[name] {
				t.Errorf("%s: key %q of the schema has no field in %s", path, name, typ)
			}
		}
	default:
		t.Errorf("%s: the schema has no type", path)
	}
}

// TestSchemaIsComplete holds every key to a description, and to a default unless
// something requires it.
func TestSchemaIsComplete(t *testing.T) {
	var walk func(path string, s object)
	seen := map[string]bool{}
	walk = func(path string, s object) {
		s = document.Deref(root(t), s)
		if items, ok := s["items"].(object); ok {
			walk(path+"[]", items)
		}
		properties, _ := s["properties"].(object)
		demanded := map[string]bool{}
		demand(s, demanded)
		for name, p := range properties {
			at := path + "." + name
			p := document.Deref(root(t), p.(object))
			if d, _ := p["description"].(string); len(d) < 10 || !strings.HasSuffix(strings.TrimRight(d, "`)"), ".") && !strings.HasSuffix(d, ".") {
				t.Errorf("%s: description %q is no sentence", at, d)
			}
			if _, ok := p["default"]; !ok && !demanded[name] {
				t.Errorf("%s has no default and nothing requires it", at)
			}
			if f, ok := p["format"].(string); ok && formats[f] == nil {
				t.Errorf("%s has the unknown format %q", at, f)
			}
			_, pattern := p["pattern"]
			if _, format := p["format"]; pattern && !format {
				t.Errorf("%s has a pattern without a format, which nobody explains", at)
			}
			seen[at] = true
			walk(at, p)
		}
	}
	walk("", root(t))
	if n := strings.Count(string(Schema()), "\"propertyNames\""); n != 1 {
		t.Errorf("%d keys have propertyNames: explain knows of registryMap's only", n)
	}
	if len(seen) < 60 {
		t.Errorf("saw %d keys only", len(seen))
	}
}

// demand collects the keys that some keyword of s, below its properties, requires.
func demand(v any, found map[string]bool) {
	switch v := v.(type) {
	case object:
		for k, x := range v {
			switch k {
			case "properties", "$defs", "items":
			case "required":
				for _, name := range x.([]any) {
					found[name.(string)] = true
				}
			case "dependentRequired":
				for name := range x.(object) {
					found[name] = true
				}
			default:
				demand(x, found)
			}
		}
	case []any:
		for _, x := range v {
			demand(x, found)
		}
	}
}

// TestDefaultIsValid shows that the defaults, written out, are a valid document
// which means the same.
func TestDefaultIsValid(t *testing.T) {
	text, err := json.Marshal(Default())
	if err != nil {
		t.Fatal(err)
	}
	c, ps := Parse("default.json", text)
	if len(ps) > 0 {
		t.Fatalf("%s\n%s", text, ps.Error())
	}
	again, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(again), string(text)); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

// TestRoundTrip shows that what a Config prints as JSON parses to the same Config.
func TestRoundTrip(t *testing.T) {
	c, ps := Parse("example.yaml", Example())
	if len(ps) > 0 {
		t.Fatal(ps.Error())
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	// A default that no document may write is left out.
	text = bytes.ReplaceAll(text, []byte(`"afterAny":[],`), nil)
	again, ps := Parse("example.json", text)
	if len(ps) > 0 {
		t.Fatalf("%s\n%s", text, ps.Error())
	}
	c.file, c.marks, again.file, again.marks = "", nil, "", nil
	if diff := cmp.Diff(again, c, cmp.AllowUnexported(Config{}, document.Mark{})); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

// TestGuide: each example of docs/configuration.md is valid.
func TestGuide(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	if len(examples) == 0 {
		t.Fatal("the page has no examples")
	}
	for _, e := range examples {
		if _, ps := Parse("example.yaml", append([]byte("apiVersion: pinnace.dev/v1alpha1\nkind: Config\n"), e[1]...)); len(ps) > 0 {
			t.Errorf("%s\n%s", e[1], ps.Error())
		}
	}
}
