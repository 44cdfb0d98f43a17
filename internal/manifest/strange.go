package manifest

import (
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// strange reports mappings that readers disagree on, so that an image can stand where one
// reader sees it and another does not: keys that are aliases or carry a tag of their own,
// and merge keys that follow a key which they bring themselves. Repeated keys are
// reported with the images below them.
func (w *walker) strange(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if p := strangeKey(n, i); p != nil {
				key := n.Content[i]
				w.add(candidate{Finding: Finding{
					Position: Position{key.Line, key.Column}, Document: w.doc, Object: w.object, Place: Mapping, Problem: p,
				}})
			}
		}
	}
	for _, child := range n.Content {
		w.strange(child)
	}
}

func strangeKey(m *yaml.Node, i int) *Problem {
	key := m.Content[i]
	switch {
	case key.Kind == yaml.AliasNode:
		return problem(Strange, "a key is an alias: write it out, so that every reader sees the same key")
	case key.Kind != yaml.ScalarNode:
		return nil
	case key.Tag == "!!binary" || key.Style&yaml.TaggedStyle != 0 && key.Tag != "!!str":
		return problem(Strange, "a key carries the tag %s: write it plainly, so that every reader sees the same key", clip(key.Tag))
	case key.Tag != "!!merge" || i == 0:
		return nil
	}
	sources := []*yaml.Node{resolve(m.Content[i+1])}
	if sources[0].Kind == yaml.SequenceNode {
		sources = sources[0].Content
	}
	for _, source := range sources[:min(len(sources), maxMerges)] {
		if source = resolve(source); source.Kind != yaml.MappingNode {
			continue
		}
		for _, name := range []string{"image", "containers", "initContainers", "spec", "template", "kind", "apiVersion", "items", "repository", "tag", "digest"} {
			for j := 0; j < i; j += 2 {
				if m.Content[j].Value == name && find(source, name) != nil {
					return problem(Strange, "a merge key follows %q and brings it, too: some readers take the one, some the other; put the merge key first", name)
				}
			}
		}
	}
	return nil
}
