package manifest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// An OpaquePart is a part of a file from which images can come that nobody reads there.
type OpaquePart struct {
	What    string // what sort of part it is, for people
	Pointer string // RFC 6901, within its document
	Line    int    // from 1
	// Text is equal for parts that say the same, whatever their layout, their comments and
	// the images in them that Scan finds.
	Text string
}

// Opaque returns the parts of a file from which images can come that Scan does not find: the
// patches, generators, transformers, replacements, charts and remote resources of a
// kustomization and every other field that may bring some; sources and revisions that objects
// of Argo CD, Flux and their like name; JSON patches and the directives of other patches;
// manifests inside strings; encrypted values; values that read as images under
// keys that name none. They are in the order of the text.
//
// A file that cannot be read has none: Scan says so.
func Opaque(data []byte, f Format, extra ...Extra) []OpaquePart {
	o, docs := opaqueOf(data, f, extra)
	if o == nil {
		return nil
	}
	for _, doc := range docs {
		if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
			o.document(doc.Content[0])
		}
	}
	if o.size > maxFound {
		o.parts = o.parts[:0]
		for _, doc := range docs {
			o.parts = append(o.parts, OpaquePart{What: "more than can be listed", Line: 1, Text: o.sum(doc)})
		}
	}
	slices.SortStableFunc(o.parts, func(a, b OpaquePart) int { return cmp.Compare(a.Line, b.Line) })
	return o.parts
}

// opaqueOf reads a file, and knows the values of the images that Scan finds; nil where it
// cannot be read.
func opaqueOf(data []byte, f Format, extra []Extra) (*opaque, []*yaml.Node) {
	if f == None || f == Dockerfile {
		return nil, nil
	}
	s := scan(data, f, extra, read)
	if s.problem != nil || unfit(data) != nil {
		return nil, nil
	}
	if s.docs == nil {
		var p *Problem
		if s.docs, p = read(data); p != nil {
			return nil, nil
		}
	}
	o := &opaque{format: f, sums: map[*yaml.Node]string{}}
	for _, c := range s.found {
		if c.Problem == nil || c.Problem.Harmless() {
			for _, n := range c.nodes {
				o.sums[n] = isImage
			}
		}
	}
	return o, s.docs
}

// opaque collects the parts of one file.
type opaque struct {
	format Format
	sums   map[*yaml.Node]string // what nodes say; those of images say that alone
	path   []string
	secret bool // inside a Secret
	seen   map[*yaml.Node]bool
	size   int // bytes of what was found
	parts  []OpaquePart
}

func (o *opaque) in(segment string, visit func()) {
	o.path = append(o.path, short(segment))
	visit()
	o.path = o.path[:len(o.path)-1]
}

// add notes the node as a part.
func (o *opaque) add(n *yaml.Node, what string) { o.addText(n, what, o.sum(n)) }

func (o *opaque) addText(n *yaml.Node, what, text string) {
	if o.size > maxFound {
		return
	}
	p := OpaquePart{What: what, Pointer: pointer(o.path), Line: max(n.Line, 1), Text: text}
	o.size += len(p.Pointer) + len(p.What) + len(p.Text)
	o.parts = append(o.parts, p)
}

// isImage stands for a value that Scan finds.
const isImage = "image"

// sum returns a hash of what a node says. Aliases count as what they stand for, and neither
// the order of keys counts nor a key with an image that Scan finds.
func (o *opaque) sum(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	if s, ok := o.sums[n]; ok {
		return s
	}
	if n.Kind == yaml.AliasNode {
		return o.sum(n.Alias)
	}
	o.sums[n] = "circle"
	items := []string{}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if value := o.sum(n.Content[i+1]); value != isImage {
				items = append(items, o.sum(n.Content[i])+"="+value)
			}
		}
		slices.Sort(items)
	default:
		for _, item := range n.Content {
			items = append(items, o.sum(item))
		}
	}
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%d %q %q %q", n.Kind, n.Tag, n.Value, items)
	s := hex.EncodeToString(h.Sum(nil))
	o.sums[n] = s
	return s
}

