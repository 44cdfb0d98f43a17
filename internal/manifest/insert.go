package manifest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// Insertion is the Pointer of an Edit that inserts: the place behind the last entry of a
// kustomization's images (https://datatracker.ietf.org/doc/html/rfc6902#section-4.1).
const Insertion = "/images/-"

// An opening is where entries can be added to the images of a kustomization.
type opening struct {
	offset int      // of the line break, or of the end of the file, behind which they come
	line   int      // that this is the end of
	eol    string   // the file's line break
	indent string   // before a dash
	key    bool     // there is no key images yet
	node   Position // of the list, or of the mapping that is to have it
	items  int      // entries that stand there
}

// An addition is what was added at an opening.
type addition struct {
	*opening
	refs  []image.Ref
	lines int
}

// opening returns where an entry can be added, or why none can.
func (l *lines) opening(docs []*yaml.Node) (*opening, *Problem) {
	if len(docs) != 1 || len(docs[0].Content) != 1 {
		return nil, problem(Strange, "the kustomization is not one document")
	}
	root := docs[0].Content[0]
	switch {
	case root.Kind != yaml.MappingNode:
		return nil, problem(Malformed, "the kustomization is a %s, not a mapping", kindName(root))
	case root.Style&yaml.FlowStyle != 0:
		return nil, problem(Strange, "the kustomization is written in braces: write it in block style, a line for each key")
	case duplicateKey(root) != nil:
		return nil, problem(Duplicate, "key %q stands twice in the kustomization", clip(duplicateKey(root).Value))
	}
	var list *yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch key := root.Content[i]; {
		case key.Kind == yaml.ScalarNode && key.Value == "images":
			list = root.Content[i+1]
		case key.Tag == "!!merge" || key.Kind != yaml.ScalarNode:
			return nil, problem(Strange, "a key of the kustomization on line %d is a merge key or no plain word: write it out", key.Line)
		}
	}
	if list == nil {
		return l.behind(root)
	}
	switch {
	case list.Kind == yaml.ScalarNode && list.Tag == "!!null":
		return nil, problem(Strange, "images on line %d holds nothing: delete the key", list.Line)
	case list.Kind != yaml.SequenceNode:
		return nil, problem(Malformed, "images on line %d is no list", list.Line)
	case list.Style&yaml.FlowStyle != 0:
		return nil, problem(Strange, "images on line %d is written in brackets: write it in block style, a dash for each entry", list.Line)
	case list.Anchor != "":
		return nil, problem(Shared, "images on line %d has an anchor, so that an entry would show elsewhere, too", list.Line)
	}
	return l.append(list)
}

// behind returns the opening behind the last line of a file without images.
func (l *lines) behind(root *yaml.Node) (*opening, *Problem) {
	indent, ok := l.indent(root)
	if !ok || bytes.Contains(l.data, []byte("\n...")) {
		return nil, problem(Unlocated, "the end of the kustomization could not be found")
	}
	o := &opening{offset: len(l.data), line: len(l.starts), eol: l.eol(0), indent: indent, key: true, node: Position{root.Line, root.Column}}
	if size := len(o.eol); bytes.HasSuffix(l.data, []byte(o.eol)) && len(l.starts) > 1 {
		o.offset -= size
		o.line--
	}
	return o, nil
}

// append returns the opening behind the last item of a list.
func (l *lines) append(list *yaml.Node) (*opening, *Problem) {
	indent, ok := l.indent(list)
	if at, there := l.at(list.Line, list.Column); !ok || !there || at >= len(l.data) || l.data[at] != '-' {
		return nil, problem(Unlocated, "the entries of images could not be found")
	}
	last, end := list, 0
	for len(last.Content) > 0 {
		last = last.Content[len(last.Content)-1]
	}
	if last.Kind == yaml.ScalarNode {
		s, p := l.locate(last)
		if p != nil {
			return nil, problem(p.Code, "the last entry of images: %s", p.Text)
		}
		end = s.span.End
	} else if end, ok = l.at(last.Line, last.Column); !ok {
		return nil, problem(Unlocated, "the last entry of images could not be found")
	}
	stop := l.end(end)
	if last.Kind != yaml.AliasNode {
		if rest := bytes.TrimLeft(l.data[end:stop], "'\"{}[], \t"); len(rest) > 0 && rest[0] != '#' {
			return nil, problem(Multiline, "the end of the last entry of images could not be found")
		}
	}
	return &opening{offset: stop, line: l.lineOf(stop), eol: l.eol(stop), indent: indent, node: Position{list.Line, list.Column}, items: len(list.Content)}, nil
}

// indent returns the blanks before a node that begins its line.
func (l *lines) indent(n *yaml.Node) (string, bool) {
	at, ok := l.at(n.Line, n.Column)
	if !ok {
		return "", false
	}
	before := l.data[l.starts[n.Line-1]:at]
	return string(before), len(bytes.Trim(before, " ")) == 0
}

// eol returns the break of the line that ends at an offset, or of the first line.
func (l *lines) eol(end int) string {
	switch {
	case end > 0 && end < len(l.data) && breakAt(l.data, end) > 0:
		return string(l.data[end : end+breakAt(l.data, end)])
	case len(l.starts) > 1:
		return string(l.data[l.end(l.starts[0]):l.starts[1]])
	}
	return "\n"
}

