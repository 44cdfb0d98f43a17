package github

import (
	"context"
	"fmt"
	"log/slog"
)

const hidden = "[secret]"

// A Secret is a token or a webhook secret. It shows itself to Reveal only.
type Secret string

// Reveal returns the secret.
func (s Secret) Reveal() string { return string(s) }

// String returns "[secret]".
func (Secret) String() string { return hidden }

// GoString returns "[secret]".
func (Secret) GoString() string { return hidden }

// Format writes "[secret]" for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalJSON returns "[secret]" in quotes.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText returns "[secret]".
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue returns "[secret]".
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// A TokenSource gives the token of the next request; "" sends none. It is asked before each
// attempt, from several goroutines.
type TokenSource interface {
	Token(ctx context.Context) (Secret, error)
}

// StaticToken is one token for ever.
func StaticToken(s Secret) TokenSource { return &staticToken{s} }

// A source is a pointer, and formats itself: fmt cannot ask a Secret in an unexported field
// how it wants to be shown.
type staticToken struct{ token Secret }

func (t *staticToken) Token(context.Context) (Secret, error) { return t.token, nil }

// Format writes "[secret]".
func (*staticToken) Format(f fmt.State, r rune) { Secret("").Format(f, r) }

// A refusable source hears of a token that GitHub refused, and says whether the next one
// will differ.
type refusable interface {
	refused(token Secret, a answer) bool
}

// usable refuses what cannot stand in a header, such as the line end of a token file.
func (s Secret) usable() bool {
	for _, b := range []byte(s) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return len(s) <= 8<<10
}
