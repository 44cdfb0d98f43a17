package message

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxCode = 200 // characters of one code span
	maxText = 500 // characters of one stretch of prose
)

// Code returns foreign text as code spans of one line: its first 200 characters, with an
// ellipsis where it is longer. GitHub gives no word in a code span a meaning
// (https://github.github.com/gfm/#code-spans). A word that refers to something begins a
// span of its own, since a body may become a commit message, which is no Markdown
// (https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/about-pull-request-merges).
// Characters that do not show become U+FFFD, a pipe becomes a broken bar, so that the span
// holds in a table cell, too, and "<!--" gets a space. Empty text makes no span.
func Code(s string) string { return code(s, maxCode) }

func code(s string, most int) string {
	s = tame.Replace(clean(s, most))
	if s == "" {
		return ""
	}
	var spans []string
	var words []string
	for word := range strings.SplitSeq(s, " ") {
		if len(words) > 0 && refers(word) {
			spans = append(spans, span(strings.Join(words, " ")))
			words = nil
		}
		words = append(words, word)
	}
	return strings.Join(append(spans, span(strings.Join(words, " "))), " ")
}

// tame keeps a span from ending a table cell and from holding a mark of ours.
var tame = strings.NewReplacer("|", "¦", "<!--", "<! --")

// span fences a line with more backticks than it holds in a row.
func span(s string) string {
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
	if s[0] == '`' || s[len(s)-1] == '`' {
		s = " " + s + " "
	}
	return fence + s + fence
}

// Text returns foreign prose for a paragraph, a list item or a table cell: one line of at
// most 500 characters. Words that GitHub would link, such as @name, #1, GH-1, an address
// or a commit, become code spans; what is syntax in Markdown or HTML is escaped.
func Text(s string) string { return unblocked(text(s, maxText)) }

func text(s string, most int) string {
	s = clean(s, most)
	if s == "" {
		return ""
	}
	words := strings.Split(s, " ")
	for i, word := range words {
		words[i] = prose(word)
	}
	return strings.Join(words, " ")
}

// prose returns one word of prose, as code where it could mean something to GitHub.
func prose(word string) string {
	if !refers(word) && !linked.MatchString(word) {
		return escaped(word)
	}
	const opening, closing = `("'`, `.,;:!?)"'`
	core := strings.TrimRight(strings.TrimLeft(word, opening), closing)
	before, after, _ := strings.Cut(word, core)
	return before + span(tame.Replace(core)) + after
}

// linked matches what GitHub makes of a word besides mentions and references: addresses,
// commits, emoji, mathematics
// (https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls).
var linked = regexp.MustCompile("(?i)[`$^]|www\\.|:[a-z0-9_+-]+:|[0-9a-f]{7}")

// reference matches the forms that mention somebody or refer to an issue, a pull
// request, an advisory or an address.
var reference = regexp.MustCompile(`(?i)[@#]|//|\bgh-[0-9]|\bghsa-`)

func refers(word string) bool { return reference.MatchString(word) }

// escaped takes the meaning from what is syntax inside a line.
func escaped(word string) string {
	var b strings.Builder
	before := ' '
	for i, r := range word {
		after, _ := utf8.DecodeRuneInString(word[i+utf8.RuneLen(r):])
		switch r {
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		case '|':
			b.WriteString("&vert;")
		case '\\', '*', '[', ']', '~':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '_':
			if !wordly(before) || !wordly(after) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
		before = r
	}
	return b.String()
}

func wordly(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// unblocked keeps the first word of a line from being a bullet, a number of a list, a
// rule, an underline or the line below the head of a table.
func unblocked(line string) string {
	word, _, _ := strings.Cut(line, " ")
	digits := len(word) - len(strings.TrimLeft(word, "0123456789"))
	switch {
	case word != "" && strings.Trim(word, "-+=:") == "":
		return `\` + line
	case digits > 0 && (word[digits:] == "." || word[digits:] == ")"):
		return line[:digits] + `\` + line[digits:]
	}
	return line
}

// address is the grammar of the addresses that we link to.
var address = regexp.MustCompile(`^https://[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~+/-]*)?(#[A-Za-z0-9._-]*)?$`)

// Link returns a link whose text is foreign, or the text alone where the address is not
// a plain one: https, a host, a path of unreserved characters and a fragment, no user,
// no query, no escapes, no dot segments, at most 2,000 bytes.
func Link(text, url string) string {
	if !plainAddress(url) {
		return Code(text)
	}
	if text = Code(text); text == "" {
		text = Code(url)
	}
	return "[" + text + "](" + url + ")"
}

func plainAddress(url string) bool {
	return address.MatchString(url) && len(url) <= 2000 && !strings.Contains(url+"/", "/./") && !strings.Contains(url+"/", "/../")
}

// clean makes one line of at most most characters of s. Runs of what does not show
// become one U+FFFD, since two texts that differ should look different.
func clean(s string, most int) string {
	const marks = 4 // combining marks in a row
	var b strings.Builder
	count, stacked, gap := 0, 0, false
	var last rune
	for _, r := range s {
		if unicode.IsMark(r) {
			stacked++
		} else {
			stacked = 0
		}
		switch {
		case unicode.IsSpace(r):
			gap = true
			continue
		case hidden(r), stacked > marks, stacked > 0 && (gap || count == 0):
			r = utf8.RuneError
		}
		if r == utf8.RuneError && last == r && !gap {
			continue
		}
		if gap && count > 0 {
			b.WriteByte(' ')
			count++
		}
		gap = false
		if count >= most {
			return strings.TrimRight(b.String(), " ") + "…"
		}
		b.WriteRune(r)
		count++
		last = r
	}
	return b.String()
}

// hidden reports the characters that show nothing or change how others show: controls,
// bidirectional and other format characters, fillers, variation selectors
// (https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing).
func hidden(r rune) bool {
	return !unicode.IsPrint(r) || r == 0x2800 ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// plain returns foreign text for a title or a commit message: one word of at most most
// characters, in which everything but letters, digits and the punctuation of image
// names is "?".
func plain(s string, most int) string {
	var b strings.Builder
	count := 0
	for _, r := range s {
		if count >= most {
			b.WriteRune('…')
			break
		}
		if !wordly(r) && !strings.ContainsRune("._-/:+[]=", r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point) {
			r = '?'
		}
		b.WriteRune(r)
		count++
	}
	s = strings.ReplaceAll(b.String(), "//", "/?")
	return issue.ReplaceAllString(s, "${1}?${2}")
}

// issue matches GH-1, which a commit message closes as it does #1.
var issue = regexp.MustCompile(`(?i)\b(gh)-([0-9])`)
