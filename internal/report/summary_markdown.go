package report

import (
	"regexp"
	"strings"
)

// code returns foreign text as a code span of one line, of at most 200 characters. It holds in
// a table's cell, too: a pipe becomes a broken bar. Empty text makes no span
// (https://github.github.com/gfm/#code-spans).
func code(s string) string {
	if s = strings.ReplaceAll(shown(s, 200), "|", "¦"); s == "" {
		return ""
	}
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	if s[0] == '`' || s[len(s)-1] == '`' || strings.Trim(s, " ") != s {
		s = " " + s + " "
	}
	return fence + s + fence
}

// prose returns foreign text for the inside of a line or of a table's cell, of at most 400
// characters. A word that GitHub would give a meaning, such as @name, #1, an address or a
// commit, becomes a code span; what is syntax in Markdown or HTML is escaped.
func prose(s string) string {
	words := strings.Fields(shown(s, 400))
	for i, word := range words {
		words[i] = proseWord(word)
	}
	return strings.Join(words, " ")
}

func proseWord(word string) string {
	if !meaning.MatchString(word) {
		return syntax.Replace(word)
	}
	const opening, closing = `("'`, `.,;:!?)"'`
	core := strings.TrimRight(strings.TrimLeft(word, opening), closing)
	if core == "" {
		core = word
	}
	before, after, _ := strings.Cut(word, core)
	return before + code(core) + after
}

// meaning matches what GitHub makes of a word: mentions, references, addresses, commits, emoji,
// mathematics
// (https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls).
var meaning = regexp.MustCompile("(?i)[@#`$^]|//|www\\.|\\bgh-[0-9]|\\bghsa-|:[a-z0-9_+-]+:|[0-9a-f]{7}")

// syntax escapes what has a meaning inside a line
// (https://github.github.com/gfm/#backslash-escapes).
var syntax = strings.NewReplacer(
	`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "~", `\~`, "!", `\!`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "|", "&#124;",
)

// address is the grammar of what is linked to: https, a host, and a path of unreserved
// characters.
var address = regexp.MustCompile(`^https://[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~+/-]*)?(#[A-Za-z0-9._-]*)?$`)

// link returns a link with a text of ours, or the text alone where the address is not a plain
// one.
func link(text, url string) string {
	if len(url) > 2000 || !address.MatchString(url) || strings.Contains(url+"/", "/./") || strings.Contains(url+"/", "/../") {
		return text
	}
	return "[" + text + "](" + url + ")"
}

// cut shortens s to at most most characters.
func cut(s string, most int) string {
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// shown is foreign text as [Plain] has it, of at most most characters.
func shown(s string, most int) string { return cut(Plain(cut(s, most)), most) }
