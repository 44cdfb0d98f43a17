package command

import (
	"regexp"
	"strings"
	"testing"
)

// TestSyntax: what the syntax of each verb says can be left out, and what it says can be
// written is read.
func TestSyntax(t *testing.T) {
	values := strings.NewReplacer(
		"APP", "shop", "ENV,ENV", "eu,us", "ENV", "prod", "IMAGE", "ghcr.io/acme/shop:1.5", "DIGEST", "sha256:"+strings.Repeat("a", 64),
		"REASON", "release 1.5", "COMMIT", strings.Repeat("a", 40),
	)
	optional := regexp.MustCompile(`\s?\[[^]]*\]`)
	for _, v := range Verbs() {
		s := v.Syntax()
		for _, form := range []string{optional.ReplaceAllString(s, ""), strings.NewReplacer("[", "", "]", "").Replace(s), v.Example()} {
			line := values.Replace(form)
			got, problems := Parse(line)
			if len(problems) > 0 || len(got) != 1 || got[0].Verb != v {
				t.Errorf("%q is read as %v, with problems %v", line, got, problems)
				continue
			}
			if again, _ := Parse(got[0].String()); len(again) != 1 || again[0].String() != got[0].String() {
				t.Errorf("%q is spelled %q, which is read as %v", line, got[0], again)
			}
		}
	}
}
