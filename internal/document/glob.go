package document

import (
	"fmt"

	"github.com/bmatcuk/doublestar/v4"
)

// What a glob may hold at most: braces multiply, and each product is tried.
const (
	maxGlob     = 512
	maxProducts = 64
)

// CheckGlob holds a text to the grammar of doublestar
// (https://github.com/bmatcuk/doublestar#patterns) and to what can be matched in little time.
func CheckGlob(s string) error {
	if len(s) > maxGlob {
		return fmt.Errorf("the glob has more than %d bytes", maxGlob)
	}
	if !doublestar.ValidatePattern(s) {
		return fmt.Errorf("%s is not a glob: a [ or { is not closed, or a class is empty; *, **, ?, [abc] and {one,two} are understood", Quote(s))
	}
	products, depth, commas := 1, 0, 0
	for _, c := range s {
		switch {
		case c == '{':
			if depth++; depth > 1 {
				return fmt.Errorf("the glob %s has braces within braces: write several globs", Quote(s))
			}
			commas = 0
		case c == ',' && depth > 0:
			commas++
		case c == '}' && depth > 0:
			depth--
			if products *= commas + 1; products > maxProducts {
				return fmt.Errorf("the braces of the glob %s stand for more than %d globs: write fewer", Quote(s), maxProducts)
			}
		}
	}
	return nil
}
