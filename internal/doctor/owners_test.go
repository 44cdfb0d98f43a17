package doctor

import (
	"slices"
	"strings"
	"testing"
)

func owns(pattern, file string) bool {
	p := ownerPattern(pattern)
	return p != nil && p.MatchString(file)
}

func ownersOf(text, file string) []string { return parseOwners(text).of(file) }

// TestOwns holds patterns to those of GitHub's manual
// (https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners#codeowners-syntax).
func TestOwns(t *testing.T) {
	for _, row := range []struct {
		pattern   string
		yes, none []string
	}{
		{"*", []string{"a", "a/b", ".pinnace/config.yaml"}, nil},
		{"*.js", []string{"a.js", "a/b.js"}, []string{"a.jsx", "a.js.map"}},
		{"/build/logs/", []string{"build/logs/a", "build/logs/a/b"}, []string{"x/build/logs/a", "build/logs"}},
		{"docs/*", []string{"docs/a.md"}, []string{"docs/build/a.md", "x/docs/a.md"}},
		{"apps/", []string{"apps/a", "x/apps/a/b"}, []string{"apps", "apps2/a"}},
		{"/docs/", []string{"docs/a", "docs/b/c"}, []string{"x/docs/a"}},
		{"/scripts", []string{"scripts/a", "scripts"}, []string{"x/scripts"}},
		{"**/logs", []string{"logs/a", "build/logs/a", "deeply/nested/logs"}, []string{"logs2"}},
		{"/apps/github", []string{"apps/github", "apps/github/a"}, []string{"apps/githubx"}},
		{"a/**/b", []string{"a/b", "a/x/b", "a/x/y/b"}, []string{"ab", "x/a/b"}},
		{".pinnace", []string{".pinnace/config.yaml", "x/.pinnace/a"}, []string{"xpinnace/a"}},
		{"a?c", []string{"abc", "x/axc"}, []string{"a/c", "ac"}},
		{"!a", nil, []string{"a", "!a"}},
		{"[ab]", nil, []string{"a", "b"}},
		{`\a`, nil, []string{"a", `\a`}},
	} {
		for _, file := range row.yes {
			if !owns(row.pattern, file) {
				t.Errorf("%s does not match %s", row.pattern, file)
			}
		}
		for _, file := range row.none {
			if owns(row.pattern, file) {
				t.Errorf("%s matches %s", row.pattern, file)
			}
		}
	}
}

// TestOwnersOf: the last line that matches counts, also one that names nobody.
func TestOwnersOf(t *testing.T) {
	const text = "# all\n*  @acme/all\n\n/.pinnace/ @ada bob@acme.dev # rules\r\n/envs/prod/\n   docs @cyd\n"
	for file, want := range map[string][]string{
		"a": {"@acme/all"}, ".pinnace/config.yaml": {"@ada", "bob@acme.dev"}, "envs/prod/a.yaml": {}, "docs/a": {"@cyd"},
	} {
		if got := ownersOf(text, file); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", file, got, want)
		}
	}
	if got := ownersOf(strings.Repeat("a", 2000)+" @ada\n", strings.Repeat("a", 2000)); got != nil {
		t.Errorf("a line that is too long: got %q", got)
	}
}

// FuzzOwners: whatever the file holds, the answer comes soon and is made of its words.
func FuzzOwners(f *testing.F) {
	f.Add("* @a\n", "a/b")
	f.Add("/**/**/**/**/*?*?*?/ @a", strings.Repeat("a/", 50))
	f.Add("\xff\xfe @a\n(((( @b", "a")
	f.Fuzz(func(t *testing.T, text, file string) {
		if len(text) > 1<<16 || len(file) > 1<<10 {
			t.Skip()
		}
		for _, o := range ownersOf(text, file) {
			if o == "" || !strings.Contains(text, o) {
				t.Errorf("got the owner %q of %q in %q", o, file, text)
			}
		}
	})
}
