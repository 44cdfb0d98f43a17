package manifest

import (
	"path"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// gitops notes the paths of the repository that an object of Argo CD or Flux names.
// Whether they are of this repository or of another one the object alone does not tell.
func (w *walker) gitops(group string, root *yaml.Node) {
	spec := resolve(find(root, "spec"))
	switch group + "/" + text(find(root, "kind")) {
	case "argoproj.io/Application":
		w.application(spec)
	case "argoproj.io/ApplicationSet":
		w.application(resolve(find(resolve(find(spec, "template")), "spec")))
		w.generators(find(spec, "generators"), 0)
	case "kustomize.toolkit.fluxcd.io/Kustomization":
		w.fluxKustomization(spec)
		w.references(find(resolve(find(spec, "postBuild")), "substituteFrom"))
	case "helm.toolkit.fluxcd.io/HelmRelease":
		w.fluxChart(resolve(find(resolve(find(spec, "chart")), "spec")))
		w.references(find(spec, "valuesFrom"))
	case "source.toolkit.fluxcd.io/HelmChart":
		w.fluxChart(spec)
	}
}

// application reads the sources of an Argo CD Application
// (https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml).
func (w *walker) application(spec *yaml.Node) {
	w.source(resolve(find(spec, "source")))
	for _, source := range w.items(find(spec, "sources")) {
		w.source(resolve(source))
	}
	w.source(resolve(find(resolve(find(spec, "sourceHydrator")), "drySource")))
}

func (w *walker) source(m *yaml.Node) {
	at := find(m, "path")
	base := text(at)
	w.fromRoot("source.path", at, base)
	helm, kustomize := resolve(find(m, "helm")), resolve(find(m, "kustomize"))
	for _, file := range w.items(find(helm, "valueFiles")) {
		w.valueFile("helm.valueFiles", file, base)
	}
	for _, parameter := range w.items(find(helm, "fileParameters")) {
		w.valueFile("helm.fileParameters", find(resolve(parameter), "path"), base)
	}
	for _, component := range w.items(find(kustomize, "components")) {
		w.below("kustomize.components", component, base)
	}
	for _, patch := range w.items(find(kustomize, "patches")) {
		w.below("kustomize.patches", find(resolve(patch), "path"), base)
	}
}

// valueFile reads the path of a file: "$name/..." and "/..." are relative to the root of a
// repository, others to the source's path; those of a chart from elsewhere are in the chart
// (https://argo-cd.readthedocs.io/en/stable/user-guide/multiple_sources/#helm-value-files-from-external-git-repository).
func (w *walker) valueFile(field string, n *yaml.Node, base string) {
	file := text(n)
	switch {
	case strings.Contains(file, "://"):
	case strings.HasPrefix(file, "$") && !strings.HasPrefix(file, "${") && !strings.HasPrefix(file, "$("):
		_, rest, _ := strings.Cut(file, "/")
		w.fromRoot(field, n, rest)
	case strings.HasPrefix(file, "/"):
		w.fromRoot(field, n, file)
	default:
		w.below(field, n, base)
	}
}

// below notes a path that is relative to another one.
func (w *walker) below(field string, n *yaml.Node, base string) {
	if p := text(n); p != "" && base != "" {
		w.fromRoot(field, n, base+"/"+p)
	}
}

// generators reads the directories and files that an ApplicationSet looks for in git
// (https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Generators-Git/).
func (w *walker) generators(list *yaml.Node, depth int) {
	const deepest = 3 // a matrix holds others, and they hold none
	if depth > deepest {
		return
	}
	for _, item := range w.items(list) {
		generator := resolve(item)
		git := resolve(find(generator, "git"))
		for _, field := range []string{"directories", "files"} {
			for _, entry := range w.items(find(git, field)) {
				if text(find(resolve(entry), "exclude")) != "true" {
					at := find(resolve(entry), "path")
					w.fromRoot("git."+field, at, text(at))
					if p := text(at); field == "files" && p != "" {
						w.takes(Source{File: strings.TrimPrefix(path.Clean("/"+completed(p)), "/")})
					}
				}
			}
		}
		for _, field := range []string{"matrix", "merge"} {
			w.generators(find(resolve(find(generator, field)), "generators"), depth+1)
		}
	}
}

// fluxKustomization reads a Flux Kustomization, whose path is the root where none is written
// (https://fluxcd.io/flux/components/kustomize/kustomizations/#path).
func (w *walker) fluxKustomization(spec *yaml.Node) {
	at := find(spec, "path")
	base := text(at)
	if base == "" {
		base, at = ".", spec
	}
	if at != nil {
		w.fromRoot("path", at, base)
	}
	for _, component := range w.items(find(spec, "components")) {
		w.below("path.components", component, base)
	}
}

// fluxChart reads a chart that stands in a repository, and the values files beside it
// (https://fluxcd.io/flux/components/source/helmcharts/#chart).
func (w *walker) fluxChart(spec *yaml.Node) {
	switch text(find(resolve(find(spec, "sourceRef")), "kind")) {
	case "GitRepository", "Bucket":
	default:
		return
	}
	at := find(spec, "chart")
	w.fromRoot("chart", at, text(at))
	for _, file := range w.items(find(spec, "valuesFiles")) {
		w.fromRoot("chart.valuesFiles", file, text(file))
	}
	file := find(spec, "valuesFile")
	w.fromRoot("chart.valuesFiles", file, text(file))
}

// fromRoot notes a path from the root of a repository. Of one that a template or a pattern
// completes only the directories before it are known, and nothing where it begins so.
func (w *walker) fromRoot(field string, n *yaml.Node, p string) {
	if p == "" {
		return
	}
	if i := strings.IndexAny(p, "*?[{$"); i >= 0 {
		i = strings.LastIndexByte(p[:i], '/')
		if p = path.Clean("/" + p[:max(i, 0)]); p == "/" {
			return
		}
	}
	p = path.Clean(strings.TrimLeft(p, "/"))
	w.note(Local{Field: field, Path: p, Root: true, Optional: true, Position: Position{n.Line, n.Column}})
}
