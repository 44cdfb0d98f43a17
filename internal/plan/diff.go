package plan

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Pair is one path before and after a change by hand. Pairs hold the files whose bytes
// differ, and those whose environments do.
type Pair struct {
	Path     string
	Old, New []byte
	Had, Has bool
	Why      string // why the entry cannot be read (a link, a submodule, Git LFS, its size), "" where it can
}

// Differing is all that Diff decides from. Before and After name the environments that a
// file affects at the tip of the base and in the head.
type Differing struct {
	Config        *config.Config
	Pairs         []Pair
	Before, After func(path string) []string
	Apps          config.AppNames                    // of the images of both
	Format        func(path string) manifest.Format  // nil: manifest.FormatOf
	Extra         func(path string) []manifest.Extra // nil: none
	Exists        func(path string) bool             // there is a file in the head
	// Files are those of the head in which Scan found anything: by what they name it shows
	// which files steer others, and which path of an unchanged kustomization is gone.
	Files []File
}

// A Changed image was replaced, came (Old is zero) or went (New is zero).
type Changed struct {
	promotion.Change
	Environments []string // where it did
	// OldApp and NewApp are the apps of the two images, "" where there is none.
	OldApp, NewApp string
	// Beside are the other apps with images in the same object, or in the same file where that
	// is a kustomization or no object, on either side, sorted. Where they are many the list is
	// shared, and holds the app itself, too.
	Beside []string
}

// An Opaque change may bring images, and nobody can read which.
type Opaque struct {
	Path         string
	Line         int // from 1, in the head, or at the tip where it is gone
	What         string
	Environments []string
	Apps         []string // that the file names on either side
	Missing      string   // the local path that is named and not there, "" where that is not it
}

// A Difference is what a change by hand does to the images of environments.
type Difference struct {
	Changes []Changed
	Opaque  []Opaque
}

// Diff returns what the pairs change in environments. A file that comes to an environment,
// because it moves or something names it now, adds its images there; one that leaves takes
// them away. Images that stay where they are in an object or a list are no change, whatever
// else of the file is. Files below .pinnace/ are left out.
func Diff(in Differing) Difference {
	if in.Format == nil {
		in.Format = manifest.FormatOf
	}
	if in.Extra == nil {
		in.Extra = func(string) []manifest.Extra { return nil }
	}
	d := differ{Differing: in, left: maxAligned}
	sides := make([][2]side, len(in.Pairs))
	for i, p := range in.Pairs {
		sides[i] = [2]side{d.side(p, p.Old, p.Had), d.side(p, p.New, p.Has)}
	}
	d.fields = d.naming(sides)
	d.sourcing()
	for i, p := range in.Pairs {
		if !isOwnFile(p.Path) {
			d.pair(p, sides[i][0], sides[i][1])
		}
	}
	d.gone()
	slices.SortStableFunc(d.out.Changes, func(a, b Changed) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Document, b.Document), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Pointer, b.Pointer))
	})
	slices.SortStableFunc(d.out.Opaque, func(a, b Opaque) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.What, b.What))
	})
	return d.out
}

// isOwnFile says whether a path is one of Pinnace's own documents, which are guarded
// elsewhere.
func isOwnFile(path string) bool { return len(path) > 9 && path[:9] == ".pinnace/" }

type differ struct {
	Differing
	fields map[string][]string // by which a path is named
	left   int                 // comparisons
	// sources are what values are taken from, by environment, and params globs of such files.
	sources map[string][]manifest.Source
	params  []string
	out     Difference
}

// A side is one version of a file.
type side struct {
	there  bool
	data   []byte
	result manifest.Result
}

func (d *differ) side(p Pair, data []byte, there bool) side {
	s := side{there: there, data: data}
	if there && data != nil {
		s.result = manifest.Scan(data, d.Format(p.Path), d.Extra(p.Path)...)
	}
	return s
}

func (d *differ) pair(p Pair, old, new side) {
	var before, after []string
	if p.Had {
		before = d.Before(p.Path)
	}
	if p.Has {
		after = d.After(p.Path)
	}
	if len(before)+len(after) == 0 || p.Had == p.Has && p.Why == "" && slices.Equal(before, after) && bytes.Equal(p.Old, p.New) {
		return
	}
	none := side{}
	f := fileDiff{differ: d, path: p.Path}
	f.count(old, new)
	stay, leave, come := split(before, after)
	f.images(old, new, stay)
	f.images(old, none, leave)
	f.images(none, new, come)
	changed := slices.Concat(leave, come)
	if p.Why != "" || p.Had != p.Has || !bytes.Equal(p.Old, p.New) {
		changed = slices.Concat(stay, changed)
	}
	f.whole(p.Why, old, new, changed)
	f.opaque(old, new, stay)
	f.opaque(old, none, leave)
	f.opaque(none, new, come)
	f.values(old, new, stay)
	f.values(old, none, leave)
	f.values(none, new, come)
	f.reread(old, new, stay)
	f.reread(none, new, come)
	f.missing(new, after)
}

// split returns the names that stand in both lists, in the first alone and in the second.
func split(before, after []string) (stay, leave, come []string) {
	for _, e := range before {
		if slices.Contains(after, e) {
			stay = append(stay, e)
		} else {
			leave = append(leave, e)
		}
	}
	for _, e := range after {
		if !slices.Contains(before, e) {
			come = append(come, e)
		}
	}
	return stay, leave, come
}

// A fileDiff compares the versions of one file.
type fileDiff struct {
	*differ
	path   string
	apps   []string                     // of both versions, sorted
	beside map[manifest.Object][]string // the same by object
}

