package plan

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/pinnace-dev/pinnace/internal/manifest"
)

// takenFields are the fields that name files of values.
var takenFields = map[string]bool{
	"helm.valueFiles": true, "helm.fileParameters": true, "chart.valuesFiles": true, "helmCharts": true, "helmChartInflationGenerator": true,
}

// configured are the kinds that values for templates are taken from.
var configured = []string{"ConfigMap", "Secret", "SealedSecret", "ExternalSecret", "ClusterExternalSecret"}

// sourcing notes what the files of the head take values from, by environment: what they
// name, and every ConfigMap and Secret where a template or a variable is a part of an image.
func (d *differ) sourcing() {
	d.sources = map[string][]manifest.Source{}
	for _, file := range d.Files {
		sources := slices.Clone(file.Result.Sources)
		if isTemplate(file, d.Format(file.Path)) {
			sources = append(sources, anyConfiguration...)
		}
		for _, s := range sources {
			if s.File != "" {
				d.params = append(d.params, s.File)
			}
		}
		if len(sources) == 0 {
			continue
		}
		for _, e := range d.After(file.Path) {
			for _, s := range sources {
				if s.File == "" && !slices.Contains(d.sources[e], s) && len(d.sources[e]) < maxSources {
					d.sources[e] = append(d.sources[e], s)
				}
			}
		}
	}
}

// maxSources is how many objects of an environment are told apart that values are taken from.
const maxSources = 1000

// anyConfiguration are all objects that a variable may be replaced from.
var anyConfiguration = func() []manifest.Source {
	var out []manifest.Source
	for _, kind := range configured {
		out = append(out, manifest.Source{Kind: kind})
	}
	return out
}()

// isTemplate says whether something else says what an image in a file is.
func isTemplate(file File, format manifest.Format) bool {
	if !isPlain(format) {
		return false // what a build or a workflow fills
	}
	if p := file.Result.Problem; p != nil && p.Code == manifest.Templated {
		return true
	}
	return slices.ContainsFunc(file.Result.Findings, func(f manifest.Finding) bool { return f.Problem != nil && f.Problem.Code == manifest.Templated })
}

// isPlain says whether a format is one of what is deployed.
func isPlain(f manifest.Format) bool {
	return f == manifest.YAML || f == manifest.Values || f == manifest.Kustomization
}

// isSource says whether values are taken from an object in an environment. kustomize adds a
// prefix and a suffix to names.
func (d *differ) isSource(env string, o manifest.Object) bool {
	all := d.sources[env]
	return o.Kind != "" && (len(all) >= maxSources || slices.ContainsFunc(all, func(s manifest.Source) bool {
		return (s.Kind == "" || s.Kind == o.Kind || s.Kind == "Secret" && slices.Contains(configured, o.Kind)) && (s.Name == "" || strings.Contains(s.Name, o.Name))
	}))
}

// chart returns the directory of the chart that the file is in, and whether it is in one.
// A chart at the root of the repository has the files beside it and its templates.
func (f *fileDiff) chart() (string, bool) {
	for dir := range parents(f.path) {
		if f.Exists(path.Join(dir, "Chart.yaml")) {
			return dir, true
		}
	}
	if !strings.Contains(f.path, "/") || strings.HasPrefix(f.path, "templates/") {
		return ".", f.Exists("Chart.yaml")
	}
	return "", false
}

// isTemplated says whether the file is among the templates of a chart.
func (f *fileDiff) isTemplated() bool {
	dir, ok := f.chart()
	return ok && strings.HasPrefix(f.path, path.Join(dir, "templates")+"/")
}

// isValues says whether what the file says goes into manifests that are made from it.
func (f *fileDiff) isValues() bool {
	if f.Format(f.path) == manifest.Values || slices.ContainsFunc(f.fields[f.path], func(field string) bool { return takenFields[field] }) {
		return true
	}
	base := strings.ToLower(path.Base(f.path))
	for _, prefix := range settingsOf {
		if strings.HasPrefix(base, prefix) {
			return true
		}
	}
	if slices.ContainsFunc(f.params, func(glob string) bool { ok, err := doublestar.Match(glob, f.path); return ok || err != nil }) {
		return true
	}
	_, ok := f.chart()
	return ok
}

// isGenerated says whether the file is the content of ConfigMaps alone, from which no values
// are taken in the environments.
func (f *fileDiff) isGenerated(environments []string) bool {
	fields := f.fields[f.path]
	other := slices.ContainsFunc(fields, func(field string) bool { return field != "configMapGenerator" && field != "secretGenerator" })
	return len(fields) > 0 && !other && !slices.ContainsFunc(environments, func(e string) bool { return len(f.sources[e]) > 0 })
}

// settingsOf begin the names of files that tools of deployment look for.
var settingsOf = []string{".argocd-source", "fleet.y", "helmfile", "vendir.y", "kbld", "werf", "skaffold", "jsonnetfile", "devspace", "garden."}

// values adds what differs in what goes into manifests that are made elsewhere.
func (f *fileDiff) values(old, new side, environments []string) {
	if len(environments) == 0 || f.isKustomization() || old.there && new.there && bytes.Equal(old.data, new.data) || f.unread() != "" {
		return
	}
	all := f.isValues()
	byName := f.Format(f.path) == manifest.Values
	loose := f.Format(f.path) == manifest.YAML && !f.isGenerated(environments)
	left := map[claim]int{}
	for _, s := range f.statements(old) {
		left[wording(s)]++
	}
	add := func(s manifest.Statement, gone string) {
		switch in := slices.DeleteFunc(slices.Clone(environments), func(e string) bool { return !f.isSource(e, s.Object) }); {
		case all && (!byName || s.Object.Kind == ""), loose && s.Object.Kind == "" && s.Key != "":
			f.add(s.Line, environments, "values that manifests are made from"+gone)
		case len(in) > 0:
			f.add(s.Line, in, "an object that values of others are taken from"+gone)
		}
	}
	seen := map[[2]string]bool{}
	for _, s := range f.statements(new) {
		if w := wording(s); left[w] > 0 {
			left[w]--
			continue
		}
		seen[place(s)] = true
		add(s, "")
	}
	for _, s := range f.statements(old) {
		if w := wording(s); left[w] > 0 {
			left[w]--
			if !seen[place(s)] {
				add(s, ", which are gone")
			}
		}
	}
}

// A claim is what a statement says of which object.
type claim struct {
	object    manifest.Object
	key, text string
}

func wording(s manifest.Statement) claim { return claim{s.Object, s.Key, s.Text} }

// place names an object and a key.
func place(s manifest.Statement) [2]string { return [2]string{s.Object.String(), s.Key} }

func (f *fileDiff) statements(s side) []manifest.Statement {
	if !s.there || s.data == nil || s.result.Problem != nil {
		return nil
	}
	if format := f.Format(f.path); isPlain(format) {
		return manifest.Statements(s.data, format, f.Extra(f.path)...)
	}
	return nil
}
