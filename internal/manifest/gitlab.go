package manifest

import (
	"strconv"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// gitlab reads image and services, which stand at the root, under default and in each
// job, as a string or as a mapping with a name
// (https://docs.gitlab.com/ci/yaml/#image).
func (w *walker) gitlab(root *yaml.Node) {
	if !w.enter(root) {
		return
	}
	defer w.leave()
	w.gitlabJob(root)
	for name, value := range entries(root) {
		switch name {
		case "variables", "stages", "workflow", "include", "spec", "image", "services", "cache":
		default:
			if job := resolve(value); job.Kind == yaml.MappingNode && w.enter(job) {
				w.in(name, func() { w.gitlabJob(job) })
				w.leave()
			}
		}
	}
}

func (w *walker) gitlabJob(job *yaml.Node) {
	if value := find(job, "image"); value != nil && !isReference(value) {
		w.in("image", func() { w.nameOrMap(value, "name", JobContainer) })
	}
	services := resolve(find(job, "services"))
	if isReference(services) {
		return
	}
	if services == nil || services.Kind != yaml.SequenceNode {
		return
	}
	for i, item := range services.Content {
		if isReference(item) {
			continue
		}
		was := w.indices
		w.index(1)
		w.path = append(w.path, "services", strconv.Itoa(i))
		w.nameOrMap(item, "name", JobService)
		w.path, w.indices = w.path[:len(w.path)-2], was
	}
}

// isReference says whether a value is taken from another job
// (https://docs.gitlab.com/ci/yaml/yaml_optimization/#reference-tags).
func isReference(n *yaml.Node) bool { return n != nil && n.Tag == "!reference" }
