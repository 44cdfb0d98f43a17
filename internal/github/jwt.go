package github

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// parseKey reads an App's private key, as GitHub's download has it (PKCS #1) or PKCS #8.
func parseKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it is not PEM; give the whole .pem file that GitHub offered, with its BEGIN and END lines")
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err == nil {
		return key, nil
	}
	any8, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("it is not an RSA private key; make a new one on the App's settings page")
	}
	signer, ok := any8.(crypto.Signer)
	if !ok {
		return nil, errors.New("it is not a key that signs") // unreachable: x509 gives signers, but for ECDH
	}
	return signer, nil
}

// appTokens signs the JSON web tokens of an App
// (https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app).
type appTokens struct {
	id     int64
	signer crypto.Signer
	now    func() time.Time

	mu    sync.Mutex
	skew  time.Duration // GitHub's clock minus ours
	token Secret
	until time.Time // by our clock
}

const (
	backdated = time.Minute
	lifetime  = 9 * time.Minute
)

func (t *appTokens) Token(context.Context) (Secret, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if t.token != "" && now.Before(t.until) && t.until.Sub(now) < lifetime {
		return t.token, nil
	}
	token, err := t.sign(now.Add(t.skew))
	if err != nil {
		return "", err
	}
	t.token, t.until = token, now.Add(lifetime-2*time.Minute)
	return token, nil
}

// Format writes "[secret]".
func (*appTokens) Format(f fmt.State, r rune) { Secret("").Format(f, r) }

func (t *appTokens) sign(now time.Time) (Secret, error) {
	claims, err := json.Marshal(map[string]any{
		"iss": strconv.FormatInt(t.id, 10),
		"iat": now.Add(-backdated).Unix(),
		"exp": now.Add(lifetime).Unix(),
	})
	if err != nil {
		return "", err // unreachable: a string and two numbers
	}
	enc := base64.RawURLEncoding
	text := enc.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	sig, err := t.signer.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("sign with the App's private key: %w", err)
	}
	return Secret(text + "." + enc.EncodeToString(sig)), nil
}

// refused takes GitHub's clock for the right one where GitHub complains of the token's times.
func (t *appTokens) refused(token Secret, a answer) bool {
	text := strings.ToLower(a.complaint().Message)
	if !holds(text, "'exp'", "'iat'", "expiration time", "issued at") {
		return false
	}
	at, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != token {
		return true // another request corrected it meanwhile
	}
	skew := at.Sub(t.now()).Round(time.Second)
	if skew > 24*time.Hour || skew < -24*time.Hour {
		return false
	}
	t.skew, t.token = skew, ""
	return true
}

// ahead returns how far GitHub's clock is ahead of ours, as far as we know.
func (t *appTokens) ahead() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.skew
}

// checkSigner refuses keys that GitHub does not take.
func checkSigner(s crypto.Signer) error {
	public, ok := s.Public().(*rsa.PublicKey)
	if !ok {
		return errors.New("it is not an RSA key, which GitHub's RS256 needs; make one on the App's settings page")
	}
	if public.N.BitLen() < 2048 {
		return fmt.Errorf("it has %d bits; make a new one on the App's settings page", public.N.BitLen())
	}
	return nil
}
