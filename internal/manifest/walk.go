package manifest

import (
	"cmp"
	"fmt"
	"hash/fnv"
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
	parents []*yaml.Node
	deep    *yaml.Node          // where the nesting went over the limit
	size    int                 // bytes of names and pointers in what was found
	entered map[*yaml.Node]bool // mappings and strings that were reported on

	found      []candidate
	seen       map[*yaml.Node]int        // scalar -> index in found
	followed   map[*yaml.Node]bool       // anchors that were entered through an alias
	duplicates map[*yaml.Node]*yaml.Node // mapping -> its first repeated key, or nil
	aliases    []aliasUse
	local      []Local
}

// An aliasUse is an image place whose value is an alias.
type aliasUse struct {
	alias  *yaml.Node
	at     Finding
	option option
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
				w.in(strconv.Itoa(i), func() { w.walk(item) })
			}
			w.leave()
		}
	case yaml.ScalarNode:
		w.embedded(n)
	case yaml.AliasNode:
		if target := w.follow(n); target != nil && target.Kind != yaml.ScalarNode {
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

func (w *walker) key(key string, value *yaml.Node) {
	switch key {
	case "containers":
		w.containers(value, Container)
		return
	case "initContainers":
		w.containers(value, InitContainer)
		return
	case "ephemeralContainers":
		w.containers(value, EphemeralContainer)
		return
	case "sidecars":
		w.containers(value, Sidecar)
		return
	case "steps":
		w.containers(value, Step)
		return
	case "container", "script", "stepTemplate":
		if m := resolve(value); m.Kind == yaml.MappingNode && find(m, "image") != nil {
			w.container(m, Container, false)
			return
		}
	case "volumes":
		w.volumes(value)
	case "images":
		if w.kustomizeImages(value) {
			return
		}
	case "metadata":
		if w.object.Kind != "" {
			return
		}
	case "example", "examples":
		if w.object.Kind == "" {
			return
		}
	case "valuesObject", "valuesInline", "values":
		if value.Kind == yaml.MappingNode && (w.object.Kind != "" || key != "values") {
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
		w.in(strconv.Itoa(i), func() {
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
		volume := resolve(item)
		source := resolve(find(volume, "image"))
		reference := find(source, "reference")
		if reference == nil || !w.enter(volume) {
			continue
		}
		if w.enter(source) {
			w.path = append(w.path, strconv.Itoa(i), "image", "reference")
			w.whole(reference, option{place: ImageVolume, certain: true})
			w.path = w.path[:len(w.path)-3]
			w.leave()
		}
		w.leave()
	}
}

// finding returns a finding at the node, without an image.
func (w *walker) finding(n *yaml.Node, place Place) Finding {
	return Finding{
		Position: Position{n.Line, n.Column}, Document: w.doc, Pointer: pointer(w.path),
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

// follow returns what n stands for. An anchor is entered through aliases once, so that
// the work stays linear; a second time it gives nil.
func (w *walker) follow(n *yaml.Node) *yaml.Node {
	if n.Kind != yaml.AliasNode {
		return n
	}
	if w.followed[n.Alias] {
		return nil
	}
	if w.followed == nil {
		w.followed = map[*yaml.Node]bool{}
	}
	w.followed[n.Alias] = true
	return n.Alias
}

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

// settleAliases joins the places that are aliases to the values that they read, and
// refuses values that others read for something else than an image.
func (w *walker) settleAliases() {
	images := map[*yaml.Node][]Position{} // anchored scalar -> image places that read it
	for _, use := range w.aliases {
		target := use.alias.Alias
		images[target] = append(images[target], use.at.Position)
	}
	all := map[*yaml.Node]int{}
	for _, use := range w.aliases {
		all[use.alias.Alias] = 0
	}
	for n := range w.seen {
		if n.Anchor != "" && n.Kind == yaml.ScalarNode {
			all[n] = 0
		}
	}
	if len(all) == 0 {
		return
	}
	for _, doc := range w.docs {
		countAliases(doc, all)
	}
	for n, users := range all {
		i, ok := w.seen[n]
		if !ok {
			continue
		}
		w.found[i].SharedBy = images[n]
		if others := users - len(images[n]); others > 0 && w.found[i].Problem == nil {
			w.found[i].Problem = problem(Shared, "aliases of &%s read it in places that hold no image: %d of %d", clip(n.Anchor), others, users)
		}
	}
	for _, use := range w.aliases {
		target := use.alias.Alias
		if _, ok := w.seen[target]; ok {
			continue
		}
		f := use.at
		f.Text = "*" + use.alias.Value
		if ref, err := image.Parse(strings.TrimPrefix(target.Value, use.option.prefix)); err == nil && target.Kind == yaml.ScalarNode {
			if use.option.accept != nil && !use.option.accept(ref) {
				continue
			}
			f.Image = ref
		} else if !use.option.certain {
			continue
		}
		f.Problem = problem(Alias, "an alias of &%s on line %d (aliases: %d): edit it there", clip(use.alias.Value), target.Line, all[target])
		w.add(candidate{Finding: f})
	}
}

func countAliases(n *yaml.Node, counts map[*yaml.Node]int) {
	if n.Kind == yaml.AliasNode {
		if _, ok := counts[n.Alias]; ok {
			counts[n.Alias]++
		}
		return
	}
	for _, child := range n.Content {
		countAliases(child, counts)
	}
}

func (w *walker) sort() {
	slices.SortStableFunc(w.found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.Position.Line, b.Position.Line), cmp.Compare(a.Position.Column, b.Position.Column))
	})
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
