package condition

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// suggest returns the known word that was probably meant, or "".
func suggest(word string, known []string) string {
	if word == "" || len(word) > 64 {
		return ""
	}
	folded := strings.ToLower(word)
	best, least := "", 1+max(1, min(3, len(folded)/3))
	for _, k := range known {
		f := strings.ToLower(k)
		d := distance(folded, f)
		if d >= least && len(folded) >= 3 && (strings.HasPrefix(f, folded) || strings.HasSuffix(f, folded)) {
			d = least - 1
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace, or swap with their neighbour.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(x); i++ {
		before, last, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := last[j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		rows = [3][]int{last, row, before}
	}
	return rows[1][len(y)]
}

// hint ends a message about an unknown word.
func hint(word string, known []string) string {
	if s := suggest(word, known); s != "" {
		return ": did you mean " + s + "?"
	}
	if len(known) == 0 || len(known) > 20 {
		return ""
	}
	return ": expected " + oneOf(known)
}

// oneOf spells "a, b or c".
func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(slices.Clone(words[:last]), ", ") + " or " + words[last]
}

// quote quotes foreign text for a message, shortened.
func quote(s string) string { return strconv.Quote(clip(s, 60)) }

// clip shortens text to about n bytes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}

// indexed names an element.
func indexed(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
