package document

import (
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// A Mark is where a value stands. Lines and columns count from 1, columns in characters;
// they are 0 where there is no such value.
type Mark struct {
	Line, Column       int
	KeyLine, KeyColumn int    // of its key; its own place where it has none
	Plain              bool   // a scalar without quotes
	Text               string // of a scalar
}

// Marks are the places of a document's values, by JSON pointer.
type Marks map[string]Mark

// Has reports whether the value at a JSON pointer is written.
func (m Marks) Has(pointer string) bool { _, ok := m[pointer]; return ok }

// Shift moves the positions of a tree down. It follows no alias, and so ends.
func Shift(n *yaml.Node, lines int) {
	n.Line += lines
	for _, c := range n.Content {
		Shift(c, lines)
	}
}

// Dotted spells a JSON pointer as people do: environments[0].paths[1].
func Dotted(pointer string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = unescape(part)
		if _, err := strconv.Atoi(part); err == nil && b.Len() > 0 {
			b.WriteString("[" + part + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	return b.String()
}

func pointerOf(location []string) string {
	var b strings.Builder
	for _, part := range location {
		b.WriteString("/" + escape(part))
	}
	return b.String()
}

// escape spells a key as a part of a JSON pointer.
func escape(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

func unescape(part string) string {
	return strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
}
