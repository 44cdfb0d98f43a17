package report

import (
	"fmt"
	"strings"
	"unicode"
)

// Plain makes foreign text safe for one line of a terminal or a log: control characters,
// line separators and characters that reorder text become visible escapes.
func Plain(s string) string {
	if strings.IndexFunc(s, isUnsafe) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !isUnsafe(r) {
			b.WriteRune(r)
			continue
		}
		switch r {
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			b.WriteString(`\u{`)
			const hex = "0123456789abcdef"
			digits := ""
			for v := r; v > 0; v >>= 4 {
				digits = string(hex[v&15]) + digits
			}
			b.WriteString(digits + "}")
		}
	}
	return b.String()
}

// isUnsafe names what can change how the text around it is shown: controls, format
// characters such as bidirectional overrides (https://www.unicode.org/reports/tr36/),
// separators, and bytes that are not UTF-8.
func isUnsafe(r rune) bool {
	return r == unicode.ReplacementChar || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

// Shell quotes a path for a command that a person may copy into a shell. It cannot be
// taken for a flag, and control characters are spelled as $'...' has them.
func Shell(word string) string {
	if strings.HasPrefix(word, "-") {
		word = "./" + word
	}
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/,+@%:=-") == "" {
		return word
	}
	if strings.IndexFunc(word, isUnsafe) < 0 {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for _, r := range word {
		switch {
		case r == '\'' || r == '\\':
			b.WriteString("\\" + string(r))
		case !isUnsafe(r):
			b.WriteRune(r)
		default:
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		}
	}
	return b.String() + "'"
}
