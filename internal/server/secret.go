package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/github"
)

// one returns the value of a header that must stand there once.
func one(h http.Header, name string) (string, bool) {
	values := h.Values(name)
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// among reports whether text is one of the secrets, in a time that tells neither which nor how
// long it is.
func among(secrets []github.Secret, text string) bool {
	sent, right := sha256.Sum256([]byte(text)), 0
	for _, secret := range secrets {
		want := sha256.Sum256([]byte(secret.Reveal()))
		right |= subtle.ConstantTimeCompare(sent[:], want[:])
	}
	return right == 1 && text != ""
}

// bearer returns the token of an Authorization header, or the whole of one that names no scheme.
func bearer(h http.Header) string {
	text, ok := one(h, "Authorization")
	if !ok {
		return ""
	}
	if scheme, token, ok := strings.Cut(text, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return text
}

// signature returns a header that has the form of a signature.
func signature(h http.Header) (string, bool) {
	text, ok := one(h, "X-Hub-Signature-256")
	hex, prefixed := strings.CutPrefix(text, "sha256=")
	if !ok || !prefixed || len(hex) != 2*sha256.Size {
		return "", false
	}
	return text, true
}

// spelled reports whether text is 1 to most bytes long and made of letters, digits and the
// bytes of more.
func spelled(text string, most int, more string) bool {
	for i := range len(text) {
		c := text[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return text != "" && len(text) <= most
}
