package policy

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/pinnace-dev/pinnace/internal/document"
)

// formats check the texts that the schemas name a format for. Each error says what is
// wrong, what is expected and what to do.
var formats = map[string]func(string) error{
	"pinnace-duration": func(s string) error { _, err := ParseDuration(s); return err },
	"pinnace-glob":     checkPath,
	"pinnace-image":    checkPattern,
	"pinnace-instant":  checkInstant,
	"pinnace-line":     checkLine,
	"pinnace-name":     checkPolicyName,
	"pinnace-pattern":  checkPattern,
	"pinnace-team":     document.CheckTeam,
	"pinnace-user":     checkUser,
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// only reports whether s consists of the characters.
func only(s, characters string) bool { return strings.Trim(s, characters) == "" }

// checkLine holds text to one line that can be shown.
func checkLine(s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return errors.New("is empty: write some text")
	case len(s) > 1000:
		return errors.New("has more than 1000 bytes: write less")
	case strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return fmt.Errorf("%s holds a line break or a control character: write one line", document.Quote(s))
	}
	return nil
}

// maxName is how long the name of a document may be.
const maxName = 100

// checkPolicyName holds a name to what can name a file.
func checkPolicyName(s string) error {
	switch {
	case s == "":
		return errors.New("is empty: write a name, such as two-people-for-production")
	case len(s) > maxName:
		return fmt.Errorf("has %d characters: write %d at most, since it names a file and a trailer", utf8.RuneCountInString(s), maxName)
	}
	if !only(s, lower+upper+digits+"-_.") || s[0] == '.' || s[0] == '-' {
		return fmt.Errorf("%s cannot name a policy: expected letters, digits, -, _ or ., since it names a file and a trailer", document.Quote(s))
	}
	return nil
}

func checkPattern(s string) error {
	if s == "" {
		return errors.New("the glob is empty: write a name, or * for all")
	}
	if strings.Contains(s, `\`) {
		return fmt.Errorf(`the glob %s holds a backslash: write a literal * as [*]`, document.Quote(s))
	}
	if strings.HasPrefix(s, "!") {
		return fmt.Errorf("the glob %s begins with !: globs cannot be negated; list what is meant", document.Quote(s))
	}
	if strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return fmt.Errorf("the glob %s holds a line break or a control character", document.Quote(s))
	}
	return document.CheckGlob(s)
}

func checkPath(s string) error {
	if strings.HasPrefix(s, "/") {
		return fmt.Errorf("the glob %s is absolute: write it relative to the repository root", document.Quote(s))
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == ".." || part == "." {
			return fmt.Errorf("the glob %s holds %s: write the path from the repository root", document.Quote(s), part)
		}
	}
	if strings.HasSuffix(s, "/") {
		return fmt.Errorf("the glob %s ends in / and matches no file: write %s**", document.Quote(s), s)
	}
	return checkPattern(s)
}

// isGlob reports whether s stands for more than itself.
func isGlob(s string) bool { return strings.ContainsAny(s, "*?[{") }

// matches reports whether a name or slash path matches the glob. A glob that is not valid
// matches nothing.
func matches(glob, name string) bool {
	if glob == name || glob == "*" || glob == "**" {
		return true
	}
	if !isGlob(glob) {
		return false
	}
	ok, err := doublestar.Match(glob, name)
	return ok && err == nil
}

// checkUser holds a text to a person who can approve.
func checkUser(s string) error {
	if err := document.CheckUser(s); err != nil {
		return err
	}
	if login, _, _ := strings.Cut(s, "#"); strings.HasSuffix(login, "[bot]") {
		return fmt.Errorf("%s is a bot, and bots never approve: name a person", document.Quote(s))
	}
	return nil
}
