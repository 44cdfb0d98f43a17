package document

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Suggest returns the known word that was probably meant, or "".
func Suggest(word string, known []string) string {
	const most = 1000 // of the known words: each costs
	if word == "" || len(word) > 64 {
		return ""
	}
	folded := fold(word)
	best, least := "", 1+max(1, min(3, len(folded)/3))
	for _, k := range known[:min(most, len(known))] {
		f := fold(k)
		d := levenshtein.ComputeDistance(folded, f)
		switch {
		case d == 2 && letters(f) == letters(folded):
			d = 1 // two letters changed places
		case d >= least && len(folded) >= 3 && strings.HasPrefix(f, folded):
			d = least - 1
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// Hint ends a message about an unknown word.
func Hint(word string, known []string) string {
	if s := Suggest(word, known); s != "" {
		return ": did you mean " + s + "?"
	}
	if len(known) == 0 || len(known) > 20 {
		return ""
	}
	return ": expected " + List(known, "or")
}

// HintUnless is Hint, or "" where there are too many problems to be worth the cost.
func HintUnless(flood bool, word string, known []string) string {
	if flood {
		return ""
	}
	return Hint(word, known)
}

// letters returns the bytes of a word in order.
func letters(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}

// fold spells a word without case and joints, so that on_newer is onNewer.
func fold(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(s))
}
