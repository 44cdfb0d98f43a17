package github

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

var appKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func (r *rig) app() *App {
	r.t.Helper()
	a, err := NewApp(AppOptions{ID: 42, Signer: appKey(), URL: r.server.URL, Now: r.now, Sleep: r.sleep})
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

type claims struct {
	Iss      string
	Iat, Exp int64
}

// verify reads a JSON web token with the public key.
func verify(t *testing.T, header string) claims {
	t.Helper()
	parts := strings.Split(strings.TrimPrefix(header, "Bearer "), ".")
	if len(parts) != 3 {
		t.Fatalf("not a JSON web token: %d parts", len(parts))
	}
	decode := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if got := string(decode(parts[0])); got != `{"alg":"RS256","typ":"JWT"}` {
		t.Errorf("head %s", got)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&appKey().PublicKey, crypto.SHA256, sum[:], decode(parts[2])); err != nil {
		t.Error(err)
	}
	var c claims
	if err := json.Unmarshal(decode(parts[1]), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAppOptions(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	pkcs8, err8 := x509.MarshalPKCS8PrivateKey(appKey())
	ec8, errEC := x509.MarshalPKCS8PrivateKey(ec)
	small := "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQJAIJLixBy2qpFoS4DSmoEmo3qGy0t6z09AIJtH+5OeRV1be+N4cDYJKffGzDa88vQENZiRm0GRq6a+HPGQMd2kTQIhAKMSvzIBnni7ot/OSie2TmJLY4SwTQAevXysE2RbFDYdAiEBCUEaRQnMnbp79mxDXDf6AU0cN/RPBjb9qSHDcWZHGzUCIG2Es59z8ugGrDY+pxLQnwfotadxd+Uyv/Ow5T0q5gIJAiEAyS4RaI9YG8EWx/2w0T67ZUVAw8eOMB6BIUg0Xcu+3okCIBOs/6OiPgoTdSy7bcF9IGpSE8ZgGKzgYQVZeN97YE00\n-----END RSA PRIVATE KEY-----\n"
	for _, c := range []struct {
		name  string
		o     AppOptions
		fault string
	}{
		{"PKCS #1", AppOptions{ID: 1, Key: block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(appKey()), nil)}, ""},
		{"PKCS #8", AppOptions{ID: 1, Key: block("PRIVATE KEY", pkcs8, err8)}, ""},
		{"signer", AppOptions{ID: 1, Signer: appKey()}, ""},
		{"no number", AppOptions{Signer: appKey()}, "App ID"},
		{"no key", AppOptions{ID: 1}, ".pem"},
		{"no PEM", AppOptions{ID: 1, Key: []byte(canary)}, ".pem"},
		{"no key in it", AppOptions{ID: 1, Key: block("RSA PRIVATE KEY", []byte(canary), nil)}, "RSA private key"},
		{"elliptic key", AppOptions{ID: 1, Key: block("PRIVATE KEY", ec8, errEC)}, "RSA"},
		{"elliptic signer", AppOptions{ID: 1, Signer: ec}, "RSA"},
		{"small key", AppOptions{ID: 1, Key: []byte(small)}, "RSA"},
		{"URL", AppOptions{ID: 1, Signer: appKey(), URL: "http://git.acme.test"}, "https"},
	} {
		_, err := NewApp(c.o)
		if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault) || strings.Contains(err.Error(), canary)) {
			t.Errorf("%s: got %v, want an error that says %q", c.name, err, c.fault)
		}
	}
}

