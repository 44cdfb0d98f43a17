package plan

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
)

// naming returns the fields by which the files of the head, and both versions of those that
// differ, name each path.
func (d *differ) naming(sides [][2]side) map[string][]string {
	out := map[string][]string{}
	add := func(file string, named []manifest.Local) {
		for _, local := range named {
			if at := local.From(file); !slices.Contains(out[at], local.Field) {
				out[at] = append(out[at], local.Field)
			}
		}
	}
	for _, f := range d.Files {
		add(f.Path, f.Result.Local)
	}
	for i, p := range d.Pairs {
		for _, s := range sides[i] {
			add(p.Path, s.result.Local)
		}
	}
	return out
}

// gone adds the paths that kustomizations of the head name although the pairs delete them.
// Of a kustomization that is among the pairs, missing says it.
func (d *differ) gone() {
	deleted, differs := map[string]bool{}, map[string]bool{}
	for _, p := range d.Pairs {
		differs[p.Path] = true
		if p.Had && !p.Has {
			deleted[p.Path] = true
		}
	}
	if len(deleted) == 0 {
		return
	}
	for _, file := range d.Files {
		f := fileDiff{differ: d, path: file.Path}
		if differs[file.Path] || !f.isKustomization() {
			continue
		}
		environments := d.After(file.Path)
		if len(environments) == 0 {
			continue
		}
		f.count(side{result: file.Result})
		for _, local := range file.Result.Local {
			named, ok := join(file.Path, local.Path)
			if ok && (deleted[named] || slices.ContainsFunc(KustomizationNames, func(k string) bool { return deleted[path.Join(named, k)] })) {
				f.absent(local, environments)
			}
		}
	}
}

// add notes an opaque change of the file.
func (f *fileDiff) add(line int, environments []string, what string) {
	f.out.Opaque = append(f.out.Opaque, Opaque{Path: f.path, Line: max(line, 1), What: what, Environments: environments, Apps: f.apps})
}

// whole notes a file of which nobody can read what it does as a whole, on one side at least.
func (f *fileDiff) whole(why string, old, new side, environments []string) {
	if len(environments) == 0 {
		return
	}
	if why != "" {
		f.add(1, environments, why)
		return
	}
	for _, s := range []side{new, old} {
		if problem := s.result.Problem; problem != nil {
			f.add(problem.Position.Line, environments, problem.Text)
			return
		}
	}
	if what := f.unread(); what != "" {
		f.add(1, environments, what)
	}
}

// unread says what a file that holds no manifests may do to images, "" where nothing.
func (f *fileDiff) unread() string {
	format := f.Format(f.path)
	for _, field := range f.fields[f.path] {
		if !isPlain(format) || steering[field] {
			return "a file that is named by " + field
		}
	}
	base := strings.ToLower(path.Base(f.path))
	_, chart := f.chart()
	switch {
	case f.isTemplated():
		return "a template of a chart"
	case format != manifest.None && !(chart && format == manifest.Dockerfile):
	case base == "chart.yaml", base == "chart.lock", base == "requirements.lock":
		return "the charts that a chart depends on, and its version"
	case chart:
		return "a file of a chart, whose templates may read it"
	case slices.Contains(steeringNames, base):
		return "a file that says what is deployed, and that Pinnace does not read"
	case slices.Contains(generating, path.Ext(base)):
		return "a file that manifests may be made from, and that Pinnace does not read"
	}
	return ""
}

// steering are the fields of a kustomization that name files which say what is made of other
// manifests.
var steering = map[string]bool{
	"generators": true, "transformers": true, "validators": true, "configurations": true, "replacements": true, "openapi": true, "crds": true,
}

// steeringNames are the names of files that say which manifests are deployed, or make some.
var steeringNames = []string{"kptfile", "tiltfile", "earthfile", ".helmignore", ".sourceignore", ".krmignore", ".argocdignore"}

// generating are the extensions of files that manifests are made from.
var generating = []string{
	".tgz", ".tar", ".gz", ".zip", ".tpl", ".tmpl", ".gotmpl", ".j2", ".jinja", ".jinja2", ".erb", ".jsonnet", ".libsonnet", ".cue",
	".k", ".star", ".dhall", ".nix", ".hcl", ".tf", ".tfvars", ".ts", ".js", ".py", ".lua", ".env", ".properties", ".toml",
	".pkl", ".go", ".rb", ".java", ".kt", ".cs", ".mjs", ".cjs", ".tsx", ".jsx", ".rego", ".cel", ".mustache", ".hbs", ".liquid", ".ejs", ".enc", ".json5", ".hjson", ".ytt",
}

