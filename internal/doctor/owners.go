package doctor

import (
	"regexp"
	"slices"
	"strings"
)

// OwnersPaths are where GitHub looks for owners; the first that is there counts
// (https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners).
var OwnersPaths = []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}

// What is read of the file at most; GitHub's own bound is 3 MB.
const (
	maxLine  = 1000 // characters
	maxLines = 5000 // with a pattern
)

// owners are the lines of the file, the last one first.
type ownerLines []ownerLine

type ownerLine struct {
	pattern *regexp.Regexp
	owners  []string
}

func parseOwners(text string) ownerLines {
	var all ownerLines
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		if line == "" || strings.HasPrefix(line, "#") || len(line) > maxLine {
			continue
		}
		words := strings.Fields(line)
		if p := ownerPattern(words[0]); p != nil {
			all = append(all, ownerLine{p, words[1:]})
		}
		if len(all) == maxLines {
			break
		}
	}
	slices.Reverse(all)
	return all
}

// of returns the owners of a file: those of the last line that matches it.
func (l ownerLines) of(file string) []string {
	for _, line := range l {
		if line.pattern.MatchString(file) {
			return line.owners
		}
	}
	return nil
}

// ownerPattern matches as .gitignore does, without negation and classes, which GitHub does not
// read; nil for a pattern that matches nothing.
func ownerPattern(pattern string) *regexp.Regexp {
	if strings.HasPrefix(pattern, "!") || strings.ContainsAny(pattern, "[]\\") {
		return nil
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
	if err != nil {
		return nil // it is no UTF-8
	}
	return re
}
