package manifest

import (
	"strconv"
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
	w.object = Object{APIVersion: apiVersion, Kind: kind, Namespace: text(find(meta, "namespace")), Name: text(find(meta, "name"))}
	w.known, w.core = knownGroups[group], coreKinds[kind] && knownGroups[group]
	w.data = group == "" && (kind == "ConfigMap" || kind == "Secret")
	switch {
	case group == "apiextensions.k8s.io" && kind == "CustomResourceDefinition" && duplicateKey(root) == nil:
		return
	case group == "kustomize.config.k8s.io":
		w.kustomization(root)
		return
	case strings.HasSuffix(kind, "List") && find(root, "items") != nil:
		w.list(root)
		return
	}
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

// list reads each item as an object of its own.
func (w *walker) list(root *yaml.Node) {
	items := find(root, "items")
	if items.Kind != yaml.SequenceNode || !w.enter(root) {
		return
	}
	defer w.leave()
	if !w.enter(items) {
		return
	}
	defer w.leave()
	w.in("items", func() {
		for i, item := range items.Content {
			if m := w.follow(item); m != nil && m.Kind == yaml.MappingNode {
				w.in(strconv.Itoa(i), func() { w.kubernetes(m) })
			}
		}
	})
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
		return exact || slashed
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

// patch reads one operation of a JSON patch that sets an image
// (https://datatracker.ietf.org/doc/html/rfc6902).
func (w *walker) patch(m *yaml.Node) bool {
	path := text(find(m, "path"))
	if !strings.HasSuffix(path, "/image") || find(m, "op") == nil {
		return false
	}
	value := find(m, "value")
	if value == nil {
		return false
	}
	w.in("value", func() {
		w.whole(value, option{place: Patch, accept: func(r image.Ref) bool { return w.looksLikeImage(r, false) || strings.Contains(path, "ontainers/") }})
	})
	return resolve(value).Kind == yaml.ScalarNode
}
