package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// A Statement is what a document says under one key at its root.
type Statement struct {
	Object Object
	Key    string // "" where the document is no mapping
	Line   int    // from 1
	// Text is equal for statements that say the same, whatever their layout, their comments
	// and the images in them that Scan finds.
	Text string
}

// maxKeys is how many keys of a document are told apart.
const maxKeys = 4096

// Statements returns what a file says that others take values from, in the order of the
// text. The items of a list of objects count as documents.
func Statements(data []byte, f Format, extra ...Extra) []Statement {
	o, docs := opaqueOf(data, f, extra)
	if o == nil {
		sum := sha256.Sum256(data)
		return []Statement{{Line: 1, Text: hex.EncodeToString(sum[:])}}
	}
	var out []Statement
	for _, doc := range docs {
		if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
			out = o.statements(out, doc.Content[0], 0)
		}
	}
	return out
}

func (o *opaque) statements(out []Statement, root *yaml.Node, depth int) []Statement {
	const deepest = 3 // lists in lists
	if root = resolve(root); root.Tag == "!!null" {
		return out
	}
	var at Object
	if apiVersion, kind := text(find(root, "apiVersion")), text(find(root, "kind")); apiVersion != "" && kind != "" {
		meta := resolve(find(root, "metadata"))
		at = Object{Kind: short(kind), Namespace: short(text(find(meta, "namespace"))), Name: short(text(find(meta, "name")))}
	}
	if items := resolve(find(root, "items")); strings.HasSuffix(at.Kind, "List") && depth < deepest && items != nil && items.Kind == yaml.SequenceNode {
		for _, item := range items.Content {
			out = o.statements(out, item, depth+1)
		}
		return out
	}
	if root.Kind != yaml.MappingNode || len(root.Content) > 2*maxKeys {
		return append(out, Statement{Object: at, Line: max(root.Line, 1), Text: o.sum(root)})
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if said := o.sum(value); said != isImage {
			out = append(out, Statement{Object: at, Key: short(key.Value), Line: max(key.Line, 1), Text: o.sum(key) + "=" + said})
		}
	}
	return out
}
