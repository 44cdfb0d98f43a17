package document

import (
	"fmt"
	"math"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// MaxBytes is the size of a file that callers parse at most.
const MaxBytes = 1 << 20

// What a file may hold at most.
const (
	maxNodes = 50_000 // after aliases are followed
	maxDepth = 20
	maxKey   = 128
)

// A Reader reads the documents of one file, and collects their problems.
type Reader struct {
	File     string
	Problems Problems

	nodes int // read so far, in all documents of the file
}

// Report adds an error to the problems.
func (r *Reader) Report(line, column int, format string, args ...any) {
	r.Problems = append(r.Problems, Problem{File: r.File, Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
}

// Read returns the value of a document's root, as JSON has it, and its places. A value
// that cannot be read is nil, and reported.
func (r *Reader) Read(root *yaml.Node) (any, Marks) {
	at := Marks{}
	return r.read(root, at, "", nil, 0), at
}

// read returns the value at n.
func (r *Reader) read(n *yaml.Node, at Marks, pointer string, key *yaml.Node, depth int) any {
	r.nodes++
	if r.nodes > maxNodes {
		if r.nodes == maxNodes+1 {
			r.Report(n.Line, n.Column, "the file holds more than %d values, its aliases followed: write less", maxNodes)
		}
		return nil
	}
	if depth > maxDepth {
		r.Report(n.Line, n.Column, "values are nested more than %d deep", maxDepth)
		return nil
	}
	if n.Kind == yaml.AliasNode {
		if n.Alias == nil {
			return nil // unreachable: the parser refuses an unknown anchor
		}
		return r.read(n.Alias, at, pointer, key, depth+1)
	}
	m := Mark{Line: n.Line, Column: n.Column, KeyLine: n.Line, KeyColumn: n.Column}
	if key != nil {
		m.KeyLine, m.KeyColumn = key.Line, key.Column
		if n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0 {
			m.Line, m.Column = key.Line, key.Column // an absent value has no place of its own
		}
	}
	if n.Kind == yaml.ScalarNode {
		m.Plain, m.Text = n.Style == 0, n.Value
	}
	at[pointer] = m

	switch n.Kind {
	case yaml.MappingNode:
		if tag := n.ShortTag(); tag != "!!map" {
			r.Report(n.Line, n.Column, "the tag %s is not supported: delete it", Quote(tag))
			return nil
		}
		return r.mapping(n, at, pointer, depth)
	case yaml.SequenceNode:
		if tag := n.ShortTag(); tag != "!!seq" {
			r.Report(n.Line, n.Column, "the tag %s is not supported: delete it", Quote(tag))
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

func (r *Reader) mapping(n *yaml.Node, at Marks, pointer string, depth int) any {
	m := make(map[string]any, len(n.Content)/2)
	first := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if !r.key(k) {
			continue
		}
		if line, twice := first[k.Value]; twice {
			r.Report(k.Line, k.Column, "the key %s is written twice, first in line %d: delete one", Quote(k.Value), line)
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
func (r *Reader) key(k *yaml.Node) bool {
	switch {
	case k.Kind != yaml.ScalarNode:
		r.Report(k.Line, k.Column, "a key must be text")
	case k.ShortTag() == "!!merge":
		r.Report(k.Line, k.Column, "merge keys (<<) are not supported: write the keys out")
	case k.ShortTag() != "!!str" && k.ShortTag() != "!!timestamp":
		r.Report(k.Line, k.Column, "the key %s is read as %s: put it in quotes", k.Value, tagNoun(k.ShortTag()))
	case len(k.Value) > maxKey:
		r.Report(k.Line, k.Column, "a key has more than %d bytes", maxKey)
	default:
		return true
	}
	return false
}

func (r *Reader) scalar(n *yaml.Node) any {
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
		r.Report(n.Line, n.Column, "the tag %s is not supported: delete it", Quote(tag))
		return nil
	}
	r.Report(n.Line, n.Column, "%s is not a number that can be read: write a plain number, or put text in quotes", Quote(n.Value))
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
	return Quote(tag)
}
