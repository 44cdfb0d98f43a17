package plan

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/manifest"
)

// A flow knows how images come from files to what is deployed in one environment: each file
// is named by others, up to one that nothing names, and on the way the entries of
// kustomizations and objects replace what they name.
type flow struct {
	files  map[string]*File
	in     map[string][]string        // the environments of each file
	above  map[string][]above         // what names a file, or a directory with a slash at its end
	sets   map[string]map[string]bool // the image names that a file's entries replace
	parts  map[string]map[string]bool // those that the components of a kustomization replace in all of it
	moves  map[string][]string        // those that they change without saying a tag or a digest
	covers map[[2]string]bool         // answers of covered
}

// above is a file that names another one.
type above struct {
	path   string
	object bool // of Argo CD or Flux, or a link
	opens  bool // an entry for images here speaks for what is named
	mixes  bool // what is named is a component: its entries speak for all that is named here
}

// imageFields are the fields of a kustomization of which the images transformer sees what
// comes from them
// (https://github.com/kubernetes-sigs/kustomize/blob/master/api/internal/target/kusttarget.go).
var imageFields = map[string]bool{"resources": true, "bases": true, "components": true, "patches": true, "patchesStrategicMerge": true, "patchesJson6902": true}

// newFlow reads what the files of an environment name.
func newFlow(s *Stage, environment string) *flow {
	f := &flow{
		files: map[string]*File{}, in: map[string][]string{}, above: map[string][]above{},
		sets: map[string]map[string]bool{}, parts: map[string]map[string]bool{}, moves: map[string][]string{}, covers: map[[2]string]bool{},
	}
	for i := range s.files {
		if slices.Contains(s.in[i], environment) {
			f.files[s.files[i].Path], f.in[s.files[i].Path] = &s.files[i], s.in[i]
		}
	}
	for i := range s.files {
		file := &s.files[i]
		if f.files[file.Path] != file {
			continue
		}
		for j := range file.Result.Findings {
			if found := &file.Result.Findings[j]; found.Place == manifest.KustomizeImage && found.Overrides != "" {
				if f.sets[file.Path] == nil {
					f.sets[file.Path] = map[string]bool{}
				}
				f.sets[file.Path][found.Overrides] = true
			}
		}
		f.moves[file.Path] = file.Result.Renames
		for _, local := range file.Result.Local {
			up := above{path: file.Path, object: !isKustomization(file.Path), opens: imageFields[local.Field], mixes: local.Field == "components"}
			if below := f.named(local.From(file.Path), up.object || local.Field == "chartHome"); below != "" && below != file.Path {
				f.above[below] = append(f.above[below], up)
			}
		}
	}
	for below, all := range f.above {
		slices.SortStableFunc(all, func(a, b above) int { return strings.Compare(a.path, b.path) })
		f.above[below] = slices.Compact(all)
		for _, up := range f.above[below] {
			if up.mixes && f.sets[below] != nil {
				if f.parts[up.path] == nil {
					f.parts[up.path] = map[string]bool{}
				}
				maps.Copy(f.parts[up.path], f.sets[below])
			}
		}
	}
	return f
}

// named returns what a path stands for: the file, the kustomization of a directory, or all of
// a directory; "" where that is nothing.
func (f *flow) named(at string, tree bool) string {
	if f.files[at] != nil {
		return at
	}
	for _, name := range KustomizationNames {
		if k := path.Join(at, name); f.files[k] != nil {
			return k
		}
	}
	switch {
	case !tree || outside(at):
		return ""
	case at == ".":
		return root
	}
	return at + "/"
}

// up returns what names a file, or a directory that it is in.
func (f *flow) up(file string) []above {
	out := f.above[file]
	if !strings.Contains(file, "/") {
		return slices.Concat(out, f.above[root])
	}
	for dir := range parents(file) {
		if more := f.above[dir+"/"]; len(more) > 0 {
			out = slices.Concat(out, more)
		}
	}
	return slices.DeleteFunc(slices.Clone(out), func(a above) bool { return a.path == file })
}

// shared says whether several environments have a file.
func (f *flow) shared(file string) bool { return len(f.in[file]) > 1 }

// replaces says whether an entry of what names a file, or of a component beside that, replaces
// the image name.
func (f *flow) replaces(up above, name string) bool {
	return f.sets[up.path][name] || !up.mixes && f.parts[up.path][name]
}

// covered says whether on each way from a file up an entry replaces the image name. A file
// that nothing names is on a way of its own.
func (f *flow) covered(file, name string) bool {
	key := [2]string{file, name}
	is, known := f.covers[key]
	if !known {
		is = f.isCovered(file, name)
		f.covers[key] = is
	}
	return is
}

func (f *flow) isCovered(file, name string) bool {
	queue, seen := []string{file}, map[string]bool{file: true}
	for len(queue) > 0 {
		ups := f.up(queue[0])
		queue = queue[1:]
		if len(ups) == 0 {
			return false
		}
		for _, up := range ups {
			if !seen[up.path] && !f.replaces(up, name) {
				seen[up.path] = true
				queue = append(queue, up.path)
			}
		}
	}
	return true
}

// doors returns the kustomizations of the environment alone at which an entry for the image
// name would speak for a shared file, on each way that has none yet. Where a way has no such
// kustomization it says why, and on which file.
func (f *flow) doors(file, name string) (at []string, stop, why string) {
	queue, seen := []string{file}, map[string]bool{file: true}
	for len(queue) > 0 {
		low := queue[0]
		queue = queue[1:]
		ups := f.up(low)
		if len(ups) == 0 {
			return nil, low, "no kustomization names the file"
		}
		for _, up := range ups {
			switch {
			case f.replaces(up, name):
			case slices.Contains(f.moves[up.path], name):
				return nil, up.path, "an entry there gives " + name + " another name and neither a tag nor a digest"
			case f.shared(up.path):
				if !seen[up.path] {
					seen[up.path] = true
					queue = append(queue, up.path)
				}
			case f.covered(up.path, name):
			case up.object:
				return nil, up.path, "an object names the file, and no kustomization between them is the environment's own"
			case !up.opens:
				return nil, up.path, "the kustomization names the file as no resource, component or patch"
			case !slices.Contains(at, up.path):
				at = append(at, up.path)
			}
		}
	}
	slices.Sort(at)
	return at, "", ""
}
