package manifest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// A walker goes through the documents of one stream and collects candidates.
type walker struct {
	format Format
	lines  *lines
	docs   []*yaml.Node
	inner  bool // inside a string: look for no further strings

	doc      int
	object   Object
	known    bool   // the object's kind says where its images stand
	core     bool   // a container without an image is an error here
	data     bool   // a ConfigMap or Secret: its values are an application's own
	values   bool   // inside Helm values
	registry string // global.imageRegistry of these values
	hub      string // a key of their globals that is a part of every name

	path    []string
	indices uint64 // of the segments of path
	parents []*yaml.Node
	deep    *yaml.Node          // where the nesting went over the limit
	size    int                 // bytes of names and pointers in what was found
	spent   int                 // what was read to find the paths that the file names
	entered map[*yaml.Node]bool // mappings and strings that were reported on

	found      []candidate
	seen       map[*yaml.Node]int        // scalar -> index in found
	followed   map[*yaml.Node]bool       // anchors that were entered through an alias
	duplicates map[*yaml.Node]*yaml.Node // mapping -> its first repeated key, or nil
	aliases    []aliasUse
	named      []Local
	sources    []Source
}

// An option says how one place is read.
type option struct {
	place     Place
	prefix    string // what stands before the reference: docker://
	certain   bool   // the place holds an image by its schema: anything else is malformed
	accept    func(image.Ref) bool
	overrides string
}

func (w *walker) enter(n *yaml.Node) bool {
	if len(w.parents) >= maxDepth {
		w.deep = n
		return false
	}
	w.parents = append(w.parents, n)
	return true
}

// maxFound is how many bytes of text the findings of one file may hold.
const maxFound = 8 << 20

// excess returns why the file is not looked at after all, or nil.
func (w *walker) excess() *Problem {
	switch {
	case w.deep != nil:
		p := problem(TooLarge, "nested more than %d levels deep", maxDepth)
		p.Position = Position{w.deep.Line, w.deep.Column}
		return p
	case w.spent > w.maxSpent():
		return problem(TooLarge, "the aliases in the lists of paths stand for too much: write them out")
	case w.size > maxFound:
		return problem(TooLarge, "the images and their places come to more than %d MiB", maxFound>>20)
	}
	return nil
}

// once says whether a node is reported on for the first time.
func (w *walker) once(n *yaml.Node) bool {
	if w.entered == nil {
		w.entered = map[*yaml.Node]bool{}
	}
	first := !w.entered[n]
	w.entered[n] = true
	return first
}

func (w *walker) leave() { w.parents = w.parents[:len(w.parents)-1] }

// in runs visit below one more path segment.
func (w *walker) in(segment string, visit func()) {
	w.path = append(w.path, short(segment))
	visit()
	w.path = w.path[:len(w.path)-1]
}

// at runs visit below an item of a sequence.
func (w *walker) at(i int, visit func()) {
	was := w.indices
	w.index(0)
	w.in(strconv.Itoa(i), visit)
	w.indices = was
}

// index notes that the segment of the path that follows so many more is an index.
func (w *walker) index(more int) { w.indices |= 1 << (len(w.path) + more) }

// walk looks for images anywhere below n.
func (w *walker) walk(n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		if w.enter(n) {
			w.mapping(n)
			w.leave()
		}
	case yaml.SequenceNode:
		if w.enter(n) {
			for i, item := range n.Content {
				w.at(i, func() { w.walk(item) })
			}
			w.leave()
		}
	case yaml.ScalarNode:
		w.embedded(n)
	case yaml.AliasNode:
		if target := w.follow(n); target != nil {
			w.walk(target)
		}
	}
}

// mapping looks at the keys that hold images and goes on below the others.
func (w *walker) mapping(n *yaml.Node) {
	if w.patch(n) {
		return
	}
	taken := append(w.parts(n), w.outputs(n)...)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || slices.Contains(taken, value) {
			continue
		}
		w.in(key.Value, func() { w.key(key.Value, value) })
	}
}

// containerLists are the keys under which a list of containers stands.
var containerLists = map[string]Place{
	"containers": Container, "initContainers": InitContainer, "ephemeralContainers": EphemeralContainer, "sidecars": Sidecar, "steps": Step,
}

