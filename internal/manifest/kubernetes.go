package manifest

import (
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// coreKinds are the kinds in which a container without an image is an error: those of
// Checkov's CKV_K8S_43.
var coreKinds = map[string]bool{
	"Deployment": true, "DeploymentConfig": true, "DaemonSet": true, "Job": true, "ReplicaSet": true,
	"ReplicationController": true, "StatefulSet": true, "CronJob": true, "Pod": true, "PodTemplate": true,
}

// knownGroups are the API groups whose containers hold image references and nothing
// else; elsewhere a pattern (a policy's "*:latest") may stand in the same place.
var knownGroups = map[string]bool{
	"": true, "apps": true, "batch": true, "apps.openshift.io": true, "argoproj.io": true,
	"serving.knative.dev": true, "tekton.dev": true, "extensions": true,
}

// kubernetes reads an object by its kind.
func (w *walker) kubernetes(root *yaml.Node) {
	apiVersion, kind := text(find(root, "apiVersion")), text(find(root, "kind"))
	group, _, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		group = ""
	}
	meta := resolve(find(root, "metadata"))
	w.object = Object{APIVersion: short(apiVersion), Kind: short(kind), Namespace: short(text(find(meta, "namespace"))), Name: short(text(find(meta, "name")))}
	w.known, w.core = knownGroups[group], coreKinds[kind] && knownGroups[group]
	w.data = group == "" && (kind == "ConfigMap" || kind == "Secret")
	switch {
	case group == "apiextensions.k8s.io" && kind == "CustomResourceDefinition" && isPlainRoot(root):
		return
	case group == "image.toolkit.fluxcd.io", group == "skaffold":
		return // they name repositories to watch and images to build
	case group == "kustomize.config.k8s.io":
		w.kustomization(root)
		return
	case strings.HasSuffix(kind, "List") && find(root, "items") != nil:
		w.list(root)
		return
	}
	w.gitops(group, root)
	if !w.enter(root) {
		return
	}
	defer w.leave()
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		switch key.Value {
		case "apiVersion", "kind", "metadata", "status":
			continue
		}
		w.in(key.Value, func() { w.key(key.Value, value) })
	}
}

// isPlainRoot says whether every reader sees the same kind in a root.
func isPlainRoot(root *yaml.Node) bool {
	if duplicateKey(root) != nil {
		return false
	}
	for i := 0; i < len(root.Content); i += 2 {
		if k := root.Content[i]; k.Kind != yaml.ScalarNode || k.Tag != "!!str" {
			return false
		}
	}
	return true
}

// list reads each item as an object of its own.
func (w *walker) list(root *yaml.Node) {
	if !w.enter(root) {
		return
	}
	defer w.leave()
	list := w.object
	for i := 0; i+1 < len(root.Content); i += 2 {
		items := w.follow(root.Content[i+1])
		if key := root.Content[i].Value; key != "items" && key != "<<" || items == nil {
			continue
		}
		if items.Kind == yaml.MappingNode {
			items = resolve(find(items, "items"))
		}
		if items == nil || items.Kind != yaml.SequenceNode || !w.enter(items) {
			continue
		}
		w.in("items", func() {
			for i, item := range items.Content {
				if m := w.follow(item); m != nil && m.Kind == yaml.MappingNode {
					w.at(i, func() { w.kubernetes(m) })
				}
			}
		})
		w.leave()
	}
	w.object = list
}

// endsInImage says whether a key names an image: image, sidecarImage, helper-image.
func endsInImage(key string) bool {
	if !strings.HasSuffix(key, "image") && !strings.HasSuffix(key, "Image") {
		return false
	}
	for i := range len(key) {
		if !isWord(key[i]) && key[i] != '-' && key[i] != '.' {
			return false
		}
	}
	return true
}

