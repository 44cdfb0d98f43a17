package onboard

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

// A Layout is what a repository was seen to hold.
type Layout struct {
	Environments []Environment
	Apps         []App
}

// An App is a name and the image repositories that go by it.
type App struct {
	Name   string
	Images []string
}

// Detect finds environments by the paths of files, and apps by the images that stand in more
// than one of them. The files are all in which anything was found; exists says whether there
// is a file at a path. An environment in which no image stands is none. What is returned can
// be written: [Layout.File] is a configuration without an error, for these files.
func Detect(files []plan.File, exists func(path string) bool) Layout {
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	found := environments(paths)
	l := Layout{}
	reach := plan.NewReach(configOf(found), files, exists)
	stands, holds := map[string]map[string]bool{}, map[string]bool{}
	for _, f := range files {
		for _, e := range reach.Environments(f.Path) {
			for i := range f.Result.Findings {
				holds[e] = true
				repository := f.Result.Findings[i].Image.Repository()
				if f.Result.Findings[i].Image == (image.Ref{}) {
					continue
				}
				if stands[repository] == nil {
					stands[repository] = map[string]bool{}
				}
				stands[repository][e] = true
			}
		}
	}
	for _, e := range found {
		if holds[e.Name] {
			l.Environments = append(l.Environments, e)
		}
	}
	named := map[string]int{}
	for repository := range stands {
		named[path.Base(repository)]++
	}
	for _, repository := range slices.Sorted(maps.Keys(stands)) {
		if name := path.Base(repository); len(stands[repository]) > 1 && named[name] == 1 {
			l.Apps = append(l.Apps, App{Name: name, Images: []string{repository}})
		}
	}
	for _, less := range []Layout{l, {Environments: l.Environments}} {
		if c, problems := config.Parse("", less.File(0)); !problems.HasErrors() && len(c.Overlaps(paths)) == 0 {
			return less
		}
	}
	return Layout{} // more than a configuration may hold
}

// HasManifest says whether a file holds an image that is deployed, rather than one that a
// build, a workflow or an editor uses: those stand in files of their own formats, and below
// hidden directories.
func HasManifest(files []plan.File) bool {
	return slices.ContainsFunc(files, func(f plan.File) bool {
		switch manifest.FormatOf(f.Path) {
		case manifest.Dockerfile, manifest.Workflow, manifest.Action, manifest.GitLab:
			return false
		}
		return len(f.Result.Findings) > 0 && !strings.Contains("/"+f.Path, "/.")
	})
}
