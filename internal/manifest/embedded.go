package manifest

import (
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// embedded reports the unpinned images of a manifest that stands inside a string: a
// ConfigMap's file, a kustomize patch, a Workflow's manifest. They are never edited.
func (w *walker) embedded(n *yaml.Node) {
	if w.inner || n.Tag != "!!str" || len(n.Value) < len("image: a:b") || !w.once(n) {
		return
	}
	trimmed := strings.TrimLeft(n.Value, " \t\r\n")
	lines := strings.ContainsRune(n.Value, '\n')
	if !lines && (trimmed == "" || strings.IndexByte("-{[!&\"'?%", trimmed[0]) < 0) {
		return
	}
	if !startsLikeYAML(trimmed) || !screen([]byte(n.Value), YAML) {
		return
	}
	indent := -1
	for _, inner := range unpinnedIn([]byte(n.Value)) {
		f := w.finding(n, inner.Place)
		f.Pointer += "#" + inner.Pointer
		f.Indices |= inner.Indices << len(w.path)
		f.Object, f.Image, f.Text = inner.Object, inner.Image, inner.Text
		if n.Style&yaml.LiteralStyle != 0 {
			if indent < 0 {
				indent = w.literalIndent(n)
			}
			f.Position = Position{n.Line + inner.Position.Line, inner.Position.Column + indent}
		}
		f.Problem = problem(Embedded, "a manifest inside a string: edit it by hand, or move it to a file of its own")
		w.add(candidate{Finding: f})
	}
}

// startsLikeYAML says whether the first line of a string, comments aside, can start a
// mapping or a sequence: scripts and prose do not.
func startsLikeYAML(text string) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line == "---" {
			continue
		}
		return strings.IndexByte("-{[?&!%\"'", line[0]) >= 0 || strings.Contains(line, ":")
	}
	return false
}

// literalIndent returns how far the text of a literal block is indented.
func (w *walker) literalIndent(n *yaml.Node) int {
	for line := n.Line; line < len(w.lines.starts); line++ {
		start := w.lines.starts[line]
		end := start
		for end < len(w.lines.data) && w.lines.data[end] == ' ' {
			end++
		}
		if end < len(w.lines.data) && breakAt(w.lines.data, end) == 0 {
			return end - start
		}
	}
	return 0
}
