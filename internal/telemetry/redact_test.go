package telemetry

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
)

const pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEcanarycanary\nAAAAcanary/+=\n-----END RSA PRIVATE KEY-----"

func TestRedact(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"installation token":   {"git: token ghs_canary0123456789abcdef refused", "git: token [secret] refused"},
		"each prefix":          {"ghp_canary0123456789abcdef gho_canary0123456789abcdef ghu_canary0123456789abcdef ghr_canary0123456789abcdef", "[secret] [secret] [secret] [secret]"},
		"token that holds JWT": {"ghs_123_eyJhbGciOiJIUzI1.eyJjYW5hcnkiOjF9.canary-sig_1 x", "[secret] x"},
		"fine-grained":         {"x=github_pat_11AAAAAAA0canary_0123456789", "x=[secret]"},
		"JWT":                  {"jwt eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJjYW5hcnkifQ.c2lnY2FuYXJ5 end", "jwt [secret] end"},
		"PEM":                  {"key " + pem + " end", "key [secret] end"},
		"PEM cut off":          {"key -----BEGIN PRIVATE KEY-----\nMIIEcanary", "key [secret]"},
		"PEM as JSON has it":   {`{"k":"-----BEGIN EC PRIVATE KEY-----\ncanary\n-----END EC PRIVATE KEY-----\n","n":1}`, `{"k":"[secret]\n","n":1}`},
		"cut off in JSON":      {`{"k":"-----BEGIN PRIVATE KEY-----\ncanary","n":1}`, `{"k":"[secret]","n":1}`},
		"two keys":             {pem + " and " + pem, "[secret] and [secret]"},
		"a public key stays":   {"-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----"},
		"user and password":    {"dial postgres://pinnace:canary@db:5432/pinnace: refused", "dial postgres://[secret]@db:5432/pinnace: refused"},
		"token as user":        {"https://canarycanary@github.com/acme/shop.git", "https://[secret]@github.com/acme/shop.git"},
		"password with an @":   {"https://u:can@ry@host/x", "https://[secret]@host/x"},
		"two URLs":             {"https://u:canary@a/x and https://v:canary@b/y", "https://[secret]@a/x and https://[secret]@b/y"},
		"a URL stays":          {"https://github.com/acme/shop/@v/list?x=a@b", "https://github.com/acme/shop/@v/list?x=a@b"},
		"bearer":               {"Authorization: Bearer canary.canary.canary1", "Authorization: Bearer [secret]"},
		"basic":                {"authorization: Basic dTpjYW5hcnljYW5hcnk=", "authorization: Basic [secret]"},
		"GitHub's own":         {"Authorization: token canarycanary0123456789", "Authorization: [secret]"},
		"header as JSON":       {`{"Authorization":["Bearer canarycanarycanary"]}`, `{"Authorization":["Bearer [secret]"]}`},
		"header in quotes":     {`msg="{\"Authorization\":\"canarycanarycanary\"}"`, `msg="{\"Authorization\":\"[secret]\"}"`},
		"prose of headers":     {"basic authentication is refused", "basic authentication is refused"},
		"query":                {"GET https://x/y?a=1&access_token=canary&b=2", "GET https://x/y?a=1&access_token=[secret]&b=2"},
		"signed URL":           {"https://s3/x?X-Amz-Credential=a&X-Amz-Signature=canary", "https://s3/x?X-Amz-Credential=a&X-Amz-Signature=[secret]"},
		"code of the set-up":   {"GET /setup/created?code=canarycanary&state=1", "GET /setup/created?code=[secret]&state=1"},
		"a digest stays":       {"ghcr.io/acme/shop:1.4@sha256:0123456789abcdef", "ghcr.io/acme/shop:1.4@sha256:0123456789abcdef"},
		"a word stays":         {"ghost_writer ghp_short", "ghost_writer ghp_short"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := redact(tc.in); got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
			if got := redact(redact(tc.in)); got != tc.want {
				t.Errorf("once more: got %q, want %q", got, tc.want)
			}
		})
	}
}

// A hiding value has the methods of github.Secret, which this package may not import.
type hiding string

func (hiding) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(hidden)) }
func (hiding) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }
func (hiding) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (hiding) LogValue() slog.Value         { return slog.StringValue(hidden) }

// TestCanaries logs credentials in every way that a line can hold one; none may come out, and
// each line stays what it is.
func TestCanaries(t *testing.T) {
	const canary = "ghs_canary0123456789abcdefcanary"
	nested := map[string]any{"a": []string{canary}, "b": map[string]string{canary: "x"}}
	type box struct {
		Token  string
		Hiding hiding
	}
	with := &url.URL{Scheme: "https", User: url.UserPassword("x-access-token", "canary"), Host: "github.com", Path: "/acme/shop"}
	for name, args := range map[string][]any{
		"a string":          {"reason", canary},
		"a key":             {canary, 1},
		"an error":          {"error", errors.New("push https://x-access-token:canary@github.com/a/b: " + canary)},
		"a wrapped error":   {"error", fmt.Errorf("do: %w", &url.Error{Op: "Get", URL: "https://h/?access_token=canary", Err: errors.New("x")})},
		"a group":           {slog.Group("g", slog.Group("h", slog.String("k", canary)))},
		"bytes":             {"body", []byte(pem)},
		"raw JSON":          {"body", json.RawMessage(`{"token":"` + canary + `"}`)},
		"nested":            {"v", nested},
		"a struct":          {"v", box{canary, "canary"}},
		"a pointer":         {"v", &box{canary, "canary"}},
		"a URL":             {"url", with},
		"a key of an App":   {"v", pem},
		"a type that hides": {"v", hiding("canary")},
		"types in a list":   {"v", []hiding{"canary"}},
		"a value that logs": {"v", slog.AnyValue(hiding("canary"))},
	} {
		for _, format := range []string{"json", "text"} {
			t.Run(name+" as "+format, func(t *testing.T) {
				var out strings.Builder
				log, err := Logger(&out, format, "debug")
				if err != nil {
					t.Fatal(err)
				}
				log.Info("line", args...)
				log.With(args...).WithGroup("g").Debug("token " + canary)
				if strings.Contains(out.String(), "canary") {
					t.Errorf("it shows: %s", out.String())
				}
				if n := strings.Count(out.String(), "\n"); n != 2 {
					t.Errorf("%d lines, want 2: %q", n, out.String())
				}
				if format == "json" {
					for line := range strings.Lines(out.String()) {
						if !json.Valid([]byte(line)) {
							t.Errorf("it is no JSON any more: %s", line)
						}
					}
				}
			})
		}
	}
}

func FuzzRedact(f *testing.F) {
	for _, s := range []string{pem, "https://a:b@c", "ghs_0123456789abcdef0123", "Authorization: Basic dTpjYW5hcnljYW5hcnk=", `\`, `"`, "eyJ01234567.01234567.", "&code=\x00"} {
		f.Add(s, "x")
	}
	f.Fuzz(func(t *testing.T, text, key string) {
		var out strings.Builder
		log, err := Logger(&out, "json", "info")
		if err != nil {
			t.Fatal(err)
		}
		log.Info(text, key, text, "v", []string{text})
		if !json.Valid([]byte(out.String())) {
			t.Errorf("it is no JSON any more: %s", out.String())
		}
		if out.String() != redact(out.String()) {
			t.Errorf("once was not enough: %s, %s", out.String(), redact(out.String()))
		}
		token := "ghs_" + "canary0123456789"
		out.Reset()
		log.Info(text + token)
		if strings.Contains(out.String(), token) {
			t.Errorf("it shows: %s", out.String())
		}
	})
}
