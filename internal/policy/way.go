package policy

import (
	"slices"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Way is how an image comes to an environment.
type Way string

// The ways. Policies govern direct and sequential promotions as they say; whatever comes
// another way is governed by every policy that is bound.
const (
	Direct     Way = "direct"     // from the registry, or skipping environments
	Sequential Way = "sequential" // from the environments that come before
	Return     Way = "rollback"   // to what stood there
	PinOnly    Way = "pin"        // the digest of the same tag
	Removal    Way = "removal"
	Unread     Way = "opaque"
)

// eligible reports whether the conditions of promotion policies are asked.
func (w Way) eligible() bool { return w == Direct || w == Sequential || w == Return }

// wayOf says how a change comes, and which fact is missing to say it.
func (j *judge) wayOf(c *Change) (way Way, missing string) {
	if c.Removal() {
		return Removal, ""
	}
	switch j.in.Kind {
	case promotion.Pin:
		if addsDigest(c) {
			return PinOnly, ""
		}
		return Direct, ""
	case promotion.Promotion:
		if j.in.Request.From != "" && len(j.in.Request.Skipped) == 0 &&
			(slices.Contains(j.env.After, j.in.Request.From) || slices.Contains(j.env.AfterAny, j.in.Request.From)) {
			return Sequential, ""
		}
		return Direct, ""
	case promotion.Rollback:
		switch {
		case c.Old.Name == "":
			return Direct, "" // what comes besides did not stand there
		case j.in.Rollback.Stood == Is(true):
			return Return, ""
		case j.in.Rollback.Stood == Is(false):
			return Direct, ""
		}
		return Return, "whether " + name(c.New) + " stood in " + j.env.Name + " before"
	case promotion.ByHand:
		return j.byHand(c)
	}
	return Direct, ""
}

func (j *judge) byHand(c *Change) (Way, string) {
	if addsDigest(c) {
		switch {
		case !c.TagNow.Known:
			return PinOnly, "what " + c.New.Tagged() + " means now"
		case c.TagNow.Value == c.New.Digest:
			return PinOnly, ""
		}
	}
	if j.env.First() {
		return Direct, ""
	}
	if !c.Stands.Known {
		return Sequential, "where " + name(c.New) + " stands"
	}
	stands := func(env string) bool { return slices.Contains(c.Stands.Value, env) }
	if slices.ContainsFunc(j.env.AfterAny, stands) || len(j.env.After) > 0 && !slices.ContainsFunc(j.env.After, func(e string) bool { return !stands(e) }) {
		return Sequential, ""
	}
	return Direct, ""
}

// addsDigest reports whether a change adds a digest and nothing else.
func addsDigest(c *Change) bool {
	return c.Old.Name != "" && !c.Old.Pinned() && c.New.Pinned() && c.Old.Tagged() == c.New.Tagged() &&
		(c.Old.Tag == c.New.Tag || c.Old.Tag == "" && c.New.Tag == "latest")
}

// sources returns the environments that a change comes from, and whether one of them is enough.
func (j *judge) sources(p *judged) (envs []string, anyOne bool) {
	from := j.in.Request.From
	switch {
	case j.in.Kind == promotion.ByHand && len(p.bound) == 0:
		return nil, false // nothing is asked of it
	case p.way == Sequential && j.in.Kind == promotion.ByHand && len(j.env.AfterAny) > 0:
		for _, e := range j.env.AfterAny {
			if !p.change.Stands.Known || slices.Contains(p.change.Stands.Value, e) {
				envs = append(envs, e)
			}
		}
		return envs, true
	case p.way == Sequential && len(j.env.After) > 0:
		return j.env.After, false
	case p.way == Sequential, p.way == Direct && j.in.Kind == promotion.Promotion && from != "":
		return []string{from}, false
	}
	return nil, false
}
