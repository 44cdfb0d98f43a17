package policy

import (
	"fmt"
	"math"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// What a file of .pinnace/ may hold at most.
const (
	maxBytes = 1 << 20
	maxNodes = 50_000 // after aliases are followed
	maxDepth = 20
	maxKey   = 128
)

// A mark is where a value stands.
type mark struct {
	line, column       int
	keyLine, keyColumn int    // of its key; its own place where it has none
	plain              bool   // a scalar without quotes
	text               string // of a scalar
}

// marks are the places of a document's values, by JSON pointer.
type marks map[string]mark

// A reader turns nodes into the values that JSON has, and keeps their places.
type reader struct {
	file     string
	nodes    int // read so far, in all documents of the file
	problems Problems
}

func (r *reader) report(line, column int, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: r.file, Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
}

// read returns the value at n. A value that cannot be read is nil, and reported.
func (r *reader) read(n *yaml.Node, at marks, pointer string, key *yaml.Node, depth int) any {
	r.nodes++
	if r.nodes > maxNodes {
		if r.nodes == maxNodes+1 {
			r.report(n.Line, n.Column, "the file holds more than %d values, its aliases followed: write less", maxNodes)
		}
		return nil
	}
	if depth > maxDepth {
		r.report(n.Line, n.Column, "values are nested more than %d deep", maxDepth)
		return nil
	}
	if n.Kind == yaml.AliasNode {
		if n.Alias == nil {
			return nil // unreachable: the parser refuses an unknown anchor
		}
		return r.read(n.Alias, at, pointer, key, depth+1)
	}
	m := mark{line: n.Line, column: n.Column, keyLine: n.Line, keyColumn: n.Column}
	if key != nil {
		m.keyLine, m.keyColumn = key.Line, key.Column
		if n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0 {
			m.line, m.column = key.Line, key.Column // an absent value has no place of its own
		}
	}
	if n.Kind == yaml.ScalarNode {
		m.plain, m.text = n.Style == 0, n.Value
	}
	at[pointer] = m

	switch n.Kind {
	case yaml.MappingNode:
		if tag := n.ShortTag(); tag != "!!map" {
			r.report(n.Line, n.Column, "the tag %s is not supported: delete it", quote(tag))
			return nil
		}
		return r.mapping(n, at, pointer, depth)
	case yaml.SequenceNode:
		if tag := n.ShortTag(); tag != "!!seq" {
			r.report(n.Line, n.Column, "the tag %s is not supported: delete it", quote(tag))
			return nil
		}
		items := make([]any, 0, len(n.Content))
		for i, item := range n.Content {
			items = append(items, r.read(item, at, fmt.Sprintf("%s/%d", pointer, i), nil, depth+1))
			if r.nodes > maxNodes {
				return nil
			}
		}
		return items
	}
	return r.scalar(n)
}

func (r *reader) mapping(n *yaml.Node, at marks, pointer string, depth int) any {
	m := make(map[string]any, len(n.Content)/2)
	first := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if !r.key(k) {
			continue
		}
		if line, twice := first[k.Value]; twice {
			r.report(k.Line, k.Column, "the key %s is written twice, first in line %d: delete one", quote(k.Value), line)
			continue
		}
		first[k.Value] = k.Line
		m[k.Value] = r.read(v, at, pointer+"/"+escape(k.Value), k, depth+1)
		if r.nodes > maxNodes {
			return nil
		}
	}
	return m
}

// key reports whether k may be a key.
func (r *reader) key(k *yaml.Node) bool {
	switch {
	case k.Kind != yaml.ScalarNode:
		r.report(k.Line, k.Column, "a key must be text")
	case k.ShortTag() == "!!merge":
		r.report(k.Line, k.Column, "merge keys (<<) are not supported: write the keys out")
	case k.ShortTag() != "!!str" && k.ShortTag() != "!!timestamp":
		r.report(k.Line, k.Column, "the key %s is read as %s: put it in quotes", k.Value, tagNoun(k.ShortTag()))
	case len(k.Value) > maxKey:
		r.report(k.Line, k.Column, "a key has more than %d bytes", maxKey)
	default:
		return true
	}
	return false
}

func (r *reader) scalar(n *yaml.Node) any {
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!timestamp", "!!merge":
		return n.Value
	case "!!null":
		return nil
	case "!!bool", "!!int", "!!float":
		var v any
		if err := n.Decode(&v); err != nil {
			break
		}
		switch v := v.(type) {
		case bool, int, int64, uint64:
			return v
		case float64:
			if !math.IsInf(v, 0) && !math.IsNaN(v) {
				return v
			}
		}
	default:
		r.report(n.Line, n.Column, "the tag %s is not supported: delete it", quote(tag))
		return nil
	}
	r.report(n.Line, n.Column, "%s is not a number that can be read: write a plain number, or put text in quotes", quote(n.Value))
	return nil
}

func tagNoun(tag string) string {
	switch tag {
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	case "!!null":
		return "nothing"
	}
	return quote(tag)
}

// escape spells a key as a part of a JSON pointer.
func escape(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

func pointerOf(location []string) string {
	var b strings.Builder
	for _, part := range location {
		b.WriteString("/" + escape(part))
	}
	return b.String()
}
