package github

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const longestMessage = 300

// tokens are how GitHub's secrets look
// (https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats)
// and JSON web tokens.
var tokens = regexp.MustCompile(`gh[a-z]_[A-Za-z0-9_.-]{10,}|github_pat_[A-Za-z0-9_]{10,}|v1\.[0-9a-f]{40}|eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.?[A-Za-z0-9_-]*|(?i:bearer|basic) +[A-Za-z0-9+/=._~-]{8,}|://[^/\s@]+@`)

// clean makes foreign text fit for a message: one line of at most 300 characters, without
// control characters and without secrets, token among them.
func clean(s, token string) string {
	if len(s) > 64<<10 {
		s = s[:64<<10]
	}
	s = redact(s, token)
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	return cut(redact(s, token), longestMessage)
}

func redact(s, token string) string {
	if len(token) >= 4 {
		s = strings.ReplaceAll(s, token, hidden)
	}
	return tokens.ReplaceAllString(s, hidden)
}

// cut shortens s to at most n characters.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n]) + "..."
}
