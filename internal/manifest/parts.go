package manifest

import (
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// parts is a reference that is spread over the keys of one mapping.
type parts struct {
	name      string // registry and repository, or kustomize's new name
	tag       *scalar
	digest    *scalar
	bare      bool // the digest stands without its algorithm, as Grafana's charts have it
	kustomize bool
	insert    *insertion // where a digest key can be added
	nodes     []*yaml.Node
}

// read fills the candidate from the tag's and the digest's values. The reference is
// what the reader of the mapping composes.
func (p *parts) read(w *walker, c *candidate, tagNode, digestNode *yaml.Node) {
	var tag, digest string
	c.Problem = w.ambiguous()
	get := func(n *yaml.Node) *scalar {
		if n == nil {
			return nil
		}
		if n.Kind == yaml.AliasNode {
			p.fail(c, problem(Alias, "an alias of &%s on line %d: edit it there", clip(n.Value), n.Alias.Line))
			return &scalar{value: text(n), position: Position{n.Line, n.Column}}
		}
		if n.Kind != yaml.ScalarNode {
			p.fail(c, problem(Templated, "a %s stands where a value is expected", kindName(n)))
			return nil
		}
		s, lost := w.lines.locate(n)
		s.flow = w.inFlow()
		if lost != nil {
			p.fail(c, lost)
		}
		p.nodes = append(p.nodes, n)
		return &s
	}
	p.tag, p.digest = get(tagNode), get(digestNode)
	if p.tag != nil && !p.tag.null {
		tag = p.tag.value
	}
	if p.digest != nil && !p.digest.null {
		digest = p.digest.value
	}
	c.Text = p.compose(tag, digest)
	for _, s := range []*scalar{p.tag, p.digest} {
		if s == nil {
			continue
		}
		if s.value != "" || c.Span == (Span{}) {
			c.Position, c.Span = s.position, s.span
		}
		if s.span.End > 0 {
			c.Ignored = c.Ignored || isIgnored(w.lines.comment(s.span.End))
		}
	}
	ref, err := p.parse(tag, digest)
	if err != nil {
		switch {
		case isEncrypted(c.Text):
			p.fail(c, problem(Encrypted, "the value is encrypted"))
		case isTemplated(c.Text):
			p.fail(c, problem(Templated, "a template or variable stands for a part of the image"))
		case p.kustomize && strings.HasPrefix(tag, "sha256:"):
			p.fail(c, problem(Malformed, "newTag holds a digest: write it under digest"))
		default:
			p.fail(c, problem(Malformed, "%s", err))
		}
		return
	}
	c.Image = ref
	if digest == "" && p.digest != nil && p.digest.span.End == p.digest.span.Start && p.digest.quote == 0 {
		p.fail(c, problem(Unlocated, "the digest key has no value to replace: write digest: \"\""))
	}
}

func (p *parts) fail(c *candidate, why *Problem) {
	if c.Problem == nil {
		c.Problem = why
	}
}

func (p *parts) compose(tag, digest string) string {
	s := p.name
	if tag != "" {
		s += ":" + tag
	}
	if digest != "" {
		if p.bare {
			digest = "sha256:" + digest
		}
		if before, _, ok := strings.Cut(s, "@"); ok {
			s = before
		}
		s += "@" + digest
	}
	return s
}

func (p *parts) parse(tag, digest string) (image.Ref, error) {
	return image.Parse(p.compose(tag, digest))
}

// Keys that hold the parts of an image in Helm values.
var (
	digestKeys = []string{"digest", "sha"}
	tagKeys    = []string{"tag", "imageTag"}
)

// parts reads a mapping of repository, tag and digest, and returns the values that it
// took.
func (w *walker) parts(m *yaml.Node) []*yaml.Node {
	nameNode, tagNode := w.imageName(m)
	if nameNode == nil {
		return w.nameless(m)
	}
	digestKey, digestNode := "", (*yaml.Node)(nil)
	for _, key := range digestKeys {
		if n := find(m, key); n != nil {
			digestKey, digestNode = key, n
			break
		}
	}
	if tagNode == nil && digestNode == nil && !(w.values && w.inImage()) {
		return nil
	}
	if digestKey == "sha" && !isBareDigest(digestNode) {
		digestNode = nil
		if tagNode == nil {
			return nil
		}
	}
	p := &parts{name: text(nameNode), bare: digestKey == "sha"}
	registryNode := find(m, "registry")
	if registry := text(registryNode); registry != "" {
		if w.registry != "" {
			registry = w.registry
		}
		p.name = strings.TrimSuffix(registry, "/") + "/" + p.name
	} else if registryNode != nil && w.registry != "" {
		p.name = strings.TrimSuffix(w.registry, "/") + "/" + p.name
	}
	if _, err := image.Parse(p.name); err != nil && !isTemplated(p.name) {
		return nil
	}
	if isSourceHost(p.name) && !w.values {
		return nil
	}
	c := candidate{Finding: w.finding(m, HelmImage)}
	p.read(w, &c, tagNode, digestNode)
	w.helmProblems(p, &c)
	if key := w.elsewhere(m); key != "" {
		p.fail(&c, problem(Undetermined, "the chart composes the name with %q: pin it by hand", key))
	}
	p.merged(&c, m, tagNode, digestNode)
	c.form = p
	taken := []*yaml.Node{nameNode}
	for _, n := range []*yaml.Node{tagNode, digestNode, registryNode} {
		if n != nil {
			taken = append(taken, n)
		}
	}
	w.add(c, p.nodes...)
	return taken
}

// merged refuses a tag or digest that a merge key brings in: others read it with other
// names.
func (p *parts) merged(c *candidate, m *yaml.Node, values ...*yaml.Node) {
	for _, n := range values {
		if n != nil && !slices.Contains(m.Content, n) {
			p.fail(c, problem(Shared, "the value comes through a merge key and may belong to other names: write it in the mapping itself"))
		}
	}
}

// elsewhere returns a key beside the image, or in the values' globals, with which charts
// compose the name.
func (w *walker) elsewhere(m *yaml.Node) string {
	for _, key := range []string{"hub", "org", "organization", "project", "imageNamespace"} {
		if text(find(m, key)) != "" {
			return key
		}
	}
	if find(m, "repository") != nil && text(find(m, "name")) != "" {
		return "name"
	}
	return w.hub
}

// imageName returns the value that names the repository and the one that holds its tag,
// if the mapping describes an image.
func (w *walker) imageName(m *yaml.Node) (name, tag *yaml.Node) {
	for _, key := range tagKeys {
		if tag = find(m, key); tag != nil {
			break
		}
	}
	inImage := w.inImage()
	keys := []string{"repository", "image"}
	if inImage {
		keys = append(keys, "repo", "name")
	}
	for _, key := range keys {
		n := find(m, key)
		if n == nil || n.Kind != yaml.ScalarNode || n.Value == "" || n.Tag != "!!str" {
			continue
		}
		if key == "repository" && tag == nil && inImage {
			tag = find(m, "version")
		}
		if !w.values && !inImage && key != "image" {
			return nil, nil
		}
		if ref, err := image.Parse(n.Value); key == "image" && (tag == nil || err != nil || ref.Tag != "" || ref.Pinned()) {
			return nil, nil
		}
		if tag != nil && tag.Kind == yaml.MappingNode && !isTemplateNode(tag) {
			return nil, nil
		}
		return n, tag
	}
	return nil, nil
}

// inImage says whether the present mapping stands under a key that names an image.
func (w *walker) inImage() bool {
	return len(w.path) > 0 && endsInImage(w.path[len(w.path)-1])
}

// nameless reports values that set the tag of an image whose name the chart has.
func (w *walker) nameless(m *yaml.Node) []*yaml.Node {
	tag := find(m, "tag")
	if !w.values || !w.inImage() || tag == nil || tag.Kind != yaml.ScalarNode || tag.Tag == "!!null" || tag.Value == "" || find(m, "repository") != nil {
		return nil
	}
	if d := text(find(m, "digest")); d != "" || strings.Contains(tag.Value, "@") {
		return nil
	}
	c := candidate{Finding: w.finding(m, HelmImage)}
	c.Text = text(tag)
	c.Problem = problem(Undetermined, "no repository is written: the chart decides it")
	if s, lost := w.lines.locate(tag); lost == nil {
		c.Position, c.Span = s.position, s.span
		c.Ignored = isIgnored(w.lines.comment(s.span.End))
	}
	w.add(c, tag)
	return []*yaml.Node{tag}
}

// isBareDigest says whether a value is the hexadecimal digits of a SHA-256, or empty.
func isBareDigest(n *yaml.Node) bool {
	v := text(n)
	return n.Kind == yaml.ScalarNode && (v == "" || len(v) == 64 && strings.Trim(v, "0123456789abcdef") == "")
}

// isSourceHost says whether a name is that of a source repository.
func isSourceHost(name string) bool {
	host, _, _ := strings.Cut(name, "/")
	return slices.Contains([]string{"github.com", "gitlab.com", "bitbucket.org", "git.sr.ht", "codeberg.org"}, host)
}

// helmProblems notes what the reader of Helm values makes of the parts.
func (w *walker) helmProblems(p *parts, c *candidate) {
	if c.Problem != nil || c.Image == (image.Ref{}) {
		return
	}
	if p.tag != nil && p.tag.number && !p.tag.null {
		if read := helmNumber(p.tag.value); read != p.tag.value {
			c.Problem = problem(Number, "tag %s is read as the number %s: quote it", p.tag.value, read)
			return
		}
	}
	if c.Image.Pinned() {
		return
	}
	switch {
	case c.Image.Tag == "" && p.tag == nil:
		c.Problem = problem(Undetermined, "no tag is written: the chart decides it")
	case c.Image.Tag == "":
		c.Problem = problem(Undetermined, "the tag is empty: the chart's appVersion decides it")
	case p.digest == nil:
		c.Warning = problem(LabelRisk, "the mapping has no digest key, so the digest goes into the tag: a chart that puts the tag into a label breaks on it")
	}
}

// helmNumber spells a number as Helm's templates print it: values pass through JSON and
// become float64 (https://github.com/helm/helm/issues/1707).
func helmNumber(v string) string {
	f, err := strconv.ParseFloat(v, 64)
	if err != nil {
		return "another value"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// helmParameters reads the parameters of an Argo CD Application's chart: pairs of name
// and value, where image.repository and image.tag belong together
// (https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#helm-parameters).
func (w *walker) helmParameters(value *yaml.Node) {
	list := resolve(find(resolve(value), "parameters"))
	if list == nil || list.Kind != yaml.SequenceNode || !w.enter(list) {
		return
	}
	defer w.leave()
	values := map[string]*yaml.Node{}
	for _, item := range list.Content {
		item = resolve(item)
		if v := find(item, "value"); v != nil {
			values[text(find(item, "name"))] = v
		}
	}
	for i, item := range list.Content {
		item = resolve(item)
		name, v := text(find(item, "name")), resolve(find(item, "value"))
		if v == nil || v.Kind != yaml.ScalarNode {
			continue
		}
		at := func(visit func()) {
			was := w.indices
			w.index(1)
			w.path = append(w.path, "parameters", strconv.Itoa(i), "value")
			visit()
			w.path, w.indices = w.path[:len(w.path)-3], was
		}
		if endsInImage(name) {
			at(func() {
				w.whole(v, option{place: HelmParameter, accept: func(r image.Ref) bool { return values[name+".tag"] == nil && w.looksLikeImage(r, true) }})
			})
			continue
		}
		prefix, isTag := strings.CutSuffix(name, ".tag")
		if !isTag || !endsInImage(prefix) {
			continue
		}
		at(func() {
			w.helmParameter(v, values[prefix+".registry"], values[prefix+".repository"], values[prefix+".digest"])
		})
	}
}

func (w *walker) helmParameter(tag, registry, repository, digest *yaml.Node) {
	c := candidate{Finding: w.finding(tag, HelmParameter)}
	p := &parts{name: text(repository)}
	if r := text(registry); r != "" && p.name != "" {
		p.name = r + "/" + p.name
	}
	if p.name == "" {
		c.Text = text(tag)
		c.Problem = problem(Undetermined, "no parameter gives the repository: the chart decides it")
		if s, lost := w.lines.locate(tag); lost == nil {
			c.Position, c.Span = s.position, s.span
		}
		w.add(c, tag)
		return
	}
	p.read(w, &c, tag, digest)
	w.helmProblems(p, &c)
	c.form = p
	w.add(c, p.nodes...)
}
