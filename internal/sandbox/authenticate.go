package sandbox

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func unauthorized(message string) *refusal { return refuse(http.StatusUnauthorized, message) }

// authenticate finds who sends a request: nobody, a token's owner, or an App.
// https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api
func (s *Sandbox) authenticate(h http.Header) (*actor, *refusal) {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	switch strings.ToLower(scheme) {
	case "":
		return &actor{}, nil
	case "basic":
		raw, err := base64.StdEncoding.DecodeString(token)
		if err != nil {
			return nil, unauthorized("Bad credentials")
		}
		_, token, _ = strings.Cut(string(raw), ":")
	case "bearer", "token":
	default:
		return nil, unauthorized("Bad credentials")
	}
	if strings.Count(token, ".") == 2 {
		return s.webToken(token)
	}
	by := s.tokens[token]
	if by == nil || !by.expires.IsZero() && !s.now().Before(by.expires) {
		return nil, unauthorized("Bad credentials")
	}
	if by.who != nil && !by.who.halted.IsZero() {
		return nil, refuse(http.StatusForbidden, "Sorry. Your account was suspended")
	}
	return by, nil
}

// webToken verifies a JSON web token of an App: RS256, the App's number or client ID as issuer, at most
// ten minutes of life.
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
func (s *Sandbox) webToken(token string) (*actor, *refusal) {
	undecoded := unauthorized("A JSON web token could not be decoded")
	parts := strings.Split(token, ".")
	var head struct{ Alg string }
	var claims struct {
		Iss any     `json:"iss"`
		Iat float64 `json:"iat"`
		Exp float64 `json:"exp"`
	}
	for i, v := range []any{&head, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(raw, v) != nil {
			return nil, undecoded
		}
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || head.Alg != "RS256" {
		return nil, undecoded
	}
	var id int64
	switch iss := claims.Iss.(type) {
	case string:
		id, _ = strconv.ParseInt(iss, 10, 64)
		for _, a := range s.apps {
			if a.ClientID() == iss {
				id = a.id
			}
		}
	case float64:
		id = int64(iss)
	}
	app := s.apps[id]
	if app == nil || app.actions {
		return nil, refuse(http.StatusNotFound, "Integration not found")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(&app.key.PublicKey, crypto.SHA256, sum[:], sig) != nil {
		return nil, undecoded
	}
	now := s.now()
	iat, exp := time.Unix(int64(claims.Iat), 0), time.Unix(int64(claims.Exp), 0)
	switch {
	case claims.Iat == 0 || iat.After(now):
		return nil, unauthorized("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
	case !exp.After(now):
		return nil, unauthorized("'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
	case exp.After(now.Add(10 * time.Minute)):
		return nil, unauthorized("'Expiration time' claim ('exp') is too far in the future")
	}
	return &actor{who: app.bot, app: app, jwt: true}, nil
}
