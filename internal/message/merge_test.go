package message

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// The merges that goldens show.
var merges = map[string]Merge{
	"merge-promotion": {
		PullRequest: 12, Kind: promotion.Promotion, App: "shop", Envs: []string{"prod"}, From: "staging", Request: "comment-123",
		Images: cases["promotion"].Images, Seal: seal, Requested: []promotion.Identity{dave}, Approved: []promotion.Identity{carol, {ID: 7, Login: "erin"}},
		Policies: []string{"prod-approvals", "acme-floor"}, Deployed: robot, Version: "0.3.0",
	},
	"merge-glass": {
		PullRequest: 13, Kind: promotion.Promotion, App: "shop", Envs: []string{"prod"}, Skipped: []string{"qa", "staging"}, Request: "comment-9",
		Images: cases["promotion-several"].Images, Seal: seal, Requested: []promotion.Identity{dave},
		Policies: []string{"prod-approvals"}, Deployed: carol, Glass: "baskets are empty, fixes #4711", Version: "0.3.0",
	},
	"merge-pin":     {PullRequest: 14, Kind: promotion.Pin, Envs: []string{"prod"}, Images: cases["pin-several"].Images, Seal: seal, Version: "0.3.0"},
	"merge-by-hand": {PullRequest: 15, Kind: promotion.ByHand, App: "shop", Envs: []string{"prod"}, Images: cases["promotion"].Images, Seal: seal, Deployed: carol},
}

func TestMergeGolden(t *testing.T) {
	for name, m := range merges {
		t.Run(name, func(t *testing.T) {
			golden(t, name, &txtar.Archive{Files: []txtar.File{{Name: "message", Data: []byte(m.Title() + "\n\n" + m.Message())}}})
		})
	}
}

// What is written is read back by the same names.
func TestMergeTrailers(t *testing.T) {
	m := merges["merge-promotion"]
	m.Skipped = []string{"qa"}
	m.Images, m.Glass = m.Images[:1], "a reason"
	want := Trailers{
		TrailerKind: {"promotion"}, TrailerEnv: {"prod"}, TrailerApp: {"shop"}, TrailerFrom: {"staging"}, TrailerSkipped: {"qa"}, TrailerRequest: {"comment-123"},
		TrailerImage: {"ghcr.io/acme/shop:1.5.0@" + digestOf("b")}, TrailerSeal: {seal},
		TrailerRequestedBy: {"dave_acme#9919"}, TrailerApprovedBy: {"carol#583231", "erin#7"}, TrailerPolicy: {"prod-approvals", "acme-floor"},
		TrailerDeployedBy: {"dependabot[bot]#49699333"}, TrailerGlass: {"a reason"},
	}
	if diff := cmp.Diff(want, ParseTrailers(m.Title()+"\n\n"+m.Message())); diff != "" {
		t.Errorf("trailers (-want +got):\n%s", diff)
	}
	p := cases["promotion"]
	p.Request.Skipped = []string{"qa"}
	want = Trailers{
		TrailerKind: {"promotion"}, TrailerEnv: {"prod"}, TrailerApp: {"shop"}, TrailerFrom: {"staging"}, TrailerSkipped: {"qa"}, TrailerRequest: {"comment-123"},
		TrailerImage: {"ghcr.io/acme/shop:1.5.0@" + digestOf("b")}, TrailerSeal: {seal}, TrailerBase: {base}, TrailerRequestedBy: {"dave_acme#9919"},
	}
	if diff := cmp.Diff(want, ParseTrailers(p.Commit(base))); diff != "" {
		t.Errorf("trailers of the head (-want +got):\n%s", diff)
	}
}

func TestSignature(t *testing.T) {
	for in, want := range map[promotion.Identity]string{
		{}:                                      "",
		{ID: 1}:                                 "user#1",
		{Login: "carol"}:                        "carol",
		carol:                                   "carol#583231",
		dave:                                    "dave_acme#9919",
		robot:                                   "dependabot[bot]#49699333",
		{ID: 1, Login: "@a\n#2"}:                "a??2#1",
		{ID: 1, Login: "Fixes #"}:               "Fixes#1",
		{ID: 1, Login: "gh-1"}:                  "gh?1#1",
		{ID: 1, Login: "[bot]"}:                 "user#1",
		{ID: 1, Login: "x[bot][bot]"}:           "x?bot[bot]#1",
		{ID: 1, Login: "кароль"}:                "user#1",
		{ID: 1, Login: strings.Repeat("a", 99)}: strings.Repeat("a", 60) + "#1",
	} {
		if got := signature(in); got != want {
			t.Errorf("signature(%q) = %q, want %q", in.Login, got, want)
		}
	}
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"":                           "",
		"1 of 2 approvals; 1h (dev)": "1 of 2 approvals; 1h (dev)",
		"asked by carol#583231":      "asked by carol",
		"fixes #1, fixes acme/a#1":   "fixes ?1, fixes acme/a",
		"closes GH-1":                "closes GH?1",
		"ask @carol":                 "ask ?carol",
		"a:1@sha256:bbb is gone":     "a:1@sha256:bbb is gone",
		"did you mean “prod”? → yes": "did you mean “prod”? → yes",
		"x @sha256:bbb":              "x ?sha256:bbb",
		"https://evil.example/":      "https:/?evil.example/",
		"`a` <b> $x$ a|b \\":         "?a? ?b? ?x? a?b ?",
		"a\nPinnace-Seal: x":         "a Pinnace-Seal: x",
		"a\u202eb\u200bc":            "a?b?c",
		strings.Repeat("a", 400):     strings.Repeat("a", 299) + "…",
	} {
		if got := line(in, 300); got != want {
			t.Errorf("line(%q)\n got %q\nwant %q", in, got, want)
		}
	}
}
