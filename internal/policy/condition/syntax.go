package condition

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// words of other languages, and what to write instead.
var words = []struct{ word, instead string }{
	{"= ", "=="},
	{"=", "=="},
	{"and", "&&"},
	{"or", "||"},
	{"not", "!"},
	{"& ", "&&"},
	{"| ", "||"},
	{"\u201c", `"`},
	{"\u201d", `"`},
	{"\u2018", "'"},
	{"\u2019", "'"},
	{"===", "=="},
	{"<>", "!="},
}

// The messages of the parser of cel-go, which is made by ANTLR
// (https://github.com/antlr/antlr4/blob/dev/doc/parser-rules.md).
var (
	tooMuch   = regexp.MustCompile(`^(?:extraneous|mismatched) input '(.*?)'(?: expecting (.*))?$`)
	tooLittle = regexp.MustCompile(`^missing '?(.*?)'? at '(.*)'$`)
	noToken   = regexp.MustCompile(`^token recognition error at: '(.*)'$`)
)

// plain are other messages of cel-go, and what they mean.
var plain = map[string]string{
	"argument must be a simple name":  "the first argument must be a new name, such as x in all(x, x > 1)",
	"invalid argument to has() macro": "has() asks whether a field is there: write has(image.tag)",
	"invalid int literal":             "the number is too large",
	"invalid uint literal":            "the number is too large",
	"invalid double literal":          "the number cannot be read",
}

// macros say how those are written that the parser expands: one with other arguments is
// an unknown name to the checker.
var macros = map[string]string{
	"has":        "has takes one field: write has(image.tag)",
	"all":        "all takes a name and a condition: write images.all(i, i.tag != \"\")",
	"exists":     "exists takes a name and a condition: write images.exists(i, i.tag != \"\")",
	"exists_one": "exists_one takes a name and a condition: write images.exists_one(i, i.tag != \"\")",
	"filter":     "filter takes a name and a condition: write images.filter(i, i.tag != \"\")",
	"map":        "map takes a name and a value: write images.map(i, i.tag)",
}

// syntax spells an error of the parser.
func (k *compiler) syntax(line, column int, message string) string {
	lines := strings.Split(k.source, "\n")
	before, rest := "", ""
	if line >= 1 && line <= len(lines) {
		text := []rune(lines[line-1])
		at := max(0, min(column-1, len(text)))
		before, rest = strings.TrimRight(string(text[:at]), " \t"), string(text[at:])
	}
	if strings.HasSuffix(before, "!=") && strings.HasPrefix(rest, "=") {
		return "syntax error: write != instead of !=="
	}
	if last := pathBefore.FindString(before); last == "not" {
		return "syntax error: write ! instead of not"
	}
	for _, w := range words {
		after, found := strings.CutPrefix(rest, w.word)
		letter := after != "" && (after[0] == '_' || after[0] >= 'a' && after[0] <= 'z')
		if found && !(letter && w.word >= "a" && w.word <= "z") && !strings.HasPrefix(after, "=") {
			return fmt.Sprintf("syntax error: write %s instead of %s", w.instead, strings.TrimSpace(w.word))
		}
	}
	return "syntax error: " + misread(message, rest)
}

// misread says in plain words what the parser did not expect, and where the rest begins.
func misread(message, rest string) string {
	const end = "<EOF>"
	if m := tooLittle.FindStringSubmatch(message); m != nil {
		if m[2] == end {
			return "the expression ends too early: " + clip(m[1], 20) + " is missing"
		}
		return clip(m[1], 20) + " is missing before " + clip(m[2], 40)
	}
	if m := noToken.FindStringSubmatch(message); m != nil {
		if text := strings.TrimLeft(m[1], "brBR"); strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "'") {
			return `a text begins here that is not closed, or that holds a backslash before a wrong letter: close it with the same quote, and write a backslash as \\`
		}
		c, _ := utf8.DecodeRuneInString(rest) // the message has every blank as a space
		return "the character " + strconv.QuoteToASCII(string(c)) + " has no meaning in conditions"
	}
	if strings.HasPrefix(message, "no viable alternative at input") {
		return "a name is missing: write a field after a dot"
	}
	m := tooMuch.FindStringSubmatch(message)
	switch {
	case m == nil:
		return "the expression cannot be read from here on"
	case m[1] == end && m[2] == "':'":
		return "the expression ends too early: a ? needs a : and a second value"
	case m[1] == end:
		return "the expression ends too early: a value is missing"
	case m[1] == ")" || m[1] == "]" || m[1] == "}":
		if m[2] == end {
			return m[1] + " closes nothing: delete it, or open it"
		}
		return "a value is missing before " + m[1]
	case m[2] == end:
		return "the expression could end before " + clip(m[1], 40) + ": join conditions with && or ||, and put text in quotes"
	}
	return clip(m[1], 40) + " cannot stand here: a value is missing before it"
}
