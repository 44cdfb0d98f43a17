package policy

import (
	"slices"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// environment reports whether the selector can match in an environment. Files of no
// environment are matched by selectors that name none.
func (s Selector) environment(e Env) bool {
	if e.Name == "" {
		return s.Env == "" && s.Production == nil
	}
	return (s.Env == "" || matches(s.Env, e.Name)) && (s.Production == nil || *s.Production == e.Production)
}

// A where is one place of a change, as far as binding needs it.
type where struct {
	env          Env
	apps         []string
	repositories []string // canonical, "" for none
	path         string
	opaque       bool // any image, and of any app where apps is empty, may come from there
}

// match reports whether the selector matches.
func (s Selector) match(w where) bool {
	return s.environment(w.env) &&
		(s.App == "" || w.opaque && len(w.apps) == 0 || slices.ContainsFunc(w.apps, func(a string) bool { return a != "" && matches(s.App, a) })) &&
		(s.Image == "" || w.opaque || slices.ContainsFunc(w.repositories, func(r string) bool { return matchRepository(s.Image, r) })) &&
		(s.Path == "" || w.path != "" && matches(s.Path, w.path))
}

// matchRepository matches a canonical repository, and Docker's also by its short name.
func matchRepository(glob, repository string) bool {
	if repository == "" {
		return false
	}
	if matches(glob, repository) {
		return true
	}
	ref, err := image.Parse(glob)
	return err == nil && ref.Repository() == repository
}

func (p *ImagePromotionPolicy) match(w where) bool {
	return slices.ContainsFunc(p.ApplyTo, func(s Selector) bool { return s.match(w) })
}

// in reports whether the policy is bound in an environment, so that it judges images there
// that no policy names. One that names images or files alone, wherever they are, is not.
func (p *ImagePromotionPolicy) in(e Env) bool {
	return slices.ContainsFunc(p.ApplyTo, func(s Selector) bool {
		return s.environment(e) && (s.Env != "" || s.Production != nil || s.App != "")
	})
}

// Governs reports whether the policy governs a way of promoting. Pins, removals and changes
// that cannot be read are governed by every bound policy.
func (p *ImagePromotionPolicy) Governs(way Way) bool {
	switch way {
	case Direct:
		return p.Direct
	case Sequential:
		return p.Sequential
	}
	return true
}

// governs is Governs in an environment. Where nothing comes before one, every promotion is
// direct, and a policy for sequential ones would otherwise govern nothing.
func (p *ImagePromotionPolicy) governs(way Way, e Env) bool {
	return p.Governs(way) || way == Direct && e.First()
}

// Bound returns the promotion policies that are bound to an app in an environment and
// govern the kind of change, in the order of their documents. Images are canonical
// repositories. An update, and a promotion that is not sequential, are direct.
func Bound(s *Set, app, env string, images, paths []string, kind promotion.Kind, sequential bool) []*ImagePromotionPolicy {
	way := Direct
	switch {
	case kind == promotion.Pin:
		way = PinOnly
	case kind == promotion.Rollback:
		way = Return
	case sequential && kind != promotion.Update:
		way = Sequential
	}
	e := s.environment(env)
	if len(paths) == 0 {
		paths = []string{""}
	}
	var all []*ImagePromotionPolicy
	for _, p := range s.Promotions {
		if p.governs(way, e) && slices.ContainsFunc(paths, func(path string) bool {
			return p.match(where{env: e, apps: []string{app}, repositories: images, path: path})
		}) {
			all = append(all, p)
		}
	}
	return all
}

// bound returns the policies that a changed place is judged under: those of its old and its
// new app and image. In an environment where some policy is bound, a place that no policy
// names is judged under each one bound to an app beside it, and if there is none under all
// of that environment. The organisation's policies are picked without regard to those of the
// repository, so that none of these draws a place away from them.
func (s *Set) bound(w where, beside []string) []*ImagePromotionPolicy {
	return append(s.boundOf(true, w, beside), s.boundOf(false, w, beside)...)
}

func (s *Set) boundOf(floor bool, w where, beside []string) []*ImagePromotionPolicy {
	pick := func(yes func(*ImagePromotionPolicy) bool) []*ImagePromotionPolicy {
		var all []*ImagePromotionPolicy
		for _, p := range s.Promotions {
			if p.Floor == floor && yes(p) {
				if all == nil {
					all = make([]*ImagePromotionPolicy, 0, len(s.Promotions))
				}
				all = append(all, p)
			}
		}
		return all
	}
	if all := pick(func(p *ImagePromotionPolicy) bool { return p.match(w) }); len(all) > 0 {
		return all
	}
	if len(beside) > 0 {
		next := w
		next.apps = beside
		if all := pick(func(p *ImagePromotionPolicy) bool { return p.match(next) }); len(all) > 0 {
			return all
		}
	}
	return pick(func(p *ImagePromotionPolicy) bool { return p.in(w.env) })
}
