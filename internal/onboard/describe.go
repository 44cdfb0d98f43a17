package onboard

import (
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

// anything is the digest that every image is planned with.
const anything = image.Digest("sha256:0000000000000000000000000000000000000000000000000000000000000000")

// Describe says what files hold under a configuration, and which pull requests to base, the
// default branch, Pinnace would open. The files are all in which anything was found; exists
// says whether there is a file at a path.
func Describe(c *config.Config, base string, files []plan.File, exists func(path string) bool) message.Onboarding {
	out := message.Onboarding{Base: base, Observe: c.Mode == config.ModeObserve}
	reach := plan.NewReach(c, files, exists)
	all := tally{}
	in := map[string]tally{}
	for _, e := range c.Environments {
		in[e.Name] = tally{}
	}
	for _, f := range files {
		held := false
		environments := reach.Environments(f.Path)
		for i := range f.Result.Findings {
			ref := f.Result.Findings[i].Image
			if ref == (image.Ref{}) {
				continue
			}
			held = true
			all.add(ref)
			for _, e := range environments {
				in[e].add(ref)
			}
		}
		if held {
			out.Files++
		}
	}
	out.Images, out.Unpinned = all.count()
	for _, e := range c.Environments {
		after, _ := e.Sources()
		out.Besides = out.Besides || len(e.Track) > 0 || e.Promote == config.PromoteAuto && len(after) > 0
		images, unpinned := in[e.Name].count()
		out.Environments = append(out.Environments, message.OnboardingEnvironment{
			Name: e.Name, Paths: e.Paths, Production: e.Production, After: after, Images: images, Unpinned: unpinned,
		})
	}
	names, entries := c.AppNames(plan.Refs(c, files, reach.Environments)), plan.EntriesOf(files, reach.Environments)
	out.Apps = apps(plan.Inventory(c, files, names, entries, reach.Environments, reach.Owner))
	planned := forecast(c, base, files, reach)
	for _, p := range planned.Proposals {
		if len(p.Changes) > 0 {
			out.Opens = append(out.Opens, pull(p))
		}
	}
	for _, l := range planned.Unreached {
		if n := len(out.Outside); n > 0 && out.Outside[n-1].Path == l.Path {
			out.Outside[n-1].Images++
			continue
		}
		out.Outside = append(out.Outside, message.Outside{Path: l.Path, Images: 1})
	}
	return out
}

// A tally counts images, each once.
type tally map[image.Ref]bool

func (t tally) add(r image.Ref) { t[r] = r.Pinned() }

func (t tally) count() (images, unpinned int) {
	for _, pinned := range t {
		if !pinned {
			unpinned++
		}
	}
	return len(t), unpinned
}

// apps lists the apps by name, with what they run and where.
func apps(standing []plan.Standing) []message.OnboardingApp {
	index := map[string]int{}
	var out []message.OnboardingApp
	for _, s := range standing {
		if s.App == "" || s.Overridden {
			continue
		}
		i, ok := index[s.App]
		if !ok {
			i = len(out)
			index[s.App] = i
			out = append(out, message.OnboardingApp{Name: s.App})
		}
		if r := s.Image.Repository(); !slices.Contains(out[i].Images, r) {
			out[i].Images = append(out[i].Images, r)
		}
		if s.Environment != "" && !slices.Contains(out[i].Environments, s.Environment) {
			out[i].Environments = append(out[i].Environments, s.Environment)
		}
	}
	slices.SortFunc(out, func(a, b message.OnboardingApp) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// forecast plans as if each registry answered, and no tag ever moved on.
func forecast(c *config.Config, base string, files []plan.File, reach *plan.Reach) plan.Plan {
	return plan.Build(plan.Input{
		Config: c, Base: base, Default: true, Files: files, Environments: reach.Environments,
		Options: plan.Options{Style: manifest.Style(c.Pin.Style)},
		Answer: func(*manifest.Finding) plan.Answer {
			return plan.Answer{Tag: image.Resolution{Digest: anything}}
		},
		Target: func(string, config.Track, *manifest.Finding) plan.Target { return plan.Target{} },
	})
}

func pull(p plan.Proposal) message.OnboardingPull {
	images, files := map[image.Ref]bool{}, map[string]bool{}
	for _, c := range p.Changes {
		images[c.Old], files[c.Path] = true, true
	}
	return message.OnboardingPull{
		Branch: p.Branch, Environments: p.Environments, Images: len(images), Places: len(p.Changes), Files: len(files), Left: len(p.Left),
	}
}
