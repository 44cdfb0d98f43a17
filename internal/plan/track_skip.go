package plan

import (
	"cmp"
	"slices"
)

// A Skip counts tags that are no candidates for one reason.
type Skip struct {
	Reason  string
	Count   int
	Example string // the greatest of them, its numbers read as numbers; "" where none is a tag
}

// skips counts tags by the reason for which they are no candidates.
type skips map[string]*Skip

func (s skips) add(reason, tag string) {
	k := s[reason]
	if k == nil {
		k = &Skip{Reason: reason, Example: tag}
		s[reason] = k
	}
	if k.Count++; compareNatural(tag, k.Example) > 0 {
		k.Example = tag
	}
}

// list returns the most frequent first.
func (s skips) list() []Skip {
	var out []Skip
	for _, k := range s {
		out = append(out, *k)
	}
	slices.SortFunc(out, func(a, b Skip) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}
