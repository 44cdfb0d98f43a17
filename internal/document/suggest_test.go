package document

import (
	"strings"
	"testing"
)

func TestSuggest(t *testing.T) {
	known := []string{"environments", "apps", "onNewer", "paths", "dev", "prod"}
	for word, want := range map[string]string{
		"env": "environments", "enviroments": "environments", "app": "apps", "on_newer": "onNewer", "ON-NEWER": "onNewer", "path": "paths",
		"dve": "dev", "prdo": "prod", "x": "", "namespace": "", "": "", strings.Repeat("a", 70): "", "xyz": "",
	} {
		if got := Suggest(word, known); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestHint(t *testing.T) {
	many := strings.Fields(strings.Repeat("word ", 21))
	for _, tc := range []struct {
		flood bool
		word  string
		known []string
		want  string
	}{
		{false, "prdo", []string{"dev", "prod"}, ": did you mean prod?"},
		{false, "namespace", []string{"dev", "prod"}, ": expected dev or prod"},
		{false, "namespace", many, ""},
		{false, "namespace", nil, ""},
		{true, "prdo", []string{"dev", "prod"}, ""},
	} {
		if got := HintUnless(tc.flood, tc.word, tc.known); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.word, got, tc.want)
		}
	}
}