func TestAppToken(t *testing.T) {
	r := newRig(t)
	r.on("GET /app", 200, `{"id":42,"slug":"pinnace","name":"Pinnace","html_url":"https://github.com/apps/pinnace","owner":{"id":5,"login":"acme"},"permissions":{"contents":"write"},"events":["push"]}`)
	app := r.app()
	got := must[AppIdentity](t)(app.Identity(t.Context()))
	want := AppIdentity{
		ID: 42, Slug: "pinnace", Name: "Pinnace", URL: "https://github.com/apps/pinnace", Owner: promotion.Identity{ID: 5, Login: "acme"},
		Permissions: map[string]string{"contents": "write"}, Events: []string{"push"},
	}
	if diff := cmp.Diff(want, got); diff != "" || got.Bot() != "pinnace[bot]" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	start := r.now()
	c := verify(t, r.requests()[0].header.Get("Authorization"))
	if want := (claims{"42", start.Add(-time.Minute).Unix(), start.Add(9 * time.Minute).Unix()}); c != want {
		t.Errorf("got %+v, want %+v", c, want)
	}
	r.pass(6 * time.Minute)
	must[AppIdentity](t)(app.Identity(t.Context()))
	r.pass(2 * time.Minute)
	must[AppIdentity](t)(app.Identity(t.Context()))
	all := r.requests()
	if a, b, c := all[0].header.Get("Authorization"), all[1].header.Get("Authorization"), all[2].header.Get("Authorization"); a != b || b == c {
		t.Error("the token is not renewed between the 6th and the 8th minute, and only then")
	}
}

// A wrong clock is corrected once from GitHub's answer.
func TestClockSkew(t *testing.T) {
	const issued = `{"message":"'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"}`
	const expired = `{"message":"'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"}`
	for _, c := range []struct {
		name     string
		skew     time.Duration // of GitHub's clock
		body     string
		date     bool
		requests int
		want     error
	}{
		{"we are late", 20 * time.Minute, expired, true, 2, nil},
		{"we are early", -20 * time.Minute, issued, true, 2, nil},
		{"two days", 48 * time.Hour, expired, true, 1, promotion.ErrUnauthenticated},
		{"no date", 20 * time.Minute, expired, false, 1, promotion.ErrUnauthenticated},
		{"another reason", 20 * time.Minute, `{"message":"A JSON web token could not be decoded"}`, true, 1, promotion.ErrUnauthenticated},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.handle("GET /app", func(w http.ResponseWriter, req *http.Request) {
				theirs := r.now().Add(c.skew)
				w.Header().Set("Date", theirs.Format(http.TimeFormat))
				if !c.date {
					w.Header()["Date"] = nil
				}
				got := verify(t, req.Header.Get("Authorization"))
				if got.Iat > theirs.Unix() || got.Exp <= theirs.Unix() || got.Exp > theirs.Add(10*time.Minute).Unix() {
					w.WriteHeader(401)
					_, _ = io.WriteString(w, c.body)
					return
				}
				_, _ = io.WriteString(w, `{"id":42}`)
			})
			app := r.app()
			_, err := app.Identity(t.Context())
			if c.want != nil {
				isOnly(t, err, c.want)
			} else if err != nil {
				t.Error(err)
			}
			if n := len(r.lines()); n != c.requests {
				t.Errorf("%d requests, want %d", n, c.requests)
			}
			if c.want == nil {
				must[AppIdentity](t)(app.Identity(t.Context()))
				if n := len(r.lines()); n != c.requests+1 {
					t.Errorf("the skew is not remembered: %d requests", n)
				}
			}
		})
	}
	t.Run("in vain", func(t *testing.T) {
		r := newRig(t)
		r.on("GET /app", 401, expired)
		_, err := r.app().Identity(t.Context())
		isOnly(t, err, promotion.ErrUnauthenticated)
		if n := len(r.lines()); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	})
}

type brokenSigner struct{ *rsa.PrivateKey }

func (brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the vault is sealed")
}

func TestBrokenSigner(t *testing.T) {
	r := newRig(t)
	a, err := NewApp(AppOptions{ID: 42, Signer: brokenSigner{appKey()}, URL: r.server.URL, Now: r.now})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Identity(t.Context())
	isOnly(t, err, promotion.ErrUnauthenticated)
	if !strings.Contains(err.Error(), "the vault is sealed") || len(r.lines()) != 0 {
		t.Errorf("got %v", err)
	}
}

