package action

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// didYouMean ends an error about an unknown name.
func didYouMean(name string, names []string) string {
	best, distance := "", len(name)/2+1
	for _, n := range names {
		d := levenshtein.ComputeDistance(clip(name), n)
		if d == 2 && letters(n) == letters(name) {
			d = 1 // two letters changed places
		}
		if strings.HasPrefix(n, name) && len(name) > 1 {
			d = 1
		}
		if d < distance {
			best, distance = n, d
		}
	}
	if best == "" {
		return ": there are " + strings.Join(names, ", ")
	}
	return ": did you mean " + best + "?"
}

// clip bounds what is compared.
func clip(s string) string { return s[:min(len(s), 64)] }

// letters returns the letters of a name in order.
func letters(name string) string {
	b := []byte(clip(name))
	slices.Sort(b)
	return string(b)
}
