package manifest

import (
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// embedded reports the unpinned images of a manifest that stands inside a string: a
// ConfigMap's file, a kustomize patch, a Workflow's manifest. They are never edited.
func (w *walker) embedded(n *yaml.Node) {
	if w.inner || n.Tag != "!!str" || len(n.Value) < len("image: a:b") {
		return
	}
	trimmed := strings.TrimLeft(n.Value, " \t\r\n")
	lines := strings.ContainsRune(n.Value, '\n')
	if !lines && !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[") {
		return
	}
	if !screen([]byte(n.Value), YAML) {
		return
	}
	for _, inner := range unpinnedIn([]byte(n.Value)) {
		f := w.finding(n, inner.Place)
		f.Pointer += "#" + inner.Pointer
		f.Object, f.Image, f.Text = inner.Object, inner.Image, inner.Text
		if n.Style&yaml.LiteralStyle != 0 {
			f.Position = w.literalPosition(n, inner.Position)
		}
		f.Problem = problem(Embedded, "a manifest inside a string: edit it by hand, or move it to a file of its own")
		w.found = append(w.found, candidate{Finding: f})
	}
}

// literalPosition returns where a position inside a literal block stands in the file.
func (w *walker) literalPosition(n *yaml.Node, inner Position) Position {
	line := n.Line + inner.Line
	if line > len(w.lines.starts) {
		return Position{n.Line, n.Column}
	}
	indent := 0
	for first := n.Line; first < len(w.lines.starts); first++ {
		start := w.lines.starts[first]
		end := start
		for end < len(w.lines.data) && w.lines.data[end] == ' ' {
			end++
		}
		if end < len(w.lines.data) && breakAt(w.lines.data, end) == 0 {
			indent = end - start
			break
		}
	}
	return Position{line, inner.Column + indent}
}
