package reference

import (
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// A field is a key of a document.
type field struct {
	path     string // environments[].gates[].app
	parent   string // environments[].gates[]
	kind     string
	standard string // its default, as Markdown
	text     string
	below    string // the parent of its own keys, where it has some
}

// A schema is one whose order of keys is kept.
type schema struct {
	root   *yaml.Node
	fields []field
}

// read lists the keys of a JSON schema in its order, each before its own keys.
func read(text []byte) schema {
	var n yaml.Node // JSON is YAML, whose parser keeps the order
	if err := yaml.Unmarshal(text, &n); err != nil {
		panic("reference: embedded schema: " + err.Error()) // unreachable: their rooms' tests read them
	}
	s := schema{root: n.Content[0]}
	s.walk(s.root, "")
	return s
}

// about is what the schema says of the document.
func (s schema) about() string { return text(s.root, "description") }

func (s *schema) walk(n *yaml.Node, parent string) {
	required := items(child(n, "required"))
	properties := child(n, "properties")
	for i := 0; i+1 < len(properties.Content); i += 2 {
		name, prop := properties.Content[i].Value, s.deref(properties.Content[i+1])
		f := field{path: strings.TrimPrefix(parent+"."+name, "."), parent: parent, kind: s.kind(prop), standard: standard(prop), text: text(prop, "description")}
		if slices.Contains(required, name) {
			f.standard = "required"
		}
		inner := prop
		f.below = f.path
		if list := child(prop, "items"); list != nil {
			inner = s.deref(list)
			f.below += "[]"
		}
		if child(inner, "properties") == nil {
			f.below = ""
		}
		s.fields = append(s.fields, f)
		if f.below != "" {
			s.walk(inner, f.below)
		}
	}
}

// kind spells the type of a key.
func (s *schema) kind(prop *yaml.Node) string {
	if v := child(prop, "const"); v != nil {
		return code(v.Value)
	}
	if values := items(child(prop, "enum")); values != nil {
		return codes(values)
	}
	switch text(prop, "type") {
	case "string":
		switch text(prop, "format") {
		case "pinnace-duration":
			return "duration"
		case "pinnace-instant":
			return "date or time"
		}
		return "text"
	case "boolean":
		return "true or false"
	case "integer":
		if low, high := text(prop, "minimum"), text(prop, "maximum"); high != "" && len(high) < 4 {
			return fmt.Sprintf("number, %s to %s", low, high)
		}
		return "number"
	case "array":
		if inner := s.deref(child(prop, "items")); child(inner, "properties") == nil {
			return "list of " + s.kind(inner)
		}
		return "list of maps"
	}
	if child(prop, "properties") == nil {
		return "map of text"
	}
	return "map"
}

// standard spells the default of a key.
func standard(prop *yaml.Node) string {
	v := child(prop, "default")
	switch {
	case v == nil:
		return "none"
	case v.Kind == yaml.MappingNode && child(prop, "properties") != nil:
		return "see below"
	case v.Kind == yaml.MappingNode:
		return "`{}`"
	case v.Kind == yaml.SequenceNode:
		return "`[" + strings.Join(items(v), ", ") + "]`"
	case v.Value == "":
		return "`\"\"`"
	}
	return code(v.Value)
}

// deref follows a reference, and lays the keys beside it over what it finds.
func (s *schema) deref(n *yaml.Node) *yaml.Node {
	ref := child(n, "$ref")
	if ref == nil {
		return n
	}
	target := s.root
	for part := range strings.SplitSeq(strings.TrimPrefix(ref.Value, "#/"), "/") {
		target = child(target, part)
	}
	target = s.deref(target)
	merged := &yaml.Node{Kind: yaml.MappingNode}
	merged.Content = append(merged.Content, n.Content...)
	for i := 0; i+1 < len(target.Content); i += 2 {
		if child(n, target.Content[i].Value) == nil {
			merged.Content = append(merged.Content, target.Content[i], target.Content[i+1])
		}
	}
	return merged
}

// child returns the value of a key of a mapping, or nil.
func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func text(n *yaml.Node, key string) string {
	if v := child(n, key); v != nil {
		return v.Value
	}
	return ""
}

func items(n *yaml.Node) []string {
	if n == nil {
		return nil
	}
	var out []string
	for _, c := range n.Content {
		out = append(out, c.Value)
	}
	return out
}

// rows are those of a table of fields.
func rows(fields []field) [][]string {
	var out [][]string
	for _, f := range fields {
		out = append(out, []string{code(f.path), f.kind, f.standard, f.text})
	}
	return out
}

var fieldHead = []string{"key", "type", "default", "meaning"}
