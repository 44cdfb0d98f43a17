package registry

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
)

func TestBackoff(t *testing.T) {
	for attempt, most := range []time.Duration{time.Second, 3 * time.Second} {
		for range 100 {
			if d := backoff(attempt); d <= 0 || d > most {
				t.Fatalf("backoff(%d) = %v, want at most %v", attempt, d, most)
			}
		}
	}
}

// Whatever a registry puts into its headers, they are read without a panic, a hold is
// never negative or endless, and a message about them is one short line.
func FuzzHeaders(f *testing.F) {
	f.Add(`Bearer realm="https://auth.example.com/token",service="x"`, "7", "0;w=21600", "90", "sha256:abc", "text/html", "/x")
	f.Add(`Basic realm="a\"b`, "Mon, 02 Mar 2026 12:00:00 GMT", "-1", "1772366400", "", ";;;", "https://u:p@[")
	f.Add("Bearer realm=\"\x00\",,=", "-9223372036854775808", "9223372036854775808;w=", "w=1", "sha512:", image.OCIIndex, "\x7f")
	f.Add(`Bearer realm="https://[::ffff:127.0.0.1%25lo]:0x/token"`, "1e9", "0;w=-1;w=99999999999999999999", "", "", "", "//")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, challenge, after, remaining, reset, digest, media, location string) {
		h := headers("WWW-Authenticate", challenge, "Retry-After", after, "Ratelimit-Remaining", remaining,
			"Ratelimit-Reset", reset, "Docker-Content-Digest", digest, "Content-Type", media, "Location", location)
		for _, read := range []func(http.Header, time.Time) (time.Duration, bool){retryAfter, exhausted} {
			if d, _ := read(h, now); d < 0 || d > longestHold {
				t.Fatalf("hold of %v", d)
			}
		}
		if d, ok := headerDigest(h); ok {
			if _, err := image.ParseDigest(string(d)); err != nil {
				t.Fatalf("accepted digest %q", d)
			}
		}
		if _, err := inspect(mediaType(h), []byte(challenge)); err != nil {
			oneLine(t, err)
		}
		ch, ok := challengeIn(h)
		if !ok {
			return
		}
		tg, err := c.hosts.target(image.Ref{Name: "registry.example.com/acme/api", Tag: "1"})
		if err != nil {
			t.Fatal(err)
		}
		d := &door{scheme: "https", challenge: ch}
		realm, err := realmOf(tg, d)
		if err != nil {
			oneLine(t, err)
			return
		}
		if realm.Scheme != "https" {
			t.Fatalf("accepted realm %q", realm)
		}
		if trusted(d.url(tg), realm) && !strings.HasSuffix("."+strings.ToLower(realm.Hostname()), ".example.com") {
			t.Fatalf("trusted realm %q", realm)
		}
	})
}

func oneLine(t *testing.T, err error) {
	t.Helper()
	if s := err.Error(); len(s) > 2000 || strings.ContainsAny(s, "\r\n\x00\x1b") {
		t.Fatalf("message is not one short line: %q", s)
	}
}
