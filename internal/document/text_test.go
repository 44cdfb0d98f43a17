package document

import (
	"strings"
	"testing"
)

func TestQuote(t *testing.T) {
	if got := Quote(strings.Repeat("ä", 100)); got != `"`+strings.Repeat("ä", 30)+`..."` {
		t.Errorf("got %s", got)
	}
}

func TestList(t *testing.T) {
	for want, words := range map[string][]string{"": nil, "a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"}} {
		if got := List(words, "or"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDotted(t *testing.T) {
	for pointer, want := range map[string]string{"": "", "/a/0/b/1": "a[0].b[1]", "/0/a": "0.a", "/a~1b/c~0d": "a/b.c~d"} {
		if got := Dotted(pointer); got != want {
			t.Errorf("Dotted(%q) = %q, want %q", pointer, got, want)
		}
	}
}
