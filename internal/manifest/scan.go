package manifest

import (
	"strconv"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// Extra names further places of images: a JSON pointer (RFC 6901) in which a segment "*"
// stands for any key or index, in objects of one kind, or in every document where Kind is
// empty.
type Extra struct{ Kind, Pointer string }

// Scan returns the images that data holds, in the order of the text. A file that cannot
// be read at all gives a Result with a Problem.
func Scan(data []byte, f Format, extra ...Extra) Result {
	s := scan(data, f, extra, read)
	r := Result{Problem: s.problem, Local: s.local, Sources: s.sources}
	if f == Kustomization && s.problem == nil {
		_, r.Closed = s.lines.opening(s.docs)
		r.Renames = renames(s.docs)
	}
	if len(s.found) > 0 {
		r.Findings = make([]Finding, len(s.found))
		for i := range s.found {
			f := s.found[i].Finding
			if f.Span.End > 0 {
				f.Byte = f.Span.Start - s.lines.starts[f.Position.Line-1] + 1
			}
			r.Findings[i] = f
		}
	}
	return r
}

// A candidate is a finding with what Apply needs to change it.
type candidate struct {
	Finding
	form  form
	nodes []*yaml.Node // the scalars that an edit may touch
}

// scanned is a file with its parsed documents.
type scanned struct {
	docs    []*yaml.Node
	lines   *lines
	found   []candidate
	local   []Local
	sources []Source
	problem *Problem
}

// A reader turns bytes into documents.
type reader func([]byte) ([]*yaml.Node, *Problem)

// read finds images fast; what it does not know is left to the decoder.
func read(data []byte) ([]*yaml.Node, *Problem) {
	if docs, ok := quick(data); ok {
		return docs, nil
	}
	return decode(data)
}

func scan(data []byte, f Format, extra []Extra, parse reader) scanned {
	if f == None || len(extra) == 0 && !isUTF16(data) && !screen(data, f) {
		return scanned{}
	}
	if p := unfit(data); p != nil {
		return scanned{problem: p}
	}
	if f == Dockerfile {
		return scanDockerfile(data)
	}
	docs, p := parse(data)
	if p != nil {
		return scanned{problem: p}
	}
	w := &walker{format: f, lines: newLines(data), docs: docs, seen: map[*yaml.Node]int{}}
	for i, doc := range docs {
		w.document(i, doc, extra)
	}
	if p := w.excess(); p != nil {
		return scanned{problem: p}
	}
	w.settleAliases()
	w.sort()
	return scanned{docs: docs, lines: w.lines, found: w.found, local: w.named, sources: w.sources}
}

// document reads one document by the dialect that its root or the file's name tells.
func (w *walker) document(index int, doc *yaml.Node, extra []Extra) {
	w.doc, w.object, w.registry, w.hub = index, Object{}, "", ""
	w.values, w.known, w.core, w.data = false, false, false, false
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return
	}
	root := doc.Content[0]
	w.path, w.indices, w.parents = w.path[:0], 0, w.parents[:0]
	w.strange(root)
	w.dialect(root)
	for _, e := range extra {
		if e.Kind == "" || e.Kind == text(find(root, "kind")) {
			w.extra(root, e.Pointer)
		}
	}
}

func (w *walker) dialect(root *yaml.Node) {
	if root.Kind != yaml.MappingNode {
		w.walk(root)
		return
	}
	apiVersion, kind := text(find(root, "apiVersion")), text(find(root, "kind"))
	switch {
	case w.format == Kustomization:
		w.kustomization(root)
	case apiVersion != "" && kind != "":
		w.kubernetes(root)
	case w.format == Workflow, w.format == YAML && isWorkflow(root):
		w.workflow(root)
	case w.format == Action, w.format == YAML && isAction(root):
		w.action(root)
	case w.format == GitLab:
		w.gitlab(root)
	case w.format == Compose, w.format == YAML && isCompose(root):
		w.compose(root)
	case w.format == Values:
		w.valuesOf(root)
	default:
		w.walk(root)
	}
}

// extra reads the values that a configured pointer names.
func (w *walker) extra(n *yaml.Node, pattern string) {
	head, rest, ok := cutPointer(pattern)
	if !ok {
		w.whole(n, option{place: Configured, certain: true})
		return
	}
	if !w.enter(n) {
		return
	}
	defer w.leave()
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := n.Content[i].Value; head == "*" || head == key {
				w.in(key, func() { w.extra(n.Content[i+1], rest) })
			}
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			if head == "*" || head == strconv.Itoa(i) {
				w.at(i, func() { w.extra(item, rest) })
			}
		}
	}
}

// unpinnedIn returns the findings of a manifest inside a string.
func unpinnedIn(data []byte) []Finding {
	docs, p := read(data)
	if p != nil {
		return nil
	}
	w := &walker{format: YAML, lines: newLines(data), docs: docs, seen: map[*yaml.Node]int{}, inner: true}
	for i, doc := range docs {
		w.document(i, doc, nil)
	}
	w.settleAliases()
	w.sort()
	var out []Finding
	for _, c := range w.found {
		if !c.Image.Pinned() && c.Image != (image.Ref{}) || c.Problem != nil && c.Problem.Code == Strange {
			out = append(out, c.Finding)
		}
	}
	return out
}