func (w *walker) key(key string, value *yaml.Node) {
	if place, ok := containerLists[key]; ok {
		w.containers(value, place)
		return
	}
	switch key {
	case "container", "script", "stepTemplate":
		if m := resolve(value); m.Kind == yaml.MappingNode && find(m, "image") != nil {
			w.container(m, Container, false)
			return
		}
	case "volumes":
		w.volumes(value)
	case "images", "imageTags":
		if w.kustomizeImages(value) {
			return
		}
	case "imageTag":
		if m := resolve(value); isKustomizeImage(m) && w.enter(m) {
			w.kustomizeImage(m)
			w.leave()
			return
		}
	case "metadata":
		if w.object.Kind != "" {
			return
		}
	case "example", "examples":
		if w.object.Kind == "" && !w.values {
			return
		}
	case "valuesObject", "valuesInline", "values":
		if value := resolve(value); value.Kind == yaml.MappingNode && (w.object.Kind != "" || key != "values") {
			was, registry, hub := w.values, w.registry, w.hub
			w.valuesOf(value)
			w.values, w.registry, w.hub = was, registry, hub
			return
		}
	case "helm":
		w.helmParameters(value)
	case "kustomize":
		w.kustomizeStrings(value)
	}
	if endsInImage(key) && w.imageField(key, value) {
		return
	}
	w.walk(value)
}

// valuesOf reads Helm values.
func (w *walker) valuesOf(root *yaml.Node) {
	global := find(root, "global")
	w.values, w.registry, w.hub = true, text(find(global, "imageRegistry")), ""
	for _, from := range []*yaml.Node{root, global} {
		if text(find(from, "hub")) != "" {
			w.hub = "hub"
		}
	}
	w.walk(root)
}

// containers reads a list of containers; what is no list is walked as usual.
func (w *walker) containers(value *yaml.Node, place Place) {
	list := w.follow(value)
	if list == nil {
		return
	}
	if list.Kind != yaml.SequenceNode {
		w.walk(list)
		return
	}
	if !w.enter(list) {
		return
	}
	defer w.leave()
	for i, item := range list.Content {
		w.at(i, func() {
			switch m := w.follow(item); {
			case m == nil:
			case m.Kind == yaml.MappingNode:
				w.container(m, place, w.core && (place == Container || place == InitContainer))
			default:
				w.walk(m)
			}
		})
	}
}

// container reads the image of one container. required says that a container without
// one is an error.
func (w *walker) container(m *yaml.Node, place Place, required bool) {
	if !w.enter(m) {
		return
	}
	defer w.leave()
	value := find(m, "image")
	switch {
	case value == nil && required:
		w.missing(m, place)
	case value == nil:
	case !w.core && resolve(value).Kind == yaml.MappingNode && find(resolve(value), "repository") != nil:
		w.in("image", func() { w.walk(value) })
	default:
		w.in("image", func() { w.whole(value, option{place: place, certain: true}) })
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if key := m.Content[i].Value; key != "image" {
			w.in(key, func() { w.walk(m.Content[i+1]) })
		}
	}
}

func (w *walker) missing(m *yaml.Node, place Place) {
	if !w.once(m) {
		return
	}
	name := text(find(m, "name"))
	f := w.finding(m, place)
	f.Problem = problem(Missing, "container %q has no image", clip(name))
	w.add(candidate{Finding: f})
}

// volumes reads image volumes
// (https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/).
func (w *walker) volumes(value *yaml.Node) {
	value = resolve(value)
	if value.Kind != yaml.SequenceNode || !w.enter(value) {
		return
	}
	defer w.leave()
	for i, item := range value.Content {
		w.at(i, func() { w.volume(resolve(item)) })
	}
}

func (w *walker) volume(volume *yaml.Node) {
	source := resolve(find(volume, "image"))
	reference := find(source, "reference")
	if reference == nil || !w.enter(volume) {
		return
	}
	defer w.leave()
	if !w.enter(source) {
		return
	}
	defer w.leave()
	w.path = append(w.path, "image", "reference")
	w.whole(reference, option{place: ImageVolume, certain: true})
	w.path = w.path[:len(w.path)-2]
}