// pick returns a hash of some fields of a mapping.
func (o *opaque) pick(m *yaml.Node, fields ...string) string {
	var b strings.Builder
	for _, field := range fields {
		if v := find(m, field); v != nil {
			b.WriteString(field + "=" + o.sum(v) + " ")
		}
	}
	return b.String()
}

func (o *opaque) document(root *yaml.Node) {
	o.path, o.secret, o.seen = o.path[:0], false, map[*yaml.Node]bool{}
	apiVersion := text(find(root, "apiVersion"))
	group, _, _ := strings.Cut(apiVersion, "/")
	switch {
	case root.Kind == yaml.MappingNode && (o.format == Kustomization || group == "kustomize.config.k8s.io"):
		o.kustomization(root)
		return
	case apiVersion == "builtin":
		o.add(root, "a generator or transformer of kustomize")
		return
	case root.Kind == yaml.SequenceNode:
		for i, item := range root.Content {
			if m := resolve(item); text(find(m, "op")) != "" && find(m, "path") != nil {
				o.in(strconv.Itoa(i), func() { o.add(m, "a JSON patch") })
			}
		}
	}
	if o.format == Compose || isCompose(root) {
		o.compose(root)
	}
	o.walk(root)
}

// compose notes what a compose file takes from elsewhere
// (https://github.com/compose-spec/compose-spec/blob/main/14-include.md).
func (o *opaque) compose(root *yaml.Node) {
	if v := find(root, "include"); v != nil {
		o.in("include", func() { o.add(v, "an include of a compose file") })
	}
	services := resolve(find(root, "services"))
	if services == nil || services.Kind != yaml.MappingNode {
		return
	}
	eachService(services, func(name string, service *yaml.Node) {
		for _, field := range []string{"build", "extends", "provider"} {
			if v := find(service, field); v != nil {
				o.path = append(o.path, "services", short(name), field)
				o.add(v, "the "+field+" of a compose service")
				o.path = o.path[:len(o.path)-3]
			}
		}
	})
}

// harmlessFields are those of a kustomization that bring no images.
var harmlessFields = []string{
	"apiVersion", "kind", "metadata", "namespace", "namePrefix", "nameSuffix", "commonLabels", "commonAnnotations", "labels",
	"sortOptions", "buildMetadata", "replicas", "generatorOptions",
}

// parts of a kustomization by their fields
// (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/).
var kustomizationParts = map[string]string{
	"patches": "a patch", "patchesJson6902": "a JSON patch", "patchesStrategicMerge": "a strategic merge patch",
	"configMapGenerator": "a generator of a ConfigMap", "secretGenerator": "a generator of a Secret", "generators": "a generator",
	"transformers": "a transformer", "validators": "a validator", "configurations": "a configuration of transformers",
	"replacements": "a replacement", "vars": "a variable", "openapi": "an OpenAPI schema", "crds": "a schema of custom resources",
	"helmCharts": "a Helm chart", "helmChartInflationGenerator": "a Helm chart", "helmGlobals": "the settings of Helm charts",
}

func (o *opaque) kustomization(root *yaml.Node) {
	for field, value := range entries(root) {
		o.in(field, func() { o.field(field, value) })
	}
}

func (o *opaque) field(field string, value *yaml.Node) {
	value = resolve(value)
	switch field {
	case "images", "imageTags":
		o.each(value, func(item *yaml.Node) {
			if m := resolve(item); m.Kind != yaml.MappingNode || renamesAlone(m) {
				o.add(m, "an images entry that changes a name alone")
			}
		})
		return
	case "resources", "bases", "components":
		o.each(value, func(item *yaml.Node) {
			if p := text(item); p == "" || strings.Contains(p, "://") || mayBeRemote(p) || strings.ContainsRune(p, '\n') {
				o.add(item, "a remote entry of "+field)
			}
		})
		return
	}
	if slices.Contains(harmlessFields, field) {
		return
	}
	what := kustomizationParts[field]
	if what == "" {
		what = fmt.Sprintf("the field %q of a kustomization", clip(field))
	}
	o.each(value, func(item *yaml.Node) { o.add(item, what) })
}

