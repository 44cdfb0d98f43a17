package plan

import (
	"slices"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
)

// A Stage is what Promote and Candidate know of the files of one commit, for many requests.
// It learns as it is asked and is not safe for concurrent use.
type Stage struct {
	config *config.Config
	files  []File
	in     [][]string // the environments of each file
	owner  func(path string) (string, bool)
	names  config.AppNames
	apps   []string // sorted
	scenes map[string]*scene
}

// A scene is one environment of a stage.
type scene struct {
	*flow
	spots map[string][]spot // by app, in the order of the files
}

// A spot is one place of a file that holds an image, or a part of one.
type spot struct {
	path  string
	found *manifest.Finding
	name  string // of the image, as it is written
}

// NewStage reads the files of a commit. environments and owner are as Promoting has them.
func NewStage(c *config.Config, files []File, environments func(path string) []string, owner func(path string) (string, bool)) *Stage {
	s := &Stage{config: c, files: files, owner: owner, in: make([][]string, len(files)), scenes: map[string]*scene{}}
	for i, f := range files {
		s.in[i] = environments(f.Path)
	}
	refs := s.refs()
	s.names = c.AppNames(refs)
	for _, a := range c.Apps {
		s.apps = append(s.apps, a.Name)
	}
	for _, ref := range refs {
		if app := s.names.Of("", "", ref); app != "" {
			s.apps = append(s.apps, app)
		}
	}
	slices.Sort(s.apps)
	s.apps = slices.Compact(s.apps)
	return s
}

// refs returns the images of environments, one for each name.
func (s *Stage) refs() []image.Ref {
	var refs []image.Ref
	seen := map[string]bool{"": true}
	for i, f := range s.files {
		for j := range f.Result.Findings {
			if ref := f.Result.Findings[j].Image; len(s.in[i]) > 0 && !seen[ref.Name] {
				seen[ref.Name] = true
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

// scene returns one environment.
func (s *Stage) scene(environment string) *scene {
	if at, ok := s.scenes[environment]; ok {
		return at
	}
	at := &scene{flow: newFlow(s, environment), spots: map[string][]spot{}}
	for i, f := range s.files {
		if !slices.Contains(s.in[i], environment) {
			continue
		}
		for j := range f.Result.Findings {
			found := &f.Result.Findings[j]
			if ref := nameOf(found); ref.Name != "" {
				if app := s.names.Of(environment, f.Path, ref); app != "" {
					at.spots[app] = append(at.spots[app], spot{f.Path, found, ref.Name})
				}
			}
		}
	}
	s.scenes[environment] = at
	return at
}

// environments returns the names of all.
func (s *Stage) environments() []string {
	var names []string
	for _, e := range s.config.Environments {
		names = append(names, e.Name)
	}
	return names
}
