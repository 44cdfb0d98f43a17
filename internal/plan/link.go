package plan

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/manifest"
)

// Link is the Field of the one Local of a symbolic link.
const Link = "link"

// valueFields are the fields by which an object names files of values.
var valueFields = map[string]bool{"helm.valueFiles": true, "helm.fileParameters": true, "chart.valuesFiles": true}

// A linker fills a Reach with what files name.
type linker struct {
	*Reach
	exists func(string) bool
	there  map[string]bool // what exists has answered
}

// KustomizationNames are the files that kustomize looks for in a directory
// (https://github.com/kubernetes-sigs/kustomize/blob/master/api/konfig/general.go).
var KustomizationNames = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

func isKustomization(name string) bool { return manifest.FormatOf(name) == manifest.Kustomization }

// link adds the files and their edges.
func (l *linker) link(files []File) {
	for _, f := range files {
		l.nodes[l.node(f.Path)].known = true
	}
	for _, f := range files {
		if len(f.Result.Local) == 0 {
			continue
		}
		at := l.node(f.Path)
		object := !isKustomization(f.Path) && f.Result.Local[0].Field != Link
		var edges []edge
		for _, local := range f.Result.Local {
			edges = append(edges, l.edges(f.Path, local, object)...)
		}
		slices.SortStableFunc(edges, func(a, b edge) int {
			return cmp.Or(strings.Compare(l.nodes[a.to].path, l.nodes[b.to].path), strings.Compare(a.named, b.named))
		})
		edges = slices.CompactFunc(edges, func(a, b edge) bool { return a.to == b.to && a.named == b.named })
		l.nodes[at].object, l.nodes[at].edges = object, edges
	}
}

// edges returns where one written path leads.
func (l *linker) edges(file string, local manifest.Local, object bool) []edge {
	named, ok := local.Path, true
	if !local.Root {
		named, ok = join(file, local.Path)
	}
	strict := !object && !local.Optional
	if !ok || outside(named) {
		if strict {
			l.problem(file, local, "%s names %q, which is outside of the repository: kustomize does not load it; copy it here", local.Field, clip(local.Path))
		}
		return nil
	}
	var out []edge
	add := func(name string) {
		out = append(out, edge{l.node(name), named, valueFields[local.Field], local.Position.Line, local.Position.Column})
	}
	if l.has(named) {
		add(named)
		return out
	}
	for _, name := range KustomizationNames {
		if k := path.Join(named, name); l.has(k) {
			add(k)
		}
	}
	switch {
	case object || local.Field == "chartHome":
		// What is no kustomization is a chart, or the manifests of a directory.
		if len(out) > 0 && !l.has(path.Join(named, "Chart.yaml")) {
			break
		}
		if named == "." {
			add(root)
		} else {
			add(named + "/")
		}
	case len(out) == 0 && strict:
		l.problem(file, local, "%s names %q: there is neither a file %s nor a directory of that name with a kustomization.yaml; add it, or delete the entry", local.Field, clip(local.Path), clip(named))
	}
	return out
}

// has says whether there is a file.
func (l *linker) has(name string) bool {
	if i, ok := l.index[name]; ok && l.nodes[i].known {
		return true
	}
	is, asked := l.there[name]
	if !asked {
		is = l.exists(name)
		l.there[name] = is
	}
	return is
}

func (l *linker) problem(file string, local manifest.Local, format string, args ...any) {
	l.problems = append(l.problems, config.Problem{
		File: file, Line: local.Position.Line, Column: local.Position.Column,
		Message: fmt.Sprintf(format, args...), Severity: config.Error,
	})
}

// check adds the problems that only all files together show.
func (l *linker) check(files []File) {
	var shared []string
	for _, f := range files {
		if l.nodes[l.index[f.Path]].own.len() > 1 {
			shared = append(shared, f.Path)
		}
	}
	slices.Sort(shared)
	l.problems = append(l.problems, l.config.Overlaps(shared)...)
	l.circles()
	slices.SortStableFunc(l.problems, func(a, b config.Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Message, b.Message))
	})
}

// circles reports kustomizations that name each other, at the entry that closes each
// circle. It walks on a stack of its own: a chain may be long.
func (l *linker) circles() {
	const (
		unseen = iota
		open
		done
	)
	type frame struct{ at, next int }
	state, depth := make([]int, len(l.nodes)), make([]int, len(l.nodes))
	for _, start := range l.sorted {
		if state[start] != unseen {
			continue
		}
		stack := []frame{{at: start}}
		state[start], depth[start] = open, 0
		for len(stack) > 0 {
			f := &stack[len(stack)-1]
			n := &l.nodes[f.at]
			if n.object || f.next == len(n.edges) {
				state[f.at] = done
				stack = stack[:len(stack)-1]
				continue
			}
			g := n.edges[f.next]
			f.next++
			switch state[g.to] {
			case unseen:
				state[g.to], depth[g.to] = open, len(stack)
				stack = append(stack, frame{at: g.to})
			case open:
				var circle []string
				for i := depth[g.to]; i < len(stack); i++ {
					if len(circle) == longest {
						circle = append(circle, "...")
						break
					}
					circle = append(circle, l.nodes[stack[i].at].path)
				}
				l.problems = append(l.problems, config.Problem{
					File: n.path, Line: g.line, Column: g.col, Severity: config.Error,
					Message: "the kustomizations name each other in a circle: " + strings.Join(append(circle, l.nodes[g.to].path), " -> ") + "; delete one of the entries",
				})
			}
		}
	}
}

// longest is how many files of a circle a message spells out.
const longest = 8

// clip shortens foreign text for a message.
func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
