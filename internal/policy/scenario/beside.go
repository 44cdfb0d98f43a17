package scenario

import (
	"slices"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy"
)

// Documents returns documents as policy.Load takes them.
func Documents(docs []config.Document) []policy.Document {
	all := make([]policy.Document, len(docs))
	for i, d := range docs {
		all[i] = policy.Document{File: d.File, Line: d.Line, Kind: d.Kind, Data: d.Data}
	}
	return all
}

// Only returns the documents of one file, with those of others that bind one of its
// promotion policies, and the names of the promotion policies that are left out.
func Only(docs []config.Document, file string) (picked []config.Document, left []string) {
	var names []string
	for _, d := range docs {
		name := value(d.Node, "name")
		switch {
		case d.Kind != config.KindImagePromotionPolicy || name == nil:
		case d.File == file:
			names = append(names, name.Value)
		default:
			left = append(left, name.Value)
		}
	}
	for _, d := range docs {
		if d.File == file || d.Kind == config.KindArtifactPromotionPolicy && slices.ContainsFunc(bound(d), func(n string) bool { return slices.Contains(names, n) }) {
			picked = append(picked, d)
		}
	}
	return picked, left
}

// bound returns the names of the policies that a document binds.
func bound(d config.Document) []string {
	n := d.Node
	for _, key := range []string{"spec", "payload", "applyToPolicyNames"} {
		n = value(n, key)
	}
	if n == nil {
		return nil
	}
	var all []string
	for _, item := range n.Content {
		all = append(all, item.Value)
	}
	return all
}

// value returns the value of a key of a mapping, or nil.
func value(n *yaml.Node, key string) *yaml.Node {
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

// A Pair is an app and an environment that a document binds policies to.
type Pair struct{ App, Env string }

// Pairs returns the pairs that an artifactPromotionPolicy binds, and the policies that it
// binds to them.
func Pairs(d config.Document) (pairs []Pair, names []string) {
	n := d.Node
	for _, key := range []string{"spec", "payload", "applicationEnvironments"} {
		n = value(n, key)
	}
	if n != nil {
		for _, item := range n.Content {
			app, env := value(item, "appName"), value(item, "envName")
			if app != nil && env != nil {
				pairs = append(pairs, Pair{app.Value, env.Value})
			}
		}
	}
	return pairs, bound(d)
}

// NameOf returns the name of a document, "" where it has none.
func NameOf(d config.Document) string {
	if n := value(d.Node, "name"); n != nil {
		return n.Value
	}
	return ""
}
