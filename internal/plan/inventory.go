package plan

import (
	"cmp"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
)

// A Standing is one image at one place of an environment.
type Standing struct {
	Environment string // "" where none is configured, or the file belongs to none
	App         string // "" where the app's paths leave the place out
	Image       image.Ref
	Path        string
	Line        int
	Document    int
	Pointer     string
	Object      string
	Overridden  bool // an entry of a kustomization says what runs instead
}

// Entries are the images that the kustomizations of each environment set: a place of a base
// that holds one of them does not say what runs there, the kustomization does.
type Entries map[entry]bool

type entry struct{ environment, repository string }

// EntriesOf reads them from files.
func EntriesOf(files []File, environments func(path string) []string) Entries {
	out := Entries{}
	for _, f := range files {
		for i := range f.Result.Findings {
			found := &f.Result.Findings[i]
			if found.Place != manifest.KustomizeImage || found.Overrides == "" {
				continue
			}
			for _, e := range environments(f.Path) {
				out[entry{e, overridden(found)}] = true
			}
		}
	}
	return out
}

// hide says whether an entry of the environment speaks for a place of a file that is not its
// own.
func (e Entries) hide(environment, owner string, f *manifest.Finding) bool {
	return f.Place != manifest.KustomizeImage && environment != owner && e[entry{environment, f.Image.Repository()}]
}

// Refs returns the images that name apps, one for each name as it is written: those of
// environments, or all where none is configured.
func Refs(c *config.Config, files []File, environments func(path string) []string) []image.Ref {
	var refs []image.Ref
	seen := map[string]bool{}
	for _, f := range files {
		if len(f.Result.Findings) == 0 || len(c.Environments) > 0 && len(environments(f.Path)) == 0 {
			continue
		}
		for i := range f.Result.Findings {
			if ref := f.Result.Findings[i].Image; !seen[ref.Name] {
				seen[ref.Name] = true
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

// Inventory lists what stands where, by environment, app, image and place. environments
// names those that a file affects, and owner the one whose paths match it.
func Inventory(c *config.Config, files []File, apps config.AppNames, entries Entries, environments func(path string) []string, owner func(path string) (string, bool)) []Standing {
	var out []Standing
	for _, f := range files {
		in := environments(f.Path)
		if len(in) == 0 {
			in = []string{""}
		}
		owned, _ := owner(f.Path)
		for i := range f.Result.Findings {
			found := &f.Result.Findings[i]
			if found.Image == (image.Ref{}) {
				continue
			}
			for _, e := range in {
				out = append(out, Standing{
					Environment: e, App: apps.Of(e, f.Path, found.Image), Image: Tagged(found), Path: f.Path,
					Line: found.Position.Line, Document: found.Document, Pointer: found.Pointer, Object: cmp.Or(found.Object.String(), string(found.Place)),
					Overridden: entries.hide(e, owned, found),
				})
			}
		}
	}
	order := map[string]int{"": len(c.Environments)}
	for i, e := range c.Environments {
		order[e.Name] = i
	}
	slices.SortStableFunc(out, func(a, b Standing) int {
		return cmp.Or(cmp.Compare(order[a.Environment], order[b.Environment]), cmp.Compare(a.App, b.App),
			cmp.Compare(a.Image.String(), b.Image.String()), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
	return out
}

// overridden returns the canonical repository that an entry sets the image of.
func overridden(f *manifest.Finding) string {
	if r, err := image.Parse(f.Overrides); err == nil {
		return r.Repository()
	}
	return f.Overrides
}
