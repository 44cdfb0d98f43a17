package message

import (
	"testing"
)

// What is suggested becomes the file as it is, whatever it holds; what is said of it is foreign.
func TestSuggestion(t *testing.T) {
	got := Suggestion("pins-1", "          image: a@sha256:1 # ``` @bob", "PIN001 for @bob.\nDo it.")
	want := "PIN001 for `@bob`.\nDo it.\n\n````suggestion\n          image: a@sha256:1 # ``` @bob\n````\n\n<!-- pinnace:reply pins-1 -->\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if ReplyKey(got) != "pins-1" {
		t.Errorf("the key is %q", ReplyKey(got))
	}
	for n, want := range map[int]string{
		1: "One image of `0123456789` has no digest, and policy `locked` asks for one. Commit the suggestion to pin it; `pinnace pin` makes the same edit.",
		3: "3 images of `0123456789` have no digest, and policy `locked` asks for one. Commit the suggestion to pin them; `pinnace pin` makes the same edit.",
	} {
		if got := Suggested("0123456789abcdef", "locked", n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
