package registry

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"plain text":                "plain text",
		"two\r\nlines\tand tabs":    "two lines and tabs",
		"\x1b[31mred\x00\x7f":       "[31mred",
		"right\u202eto left \u2066": "rightto left",
		"bad \xff utf8":             "bad utf8",
		"see https://user:pass@host:1/path?token=t#f now": "see https://host:1/path now",
		`Get "https://host/v2/x?sig=s": refused`:          `Get "https://host/v2/x": refused`,
		"HTTPS://user:pass@host":                          "https://host",
		"postgres://user:pass@host/db":                    "postgres://host/db",
		"https://user:pa%zz@host/":                        "[address]",
		strings.Repeat("é", 300):                          strings.Repeat("é", 200) + "...",
		strings.Repeat("a", 1<<20):                        strings.Repeat("a", 200) + "...",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%.40q) = %q, want %q", in, got, want)
		}
	}
}

func TestUnwrapped(t *testing.T) {
	limited, refused := &RateLimitError{Registry: "x"}, refuse("no")
	for _, tc := range []struct{ in, want error }{
		{&url.Error{Op: "Head", URL: "https://h/?s=canary", Err: limited}, limited},
		{&url.Error{Op: "Head", URL: "https://h/?s=canary", Err: refused}, refused},
		{&url.Error{Op: "Head", URL: "https://h/?s=canary", Err: context.Canceled}, context.Canceled},
	} {
		if got := unwrapped("h", tc.in); got != tc.want { //nolint:errorlint // the very error
			t.Errorf("got %v, want %v", got, tc.want)
		}
	}
	other := errors.New("other")
	got := unwrapped("h", &url.Error{Op: "Head", URL: "https://h/?s=canary", Err: other})
	is(t, got, other)
	if got.Error() != "h: other" {
		t.Errorf("got %q", got)
	}
}