// imageField reads a value under a key that names an image, in an object or in values.
// Such keys hold other things too (a picture, a disk), so a value must look like a
// container image. It returns false where the value is to be walked further.
func (w *walker) imageField(key string, value *yaml.Node) bool {
	if resolve(value).Kind != yaml.ScalarNode || w.data {
		return false
	}
	place := Field
	if w.values {
		place = HelmImage
	}
	exact := key == "image"
	w.whole(value, option{place: place, accept: func(r image.Ref) bool {
		return w.looksLikeImage(r, exact)
	}})
	return true
}

func (w *walker) looksLikeImage(r image.Ref, exact bool) bool {
	if isFileName(r.Name) {
		return false
	}
	if r.Pinned() {
		return true
	}
	if r.Tag != "" {
		return true
	}
	slashed := strings.Contains(r.Name, "/")
	if w.values {
		return (exact || slashed) && (w.hub == "" || slashed)
	}
	return slashed && r.Registry() != image.DefaultRegistry && !isFileName(r.Registry())
}

// isFileName says whether a name is that of a picture or a disk.
func isFileName(name string) bool {
	for _, suffix := range []string{".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".ico", ".iso", ".img", ".qcow2", ".raw", ".vmdk", ".bmp", ".tar", ".gz"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// patchKeys are the members of a JSON patch operation
// (https://datatracker.ietf.org/doc/html/rfc6902#section-4).
var patchKeys = map[string]bool{"op": true, "path": true, "value": true, "from": true, "<<": true}

// patch reads one operation of a JSON patch. It returns false where the mapping is none.
func (w *walker) patch(m *yaml.Node) bool {
	path, op := text(find(m, "path")), text(find(m, "op"))
	if !strings.HasPrefix(path, "/") || op == "" || len(w.parents) < 2 || w.parents[len(w.parents)-2].Kind != yaml.SequenceNode {
		return false
	}
	for i := 0; i < len(m.Content); i += 2 {
		if !patchKeys[m.Content[i].Value] {
			return false
		}
	}
	value := find(m, "value")
	switch {
	case op != "add" && op != "replace":
		return op == "remove" || op == "move" || op == "copy" || op == "test"
	case value == nil:
		return true
	}
	w.in("value", func() {
		last := path[strings.LastIndexByte(path, '/')+1:]
		parent := strings.TrimSuffix(path, "/"+last)
		switch {
		case last == "image" && resolve(value).Kind == yaml.MappingNode:
			if reference := find(resolve(value), "reference"); reference != nil {
				w.whole(reference, option{place: ImageVolume, certain: true})
			}
		case last == "image":
			w.whole(value, option{place: Patch, accept: func(r image.Ref) bool {
				return w.looksLikeImage(r, false) || strings.Contains(path, "ontainers/")
			}})
		case last == "reference" && strings.HasSuffix(parent, "/image"):
			w.whole(value, option{place: ImageVolume, certain: true})
		case last == "volumes":
			w.volumes(value)
		case strings.HasSuffix(parent, "/volumes"):
			w.volume(resolve(value))
		case strings.HasSuffix(last, "ontainers"):
			w.containers(value, Patch)
		case strings.HasSuffix(parent, "ontainers") && resolve(value).Kind == yaml.MappingNode:
			w.container(resolve(value), Patch, false)
		default:
			w.walk(value)
		}
	})
	return true
}

// outputs returns the values of a mapping that name what is built or published, not what
// runs.
func (w *walker) outputs(m *yaml.Node) []*yaml.Node {
	var taken []*yaml.Node
	if w.values {
		return nil
	}
	if output := resolve(find(m, "output")); output != nil && output.Kind == yaml.MappingNode {
		taken = append(taken, find(m, "output"))
	}
	if base := find(m, "baseImage"); base != nil && (find(m, "tag") != nil || find(m, "sha") != nil || find(m, "version") != nil) {
		taken = append(taken, base)
	}
	if machine := resolve(find(m, "machine")); machine != nil && w.object.Kind == "" && find(machine, "image") != nil {
		taken = append(taken, find(m, "machine"))
	}
	return taken
}
