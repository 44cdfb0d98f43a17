package config

import (
	"bytes"
	"fmt"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// Reference returns a page of markdown that lists every key with its type, its
// default and its meaning, printed from the schema.
func Reference() []byte {
	var b bytes.Buffer
	b.WriteString("# Configuration\n\n")
	b.WriteString("<!-- Printed from internal/config/schema/config.schema.json by `go test ./internal/config -update`; do not edit. -->\n\n")
	b.WriteString("The document `.pinnace/config.yaml` on the default branch. No file at all is valid: every key then has its default. Parsing is strict: an unknown key is an error, with its position. `pinnace config schema` prints the JSON schema that this page is printed from; `pinnace config validate` checks a file.\n\n")
	b.WriteString("```yaml\n")
	b.Write(exampleText)
	b.WriteString("```\n")

	root := node(schemaText)
	p := printer{root: root, out: &b}
	p.queue = []section{{"", root, "Top level"}}
	for len(p.queue) > 0 {
		s := p.queue[0]
		p.queue = p.queue[1:]
		p.section(s)
	}
	return b.Bytes()
}

// A section is the table of one object.
type section struct {
	path   string
	schema *yaml.Node
	title  string
}

type printer struct {
	root  *yaml.Node
	out   *bytes.Buffer
	queue []section
}

// node parses JSON as YAML, which keeps the order of its keys.
func node(text []byte) *yaml.Node {
	var n yaml.Node
	if err := yaml.Unmarshal(text, &n); err != nil {
		panic("config: embedded schema: " + err.Error()) // unreachable: a test reads it
	}
	return n.Content[0]
}

func (p *printer) section(s section) {
	fmt.Fprintf(p.out, "\n## %s\n\n", s.title)
	if text := p.text(s.schema, "description"); text != "" && s.path != "" {
		fmt.Fprintf(p.out, "%s\n\n", text)
	}
	required := map[string]bool{}
	for _, name := range items(child(s.schema, "required")) {
		required[name] = true
	}
	p.out.WriteString("| key | type | default | meaning |\n|---|---|---|---|\n")
	properties := child(s.schema, "properties")
	for i := 0; i+1 < len(properties.Content); i += 2 {
		name, prop := properties.Content[i].Value, p.deref(properties.Content[i+1])
		path := strings.TrimPrefix(s.path+"."+name, ".")
		standard := p.standard(prop)
		if required[name] {
			standard = "required"
		}
		fmt.Fprintf(p.out, "| `%s` | %s | %s | %s |\n", path, p.kind(prop), standard, cell(p.text(prop, "description")))
		switch inner := p.deref(child(prop, "items")); {
		case child(prop, "properties") != nil:
			p.queue = append(p.queue, section{path, prop, "`" + path + "`"})
		case inner != nil && child(inner, "properties") != nil:
			p.queue = append(p.queue, section{path + "[]", inner, "`" + path + "[]`"})
		}
	}
}

// kind spells the type of a key.
func (p *printer) kind(prop *yaml.Node) string {
	if v := child(prop, "const"); v != nil {
		return "`" + v.Value + "`"
	}
	if values := items(child(prop, "enum")); values != nil {
		return "`" + strings.Join(values, "`, `") + "`"
	}
	switch p.text(prop, "type") {
	case "string":
		if p.text(prop, "format") == "pinnace-duration" {
			return "duration"
		}
		return "text"
	case "boolean":
		return "true or false"
	case "integer":
		low, high := child(prop, "minimum"), child(prop, "maximum")
		if high != nil && len(high.Value) < 4 {
			return fmt.Sprintf("number, %s to %s", low.Value, high.Value)
		}
		return "number"
	case "array":
		inner := p.deref(child(prop, "items"))
		if child(inner, "properties") != nil {
			return "list"
		}
		return "list of " + p.kind(inner)
	}
	if child(prop, "properties") == nil {
		return "map of text"
	}
	return "map"
}

// standard spells the default of a key.
func (p *printer) standard(prop *yaml.Node) string {
	v := child(prop, "default")
	switch {
	case v == nil:
		return "none"
	case v.Kind == yaml.MappingNode && child(prop, "properties") != nil:
		return "see below"
	case v.Kind == yaml.MappingNode:
		return "`{}`"
	case v.Kind == yaml.SequenceNode:
		return "`[]`"
	case v.Value == "":
		return "`\"\"`"
	}
	return "`" + v.Value + "`"
}

func (p *printer) text(n *yaml.Node, key string) string {
	if v := child(n, key); v != nil {
		return v.Value
	}
	return ""
}

// deref follows a reference, and lays the keys beside it over what it finds.
func (p *printer) deref(n *yaml.Node) *yaml.Node {
	ref := child(n, "$ref")
	if ref == nil {
		return n
	}
	target := p.root
	for part := range strings.SplitSeq(strings.TrimPrefix(ref.Value, "#/"), "/") {
		target = child(target, part)
	}
	target = p.deref(target)
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

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