func TestInstallations(t *testing.T) {
	r := newRig(t)
	one := `{"id":1,"account":{"id":5,"login":"acme","type":"Organization"},"target_type":"Organization","permissions":{"contents":"write"},"events":["push"],"repository_selection":"selected","suspended_at":null}`
	r.on("GET /app/installations?per_page=100", 200, `[`+one+`,{"id":2,"suspended_at":"2026-01-01T00:00:00Z","account":null}]`)
	r.on("GET /repos/acme/config/installation", 200, one)
	r.on("GET /repos/acme/other/installation", 404, `{"message":"Not Found"}`)
	app := r.app()
	want := []Installation{
		{ID: 1, Account: promotion.Identity{ID: 5, Login: "acme"}, Organization: true, Permissions: map[string]string{"contents": "write"}, Events: []string{"push"}, Selected: true},
		{ID: 2, Account: promotion.Identity{Login: "ghost"}, Suspended: true},
	}
	if diff := cmp.Diff(want, must[[]Installation](t)(app.Installations(t.Context()))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got, ok, err := app.InstallationOf(t.Context(), "acme", "config")
	if diff := cmp.Diff(want[0], got); diff != "" || !ok || err != nil {
		t.Errorf("%v, %v (-want +got):\n%s", ok, err, diff)
	}
	if _, ok, err := app.InstallationOf(t.Context(), "acme", "other"); ok || err != nil {
		t.Errorf("got %v, %v, want that it is not installed", ok, err)
	}
	r.on("GET /repos/acme/config/installation", 503, `{}`)
	_, _, err = app.InstallationOf(t.Context(), "acme", "config")
	isOnly(t, err, promotion.ErrTransient)
}

func TestInstallationTokens(t *testing.T) {
	r := newRig(t)
	minted := 0
	r.handle("POST /app/installations/1/access_tokens", func(w http.ResponseWriter, req *http.Request) {
		minted++
		verify(t, req.Header.Get("Authorization"))
		w.WriteHeader(201)
		_, _ = fmt.Fprintf(w, `{"token":"ghs_%d","expires_at":%q,"permissions":{"contents":"read","metadata":"read"}}`, minted, r.now().Add(time.Hour).Format(time.RFC3339))
	})
	tokens := r.app().Tokens(1, []int64{7, 8}, map[string]string{"contents": "read"})
	first := must[Secret](t)(tokens.Token(t.Context()))
	if diff := cmp.Diff(map[string]any{"repository_ids": []any{7.0, 8.0}, "permissions": map[string]any{"contents": "read"}}, r.body()); diff != "" {
		t.Errorf("narrowing (-want +got):\n%s", diff)
	}
	if s := fmt.Sprintf("%v %+v %#v %s", tokens, tokens, tokens, tokens); strings.Contains(s, "ghs_1") {
		t.Errorf("the source shows its token: %s", s)
	}
	r.pass(54 * time.Minute)
	var all sync.WaitGroup
	for range 20 { // one flight
		all.Go(func() {
			if s, err := tokens.Token(t.Context()); s != first || err != nil {
				t.Errorf("got %q, %v, want the first one again", s.Reveal(), err)
			}
		})
	}
	all.Wait()
	r.pass(2 * time.Minute)
	for range 20 {
		all.Go(func() {
			if s, err := tokens.Token(t.Context()); s.Reveal() != "ghs_2" || err != nil {
				t.Errorf("got %q, %v, want the second", s.Reveal(), err)
			}
		})
	}
	all.Wait()
	if minted != 2 {
		t.Errorf("%d tokens were made, want 2", minted)
	}
	if len(r.slept()) != 0 {
		t.Errorf("making tokens waited: %v", r.slept())
	}
}

// A token that GitHub revoked before its time is replaced once.
func TestRevokedToken(t *testing.T) {
	r := newRig(t)
	minted := 0
	r.handle("POST /app/installations/1/access_tokens", func(w http.ResponseWriter, _ *http.Request) {
		minted++
		_, _ = fmt.Fprintf(w, `{"token":"ghs_%d","expires_at":%q}`, minted, r.now().Add(time.Hour).Format(time.RFC3339))
	})
	good := "Bearer ghs_2"
	r.handle("POST /repos/acme/config/issues/3/comments", func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != good {
			says(401, `{"message":"Bad credentials"}`)(w, req)
			return
		}
		says(201, `{"id":1}`)(w, req)
	})
	o := r.options()
	o.Tokens = r.app().Tokens(1, nil, nil)
	client := r.with(o)
	if _, err := client.Comment(t.Context(), config, 3, "x"); err != nil {
		t.Error(err)
	}
	good = "none"
	_, err := client.Comment(t.Context(), config, 3, "x")
	isOnly(t, err, promotion.ErrUnauthenticated)
	if minted != 3 {
		t.Errorf("%d tokens were made, want 3", minted)
	}
}