// each visits the items of a sequence, or the value where it is none.
func (o *opaque) each(value *yaml.Node, visit func(*yaml.Node)) {
	if value.Kind != yaml.SequenceNode {
		if value.Tag != "!!null" {
			visit(value)
		}
		return
	}
	for i, item := range value.Content {
		o.in(strconv.Itoa(i), func() { visit(item) })
	}
}

// objectParts are the fields of objects that say where manifests come from, and what is made
// of them, by group and kind; "*" is any kind.
var objectParts = map[string][]string{
	"kustomize.toolkit.fluxcd.io/Kustomization": {"spec/sourceRef", "spec/path", "spec/patches", "spec/patchesStrategicMerge", "spec/patchesJson6902", "spec/components", "spec/postBuild"},
	"helm.toolkit.fluxcd.io/HelmRelease":        {"spec/chart", "spec/chartRef", "spec/values", "spec/valuesFrom", "spec/postRenderers"},
	"image.toolkit.fluxcd.io/*":                 {"spec"},
	"helm.cattle.io/*":                          {"spec"},
	"operators.coreos.com/*":                    {"spec"},
	"olm.operatorframework.io/*":                {"spec"},
	"source.toolkit.fluxcd.io/*":                {"spec/url", "spec/ref", "spec/bucketName", "spec/endpoint", "spec/prefix", "spec/chart", "spec/version", "spec/sourceRef", "spec/include", "spec/ignore", "spec/valuesFiles", "spec/valuesFile", "spec/layerSelector"},
	"argoproj.io/ApplicationSet":                {"spec/generators", "spec/templatePatch", "spec/goTemplate"},
}

// wheres are keys beside each other that say where manifests come from; one of the first is
// needed.
var (
	sourceKeys = []string{"repoURL", "targetRevision", "chartRef", "sourceRef", "resolver", "bundle"}
	sourceRest = []string{"chart", "version", "revision", "repo", "repository", "ref", "path", "url", "plugin", "directory", "branch", "tag", "params", "name"}
)

// helmOpaque and kustomizeOpaque are the fields beside a source of Argo CD that change what
// comes from it
// (https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml).
var (
	helmOpaque      = []string{"valueFiles", "values", "valuesObject", "parameters", "fileParameters", "version", "ignoreMissingValueFiles"}
	kustomizeOpaque = []string{"patches", "components", "version"}
)

// directives are keys of a strategic merge patch that say how it is merged
// (https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md).
var directives = []string{"$patch", "$retainKeys", "$deleteFromPrimitiveList", "$setElementOrder"}

// walk looks for parts anywhere below n.
func (o *opaque) walk(n *yaml.Node) {
	if n = resolve(n); o.seen[n] {
		return
	}
	o.seen[n] = true
	if len(o.path) > maxDepth {
		o.add(n, "a value that is nested too deep")
		return
	}
	switch n.Kind {
	case yaml.SequenceNode:
		for i, item := range n.Content {
			o.in(strconv.Itoa(i), func() { o.walk(item) })
		}
	case yaml.ScalarNode:
		o.scalar(n)
	case yaml.MappingNode:
		o.mapping(n)
	}
}

func (o *opaque) mapping(m *yaml.Node) {
	secret := o.secret
	defer func() { o.secret = secret }()
	if apiVersion, kind := text(find(m, "apiVersion")), text(find(m, "kind")); apiVersion != "" && kind != "" {
		group, _, _ := strings.Cut(apiVersion, "/")
		o.secret = kind == "Secret" || kind == "SealedSecret"
		for _, name := range []string{group + "/" + kind, group + "/*"} {
			for _, at := range objectParts[name] {
				o.at(m, at, kind)
			}
		}
	}
	o.source(m)
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], m.Content[i+1]
		for _, d := range directives {
			if key.Value == d || strings.HasPrefix(key.Value, d+"/") {
				o.add(m, "the directive "+d+" of a patch")
			}
		}
		if key.Value == "apiVersion" || isPart(m, key.Value) {
			continue
		}
		if v := resolve(value); endsInImage(key.Value) && v.Kind == yaml.ScalarNode && o.sums[v] != isImage && isName(v.Value) {
			o.in(key.Value, func() { o.addText(v, "a value that names an image", o.sum(v)+o.pick(m, "tag", "version", "imageTag")) })
			continue
		}
		if o.secret && resolve(value).Kind == yaml.ScalarNode && !isDocumentName(key.Value) {
			continue
		}
		o.in(key.Value, func() { o.walk(value) })
	}
}

