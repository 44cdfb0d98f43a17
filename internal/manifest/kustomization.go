package manifest

import (
	"slices"
	"strconv"
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
	for i := 0; i+1 < len(root.Content); i += 2 {
		field, value := root.Content[i].Value, resolve(root.Content[i+1])
		switch {
		case slices.Contains(localFields, field) && value.Kind == yaml.SequenceNode:
			for _, item := range value.Content {
				w.local = appendLocal(w.local, field, item)
			}
		case slices.Contains(patchFields, field) && value.Kind == yaml.SequenceNode:
			for _, item := range value.Content {
				w.local = appendLocal(w.local, field, find(item, "path"))
			}
		case field == "openapi":
			w.local = appendLocal(w.local, field, find(value, "path"))
		case field == "helmCharts" && value.Kind == yaml.SequenceNode:
			for _, item := range value.Content {
				w.local = appendLocal(w.local, field, find(item, "valuesFile"))
				if more := find(item, "additionalValuesFiles"); more != nil {
					for _, file := range more.Content {
						w.local = appendLocal(w.local, field, file)
					}
				}
			}
		case (field == "configMapGenerator" || field == "secretGenerator") && value.Kind == yaml.SequenceNode:
			for _, item := range value.Content {
				for _, key := range []string{"files", "envs"} {
					if files := find(item, key); files != nil {
						for _, file := range files.Content {
							w.local = appendLocal(w.local, field, file)
						}
					}
				}
			}
		}
	}
}

// appendLocal adds the path of a scalar, without a generator's "key=" before it.
// Inline documents and addresses are no local paths.
func appendLocal(local []Local, field string, n *yaml.Node) []Local {
	path := text(n)
	if path == "" || strings.ContainsAny(path, "\n{") || strings.Contains(path, "://") {
		return local
	}
	if strings.HasSuffix(field, "Generator") {
		if _, after, ok := strings.Cut(path, "="); ok {
			path = after
		}
	}
	return append(local, Local{Field: field, Path: path, Position: Position{n.Line, n.Column}})
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
			w.in(strconv.Itoa(i), func() { w.kustomizeImage(m) })
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
			w.in(strconv.Itoa(i), func() { w.whole(item, o) })
		}
	})
}