// insert returns the splice that adds entries, sorted by name, so that the same entries make
// the same bytes.
func insert(before scanned, f Format, edits []Edit) (splice, error) {
	fail := func(e Edit, format string, args ...any) (splice, error) {
		return splice{}, fmt.Errorf("insert an entry for %s into images: %w", e.New.Name, fmt.Errorf(format, args...))
	}
	if f != Kustomization {
		return fail(edits[0], "the file is no kustomization")
	}
	at, closed := before.lines.opening(before.docs)
	if closed != nil {
		return fail(edits[0], "%w", closed)
	}
	edits = slices.SortedFunc(slices.Values(edits), func(a, b Edit) int { return cmp.Compare(a.New.Name, b.New.Name) })
	added := &addition{opening: at}
	var text []string
	if at.key {
		text = append(text, at.indent+"images:")
	}
	for i, e := range edits {
		parsed, err := image.Parse(e.New.String())
		switch {
		case err != nil:
			return fail(e, "%w", err)
		case parsed != e.New || !e.New.Pinned():
			return fail(e, "%s is no name with a digest", e.New)
		case e.Pointer != Insertion || e.Document != 0:
			return fail(e, "the place is %s of document %d, not %s", e.Pointer, e.Document, Insertion)
		case i > 0 && edits[i-1].New.Name == e.New.Name:
			return fail(e, "asked twice")
		}
		if line := entryOf(before.docs[0].Content[0], e.New.Name); line > 0 {
			return fail(e, "line %d has one: %w", line, ErrChanged)
		}
		text = append(text, at.indent+"- name: "+plainly(e.New.Name))
		if e.New.Tag != "" {
			text = append(text, at.indent+"  newTag: "+plainly(e.New.Tag))
		}
		text = append(text, at.indent+"  digest: "+string(e.New.Digest))
		added.refs = append(added.refs, e.New)
	}
	added.lines = len(text)
	return splice{span: Span{at.offset, at.offset}, text: at.eol + strings.Join(text, at.eol), node: at.node, added: added}, nil
}

// plainly writes a part of a reference so that every reader reads a string.
func plainly(v string) string {
	if first := v[0]; first == '[' || !readsAsString(v) || strings.HasSuffix(v, ":") {
		return `"` + v + `"`
	}
	return v
}

// entryOf returns the line of the entry that a kustomization has for a name, or 0.
func entryOf(root *yaml.Node, name string) int {
	list := resolve(find(root, "images"))
	if list == nil {
		return 0
	}
	for _, item := range list.Content {
		if item = resolve(item); text(find(item, "name")) == name {
			return item.Line
		}
	}
	return 0
}

// renames returns the names that entries of images change without setting a tag or a digest.
func renames(docs []*yaml.Node) []string {
	var out []string
	for _, doc := range docs {
		if len(doc.Content) != 1 {
			continue
		}
		list := resolve(find(doc.Content[0], "images"))
		if list == nil || list.Kind != yaml.SequenceNode {
			continue
		}
		for _, item := range list.Content {
			if m := resolve(item); renamesAlone(m) && text(find(m, "name")) != "" {
				out = append(out, text(find(m, "name")))
			}
		}
	}
	return out
}

// renamesAlone says whether an entry of images sets nothing but a name.
func renamesAlone(m *yaml.Node) bool {
	return text(find(m, "newName")) != "" && text(find(m, "newTag")) == "" && text(find(m, "digest")) == "" && text(find(m, "tagSuffix")) == ""
}

// takeAdded takes the entries that were added out of what a second scan finds, and holds them
// to what was asked.
func takeAdded(found []candidate, a *addition) ([]candidate, error) {
	if a == nil {
		return found, nil
	}
	var rest []candidate
	left := map[string]image.Ref{}
	for i, ref := range a.refs {
		left["/images/"+strconv.Itoa(a.items+i)] = ref
	}
	for _, c := range found {
		want, ok := left[c.Pointer]
		if !ok {
			rest = append(rest, c)
			continue
		}
		if c.Place != KustomizeImage || c.Image != want || c.Overrides != want.Name || !c.Editable() {
			return nil, fmt.Errorf("%s holds %s, not %s", c.Pointer, c.Text, want)
		}
		delete(left, c.Pointer)
	}
	if len(left) > 0 {
		return nil, errors.New("an entry that was added is not found again")
	}
	return rest, nil
}

// isAddition says whether nodes are what was added to a node and nothing else.
func (a *addition) isAddition(to *yaml.Node, nodes []*yaml.Node) bool {
	if a == nil || a.node != (Position{to.Line, to.Column}) {
		return false
	}
	if a.key {
		if to.Kind != yaml.MappingNode || len(nodes) != 2 || !isWritten(nodes[0], "images") || nodes[1].Kind != yaml.SequenceNode {
			return false
		}
		nodes = nodes[1].Content
	} else if to.Kind != yaml.SequenceNode {
		return false
	}
	if len(nodes) != len(a.refs) {
		return false
	}
	for i, n := range nodes {
		want := []string{"name", a.refs[i].Name, "newTag", a.refs[i].Tag, "digest", string(a.refs[i].Digest)}
		if a.refs[i].Tag == "" {
			want = slices.Delete(want, 2, 4)
		}
		if n.Kind != yaml.MappingNode || !slices.EqualFunc(n.Content, want, isWritten) {
			return false
		}
	}
	return true
}

func isWritten(n *yaml.Node, text string) bool {
	return n.Kind == yaml.ScalarNode && n.Value == text && n.Tag == "!!str" && n.Anchor == ""
}
