package message

import (
	"strconv"
	"strings"
)

// counted returns "1 file" or "2 files".
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// further returns "and 1 more file" or "and 2 more files".
func further(n int, noun string) string {
	return "and " + strings.Replace(counted(n, noun), " ", " more ", 1)
}

// joined returns "a", "a and b" or "a, b and c".
func joined(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// some joins at most most words, and counts the others.
func some[T any](all []T, most int, word func(T) string) string {
	var words []string
	for _, a := range all[:min(len(all), most)] {
		if w := word(a); w != "" {
			words = append(words, w)
		}
	}
	if more := len(all) - most; more > 0 {
		words = append(words, strconv.Itoa(more)+" more")
	}
	return joined(words)
}

// ended ends a sentence.
func ended(s string) string {
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}

// capital begins a sentence.
func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
