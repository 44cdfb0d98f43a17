package config

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// suggest returns the known word that was probably meant, or "".
func suggest(word string, known []string) string {
	if word == "" || len(word) > 64 {
		return ""
	}
	folded := fold(word)
	best, least := "", 1+max(1, min(3, len(folded)/3))
	for _, k := range known {
		f := fold(k)
		d := levenshtein.ComputeDistance(folded, f)
		if d >= least && len(folded) >= 3 && (strings.HasPrefix(f, folded) || strings.HasPrefix(folded, f) && len(f) >= 3) {
			d = least - 1
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// hint ends a message about an unknown word.
func hint(word string, known []string) string {
	if s := suggest(word, known); s != "" {
		return ": did you mean " + s + "?"
	}
	if len(known) == 0 || len(known) > 20 {
		return ""
	}
	return ": expected " + list(known, "or")
}

// hintUnless is hint, or "" where there are too many problems to be worth the cost.
func hintUnless(flood bool, word string, known []string) string {
	if flood {
		return ""
	}
	return hint(word, known)
}

// fold spells a word without case and joints, so that on_newer is onNewer.
func fold(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(s))
}
