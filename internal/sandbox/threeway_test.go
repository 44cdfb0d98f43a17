package sandbox

import "testing"

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
