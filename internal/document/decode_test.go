package document

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const boat = `{
  "$id": "https://example.test/boat.json",
  "type": "object",
  "additionalProperties": false,
  "required": ["name"],
  "minProperties": 1,
  "dependentRequired": {"mast": ["sail"]},
  "not": {"required": ["wreck"]},
  "properties": {
    "name": {"type": "string", "minLength": 1, "description": "What is painted on it. In white."},
    "mast": {"type": "integer", "minimum": 1, "maximum": 5},
    "sail": {"enum": ["gaff", "lug"]},
    "wreck": {"type": "boolean"},
    "kind": {"const": "boat"},
    "trip": {"type": "string", "format": "pinnace-duration", "default": "2d"},
    "crew": {"type": "array", "minItems": 1, "uniqueItems": true, "items": {"type": "string"}},
    "ports": {"type": "object", "propertyNames": {"format": "port"}, "additionalProperties": {"type": "string"}},
    "boat": {"$ref": "#/$defs/tender"},
    "engine": {"oneOf": [{"required": ["oars"]}, {"required": ["diesel"]}], "type": "object", "properties": {"oars": {}, "diesel": {}}},
    "flag": {"type": "object", "anyOf": [{"required": ["colour"]}, {"required": ["land"]}], "properties": {"colour": {}, "land": {}}}
  },
  "$defs": {"tender": {"type": "object", "minProperties": 1, "properties": {"length": {"type": "integer", "default": 3}, "a/b": {}}}}
}`