// opaque adds the parts that differ between two versions and that nobody can read.
func (f *fileDiff) opaque(old, new side, environments []string) {
	if len(environments) == 0 {
		return
	}
	was, is := f.parts(old), f.parts(new)
	same := func(a, b part) bool { return a.what == b.what && a.text == b.text }
	for _, m := range align(len(was), len(is), &f.left, func(i, j int) bool { return same(was[i], is[j]) }) {
		switch {
		case m.old >= 0 && m.new >= 0 && same(was[m.old], is[m.new]):
		case m.new >= 0:
			f.add(is[m.new].line, environments, is[m.new].what)
			if m.old >= 0 && was[m.old].what != is[m.new].what {
				f.add(was[m.old].line, environments, was[m.old].what+", which is gone")
			}
		default:
			f.add(was[m.old].line, environments, was[m.old].what+", which is gone")
		}
	}
}

// A part is one of a file that nobody can read.
type part struct {
	what, text string
	line       int
}

func (f *fileDiff) parts(s side) []part {
	if !s.there || s.data == nil || s.result.Problem != nil {
		return nil
	}
	var out []part
	for _, p := range manifest.Opaque(s.data, f.Format(f.path), f.Extra(f.path)...) {
		out = append(out, part{p.What, p.Text, p.Line})
	}
	for i := range s.result.Findings {
		found := &s.result.Findings[i]
		if !isOpaque(found) {
			continue
		}
		k := slotOf(found, false)
		out = append(out, part{
			cmp.Or(clip(found.Text), "an image") + ": " + found.Problem.Text,
			strings.Join([]string{k.object.Kind, k.object.Namespace, k.object.Name, string(k.place), k.overrides, k.pointer, found.Text, string(found.Problem.Code)}, "\x00"),
			found.Position.Line,
		})
	}
	slices.SortStableFunc(out, func(a, b part) int { return cmp.Compare(a.what, b.what) })
	return out
}

// isOpaque says whether nobody can tell from a finding which image runs. A container without
// an image is what a patch of other fields looks like.
func isOpaque(f *manifest.Finding) bool {
	switch {
	case f.Problem == nil, f.Problem.Code == manifest.Embedded:
		return false // manifest.Opaque has what stands in strings
	case f.Problem.Code == manifest.Missing:
		return strings.HasSuffix(f.Pointer, "/image")
	}
	return f.Image == (image.Ref{}) || !f.Problem.Harmless()
}

// reread adds the paths that a kustomization names newly, and whose own names do not tell
// that manifests are in them: so far nobody read them as such.
func (f *fileDiff) reread(old, new side, environments []string) {
	if len(environments) == 0 || !f.isKustomization() {
		return
	}
	loads := func(l manifest.Local) bool { return l.Field == "resources" || l.Field == "bases" }
	was := map[string]bool{}
	for _, local := range old.result.Local {
		was[local.From(f.path)] = was[local.From(f.path)] || loads(local)
	}
	for _, local := range new.result.Local {
		if named, ok := join(f.path, local.Path); ok && loads(local) && !was[named] && !isPlain(manifest.FormatOf(named)) && f.Exists(named) {
			f.add(local.Position.Line, environments, fmt.Sprintf("%s names %q, whose name does not tell that manifests are in it", local.Field, clip(local.Path)))
		}
	}
}

// missing adds the local paths that a kustomization names and that are not there.
func (f *fileDiff) missing(new side, environments []string) {
	if len(environments) == 0 || !f.isKustomization() {
		return
	}
	for _, local := range new.result.Local {
		f.absent(local, environments)
	}
}

// absent adds a local path that is not there.
func (f *fileDiff) absent(local manifest.Local, environments []string) {
	named, ok := join(f.path, local.Path)
	if local.Optional || local.Root || ok && f.there(named) {
		return
	}
	f.add(local.Position.Line, environments, fmt.Sprintf("%s names %q, which is not there", local.Field, clip(local.Path)))
	f.out.Opaque[len(f.out.Opaque)-1].Missing = cmp.Or(named, local.Path)
}

// there says whether a kustomization can load a path of the head.
func (f *fileDiff) there(name string) bool {
	if outside(name) {
		return false
	}
	return f.Exists(name) || slices.ContainsFunc(KustomizationNames, func(k string) bool { return f.Exists(path.Join(name, k)) })
}
