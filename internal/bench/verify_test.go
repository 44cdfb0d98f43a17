package main

import (
	"slices"
	"strings"
	"testing"
)

func TestInserted(t *testing.T) {
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	for name, tc := range map[string]struct {
		old, data string
		digests   []string
		rest      bool
	}{
		"nothing":         {"image: x:1\n", "image: x:1\n", nil, false},
		"tail":            {"image: x:1 # c\n", "image: x:1@sha256:" + a + " # c\n", []string{a}, false},
		"latest":          {"image: \"x\"\n", "image: \"x:latest@sha256:" + a + "\"\n", []string{a}, false},
		"end":             {"image: x:1", "image: x:1@sha256:" + a, []string{a}, false},
		"two":             {"x:1\ny:2\n", "x:1@sha256:" + a + "\ny:2@sha256:" + b + "\n", []string{a, b}, false},
		"digest filled":   {"digest: \"\"\n", "digest: \"sha256:" + a + "\"\n", []string{a}, false},
		"sha filled":      {"sha: ''\n", "sha: '" + a + "'\n", []string{a}, false},
		"line":            {"- newTag: v1\n  name: x\n", "- newTag: v1\n  digest: sha256:" + a + "\n  name: x\n", []string{a}, false},
		"line before d":   {"- newTag: v1\n  d: x\n", "- newTag: v1\n  digest: sha256:" + a + "\n  d: x\n", []string{a}, false},
		"line, CRLF, end": {"a: b\r\nnewTag: v1", "a: b\r\nnewTag: v1\r\ndigest: sha256:" + a, []string{a}, false},
		"filled wrongly":  {"name: \"\"\n", "name: \"sha256:" + a + "\"\n", nil, true},
		"byte changed":    {"image: x:1\na: b\n", "image: x:1@sha256:" + a + "\na: c\n", []string{a}, true},
		"newline lost":    {"image: x:1\n", "image: x:1@sha256:" + a, nil, true},
		"newline added":   {"image: x:1", "image: x:1@sha256:" + a + "\n", []string{a}, true},
		"cut":             {"image: x:1\na: b\n", "image: x:1\n", nil, true},
		"short digest":    {"image: x:1\n", "image: x:1@sha256:" + a[1:] + "\n", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			digests, rest := inserted([]byte(tc.old), []byte(tc.data))
			if !slices.Equal(digests, tc.digests) || rest > 0 != tc.rest {
				t.Errorf("got %v and %d bytes unexplained, want %v and %t", digests, rest, tc.digests, tc.rest)
			}
		})
	}
}
