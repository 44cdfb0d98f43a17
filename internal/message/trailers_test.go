package message

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var messages = map[string]struct {
	in   string
	want Trailers
}{
	"none":               {"subject\n\nbody\n", Trailers{}},
	"empty":              {"", Trailers{}},
	"subject only":       {"Key: value\n", Trailers{}},
	"blank then subject": {"\n\nKey: value\n", Trailers{"Key": {"value"}}},
	"plain":              {"subject\n\nbody\n\nKey: value\nOther-Key: a: b\n", Trailers{"Key": {"value"}, "Other-Key": {"a: b"}}},
	"repeated":           {"s\n\nPinnace-Env: dev\npinnace-env: prod\nPINNACE-ENV: qa", Trailers{"Pinnace-Env": {"dev", "prod", "qa"}}},
	"last paragraph":     {"s\n\nKey: old\n\nKey: new\n", Trailers{"Key": {"new"}}},
	"prose after":        {"s\n\nKey: value\n\nprose\n", Trailers{}},
	"blank lines after":  {"s\n\nKey: value\n\n \n\t\n", Trailers{"Key": {"value"}}},
	"mixed":              {"s\n\nprose\nKey: value\n", Trailers{}},
	"mixed, signed":      {"s\n\nprose\nKey: value\nSigned-off-by: a <a@b>\n", Trailers{"Key": {"value"}, "Signed-Off-by": {"a <a@b>"}}},
	"mostly prose":       {"s\n\na\nb\nc\nd\nSigned-off-by: a <a@b>\n", Trailers{}},
	"cherry-picked":      {"s\n\nKey: value\n(cherry picked from commit 1a2b3c4)\n", Trailers{"Key": {"value"}}},
	"folded":             {"s\n\nKey: value\n  goes on\n\tand on\nB: c\n", Trailers{"Key": {"value goes on and on"}, "B": {"c"}}},
	"no value":           {"s\n\nKey:\nB: c\n", Trailers{"Key": {""}, "B": {"c"}}},
	"no space":           {"s\n\nKey:value\n", Trailers{"Key": {"value"}}},
	"space before":       {"s\n\nKey : value\n", Trailers{"Key": {"value"}}},
	"no key":             {"s\n\n: value\n", Trailers{}},
	"key with a space":   {"s\n\nA key: value\n", Trailers{}},
	"an address":         {"s\n\nhttps://a.example\n", Trailers{"Https": {"//a.example"}}},
	"CRLF":               {"s\r\n\r\nKey: value\r\nB: c\r\n", Trailers{"Key": {"value"}, "B": {"c"}}},
	"a comment":          {"s\n\nKey: value\n# a comment\nB: c\n", Trailers{"Key": {"value"}, "B": {"c"}}},
	"starts folded":      {"s\n\n  Key: value\nB: c\n", Trailers{}},
}

func TestParseTrailers(t *testing.T) {
	for name, tc := range messages {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ParseTrailers(tc.in)); diff != "" {
				t.Errorf("trailers (-want +got):\n%s", diff)
			}
		})
	}
}

// TestGit holds the same messages to what git itself reads.
func TestGit(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	for name, tc := range messages {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(git, "interpret-trailers", "--only-trailers", "--only-input", "--unfold", "--no-divider")
			cmd.Stdin, cmd.Env = strings.NewReader(tc.in), []string{"HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1"}
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			want := Trailers{}
			for line := range strings.Lines(string(out)) {
				if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
					key = canonical(strings.TrimSpace(key))
					want[key] = append(want[key], strings.TrimSpace(value))
				}
			}
			if diff := cmp.Diff(want, ParseTrailers(tc.in)); diff != "" {
				t.Errorf("git reads otherwise (-git +ours):\n%s", diff)
			}
		})
	}
}

func TestParseTrailersBounds(t *testing.T) {
	if got := ParseTrailers("s\n\n" + strings.Repeat("K: v\n", 5000))["K"]; len(got) != maxTrailers {
		t.Errorf("got %d trailers, want %d", len(got), maxTrailers)
	}
	if got := ParseTrailers("s\n\nBig: " + strings.Repeat("x", 1<<20)); len(got) != 0 {
		t.Errorf("got %d trailers of a paragraph that is too long, want none", len(got))
	}
	if got := ParseTrailers("s\n\n" + strings.Repeat("x", 1<<20) + "\n\nKey: value")["Key"]; len(got) != 1 {
		t.Errorf("got %q after a long text, want the one trailer", got)
	}
}