// finding returns a finding at the node, without an image.
func (w *walker) finding(n *yaml.Node, place Place) Finding {
	return Finding{
		Position: Position{n.Line, n.Column}, Document: w.doc, Pointer: pointer(w.path), Indices: w.indices,
		Object: w.object, Place: place,
	}
}

// whole reads a value that spells a whole reference.
func (w *walker) whole(n *yaml.Node, o option) {
	f := w.finding(n, o.place)
	f.Overrides = o.overrides
	if n.Kind == yaml.AliasNode {
		w.aliases = append(w.aliases, aliasUse{n, f, o})
		return
	}
	if _, again := w.seen[n]; again {
		return
	}
	if n.Kind != yaml.ScalarNode {
		if o.certain {
			f.Problem = problem(Malformed, "want an image reference, found a %s", kindName(n))
			if isTemplateNode(n) {
				f.Problem = problem(Templated, "a template stands for the image")
			}
			w.add(candidate{Finding: f}, n)
		}
		return
	}
	f.Text = strings.Clone(n.Value) // the finding outlives the file's text
	written, ok := strings.CutPrefix(f.Text, o.prefix)
	if !ok {
		return
	}
	ref, err := image.Parse(written)
	switch {
	case n.Tag == "!!null" || n.Value == "":
		if !o.certain {
			return
		}
		f.Problem = problem(Missing, "the image is empty")
	case err != nil:
		f.Problem = w.unreadableRef(n, written, err, o)
		if f.Problem == nil {
			return
		}
	case o.accept != nil && !o.accept(ref):
		return
	case n.Tag != "!!str":
		f.Problem = problem(Malformed, "%s is read as %s, not as a string: quote it", n.Value, strings.TrimPrefix(n.Tag, "!!"))
	default:
		f.Image = ref
	}
	s, lost := w.lines.locate(n)
	s.flow = w.inFlow()
	c := candidate{Finding: f, form: whole{s, o.prefix}}
	switch {
	case c.Problem == nil && lost != nil:
		c.Problem = lost
	case c.Problem == nil:
		c.Problem = w.ambiguous()
	}
	if lost == nil {
		c.Position, c.Span = s.position, s.span
		comment := w.lines.comment(s.span.End)
		c.Ignored = isIgnored(comment)
		if ref.Tag == "" && ref.Pinned() {
			c.TagComment = tagOf(comment)
		}
	}
	w.add(c, n)
}

// unreadableRef returns why a value is no reference, or nil where the place holds
// something else than images.
func (w *walker) unreadableRef(n *yaml.Node, written string, err error, o option) *Problem {
	switch {
	case isEncrypted(written):
		return problem(Encrypted, "the value is encrypted")
	case isTemplated(written) || strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!"):
		return problem(Templated, "a template or variable stands for the image")
	case !o.certain, !w.known && strings.ContainsAny(written, "*?|<>!"):
		return nil
	}
	return problem(Malformed, "%s", err)
}

// inFlow says whether the present place is inside a flow collection.
func (w *walker) inFlow() bool {
	return slices.ContainsFunc(w.parents, func(n *yaml.Node) bool { return n.Style&yaml.FlowStyle != 0 })
}

func (w *walker) add(c candidate, nodes ...*yaml.Node) {
	for _, n := range nodes {
		w.seen[n] = len(w.found)
	}
	c.nodes = nodes
	w.size += len(c.Pointer) + len(c.Text)
	if w.size <= maxFound {
		w.found = append(w.found, c)
	}
}

// ambiguous returns a problem where a key on the way to the present place stands twice:
// readers disagree on which one counts.
func (w *walker) ambiguous() *Problem {
	for _, n := range w.parents {
		key, known := w.duplicates[n]
		if !known {
			key = duplicateKey(n)
			if w.duplicates == nil {
				w.duplicates = map[*yaml.Node]*yaml.Node{}
			}
			w.duplicates[n] = key
		}
		if key != nil {
			return problem(Duplicate, "key %q stands twice in one mapping, again on line %d: readers disagree on which one counts", clip(key.Value), key.Line)
		}
	}
	return nil
}

func (w *walker) sort() {
	slices.SortStableFunc(w.found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.Position.Line, b.Position.Line), cmp.Compare(a.Position.Column, b.Position.Column))
	})
}
