package manifest

import (
	"strconv"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// dockerScheme stands before an image that a step uses
// (https://docs.github.com/en/actions/reference/workflow-syntax-for-github-actions#jobsjob_idstepsuses).
const dockerScheme = "docker://"

// isWorkflow says whether a mapping is a GitHub workflow: jobs, and events under "on".
func isWorkflow(root *yaml.Node) bool {
	jobs := find(root, "jobs")
	return jobs != nil && jobs.Kind == yaml.MappingNode && find(root, "on") != nil
}

// isAction says whether a mapping is an action's metadata
// (https://docs.github.com/en/actions/reference/metadata-syntax-for-github-actions).
func isAction(root *yaml.Node) bool {
	return find(find(root, "runs"), "using") != nil && find(root, "name") != nil
}

// workflow reads the containers, services and docker:// steps of each job.
func (w *walker) workflow(root *yaml.Node) {
	jobs := resolve(find(root, "jobs"))
	if jobs == nil || jobs.Kind != yaml.MappingNode || !w.enter(root) {
		return
	}
	defer w.leave()
	if !w.enter(jobs) {
		return
	}
	defer w.leave()
	for name, value := range entries(jobs) {
		job := resolve(value)
		if job == nil || job.Kind != yaml.MappingNode || !w.enter(job) {
			continue
		}
		w.path = append(w.path, "jobs", short(name))
		if container := find(job, "container"); container != nil {
			w.in("container", func() { w.nameOrMap(container, "image", JobContainer) })
		}
		for service, value := range entries(resolve(find(job, "services"))) {
			w.path = append(w.path, "services", short(service))
			w.nameOrMap(value, "image", JobService)
			w.path = w.path[:len(w.path)-2]
		}
		w.uses(find(job, "steps"))
		w.path = w.path[:len(w.path)-2]
		w.leave()
	}
}

// uses reads the docker:// images of a list of steps.
func (w *walker) uses(steps *yaml.Node) {
	steps = resolve(steps)
	if steps == nil || steps.Kind != yaml.SequenceNode {
		return
	}
	for i, step := range steps.Content {
		if value := find(resolve(step), "uses"); value != nil && w.enter(resolve(step)) {
			was := w.indices
			w.index(1)
			w.path = append(w.path, "steps", strconv.Itoa(i), "uses")
			w.whole(value, option{place: Step, prefix: dockerScheme, certain: true})
			w.path, w.indices = w.path[:len(w.path)-3], was
			w.leave()
		}
	}
}

// nameOrMap reads an image that is either a string or a mapping that holds it under key.
func (w *walker) nameOrMap(value *yaml.Node, key string, place Place) {
	m := resolve(value)
	if m.Kind != yaml.MappingNode {
		w.whole(value, option{place: place, certain: true})
		return
	}
	if inner := find(m, key); inner != nil && w.enter(m) {
		w.in(key, func() { w.whole(inner, option{place: place, certain: true}) })
		w.leave()
	}
}

// action reads the image of a Docker action and the docker:// steps of a composite one.
func (w *walker) action(root *yaml.Node) {
	runs := find(root, "runs")
	if runs == nil || !w.enter(root) {
		return
	}
	defer w.leave()
	w.in("runs", func() {
		if value := find(runs, "image"); value != nil {
			w.in("image", func() { w.whole(value, option{place: ActionImage, prefix: dockerScheme, certain: true}) })
		}
		w.uses(find(runs, "steps"))
	})
}