func compile(t *testing.T) *Schema {
	t.Helper()
	s, err := Compile("https://example.test/boat.json", []byte(boat), map[string]func(string) error{
		"pinnace-duration": func(s string) error { _, err := ParseDuration(s); return err },
		"port": func(s string) error {
			if s != strings.ToLower(s) {
				return errors.New(Quote(s) + " is no port: write lower case")
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func decode(t *testing.T, text string) (map[string]any, Problems) {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	r := Reader{File: "f"}
	value, at := r.Read(n.Content[0])
	var into map[string]any
	if value != nil && !r.Decode(compile(t), value, at, &into) {
		t.Fatalf("%s: not decoded: %s", text, r.Problems.Error())
	}
	return into, r.Problems.Tidy()
}

// TestDecode names each keyword that there are words for, and each thing that is refused
// before a schema is asked.
func TestDecode(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"name: a", ""},
		{"{}", "f:1:1: is empty: write one of boat, crew, engine, flag, kind, mast, name, ports, sail, trip or wreck\nf:1:1: needs name: what is painted on it"},
		{"name: a\nnmae: b", `f:2:1: unknown key "nmae": did you mean name?`},
		{"name: 1.50", `f:1:7: name: expected text, got the number 1.50: write "1.50"`},
		{"name: true", `f:1:7: name: expected text, got the truth value true: write "true"`},
		{"name:", "f:1:1: name: has no value: expected text; write one, or delete the key"},
		{"name: []", "f:1:7: name: expected text, got a list"},
		{"name: {}", "f:1:7: name: expected text, got keys and values"},
		{`name: ""`, "f:1:7: name: is empty: write a name"},
		{"name: yes", `f:1:7: name: yes without quotes is a truth value to some YAML readers and text to others: write "yes"`},
		{"name: a\nmast: 0\nsail: lug", "f:2:7: mast: 0 is too low: expected 1 or more"},
		{"name: a\nmast: 9\nsail: lug", "f:2:7: mast: 9 is too high: expected 5 or less"},
		{"name: a\nmast: 1", "f:1:1: mast needs sail as well"},
		{"name: a\nsail: lugg", `f:2:7: sail: unknown value "lugg": expected gaff or lug; did you mean lug?`},
		{"name: a\nsail:", "f:2:1: sail: has no value: expected gaff or lug; write one, or delete the key"},
		{"name: a\nsail: []", "f:2:7: sail: expected gaff or lug"},
		{"name: a\nwreck: false", "f:1:1: wreck is not for this type: delete it"},
		{"name: a\nkind: raft", "f:2:7: kind: expected boat"},
		{"name: a\ntrip: 2", `f:2:7: trip: expected a duration such as "90m", "12h", "2d" or "1w", got the number 2`},
		{"name: a\ntrip: 2y", `f:2:7: trip: "2y" is not a duration: expected a duration such as "90m", "12h", "2d" or "1w"`},
		{"name: a\ncrew: []", "f:2:7: crew: the list is empty: write at least one"},
		{"name: a\ncrew: bo", `f:2:7: crew: expected a list, got the text "bo": write ["bo"]`},
		{"name: a\ncrew: [bo, jo, bo]", `f:2:16: crew[2]: "bo" is written twice in this list: delete one`},
		{"name: a\nports: {Kiel: x}", `f:2:9: ports: "Kiel" is no port: write lower case`},
		{"name: a\nboat: {}", "f:2:7: boat: is empty: write one of a/b or length"},
		{"name: a\nengine: {}", "f:2:9: engine: needs exactly one of oars or diesel, and has none"},
		{"name: a\nengine: {oars: 1, diesel: 1}", "f:2:9: engine: needs exactly one of oars or diesel, and has oars and diesel: delete all but one"},
		{"name: a\nflag: {}", "f:2:7: flag: needs colour or land"},
		{"name: a\nname: b", `f:2:1: the key "name" is written twice, first in line 1: delete one`},
		{"name: a\n1: b", "f:2:1: the key 1 is read as a number: put it in quotes"},
		{"name: a\n<<: {}", "f:2:1: merge keys (<<) are not supported: write the keys out"},
		{"name: !x a", `f:1:7: the tag "!x" is not supported: delete it`},
		{"name: a\nmast: .inf\nsail: lug", `f:2:7: ".inf" is not a number that can be read: write a plain number, or put text in quotes`},
		{"name: a\nboat: &b {a/b: *b}", "f:2:7: values are nested more than 20 deep"},
	} {
		if _, ps := decode(t, tc.in); ps.Error() != tc.want {
			t.Errorf("%s\ngot\n%s\nwant\n%s", tc.in, ps.Error(), tc.want)
		}
	}
}

// TestDecodeKeeps: what is refused is left out, the rest is read with its defaults.
func TestDecodeKeeps(t *testing.T) {
	got, ps := decode(t, "name: a\nmast: x\nboat: {a/b: [c]}\ncrew: [bo, 1]\n")
	if len(ps) != 3 {
		t.Errorf("got %d problems:\n%s", len(ps), ps.Error())
	}
	want := map[string]any{
		"name": "a", "trip": "2d", "crew": []any{"bo", nil},
		"boat": map[string]any{"length": 3.0, "a/b": []any{"c"}},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func TestMarks(t *testing.T) {
	var n yaml.Node
	if err := yaml.Unmarshal([]byte("# head\nboat:\n  a/b: ['c']\n"), &n); err != nil {
		t.Fatal(err)
	}
	Shift(&n, 10)
	_, at := (&Reader{}).Read(n.Content[0])
	want := Marks{
		"":             {Line: 12, Column: 1, KeyLine: 12, KeyColumn: 1},
		"/boat":        {Line: 13, Column: 3, KeyLine: 12, KeyColumn: 1},
		"/boat/a~1b":   {Line: 13, Column: 8, KeyLine: 13, KeyColumn: 3},
		"/boat/a~1b/0": {Line: 13, Column: 9, KeyLine: 13, KeyColumn: 9, Text: "c"},
	}
	if diff := cmp.Diff(at, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	if !at.Has("/boat") || at.Has("/b") {
		t.Error("Has: want /boat alone")
	}
}

func TestCompileRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                                      "reading the schema: x.json: ",
		`[]`:                                     "it is no object",
		`{"type": 3}`:                            "compiling the schema: x.json: ",
		`{"$ref": "https://example.test/other"}`: "not loaded: https://example.test/other",
	} {
		if _, err := Compile("https://example.test/x.json", []byte(text), nil); err == nil || !strings.Contains(err.Error(), strings.Replace(want, "x.json", "https://example.test/x.json", 1)) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
