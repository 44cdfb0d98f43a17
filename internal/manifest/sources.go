package manifest

import (
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// takes notes what values are taken from, within the limit of what one file may name.
func (w *walker) takes(s Source) {
	if w.inner {
		return
	}
	if w.size += 1 + len(s.Kind) + len(s.Name) + len(s.File); w.size <= maxFound {
		w.sources = append(w.sources, s)
	}
}

// taken reads what the replacements and variables of a kustomization take values from. What
// a file of replacements says the kustomization alone does not tell
// (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/replacements/).
func (w *walker) taken(field string, value *yaml.Node) {
	from := map[string]string{"replacements": "source", "vars": "objref"}[field]
	if from == "" {
		return
	}
	for _, item := range w.items(value) {
		w.takes(selected(resolve(find(resolve(item), from))))
	}
}

// references reads a list of ConfigMaps and Secrets
// (https://fluxcd.io/flux/components/kustomize/kustomizations/#post-build-variable-substitution).
func (w *walker) references(list *yaml.Node) {
	for _, item := range w.items(list) {
		w.takes(selected(resolve(item)))
	}
}

// selected reads a kind and a name. A template stands for any.
func selected(m *yaml.Node) Source {
	s := Source{Kind: text(find(m, "kind")), Name: text(find(m, "name"))}
	if isTemplated(s.Kind) {
		s.Kind = ""
	}
	if isTemplated(s.Name) {
		s.Name = ""
	}
	return s
}

// completed returns a glob for a path in which expressions stand.
func completed(p string) string {
	segments := strings.Split(expressions(p), "/")
	for i, s := range segments {
		if s == "\x00" {
			segments[i] = "**"
		}
	}
	return strings.ReplaceAll(strings.Join(segments, "/"), "\x00", "*")
}

// expressions replaces each "{{ }}" and "${ }" by a NUL byte.
func expressions(p string) string {
	var b strings.Builder
	for p != "" {
		i, end := strings.Index(p, "{{"), "}}"
		if j := strings.Index(p, "${"); j >= 0 && (i < 0 || j < i) {
			i, end = j, "}"
		}
		if i < 0 {
			break
		}
		b.WriteString(p[:i])
		b.WriteByte(0)
		_, p, _ = strings.Cut(p[i:], end)
	}
	b.WriteString(p)
	return b.String()
}
