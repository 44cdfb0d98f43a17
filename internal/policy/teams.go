package policy

import "slices"

// Teams lists the teams that the documents of a repository and of its organisation name,
// as organisation/slug.
func (s *Set) Teams() []string {
	var all []string
	add := func(teams []string) {
		for _, t := range teams {
			if !slices.Contains(all, t) {
				all = append(all, t)
			}
		}
	}
	for w := &s.World; w != nil; w = w.floor {
		for _, g := range w.Grants {
			add(g.Teams)
		}
	}
	for _, p := range s.Promotions {
		add(p.Approvers.Teams)
		if p.Rollback != nil {
			add(p.Rollback.Approvers.Teams)
		}
	}
	return all
}
