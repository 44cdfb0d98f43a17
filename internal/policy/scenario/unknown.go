package scenario

import (
	"maps"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
)

// each calls f for each change.
func each(f func(c *policy.Change)) func(*policy.Input) {
	return func(in *policy.Input) {
		for i := range in.Changes {
			f(&in.Changes[i])
		}
	}
}

// source calls f for each source.
func source(f func(s *policy.Source)) func(*policy.Input) {
	return func(in *policy.Input) {
		for i := range in.Sources {
			f(&in.Sources[i])
		}
	}
}

// forget makes a fact unknown, by the name that conditions and explanations give it.
var forget = map[string]func(*policy.Input){
	"image.labels":       each(func(c *policy.Change) { c.Image.Labels = policy.Fact[map[string]string]{} }),
	"image.annotations":  each(func(c *policy.Change) { c.Image.Annotations = policy.Fact[map[string]string]{} }),
	"image.tags":         each(func(c *policy.Change) { c.Image.Tags = policy.Fact[[]string]{} }),
	"imageLabels":        each(func(c *policy.Change) { c.Image.Tags = policy.Fact[[]string]{} }),
	"image.platforms":    each(func(c *policy.Change) { c.Image.Platforms = policy.Fact[[]string]{} }),
	"image.size":         each(func(c *policy.Change) { c.Image.Size.Known = false }),
	"image.created":      each(func(c *policy.Change) { c.Image.Created.Known = false }),
	"image.signatures":   each(func(c *policy.Change) { c.Image.Signatures = policy.Fact[[]condition.Signature]{} }),
	"image.attestations": each(func(c *policy.Change) { c.Image.Attestations = policy.Fact[[]condition.Attestation]{} }),
	"image.provenance":   each(func(c *policy.Change) { c.Image.Provenance = policy.Fact[condition.Provenance]{} }),
	"image.builder":      each(func(c *policy.Change) { c.Image.Builder = policy.Fact[condition.Builder]{} }),
	"gitCommitDetails":   each(func(c *policy.Change) { c.Commits = policy.Fact[map[string]condition.Commit]{} }),
	"digest":             each(func(c *policy.Change) { c.Exists = approval.Unknown }),
	"stands":             each(func(c *policy.Change) { c.Stands = policy.Fact[[]string]{} }),
	"tag":                each(func(c *policy.Change) { c.TagNow = policy.Fact[image.Digest]{} }),
	"requester":          func(in *policy.Input) { in.Request.By, in.Request.Unknown = nil, true },
	"requester.teams":    func(in *policy.Input) { in.Request.Teams = policy.Fact[[]string]{} },
	"request.labels":     func(in *policy.Input) { in.Request.Labels = policy.Fact[[]string]{} },
	"author":             func(in *policy.Input) { in.AuthorUnknown = true },
	"people":             func(in *policy.Input) { in.People, in.Members = nil, nil },
	"members": func(in *policy.Input) {
		in.Members, in.Request.Teams = nil, policy.Fact[[]string]{}
		for id, p := range in.People {
			p.Teams = nil
			in.People[id] = p
		}
	},
	"source.soak": source(func(s *policy.Source) {
		s.Since.Known, s.Place.Since.Known, s.Place.Soak.Known, s.Place.LongestSoak.Known = false, false, false, false
	}),
	"gates": source(func(s *policy.Source) {
		for i := range s.Gates {
			s.Gates[i].Verdicts = policy.Fact[[]policy.Verdict]{}
		}
		s.Place.Verified.Known, s.Place.VerifiedAt.Known, s.Place.Checks.Known = false, false, false
	}),
	"source": source(func(s *policy.Source) {
		s.Since.Known = false
		s.Place = condition.Place{}
		for i := range s.Gates {
			s.Gates[i].Verdicts = policy.Fact[[]policy.Verdict]{}
		}
	}),
	"target":   func(in *policy.Input) { in.Target = nil },
	"stood":    func(in *policy.Input) { in.Rollback.Stood = approval.Unknown },
	"verified": func(in *policy.Input) { in.Rollback.Verified = approval.Unknown },
	"seal":     func(in *policy.Input) { in.Seal.Intact = approval.Unknown },
	"floor":    func(in *policy.Input) { in.Floor = policy.FloorUnknown },
	"checks":   func(in *policy.Input) { in.Checks = policy.Checks{} },
}

// unknownNames are the facts that a case may say nobody knows.
func unknownNames() []string { return slices.Sorted(maps.Keys(forget)) }