// isPart says whether a key holds the name of an image whose tag or digest stands beside it,
// which Scan finds.
func isPart(m *yaml.Node, key string) bool {
	return (key == "repository" || key == "repo" || key == "image" || key == "name") && (find(m, "tag") != nil || find(m, "digest") != nil)
}

// at notes the value at a path of keys.
func (o *opaque) at(m *yaml.Node, keys, kind string) {
	n := m
	path := o.path
	for key := range strings.SplitSeq(keys, "/") {
		if n = resolve(find(n, key)); n == nil {
			o.path = path
			return
		}
		o.path = append(o.path, key)
	}
	o.add(n, strings.ReplaceAll(keys, "/", ".")+" of a "+kind)
	o.path = path
}

// source notes a mapping that says where manifests come from.
func (o *opaque) source(m *yaml.Node) {
	some := func(keys []string) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return find(m, key) != nil })
	}
	chart := find(m, "chart") != nil && some([]string{"version", "repo", "repository", "url"})
	if !chart && !some(sourceKeys) {
		return
	}
	said := o.pick(m, sourceKeys...) + o.pick(m, sourceRest...) + o.pick(resolve(find(m, "helm")), helmOpaque...) + o.pick(resolve(find(m, "kustomize")), kustomizeOpaque...)
	o.addText(m, "where manifests or a chart come from", said)
}

// isDocumentName says whether a key names a document, such as values.yaml.
func isDocumentName(key string) bool {
	return strings.HasSuffix(key, ".yaml") || strings.HasSuffix(key, ".yml") || strings.HasSuffix(key, ".json")
}

func (o *opaque) scalar(n *yaml.Node) {
	switch {
	case o.sums[n] == isImage:
	case isEncrypted(n.Value):
		o.add(n, "an encrypted value")
	case n.Tag == "!!str" && holdsImages(n.Value):
		o.add(n, "a manifest inside a string")
	case n.Tag == "!!str" && readsAsImage(n.Value):
		o.add(n, "a value that reads as an image")
	}
}

// isName says whether a value may be the name of an image.
func isName(v string) bool {
	_, err := image.Parse(v)
	return strings.Contains(v, "/") && err == nil
}

// readsAsImage says whether a value under any key, or one that follows the "=" of an argument,
// is most likely an image: charts and operators take them under names of their own.
func readsAsImage(v string) bool {
	if i := strings.LastIndexByte(v, '='); i >= 0 {
		v = v[i+1:]
	}
	if !strings.Contains(v, "/") {
		return false
	}
	ref, err := image.Parse(v)
	if err != nil || isFileName(ref.Name) {
		return false
	}
	host, path, _ := strings.Cut(ref.Name, "/")
	return ref.Pinned() || ref.Tag != "" || strings.ContainsAny(host, ".:") && strings.Contains(path, "/")
}

// holdsImages says whether a string is a manifest that holds images.
func holdsImages(v string) bool {
	trimmed := strings.TrimLeft(v, " \t\r\n")
	if len(trimmed) < len("image: a") || !strings.ContainsRune(v, '\n') && strings.IndexByte("-{[!&\"'?%", trimmed[0]) < 0 {
		return false
	}
	if !startsLikeYAML(trimmed) || !screen([]byte(v), YAML) {
		return false
	}
	docs, p := read([]byte(v))
	if p != nil {
		return true
	}
	w := &walker{format: YAML, lines: newLines([]byte(v)), docs: docs, seen: map[*yaml.Node]int{}, inner: true}
	for i, doc := range docs {
		w.document(i, doc, nil)
	}
	return len(w.found) > 0 || len(w.aliases) > 0
}