func TestTokenRefusals(t *testing.T) {
	hour := time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC).Format(time.RFC3339)
	for _, c := range []struct {
		name   string
		status int
		body   string
		asked  map[string]string
		want   error
		says   string
	}{
		{"not granted", 422, `{"message":"The permissions requested are not granted to this installation."}`, map[string]string{"checks": "write", "contents": "read"}, promotion.ErrForbidden, "lacks checks=write and contents=read"},
		{"other repository", 422, `{"message":"There is at least one repository that does not exist or is not accessible to the parent installation."}`, nil, promotion.ErrUnauthenticated, "not installed"},
		{"suspended", 403, `{"message":"This installation has been suspended"}`, nil, promotion.ErrForbidden, "suspended"},
		{"uninstalled", 404, `{"message":"Not Found"}`, nil, promotion.ErrUnauthenticated, ""},
		{"empty", 201, `{"token":"","expires_at":"` + hour + `"}`, nil, promotion.ErrTransient, ""},
		{"over", 201, `{"token":"ghs_1","expires_at":"2026-03-01T11:59:59Z"}`, nil, promotion.ErrTransient, "clock"},
		{"wider level", 201, `{"token":"` + canary + `","expires_at":"` + hour + `","permissions":{"contents":"write","metadata":"read"}}`, map[string]string{"contents": "read"}, promotion.ErrInvalid, "contents=write"},
		{"wider names", 201, `{"token":"` + canary + `","expires_at":"` + hour + `","permissions":{"contents":"read","secrets":"read"}}`, map[string]string{"contents": "read"}, promotion.ErrInvalid, "secrets=read"},
		{"unknown level", 201, `{"token":"` + canary + `","expires_at":"` + hour + `","permissions":{"contents":"all"}}`, map[string]string{"contents": "read"}, promotion.ErrInvalid, "contents=all"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.on("POST /app/installations/1/access_tokens", c.status, c.body)
			o := r.options()
			o.Tokens = r.app().Tokens(1, nil, c.asked)
			_, _, err := r.with(o).PullRequest(t.Context(), config, 3) // told through the client
			isOnly(t, err, c.want)
			if !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "read pull request 3 of acme/config: make a token") {
				t.Errorf("%q does not say %q", err, c.says)
			}
		})
	}
	r := newRig(t)
	_, err := r.app().Tokens(1, make([]int64, 501), nil).Token(t.Context())
	isOnly(t, err, promotion.ErrInvalid)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.app().Tokens(1, nil, nil).Token(ctx)
	isOnly(t, err, promotion.ErrTransient)
}

func TestRevoke(t *testing.T) {
	r := newRig(t)
	app := r.app()
	r.on("DELETE /installation/token", 204, "")
	if err := app.Revoke(t.Context(), canary); err != nil {
		t.Error(err)
	}
	if got := r.requests()[0].header.Get("Authorization"); got != "Bearer "+canary {
		t.Error("it is not the token itself that ends itself")
	}
	r.on("DELETE /installation/token", 401, `{"message":"Bad credentials"}`)
	if err := app.Revoke(t.Context(), canary); err != nil {
		t.Errorf("a token that is over: %v", err)
	}
	r.on("DELETE /installation/token", 500, `{}`)
	isOnly(t, app.Revoke(t.Context(), canary), promotion.ErrTransient)
	isOnly(t, app.Revoke(t.Context(), ""), promotion.ErrInvalid)
}