// count notes the apps of both versions.
func (f *fileDiff) count(sides ...side) {
	f.beside = map[manifest.Object][]string{}
	for _, s := range sides {
		for i := range s.result.Findings {
			found := &s.result.Findings[i]
			if found.Image == (image.Ref{}) {
				continue
			}
			if app := f.Apps.Of("", f.path, found.Image); app != "" {
				f.apps = append(f.apps, app)
				at := objectOf(found)
				f.beside[at] = append(f.beside[at], app)
			}
		}
	}
	slices.Sort(f.apps)
	f.apps = slices.Compact(f.apps)
	for at, apps := range f.beside {
		slices.Sort(apps)
		f.beside[at] = slices.Compact(apps)
	}
}

// objectOf names the object of a finding whatever the version of its API.
func objectOf(f *manifest.Finding) manifest.Object {
	o := f.Object
	o.APIVersion = ""
	return o
}

// A slot is a list of places that hold images of the same sort: what stays in it in the same
// order does not change.
type slot struct {
	object    manifest.Object
	document  int // where there is no object
	place     manifest.Place
	overrides string
	pointer   string // without indices
}

func slotOf(f *manifest.Finding, chained bool) slot {
	s := slot{object: objectOf(f), place: f.Place, overrides: f.Overrides, pointer: withoutIndices(f.Pointer, f.Indices)}
	if s.object.Kind == "" {
		s.document = f.Document
	}
	if chained && f.Place == manifest.KustomizeImage {
		s.overrides = ""
	}
	return s
}

// withoutIndices replaces each segment of a pointer that is an index by a star. A key of a
// mapping that is a number stays.
func withoutIndices(pointer string, indices uint64) string {
	out := make([]byte, 0, len(pointer))
	for n, i := 0, 0; i < len(pointer); n++ {
		out = append(out, pointer[i])
		i++
		start := i
		for i < len(pointer) && pointer[i] != '/' {
			i++
		}
		if indices&(1<<n) != 0 {
			out = append(out, '*')
		} else {
			out = append(out, pointer[start:i]...)
		}
	}
	return string(out)
}

// isChained says whether one entry of a kustomization may apply to what another one sets, so
// that their order matters.
func isChained(sides ...side) bool {
	for _, s := range sides {
		overrides, sets := map[string]bool{}, map[string]bool{}
		for i := range s.result.Findings {
			if f := &s.result.Findings[i]; f.Place == manifest.KustomizeImage && f.Image.Name != f.Overrides {
				sets[f.Image.Name] = true
			}
		}
		for i := range s.result.Findings {
			overrides[s.result.Findings[i].Overrides] = true
		}
		for name := range sets {
			if overrides[name] {
				return true
			}
		}
	}
	return false
}

// slots returns the findings that hold an image, by slot, and the slots in order.
func slots(s side, chained bool) (map[slot][]*manifest.Finding, []slot) {
	out := map[slot][]*manifest.Finding{}
	var order []slot
	for i := range s.result.Findings {
		f := &s.result.Findings[i]
		if f.Image == (image.Ref{}) {
			continue
		}
		k := slotOf(f, chained)
		if out[k] == nil {
			order = append(order, k)
		}
		out[k] = append(out[k], f)
	}
	return out, order
}

// images adds the images that differ between two versions.
func (f *fileDiff) images(old, new side, environments []string) {
	if len(environments) == 0 {
		return
	}
	chained := isChained(old, new)
	was, first := slots(old, chained)
	is, second := slots(new, chained)
	for _, k := range second {
		if was[k] == nil {
			first = append(first, k)
		}
	}
	for _, k := range first {
		a, b := was[k], is[k]
		same := func(i, j int) bool { return a[i].Image == b[j].Image && a[i].Overrides == b[j].Overrides }
		for _, m := range align(len(a), len(b), &f.left, same) {
			switch {
			case m.old >= 0 && m.new >= 0 && same(m.old, m.new):
			case m.old >= 0 && m.new >= 0 && a[m.old].Overrides == b[m.new].Overrides:
				f.changed(a[m.old], b[m.new], environments)
			default:
				if m.old >= 0 {
					f.changed(a[m.old], nil, environments)
				}
				if m.new >= 0 {
					f.changed(nil, b[m.new], environments)
				}
			}
		}
	}
}

// changed adds one image that differs; old or new is nil where it comes or goes.
func (f *fileDiff) changed(old, new *manifest.Finding, environments []string) {
	at := cmp.Or(new, old)
	c := Changed{Change: change(f.path, at, image.Ref{}), Environments: environments}
	c.Old = image.Ref{}
	if old != nil {
		c.Old = Tagged(old)
		c.OldApp = f.Apps.Of(environments[0], f.path, old.Image)
	}
	if new != nil {
		c.New = Tagged(new)
		c.NewApp = f.Apps.Of(environments[0], f.path, new.Image)
	}
	c.Beside = f.others(at, c.OldApp, c.NewApp)
	f.out.Changes = append(f.out.Changes, c)
}

// maxOwn is how many apps are copied for each change.
const maxOwn = 64

// others returns the apps beside a finding.
func (f *fileDiff) others(at *manifest.Finding, own ...string) []string {
	all := f.beside[objectOf(at)]
	if f.isKustomization() || at.Object.Kind == "" {
		all = f.apps
	}
	if len(all) > maxOwn {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(app string) bool { return slices.Contains(own, app) })
}

func (f *fileDiff) isKustomization() bool { return f.Format(f.path) == manifest.Kustomization }
