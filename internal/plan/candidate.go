package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Candidate returns what stands in an environment for the app of the request: one tag and
// digest of each of its repositories, sorted. With problems there is none.
func Candidate(in Promoting, from string) ([]promotion.Wanted, []Left) {
	if from == "" {
		return nil, []Left{{Reason: fmt.Sprintf("no environment to take app %s from is named: write --from ENV, or --image REF", in.Request.App)}}
	}
	in.Request.From = from
	stage := in.stage()
	if problems := stage.refuse(in.Request); len(problems) > 0 {
		return nil, problems
	}
	scene := stage.scene(from)
	standing := map[string][]spot{}
	var problems []Left
	for _, s := range scene.spots[in.Request.App] {
		if scene.covered(s.path, s.name) {
			continue
		}
		repository := image.Ref{Name: s.name}.Repository()
		standing[repository] = append(standing[repository], s)
		if reason := unpromotable(s.found); reason != "" {
			problems = append(problems, left(s.path, s.found, reason))
		}
	}
	var out []promotion.Wanted
	for _, repository := range slices.Sorted(maps.Keys(standing)) {
		w, reason := agreed(repository, from, standing[repository])
		if reason != "" {
			first := standing[repository][0]
			problems = append(problems, left(first.path, first.found, reason))
		}
		out = append(out, w)
	}
	if len(standing) == 0 {
		problems = append(problems, Left{Reason: fmt.Sprintf("app %s does not stand in %s: no place there holds an image of it", in.Request.App, from)})
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return out, nil
}

// unpromotable says why what stands at a place cannot be promoted, "" where it can.
func unpromotable(f *manifest.Finding) string {
	switch {
	case f.Problem != nil && !f.Problem.Harmless():
		return "nobody can tell what runs here: " + f.Problem.Text
	case !f.Image.Pinned():
		return "the image is not pinned, so that nobody can tell what was tested: pin it first, with pinnace pin or the pin pull request"
	}
	return ""
}

// agreed returns the image that stands at all places of a repository, or says why there is none.
func agreed(repository, environment string, places []spot) (promotion.Wanted, string) {
	w := promotion.Wanted{Repository: repository}
	var digests []image.Digest
	var texts []string
	for _, p := range places {
		d := p.found.Image.Digest
		if d == "" {
			continue
		}
		if !slices.Contains(digests, d) {
			digests = append(digests, d)
			texts = append(texts, fmt.Sprintf("%s (%s:%d)", d.Short(), p.path, p.found.Position.Line))
		}
		w.Digest, w.Tag = digests[0], cmp.Or(w.Tag, Tagged(p.found).Tag)
	}
	if len(digests) > 1 {
		return w, fmt.Sprintf("%d different images of %s stand in %s: %s; say which with --image %s@DIGEST", len(digests), repository, environment, strings.Join(texts[:min(len(texts), 8)], ", "), repository)
	}
	return w, ""
}

// before returns the environments that come before one in the promotion order, at any
// distance.
func before(c *config.Config, name string) map[string]bool {
	out := map[string]bool{}
	queue := []string{name}
	for len(queue) > 0 {
		e, _ := c.Environment(queue[0])
		queue = queue[1:]
		sources, _ := e.Sources()
		for _, s := range sources {
			if !out[s] {
				out[s] = true
				queue = append(queue, s)
			}
		}
	}
	return out
}

// Skipped returns the environments that a promotion passes over, in the order of the
// configuration: those between from and to, and all before to where from is "", the registry.
// Where from does not come before to, it passes over what comes before to and not before from.
func Skipped(c *config.Config, from, to string) []string {
	ancestors := before(c, to)
	var below map[string]bool
	if from != "" && !ancestors[from] {
		below = before(c, from)
	}
	var out []string
	for _, e := range c.Environments {
		switch {
		case !ancestors[e.Name] || e.Name == from || e.Name == to || below[e.Name]:
		case from == "" || !ancestors[from] || before(c, e.Name)[from]:
			out = append(out, e.Name)
		}
	}
	return out
}
