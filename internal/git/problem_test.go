package git

import (
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	for name, want := range map[string]ProblemKind{
		"deploy.yaml": "", ".gitignore": "", ".github": "", ".gitmodules": "", "git": "", "a b": "", "naïve": "", "日本": "", "...": "", "..a": "", ".gitx": "", "git~2": "", ".git-x": "", "a:b": "", "con": "",
		strings.Repeat("a", 255): "",

		"": Traversal, ".": Traversal, "..": Traversal, "a/b": Traversal, "/": Traversal, "../x": Traversal,
		".git": DotGit, ".GIT": DotGit, ".Git": DotGit, "git~1": DotGit, "GIT~1": DotGit, ".git ": DotGit, ".git.": DotGit, ".git . .": DotGit, "git~1.": DotGit,
		".git::$INDEX_ALLOCATION": DotGit, ".GIT:x": DotGit, ".git :x": DotGit, `.git\x`: DotGit, `git~1\hooks`: DotGit,
		".g\u200cit": DotGit, ".gi\u200dt": DotGit, "\ufeff.git": DotGit, ".git\u202e": DotGit, ".\u206aGit": DotGit,
		`a\b`: Backslash, `..\x`: Backslash,
		"a\nb": Control, "a\x00": Control, "a\x7f": Control, "a\x1b[31m": Control, "a\u202eb": Control, "a\u2066b": Control, "a\u0085b": Control, "a\u2028b": Control,
		"a\xffb": Encoding, "\xc0\xae\xc0\xae": Encoding,
		strings.Repeat("a", 256): Long,
	} {
		var got ProblemKind
		if p := checkName(name); p != nil {
			got = p.Kind
		}
		if got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestFold(t *testing.T) {
	for _, pair := range [][2]string{{"README", "readme"}, {"straße", "STRASSE"}, {"é", "e\u0301"}, {"É", "e\u0301"}, {"Σ", "ς"}} {
		if fold(pair[0]) != fold(pair[1]) {
			t.Errorf("%q and %q fold to %q and %q", pair[0], pair[1], fold(pair[0]), fold(pair[1]))
		}
	}
	if fold("a") == fold("b") {
		t.Error("a and b fold to one")
	}
}

func TestCheckRefName(t *testing.T) {
	for name, ok := range map[string]bool{
		"refs/heads/main": true, "refs/heads/pinnace/pin-1": true, "refs/pull/1/head": true, "refs/heads/ü": true, "refs/heads/a@b": true,
		"main": false, "refs/heads": false, "refs/heads/": false, "refs//x": false, "refs/heads/.x": false, "refs/heads/x.lock": false, "refs/heads/x.lock/y": false,
		"refs/heads/a..b": false, "refs/heads/a~1": false, "refs/heads/a^": false, "refs/heads/a:b": false, "refs/heads/a?": false, "refs/heads/a*": false, "refs/heads/a[": false,
		`refs/heads/a\b`: false, "refs/heads/a b": false, "refs/heads/a\x7f": false, "refs/heads/a\n": false, "refs/heads/a.": false, "refs/heads/@{u}": false, "/refs/heads/x": false, "refs/heads/x/": false,
		"refs/heads/" + strings.Repeat("x", 2000): false,
	} {
		if err := checkRefName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func FuzzCheckName(f *testing.F) {
	for _, s := range []string{"a", ".git", "git~1 .", ".g\u200cit", "..", `\`, "\xff", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if checkName(name) != nil {
			return
		}
		lower := strings.ToLower(name)
		trimmed := strings.TrimRight(lower, ". ")
		if name == "" || trimmed == ".git" || trimmed == "git~1" || strings.HasPrefix(lower, ".git:") || strings.ContainsAny(name, "/\\\x00\n") || name == ".." || name == "." {
			t.Errorf("%q passed", name)
		}
		if fold(name) != fold(strings.ToUpper(fold(name))) && plain(name) {
			t.Errorf("%q does not fold stably", name)
		}
	})
}
