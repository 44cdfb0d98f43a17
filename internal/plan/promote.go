package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Promoting is all that Promote and Candidate decide from.
type Promoting struct {
	Config  *config.Config
	Base    string // the branch that the files are of
	Default bool   // it is the repository's default branch
	Files   []File
	// Environments names those that a file affects, in the order of the configuration.
	Environments func(path string) []string
	// Owner names the environment whose paths match a file.
	Owner   func(path string) (string, bool)
	Request promotion.Request
	// Stage is what the four above come to, for many requests at one commit. nil: it is made
	// anew.
	Stage *Stage
}

// stage returns the stage of the files.
func (in Promoting) stage() *Stage {
	if in.Stage != nil {
		return in.Stage
	}
	return NewStage(in.Config, in.Files, in.Environments, in.Owner)
}

// Promote returns what a request for a Promotion or a Rollback edits: each place of its app
// in its environment that holds one of the wanted repositories and differs. Without Changes
// all stands there already. A place that an entry of a kustomization speaks for does not say
// what runs: one that the environment owns goes along where it can, others stay.
//
// A place in a file of several environments is not edited: an entry is inserted into the
// kustomization of the environment alone that names the file. Such a Change has Insert set,
// the Pointer manifest.Insertion, and the name alone as Old, since the kustomization does not
// tell what runs without the entry; Derive returns the same.
//
// A request is fulfilled as a whole or not at all: with problems there are no Changes.
func Promote(in Promoting) (Proposal, []Left) {
	r, stage := in.Request, in.stage()
	out := Proposal{Kind: r.Kind, App: r.App, Environments: []string{r.Env}, Branch: BranchOf(r.Kind, r.Env, r.App, in.Base, in.Default)}
	if problems := stage.refuse(r); len(problems) > 0 {
		return out, problems
	}
	p := promoter{Stage: stage, scene: stage.scene(r.Env), request: r, wanted: map[string]promotion.Wanted{}, inserted: map[[2]string]bool{}}
	for _, w := range r.Images {
		p.want(w)
	}
	for _, s := range p.spots[r.App] {
		w, ok := p.wanted[image.Ref{Name: s.name}.Repository()]
		switch {
		case !ok:
		case p.shared(s.path):
			p.sharedPlace(s, w)
		default:
			p.ownPlace(s, w)
		}
	}
	if len(p.problems) == 0 && !p.stands {
		p.problem("app %s does not stand in %s: no place there holds %s; promoting adds no image, so write it into a manifest of %s first", r.App, r.Env, p.repositories(), r.Env)
	}
	if len(p.problems) > 0 {
		return out, p.problems
	}
	promotion.SortChanges(p.changes)
	out.Changes = p.changes
	return out, nil
}

// refuse says what is wrong with a request before any place is looked at.
func (s *Stage) refuse(r promotion.Request) []Left {
	no := func(format string, args ...any) []Left { return []Left{{Reason: fmt.Sprintf(format, args...)}} }
	for _, name := range []string{r.Env, r.From} {
		if _, ok := s.config.Environment(name); !ok && (name != "" || name == r.Env) {
			return no("there is no environment %q: %s", clip(name), known(s.environments(), "environments", "pinnace config validate"))
		}
	}
	if r.Kind != promotion.Rollback && r.Env == r.From {
		return no("%s is both where the images come from and where they go: name another environment", r.Env)
	}
	if _, ok := slices.BinarySearch(s.apps, r.App); !ok {
		return no("there is no app %q: %s", clip(r.App), known(s.apps, "apps", "pinnace images"))
	}
	return nil
}

// known says which names there are.
func known(names []string, what, command string) string {
	const most = 20
	switch {
	case len(names) == 0:
		return "none is configured"
	case len(names) > most:
		return fmt.Sprintf("%d %s are known, %s lists them", len(names), what, command)
	}
	return "expected " + strings.Join(names, ", ")
}

type promoter struct {
	*Stage
	*scene
	request  promotion.Request
	wanted   map[string]promotion.Wanted
	inserted map[[2]string]bool // entries, by file and name
	stands   bool               // the app has a place
	changes  []promotion.Change
	problems []Left
}

func (p *promoter) problem(format string, args ...any) {
	p.problems = append(p.problems, Left{Reason: fmt.Sprintf(format, args...)})
}

// want notes what one repository is to be.
func (p *promoter) want(w promotion.Wanted) {
	ref, err := image.Parse(w.Repository)
	switch _, twice := p.wanted[w.Repository]; {
	case err != nil || ref.Repository() != w.Repository:
		p.problem("%q is no image repository: write one such as ghcr.io/acme/shop", clip(w.Repository))
	case w.Digest == "":
		p.problem("no digest is wanted of %s: only what is pinned can be promoted", w.Repository)
	case twice:
		p.problem("two images of %s are wanted: name one of them", w.Repository)
	case !p.has(ref):
		p.problem("%s is no image of app %s: request it for the app that has it, or add it to the app in %s", w.Repository, p.request.App, cmp.Or(p.config.File(), ".pinnace/config.yaml"))
	}
	p.wanted[w.Repository] = w
}

