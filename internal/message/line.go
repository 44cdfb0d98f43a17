package message

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// line returns foreign prose for what is no Markdown, such as the title of a check or the
// text of a commit message: one line of at most most characters, in which nothing mentions,
// refers or closes. The numbers behind the logins of people are left out.
func line(s string, most int) string {
	words := strings.Split(clean(numbered.ReplaceAllString(s, "${1}"), most), " ")
	for i, word := range words {
		words[i] = unmeant(word)
	}
	return cut(strings.Join(words, " "), most)
}

// numbered matches login#id.
var numbered = regexp.MustCompile(`([A-Za-z0-9\])])#[0-9]+\b`)

// unmeant takes the meaning from one word. An @ before a digest mentions nobody where it
// follows a letter or a digit.
func unmeant(word string) string {
	var b strings.Builder
	var before rune
	for i, r := range word {
		switch {
		case r == '@' && wordly(before) && strings.HasPrefix(word[i:], "@sha256:"):
		case r == utf8.RuneError, strings.ContainsRune("@#`<>$\\|", r):
			r = '?'
		}
		b.WriteRune(r)
		before = r
	}
	word = strings.ReplaceAll(b.String(), "//", "/?")
	return issue.ReplaceAllString(word, "${1}?${2}")
}

// cut shortens s to most characters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// cutBytes shortens s to most bytes.
func cutBytes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	end := most - len("…")
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
