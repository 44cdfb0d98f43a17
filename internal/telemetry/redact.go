package telemetry

import (
	"regexp"
	"strings"
)

const hidden = "[secret]"

// A shape is how a kind of credential looks in a line of text or JSON. None of them reaches
// over a quote, so that a line of JSON stays one.
type shape struct {
	hints []string // one of them is in each match, in any case
	what  *regexp.Regexp
	with  string
}

var shapes = []shape{
	// Tokens of GitHub: personal, OAuth, user, installation, refresh; fine-grained
	// (https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github).
	// An installation's may hold a JSON Web Token after the prefix.
	{[]string{"gho_", "ghp_", "ghu_", "ghs_", "ghr_"}, regexp.MustCompile(`gh[pousr]_[A-Za-z0-9_.-]{16,}`), hidden},
	{[]string{"github_pat_"}, regexp.MustCompile(`github_pat_[A-Za-z0-9_]{16,}`), hidden},
	// JSON Web Tokens, which an App signs with its key.
	{[]string{"eyj"}, regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?`), hidden},
	// Keys in PEM, whole and cut off.
	{[]string{"private key"}, regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[^"]*?-----END [A-Z0-9 ]*PRIVATE KEY-----`), hidden},
	{[]string{"private key"}, regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[^"]*`), hidden},
	// The part of a URL before the host; a password may have an @, too.
	{[]string{"://"}, regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^\s/"'<>?#\\]*@`), "${1}" + hidden + "@"},
	// Headers.
	{[]string{"bearer", "basic"}, regexp.MustCompile(`(?i)\b(bearer|basic)(:? +)[A-Za-z0-9+/=._~-]{16,}`), "${1}${2}" + hidden},
	{[]string{"authorization"}, regexp.MustCompile(`(?i)(authorization\\?"?[:=] ?\[?\\?"?)(?:token +)?[A-Za-z0-9+/=._~-]{16,}`), "${1}" + hidden},
	// Queries of URLs, signed ones among them.
	{
		[]string{"token=", "secret=", "signature=", "sig=", "code="},
		regexp.MustCompile(`(?i)([?&;](?:access_token|refresh_token|token|client_secret|secret|code|sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature)=)[^&;\s"'\\]+`), "${1}" + hidden,
	},
}

// redact returns the text without what looks like a credential: tokens of GitHub, JSON Web
// Tokens, private keys in PEM, the user information of URLs, authorization headers, and secret
// parameters of queries. Text that is JSON stays JSON.
func redact(text string) string {
	lower := strings.ToLower(text)
	for _, s := range shapes {
		if s.hinted(lower) {
			text = s.what.ReplaceAllString(text, s.with)
		}
	}
	return text
}

func (s shape) hinted(lower string) bool {
	for _, h := range s.hints {
		if strings.Contains(lower, h) {
			return true
		}
	}
	return false
}
