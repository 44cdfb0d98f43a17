package github

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// ErrSignature says that a delivery is not GitHub's, or was made with another secret.
var ErrSignature = errors.New("the webhook's signature is not right: the secret here and the one in GitHub's settings must be the same")

// ValidateSignature checks the header X-Hub-Signature-256 over the body's very bytes, in a
// time that does not depend on them. Any one of the secrets will do, so that one can follow
// the other
// (https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries).
// The older header with SHA-1 is worth nothing.
func ValidateSignature(secrets []Secret, header string, body []byte) error {
	text, ok := strings.CutPrefix(header, "sha256=")
	sent, err := hex.DecodeString(text)
	if !ok || err != nil || len(sent) != sha256.Size {
		return ErrSignature
	}
	right := false
	for _, s := range secrets {
		if s == "" {
			continue // an empty secret would be everybody's
		}
		mac := hmac.New(sha256.New, []byte(s.Reveal()))
		mac.Write(body)
		if hmac.Equal(mac.Sum(nil), sent) {
			right = true
		}
	}
	if !right {
		return ErrSignature
	}
	return nil
}