// has says whether the app has an image's repository.
func (p *promoter) has(ref image.Ref) bool {
	if a, ok := p.config.App(p.request.App); ok {
		return slices.ContainsFunc(a.Images, func(name string) bool {
			r, err := image.Parse(name)
			return err == nil && r.Repository() == ref.Repository()
		})
	}
	return p.names.Of("", "", ref) == p.request.App
}

// repositories spells what is wanted.
func (p *promoter) repositories() string {
	var all []string
	for _, w := range p.request.Images {
		all = append(all, w.Repository)
	}
	if len(all) == 0 {
		return "an image of it"
	}
	return strings.Join(all, " or ")
}

// ownPlace edits a place of the environment alone.
func (p *promoter) ownPlace(s spot, w promotion.Wanted) {
	reason := uneditable(p.config, s.path, s.found)
	if owner, _ := p.owner(s.path); (reason != "" || owner != p.request.Env) && p.covered(s.path, s.name) {
		return
	}
	p.stands = true
	switch {
	case s.found.Image.Name != "" && holds(s.found, w):
	case reason != "":
		p.problems = append(p.problems, left(s.path, s.found, reason))
	default:
		p.changes = append(p.changes, change(s.path, s.found, image.Ref{Name: s.found.Image.Name, Tag: w.Tag, Digest: w.Digest}))
	}
}

// uneditable says why a place cannot be edited, "" where it can.
func uneditable(c *config.Config, path string, f *manifest.Finding) string {
	switch {
	case c.Excluded(path):
		return "pin.exclude leaves the file out, so that it cannot be promoted: delete the glob, or leave the place out by the paths of the app"
	case f.Ignored:
		return "a comment on the line says pinnace:ignore, and an app is promoted as a whole: delete the comment, or leave the place out by the paths of the app"
	case f.Problem != nil:
		return f.Problem.Text
	}
	return ""
}

// holds says whether a place holds what is wanted.
func holds(f *manifest.Finding, w promotion.Wanted) bool {
	return f.Image.Digest == w.Digest && (w.Tag == "" || Tagged(f).Tag == w.Tag)
}

// sharedPlace inserts an entry where a file of several environments says what runs.
func (p *promoter) sharedPlace(s spot, w promotion.Wanted) {
	if p.covered(s.path, s.name) {
		return
	}
	p.stands = true
	reason := uneditable(p.config, s.path, s.found)
	switch harmless := s.found.Problem != nil && s.found.Problem.Harmless() && s.found.Image != (image.Ref{}); {
	case s.found.Image != (image.Ref{}) && holds(s.found, w):
		return
	case reason != "" && (!harmless || s.found.Ignored || p.config.Excluded(s.path)):
		p.problems = append(p.problems, left(s.path, s.found, reason))
		return
	}
	refuse := func(at, why string) {
		p.problems = append(p.problems, left(s.path, s.found, fmt.Sprintf(
			"environments %s share the file, and a promotion changes %s alone; an entry for %s cannot be inserted either (%s: %s): write it into the images of a kustomization of %s by hand, or give %s a file of its own",
			strings.Join(p.scene.in[s.path], ", "), p.request.Env, s.name, at, why, p.request.Env, p.request.Env)))
	}
	doors, stop, why := p.doors(s.path, s.name)
	if why != "" {
		refuse(stop, why)
		return
	}
	for _, at := range doors {
		closed := p.scene.files[at].Result.Closed
		switch {
		case closed != nil:
			refuse(at, closed.Text)
		case p.config.Excluded(at):
			refuse(at, "pin.exclude leaves it out")
		case !p.inserted[[2]string{at, s.name}]:
			p.inserted[[2]string{at, s.name}] = true
			p.changes = append(p.changes, insertion(at, p.scene.files[at].Result.Findings, image.Ref{Name: s.name, Tag: w.Tag, Digest: w.Digest}))
		}
	}
}

// insertion is the change that adds an entry for an image to a kustomization with these
// findings.
func insertion(path string, findings []manifest.Finding, ref image.Ref) promotion.Change {
	c := promotion.Change{Path: path, Pointer: manifest.Insertion, Object: "Kustomization", Line: 1, Old: image.Ref{Name: ref.Name}, New: ref, Insert: true}
	for i := range findings {
		if f := &findings[i]; f.Place == manifest.KustomizeImage {
			c.Line = f.Position.Line
		}
	}
	return c
}

// nameOf returns the image of a place; of one that cannot be read as a whole the name, as far
// as it is written before a tag.
func nameOf(f *manifest.Finding) image.Ref {
	if f.Image != (image.Ref{}) || f.Problem == nil {
		return f.Image
	}
	name := f.Text
	if f.Place == manifest.KustomizeImage && f.Unpins {
		name = f.Overrides // tagSuffix
	}
	if i := strings.IndexByte(name, '@'); i >= 0 {
		name = name[:i]
	}
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	if i := strings.IndexAny(name, "{}$()"); i >= 0 {
		return image.Ref{}
	}
	ref, err := image.Parse(name)
	if err != nil || f.Place == manifest.HelmImage && f.Problem.Code == manifest.Undetermined {
		return image.Ref{}
	}
	return image.Ref{Name: ref.Name}
}