func TestDeliveries(t *testing.T) {
	r := newRig(t)
	app := r.app()
	row := func(id int, at string, status int) string {
		return fmt.Sprintf(`{"id":%d,"guid":"g%d","delivered_at":%q,"redelivery":false,"status":"x","status_code":%d,"event":"push","action":null,"installation_id":1,"repository_id":7}`, id, id, at, status)
	}
	r.handle("GET /app/hook/deliveries?per_page=100", says(200, "["+row(4, "2026-03-01T11:00:00Z", 200)+","+row(3, "2026-03-01T10:00:00Z", 502)+"]",
		"Link", fmt.Sprintf(`<%s/app/hook/deliveries?per_page=100&cursor=v1_2>; rel="next"`, r.server.URL)))
	r.handle("GET /app/hook/deliveries?per_page=100&cursor=v1_2", says(200, "["+row(3, "2026-03-01T10:00:00Z", 502)+","+row(2, "2026-03-01T09:00:00Z", 0)+","+row(1, "2026-02-28T09:00:00Z", 200)+"]",
		"Link", fmt.Sprintf(`<%s/app/hook/deliveries?per_page=100&cursor=v1_1>; rel="next"`, r.server.URL)))
	got := must[[]Delivery](t)(app.Deliveries(t.Context(), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)))
	day := func(hour int) time.Time { return time.Date(2026, 3, 1, hour, 0, 0, 0, time.UTC) }
	want := []Delivery{
		{ID: 4, GUID: "g4", At: day(11), OK: true, StatusCode: 200, Event: "push", Installation: 1, Repository: 7},
		{ID: 3, GUID: "g3", At: day(10), StatusCode: 502, Event: "push", Installation: 1, Repository: 7},
		{ID: 2, GUID: "g2", At: day(9), Event: "push", Installation: 1, Repository: 7},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.on("POST /app/hook/deliveries/3/attempts", 202, `{}`)
	if err := app.Redeliver(t.Context(), 3); err != nil {
		t.Error(err)
	}
}

// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
func TestValidateSignature(t *testing.T) {
	const (
		secret = Secret("It's a Secret to Everybody")
		right  = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	)
	body := []byte("Hello, World!")
	for _, c := range []struct {
		name    string
		secrets []Secret
		header  string
		body    []byte
		ok      bool
	}{
		{"GitHub's own example", []Secret{secret}, right, body, true},
		{"the second of two secrets", []Secret{"new", secret}, right, body, true},
		{"another secret", []Secret{"new"}, right, body, false},
		{"no secret", nil, right, body, false},
		{"an empty secret", []Secret{""}, "sha256=8eb29caa1cf4bbfa4b7a5e0fd8b3b6ae9ee06e6a9f1cf5a1d5ab8d6ae7d9b9a5", body, false},
		{"another body", []Secret{secret}, right, []byte("Hello, World"), false},
		{"no header", []Secret{secret}, "", body, false},
		{"SHA-1", []Secret{secret}, "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59", body, false},
		{"no prefix", []Secret{secret}, right[7:], body, false},
		{"short", []Secret{secret}, right[:20], body, false},
		{"longer", []Secret{secret}, right + "00", body, false},
		{"no hex", []Secret{secret}, "sha256=" + strings.Repeat("z", 64), body, false},
		{"two headers joined", []Secret{secret}, right + ", " + right, body, false},
	} {
		if err := ValidateSignature(c.secrets, c.header, c.body); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrSignature) {
			t.Errorf("%s: got %v, want ok %v", c.name, err, c.ok)
		}
	}
}

func FuzzValidateSignature(f *testing.F) {
	f.Add("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", []byte("Hello, World!"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		right := header == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" && string(body) == "Hello, World!"
		if err := ValidateSignature([]Secret{"It's a Secret to Everybody"}, header, body); err == nil && !right && string(body) == "Hello, World!" && !strings.EqualFold(header[7:], "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17") {
			t.Errorf("%q was taken", header)
		}
	})
}
