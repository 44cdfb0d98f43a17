package condition

import "strconv"

// A Limit of the reference is one that conditions are held to.
type Limit struct{ Of, Most string }

// Limits lists what conditions are held to, when they are compiled or judged.
func Limits() []Limit {
	return []Limit{
		{"length of a condition", grouped(maxSource) + " characters"},
		{"nesting, as it is written", grouped(maxDepth) + " levels"},
		{"parts, after macros are expanded", grouped(maxNodes)},
		{"loops: `all()`, `exists()`, `map()` and the like", grouped(maxLoops) + ", and " + grouped(maxNested) + " within one another"},
		{"work of one evaluation", grouped(maxCost) + " steps"},
		{"a text that is made", grouped(maxText) + " bytes"},
		{"a list that is made", grouped(maxList) + " elements"},
		{"a regular expression", grouped(maxPattern) + " bytes, and " + grouped(maxProgram) + " instructions once it is compiled"},
	}
}

// grouped writes 10000 as 10,000.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
