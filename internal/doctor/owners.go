package doctor

import (
	"regexp"
	"strings"
)

// OwnersPaths are where GitHub looks for owners; the first that is there counts
// (https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners).
var OwnersPaths = []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}

// maxLine is how long a line is that is read.
const maxLine = 1000

// ownersOf returns the owners of a file: those of the last line that matches it.
func ownersOf(text, file string) []string {
	var owners []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		if line == "" || strings.HasPrefix(line, "#") || len(line) > maxLine {
			continue
		}
		words := strings.Fields(line)
		if owns(words[0], file) {
			owners = words[1:]
		}
	}
	return owners
}

// owns matches as .gitignore does, without negation and classes, which GitHub does not read.
func owns(pattern, file string) bool {
	if strings.HasPrefix(pattern, "!") || strings.ContainsAny(pattern, "[]\\") {
		return false
	}
	anchored := strings.Contains(strings.TrimSuffix(pattern, "/"), "/")
	within := strings.HasSuffix(pattern, "/")
	pattern = strings.Trim(pattern, "/")
	var b strings.Builder
	b.WriteString("^")
	if !anchored {
		b.WriteString("(?:.*/)?")
	}
	for i := 0; i < len(pattern); i++ {
		switch {
		case strings.HasPrefix(pattern[i:], "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(".*")
			i++
		case pattern[i] == '*':
			b.WriteString("[^/]*")
		case pattern[i] == '?':
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	switch {
	case within:
		b.WriteString("/.*")
	case strings.HasSuffix(pattern, "/*"): // of a directory itself, and not of those below
	default:
		b.WriteString("(?:/.*)?")
	}
	re, err := regexp.Compile(b.String() + "$")
	return err == nil && re.MatchString(file) // an error is a line that is no UTF-8
}
