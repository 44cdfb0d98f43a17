package manifest

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// localFields are the fields of a kustomization that name local files
// (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/).
var localFields = []string{"resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators", "patchesStrategicMerge"}

// patchFields are the fields whose entries name a file under "path".
var patchFields = []string{"patches", "patchesJson6902", "replacements", "openapi"}

// kustomization reads a kustomization's images and notes the files that it names.
func (w *walker) kustomization(root *yaml.Node) {
	if w.object.Kind == "" {
		w.object = Object{Kind: "Kustomization"}
	}
	w.locals(root)
	w.walk(root)
}

func (w *walker) locals(root *yaml.Node) {
	for field, value := range entries(root) {
		w.taken(field, value)
		switch {
		case slices.Contains(localFields, field):
			for _, item := range w.items(value) {
				w.local(field, item)
			}
		case field == "openapi":
			w.local(field, find(resolve(value), "path"))
		case slices.Contains(patchFields, field):
			for _, item := range w.items(value) {
				w.local(field, find(resolve(item), "path"))
			}
		case field == "helmCharts":
			home := cmp.Or(text(find(resolve(find(root, "helmGlobals")), "chartHome")), "charts")
			for _, item := range w.items(value) {
				w.chart(field, resolve(item), home)
			}
		case field == "helmChartInflationGenerator":
			for _, item := range w.items(value) {
				w.local(field, find(resolve(item), "values"))
			}
		case field == "configMapGenerator", field == "secretGenerator":
			for _, item := range w.items(value) {
				w.generator(field, resolve(item))
			}
		}
	}
}

// chart notes the values of a chart, and the chart itself where no repository has it
// (https://kubectl.docs.kubernetes.io/references/kustomize/builtins/#_helmchartinflationgenerator_).
func (w *walker) chart(field string, m *yaml.Node, home string) {
	w.local(field, find(m, "valuesFile"))
	for _, file := range w.items(find(m, "additionalValuesFiles")) {
		w.local(field, file)
	}
	if name := find(m, "name"); text(name) != "" && text(find(m, "repo")) == "" {
		w.note(Local{Field: "chartHome", Path: path.Join(home, text(name)), Optional: true, Position: Position{name.Line, name.Column}})
	}
}

// generator notes the files of a generator, without the "key=" before them.
func (w *walker) generator(field string, m *yaml.Node) {
	for _, key := range []string{"files", "envs"} {
		for _, file := range w.items(find(m, key)) {
			w.local(field, file)
		}
	}
	w.local(field, find(m, "env"))
}

// maxSpent bounds what items gives out, in nodes and bytes: aliases can ask for the same
// again and again.
func (w *walker) maxSpent() int { return 8*len(w.lines.data) + 1<<16 }

// items returns the items of a sequence, or nil.
func (w *walker) items(n *yaml.Node) []*yaml.Node {
	n = resolve(n)
	if n == nil || n.Kind != yaml.SequenceNode || w.spent > w.maxSpent() {
		return nil
	}
	for _, item := range n.Content {
		item = resolve(item)
		w.spent += 1 + len(item.Content) + len(item.Value)
	}
	if w.spent > w.maxSpent() {
		return nil
	}
	return n.Content
}

// local notes the path that a scalar of a kustomization spells. Inline documents and
// addresses are no paths of files.
func (w *walker) local(field string, n *yaml.Node) {
	p := text(n)
	if p == "" || strings.ContainsRune(p, '\n') || strings.HasPrefix(p, "{") || strings.Contains(p, ": ") || strings.Contains(p, "://") {
		return
	}
	if strings.HasSuffix(field, "Generator") {
		if _, after, ok := strings.Cut(p, "="); ok {
			p = after
		}
	}
	w.note(Local{Field: field, Path: p, Optional: mayBeRemote(p), Position: Position{n.Line, n.Column}})
}

// mayBeRemote says whether kustomize may take a path for a git repository
// (https://github.com/kubernetes-sigs/kustomize/blob/master/examples/remoteBuild.md).
func mayBeRemote(p string) bool {
	for _, prefix := range []string{"git@", "git::", "gh:", "github.com/", "github.com:"} {
		if strings.HasPrefix(p, prefix) {
			return true
		}
	}
	if strings.Contains(p, "?ref=") || strings.Contains(p, "?version=") || strings.Contains(p, ".git/") || strings.HasSuffix(p, ".git") || strings.Contains(p, "_git/") {
		return true
	}
	host, _, _ := strings.Cut(p, "/")
	return strings.Contains(p, "//") && strings.Contains(strings.Trim(host, "."), ".")
}

// note keeps a path, within the limit of what one file may name.
func (w *walker) note(l Local) {
	if w.inner {
		return
	}
	if w.size += len(l.Path) + len(l.Field); w.size <= maxFound {
		w.named = append(w.named, l)
	}
}

