package policy

// A Set is the documents that judge one repository.
type Set struct {
	Digests    []*PullImageDigestPolicy
	Promotions []*ImagePromotionPolicy
	Filters    []*FilterCondition
	Freezes    []*Freeze
	World      World

	further []further // pairs for promotion policies that stand elsewhere
}

type further struct {
	policy    string
	selectors []Selector
}

// environment returns what is configured of an environment. One that is not is unknown to
// the documents, and matched by its name alone.
func (s *Set) environment(name string) Env {
	if e, ok := s.World.environment(name); ok {
		return e
	}
	return Env{Name: name}
}

// Locking returns the policies that lock an environment.
func (s *Set) Locking(env string) []*PullImageDigestPolicy {
	var all []*PullImageDigestPolicy
	for _, p := range s.Digests {
		if p.Locks(s.environment(env)) {
			all = append(all, p)
		}
	}
	return all
}

// Promotion returns the promotion policy of that name.
func (s *Set) Promotion(name string) (*ImagePromotionPolicy, bool) {
	for _, p := range s.Promotions {
		if p.Name == name {
			return p, true
		}
	}
	return nil, false
}
