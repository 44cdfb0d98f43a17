package message

import (
	"strings"
	"testing"
)

func TestCode(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		" \n\t":                  "",
		"ghcr.io/acme/shop:1.4":  "`ghcr.io/acme/shop:1.4`",
		"two  words\r\nin lines": "`two words in lines`",
		"a`b":                    "``a`b``",
		"`a``":                   "``` `a`` ```",
		"<b>&amp;":               "`<b>&amp;`",
		"a|b":                    "`a¦b`",
		`a\|b\`:                  "`a\\¦b\\`",
		"@carol":                 "`@carol`",
		"Fixes #1":               "`Fixes` `#1`",
		"closes GH-1 now":        "`closes` `GH-1 now`",
		"Resolves https://github.com/acme/shop/issues/1": "`Resolves` `https://github.com/acme/shop/issues/1`",
		"packages/@scope/a #2.yaml":                      "`packages/@scope/a` `#2.yaml`",
		"a\u202eb\u2066\u200bc\x00\x1bd\ufeff":           "`a�b�c�d�`",
		"x\u115f\u3164\u2800y":                           "`x�y`",
		"e\u0301":                                        "`e\u0301`",
		"e" + strings.Repeat("\u0301", 50):               "`e\u0301\u0301\u0301\u0301�`",
		"\u0301e":                                        "`�e`",
		"\xff\xfe":                                       "`�`",
		strings.Repeat("é", 200):                         "`" + strings.Repeat("é", 200) + "`",
		strings.Repeat("é", 201):                         "`" + strings.Repeat("é", 200) + "…`",
		"用户":                                             "`用户`",
	} {
		if got := Code(in); got != want {
			t.Errorf("Code(%q)\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"the value is a template":           "the value is a template",
		"ask @acme/release, (#12)":          "ask `@acme/release`, (`#12`)",
		"Fixes #1.":                         "Fixes `#1`.",
		"fixes GH-1":                        "fixes `GH-1`",
		"fixes acme/shop#1":                 "fixes `acme/shop#1`",
		"see https://evil.example/?a|b now": "see `https://evil.example/?a¦b` now",
		"see www.evil.example":              "see `www.evil.example`",
		"mail a@b.example":                  "mail `a@b.example`",
		"GHSA-mc8v-mgrf-8f4m":               "`GHSA-mc8v-mgrf-8f4m`",
		"commit 1a2b3c4d broke it":          "commit `1a2b3c4d` broke it",
		":tada: and 12:30":                  "`:tada`: and 12:30",
		"$x$ costs":                         "`$x$` costs",
		"note[^1]":                          "`note[^1]`",
		"<b>bold</b> &amp; | more":          "&lt;b&gt;bold&lt;/b&gt; &amp;amp; &vert; more",
		"*a* _b_ ~~c~~ snake_case `d`":      "\\*a\\* \\_b\\_ \\~\\~c\\~\\~ snake_case `` `d` ``",
		"[a](b) ![c](d)":                    "\\[a\\](b) !\\[c\\](d)",
		`back\slash\`:                       `back\\slash\\`,
		"- item":                            `\- item`,
		"+ item":                            `\+ item`,
		"=== line":                          `\=== line`,
		":- x":                              `\:- x`,
		"-x":                                "-x",
		"1. one":                            `1\. one`,
		"12) one":                           `12\) one`,
		"1.4 is old":                        "1.4 is old",
		"7 images":                          "7 images",
		"# heading":                         "`#` heading",
		"> quote\n\n    code":               "&gt; quote code",
		strings.Repeat("a ", 400):           strings.Repeat("a ", 249) + "a…",
	} {
		if got := Text(in); got != want {
			t.Errorf("Text(%q)\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestLink(t *testing.T) {
	for url, linked := range map[string]bool{
		"https://github.com/acme/shop/commit/1a2b3c4": true,
		"https://ghe.example.com:8443/a_b/~c/x+y.z":   true,
		"https://github.com/a/b/compare/v1...v2#L1":   true,
		"https://localhost":                           true,
		"":                                            false,
		"http://github.com/a":                         false,
		"HTTPS://github.com/a":                        false,
		"https://user@github.com/a":                   false,
		"https://github.com@evil.example/":            false,
		"https://github.com/a?b=c":                    false,
		"https://github.com/a%2e":                     false,
		"https://github.com/a/../../evil":             false,
		"https://github.com/a/.":                      false,
		"https://github.com/a) [x](https://b":         false,
		"https://github.com/a b":                      false,
		"https://github.com/a\n":                      false,
		"https://gıthub.com/":                         false,
		"https://-a.example/":                         false,
		"javascript:alert(1)":                         false,
		"data:text/html,x":                            false,
		"//evil.example":                              false,
		"https://a/" + strings.Repeat("b", 2000):      false,
	} {
		want := "``a`](x)``"
		if linked {
			want = "[" + want + "](" + url + ")"
		}
		if got := Link("a`](x)", url); got != want {
			t.Errorf("Link to %q\n got %q\nwant %q", url, got, want)
		}
	}
	if got, want := Link("\n", "https://a.example/b"), "[`https://a.example/b`](https://a.example/b)"; got != want {
		t.Errorf("got %q for no text, want %q", got, want)
	}
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"ghcr.io/acme/gh-tool:1_2": "ghcr.io/acme/gh-tool:1_2",
		"acme/gh-1":                "acme/gh?1",
		"GH-1":                     "GH?1",
		"fixes #1":                 "fixes??1",
		"a\nPinnace-Seal: x":       "a?Pinnace-Seal:?x",
		"https://a":                "https:/?a",
		"a@b`<>\u202e\u3164":       "a?b?????",
		"0123456789abc":            "0123456789…",
	} {
		most := 24
		if strings.HasPrefix(in, "0") {
			most = 10
		}
		if got := plain(in, most); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
}
