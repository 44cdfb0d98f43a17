package sandbox

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestMergeLines(t *testing.T) {
	const base = "1\n2\n3\n4\n5\n"
	for name, tc := range map[string]struct {
		ours, theirs, want string
		ok                 bool
	}{
		"one side":        {"1\n2\n3\n4\nfive\n", base, "1\n2\n3\n4\nfive\n", true},
		"apart":           {"one\n2\n3\n4\n5\n", "1\n2\n3\n4\nfive\n", "one\n2\n3\n4\nfive\n", true},
		"equal":           {"one\n2\n3\n4\n5\n", "one\n2\n3\n4\n5\n", "one\n2\n3\n4\n5\n", true},
		"same line":       {"one\n2\n3\n4\n5\n", "uno\n2\n3\n4\n5\n", "", false},
		"next to another": {"1\ntwo\n3\n4\n5\n", "1\n2\nthree\n4\n5\n", "", false},
		"insert, delete":  {"0\n1\n2\n3\n4\n5\n", "1\n2\n3\n4\n", "0\n1\n2\n3\n4\n", true},
		"no last newline": {"1\n2\n3\n4\n5", "one\n2\n3\n4\n5\n", "one\n2\n3\n4\n5", true},
	} {
		got, ok := mergeLines(base, tc.ours, tc.theirs)
		if got != tc.want || ok != tc.ok {
			t.Errorf("%s: got %q, %v, want %q, %v", name, got, ok, tc.want, tc.ok)
		}
	}
}

// TestMergeLinesAsGit merges texts of distinct lines, each side changed at random, and
// compares with git merge-file.
func TestMergeLinesAsGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	clean := 0
	for n := range 150 {
		base := make([]string, 12)
		for i := range base {
			base[i] = fmt.Sprintf("line %d\n", i)
		}
		side := func(name string) string {
			var out strings.Builder
			for i, l := range base {
				switch rnd.IntN(14) {
				case 0:
					fmt.Fprintf(&out, "%s changed %d\n", name, i)
				case 1:
				case 2:
					fmt.Fprintf(&out, "%s%s added %d\n", l, name, i)
				default:
					out.WriteString(l)
				}
			}
			return out.String()
		}
		texts := map[string]string{"base": strings.Join(base, ""), "ours": side("ours"), "theirs": side("theirs")}
		for name, text := range texts {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("git", "merge-file", "-p", "ours", "base", "theirs")
		cmd.Dir = dir
		want, err := cmd.Output()
		got, ok := mergeLines(texts["base"], texts["ours"], texts["theirs"])
		if ok != (err == nil) || ok && got != string(want) {
			t.Errorf("case %d: got %v %q, git says %v %q\n%q", n, ok, got, err, want, texts)
		}
		if ok {
			clean++
		}
	}
	if clean < 10 || clean > 140 {
		t.Errorf("%d of 150 merged; the cases show too little", clean)
	}
}
