package command

import "strings"

// spanned says whether line i may be inside of a code span or of an HTML tag, which go on
// over the lines of a paragraph (https://spec.commonmark.org/0.31.2/#code-spans).
func spanned(lines []string, i int) bool {
	blank := func(j int) bool { return strings.Trim(lines[j], " \t") == "" }
	end := i
	for end < len(lines) && !blank(end) {
		end++
	}
	after := strings.Join(lines[i:end], "\n")
	open, shut := map[int]int{}, ticks(after)
	tag := strings.Contains(after, ">")
	for j := i - 1; j >= 0 && !blank(j); j-- { // the paragraph may begin at each of them
		for length, n := range ticks(lines[j]) {
			open[length] += n
		}
		for length, n := range open {
			if n%2 == 1 && shut[length] > 0 {
				return true
			}
		}
		begin, last := strings.LastIndex(lines[j], "<"), strings.LastIndex(lines[j], ">")
		if tag && begin > last {
			return true
		}
		tag = tag && last < 0
	}
	return false
}

// ticks counts the runs of backticks of each length.
func ticks(text string) map[int]int {
	runs := map[int]int{}
	for text != "" {
		text = text[max(strings.IndexByte(text, '`'), 0):]
		rest := strings.TrimLeft(text, "`")
		if n := len(text) - len(rest); n > 0 {
			runs[n]++
			text = rest
			continue
		}
		break
	}
	return runs
}