// kustomizeImages reads a list of entries with name, newName, newTag and digest, as
// kustomizations, Flux Kustomizations and Flux post-renderers have it. It returns
// false where the list is none.
func (w *walker) kustomizeImages(list *yaml.Node) bool {
	list = resolve(list)
	if list.Kind != yaml.SequenceNode || !slices.ContainsFunc(list.Content, isKustomizeImage) {
		return false
	}
	if !w.enter(list) {
		return true
	}
	defer w.leave()
	for i, item := range list.Content {
		if m := w.follow(item); m != nil && isKustomizeImage(m) && w.enter(m) {
			w.at(i, func() { w.kustomizeImage(m) })
			w.leave()
		}
	}
	return true
}

func isKustomizeImage(n *yaml.Node) bool {
	n = resolve(n)
	return find(n, "name") != nil && (find(n, "newTag") != nil || find(n, "tagSuffix") != nil || find(n, "digest") != nil || find(n, "newName") != nil)
}

// kustomizeImage reads one entry. What kustomize makes of each combination is the table
// of its image transformer
// (https://github.com/kubernetes-sigs/kustomize/blob/master/api/internal/image/image.go).
func (w *walker) kustomizeImage(m *yaml.Node) {
	name, newName := text(find(m, "name")), find(m, "newName")
	tagNode, digestNode := find(m, "newTag"), find(m, "digest")
	if text(tagNode) == "" {
		tagNode = nil
	}
	if suffix := text(find(m, "tagSuffix")); suffix != "" && tagNode == nil && digestNode == nil {
		f := w.finding(m, KustomizeImage)
		f.Overrides, f.Text, f.Unpins = name, suffix, true
		f.Problem = problem(Undetermined, "tagSuffix changes the base's tag and drops its digest: write newTag and digest")
		w.add(candidate{Finding: f})
		return
	}
	if w.kustomizeName(name, newName) || tagNode == nil && digestNode == nil {
		return
	}
	p := &parts{kustomize: true, name: name}
	if v := text(newName); v != "" {
		p.name = v
	}
	c := candidate{Finding: w.finding(m, KustomizeImage)}
	c.Overrides = name
	p.read(w, &c, tagNode, digestNode)
	p.merged(&c, m, tagNode, digestNode)
	c.Unpins = !c.Image.Pinned() && c.Image.Tag != ""
	if c.Problem == nil && tagNode != nil && p.tag.number {
		c.Warning = problem(Number, "newTag %s is not read as a string, and kustomize refuses it: quote it", p.tag.value)
	}
	if c.Problem == nil && tagNode != nil && digestNode == nil && !strings.Contains(p.tag.value, "@") {
		p.insert = w.lines.after(m, tagNode)
	}
	c.form = p
	w.add(c, p.nodes...)
}

// kustomizeName reports a newName that holds a tag or digest: kustomize appends newTag,
// or the base's tag, to it. It returns false where the name is as it should be.
func (w *walker) kustomizeName(name string, newName *yaml.Node) bool {
	if newName == nil {
		return false
	}
	f := w.finding(newName, KustomizeImage)
	f.Overrides, f.Text = name, text(newName)
	ref, err := image.Parse(f.Text)
	switch {
	case f.Text == "" || err == nil && ref.Tag == "" && !ref.Pinned():
		return false
	case isTemplated(f.Text):
		f.Problem = problem(Templated, "a template or variable stands for the name")
	case err != nil:
		f.Problem = problem(Malformed, "newName: %s", err)
	default:
		f.Problem = problem(Malformed, "newName holds a tag or digest, and kustomize appends another tag to it: write newName: %s with newTag and digest", ref.Name)
	}
	w.in("newName", func() { f.Pointer = pointer(w.path) })
	w.add(candidate{Finding: f}, newName)
	return true
}

// kustomizeStrings reads the images of an Argo CD source: "image:tag" or
// "old=new:tag"
// (https://argo-cd.readthedocs.io/en/stable/user-guide/kustomize/).
func (w *walker) kustomizeStrings(value *yaml.Node) {
	if w.object.Kind != "Application" && w.object.Kind != "ApplicationSet" {
		return
	}
	list := resolve(find(resolve(value), "images"))
	if list == nil || list.Kind != yaml.SequenceNode || !w.enter(list) {
		return
	}
	defer w.leave()
	w.in("images", func() {
		for i, item := range list.Content {
			if item = resolve(item); item.Kind != yaml.ScalarNode || strings.Contains(item.Value, "*") {
				continue // "*" keeps what the base has
			}
			o := option{place: KustomizeImage, certain: true}
			if old, _, ok := strings.Cut(item.Value, "="); ok {
				o.prefix, o.overrides = old+"=", old
			} else if ref, err := image.Parse(item.Value); err == nil {
				o.overrides = ref.Name
			}
			w.at(i, func() { w.whole(item, o) })
		}
	})
}
