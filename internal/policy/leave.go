package policy

import "slices"

// maxPairs is how many times a policy is held against a pair of app and environment at most,
// in looking for what gives leave.
const maxPairs = 100_000

// checkLeave warns of policies that alone let images come directly to where others come
// before, only since their document leaves out both approverCount and promotions.
func (l *loader) checkLeave() {
	if l.set.World.Floor {
		return
	}
	left := maxPairs
	for _, p := range l.set.Promotions {
		written := func(pointer string) bool { return p.marks[pointer].Line > 0 }
		if !p.Direct || p.ForbidDirect || p.ApproverCount > 0 || written("/approverCount") || written("/more") || written("/promotions") {
			continue
		}
		if app, env, ok := l.alone(p, &left); ok {
			l.problem(p.Origin, Warning, "/name", "the policy %s alone lets %s come directly to %s, and asks for no approval: write approverCount, or promotions: [sequential]", p.Name, app, env)
		}
	}
}

// alone finds a pair for which nothing but the policy gives leave, and nothing forbids it.
func (l *loader) alone(p *ImagePromotionPolicy, left *int) (app, env string, ok bool) {
	for _, e := range l.set.World.Environments {
		if e.First() || !slices.ContainsFunc(p.ApplyTo, func(s Selector) bool { return s.environment(e) }) {
			continue
		}
		for _, a := range l.set.World.Apps {
			w := where{env: e, apps: []string{a.Name}, repositories: a.Images}
			if *left--; *left < 0 || !p.match(w) {
				continue
			}
			if *left -= len(l.set.Promotions); *left < 0 {
				continue
			}
			if !slices.ContainsFunc(l.set.Promotions, func(x *ImagePromotionPolicy) bool {
				return x != p && (x.Direct || x.ForbidDirect) && x.match(w)
			}) {
				return a.Name, e.Name, true
			}
		}
	}
	return "", "", false
}
