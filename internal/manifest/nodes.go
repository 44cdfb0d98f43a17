package manifest

import (
	"fmt"
	"hash/fnv"
	"iter"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

func duplicateKey(n *yaml.Node) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	if len(n.Content) <= 16 {
		for i := 0; i < len(n.Content); i += 2 {
			for j := 0; j < i; j += 2 {
				if sameKey(n.Content[i], n.Content[j]) {
					return n.Content[i]
				}
			}
		}
		return nil
	}
	keys := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if other, ok := keys[key.Value]; ok && sameKey(key, other) {
			return key
		}
		keys[key.Value] = key
	}
	return nil
}

func sameKey(a, b *yaml.Node) bool {
	return a.Kind == yaml.ScalarNode && b.Kind == yaml.ScalarNode && a.Value == b.Value && a.Value != "<<"
}

// resolve returns what an alias stands for, and any other node as it is.
func resolve(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// find returns the value of a key, its merge keys included
// (https://yaml.org/type/merge.html), or nil.
func find(m *yaml.Node, key string) *yaml.Node {
	budget := maxMerges
	return findBelow(m, key, &budget)
}

// maxMerges bounds how many merge keys one look-up follows, over all levels, and
// maxMergedKeys how many keys it looks through for them.
const (
	maxMerges     = 32
	maxMergedKeys = 4096
)

func findBelow(m *yaml.Node, key string, budget *int) *yaml.Node {
	if m == nil || m.Kind != yaml.MappingNode {
		return nil
	}
	merges := false
	for i := 0; i+1 < len(m.Content); i += 2 {
		k := m.Content[i]
		if k.Kind == yaml.ScalarNode && k.Value == key {
			return m.Content[i+1]
		}
		merges = merges || k.Tag == "!!merge"
	}
	if !merges {
		return nil
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Tag != "!!merge" {
			continue
		}
		sources := []*yaml.Node{resolve(m.Content[i+1])}
		if sources[0].Kind == yaml.SequenceNode {
			sources = sources[0].Content
		}
		for _, source := range sources {
			source = resolve(source)
			if *budget--; *budget < 0 || len(source.Content) > maxMergedKeys {
				return nil
			}
			if v := findBelow(source, key, budget); v != nil {
				return v
			}
		}
	}
	return nil
}

// entries yields the keys and values of a mapping, those that merge keys bring included.
func entries(m *yaml.Node) iter.Seq2[string, *yaml.Node] {
	return func(yield func(string, *yaml.Node) bool) {
		budget := maxMerges
		yieldEntries(m, &budget, yield)
	}
}

func yieldEntries(m *yaml.Node, budget *int, yield func(string, *yaml.Node) bool) bool {
	if *budget--; m == nil || m.Kind != yaml.MappingNode || *budget < 0 {
		return true
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], m.Content[i+1]
		if key.Tag != "!!merge" {
			if !yield(key.Value, value) {
				return false
			}
			continue
		}
		sources := []*yaml.Node{resolve(value)}
		if sources[0].Kind == yaml.SequenceNode {
			sources = sources[0].Content
		}
		for _, source := range sources {
			if !yieldEntries(resolve(source), budget, yield) {
				return false
			}
		}
	}
	return true
}

// text returns a copy of the value of a scalar, or "" where there is none.
func text(n *yaml.Node) string {
	if n = resolve(n); n != nil && n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return strings.Clone(n.Value)
	}
	return ""
}

// clip shortens foreign text for a message.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// short makes a segment of a pointer of a key; a very long one is cut, and told apart by a
// hash of it.
func short(key string) string {
	const most = 256
	if len(key) <= most {
		return key
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(key))
	return fmt.Sprintf("%s...%x", strings.ToValidUTF8(key[:most/2], ""), h.Sum64())
}

func kindName(n *yaml.Node) string {
	if n.Kind == yaml.SequenceNode {
		return "list"
	}
	return "mapping"
}

func cutPointer(p string) (head, rest string, ok bool) {
	p, ok = strings.CutPrefix(p, "/")
	if !ok {
		return "", "", false
	}
	head, rest, more := strings.Cut(p, "/")
	if more {
		rest = "/" + rest
	}
	return strings.ReplaceAll(strings.ReplaceAll(head, "~1", "/"), "~0", "~"), rest, true
}
