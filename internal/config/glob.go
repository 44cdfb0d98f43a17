package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/pinnace-dev/pinnace/internal/document"
)

// What a glob may hold at most: braces multiply, and each product is tried.
const (
	maxGlob     = 512
	maxProducts = 64
)

// checkGlob holds a glob to the grammar of doublestar, below the repository root.
func checkGlob(s string) error {
	switch {
	case s == "":
		return errors.New("the glob is empty: write one such as envs/dev/**")
	case strings.Contains(s, `\`):
		return fmt.Errorf(`the glob %s holds a backslash: paths are written with /, and a literal * as [*]`, document.Quote(s))
	case strings.HasPrefix(s, "/"):
		return fmt.Errorf("the glob %s is absolute: write it relative to the repository root%s", document.Quote(s), instead(s, strings.TrimLeft(s, "/")))
	case strings.HasPrefix(s, "!"):
		return fmt.Errorf("the glob %s begins with !: globs cannot be negated; list what is meant", document.Quote(s))
	case strings.HasPrefix(s, "./"):
		return fmt.Errorf("the glob %s begins with ./: write %s", document.Quote(s), strings.TrimPrefix(s, "./"))
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == ".." || part == "." {
			return fmt.Errorf("the glob %s holds %s: write the path from the repository root", document.Quote(s), part)
		}
	}
	switch {
	case strings.HasSuffix(s, "/"):
		return fmt.Errorf("the glob %s ends in / and matches no file: write %s**", document.Quote(s), s)
	case strings.Contains(s, "//"):
		return fmt.Errorf("the glob %s holds //: write one /", document.Quote(s))
	}
	return checkPattern(s)
}

func checkPattern(s string) error {
	if len(s) > maxGlob {
		return fmt.Errorf("the glob has more than %d bytes", maxGlob)
	}
	if !doublestar.ValidatePattern(s) {
		return fmt.Errorf("%s is not a glob: a [ or { is not closed, or a class is empty; *, **, ?, [abc] and {one,two} are understood", document.Quote(s))
	}
	products, depth, commas := 1, 0, 0
	for _, c := range s {
		switch {
		case c == '{':
			if depth++; depth > 1 {
				return fmt.Errorf("the glob %s has braces within braces: write several globs", document.Quote(s))
			}
			commas = 0
		case c == ',' && depth > 0:
			commas++
		case c == '}' && depth > 0:
			depth--
			if products *= commas + 1; products > maxProducts {
				return fmt.Errorf("the braces of the glob %s stand for more than %d globs: write fewer", document.Quote(s), maxProducts)
			}
		}
	}
	return nil
}

// matches reports whether a slash path matches the glob. A glob that is not valid
// matches nothing.
func matches(glob, path string) bool {
	ok, err := doublestar.Match(glob, path)
	return ok && err == nil
}

func matchesAny(globs []string, path string) bool {
	for _, g := range globs {
		if matches(g, path) {
			return true
		}
	}
	return false
}

// EnvironmentsOf returns the names of the environments whose paths match a slash
// path relative to the repository root, in the order of the file.
func (c *Config) EnvironmentsOf(path string) []string {
	var names []string
	for _, e := range c.Environments {
		if matchesAny(e.Paths, path) {
			names = append(names, e.Name)
		}
	}
	return names
}

// IncludersOf returns the names of the environments whose includes match a path.
func (c *Config) IncludersOf(path string) []string {
	var names []string
	for _, e := range c.Environments {
		if matchesAny(e.Includes, path) {
			names = append(names, e.Name)
		}
	}
	return names
}

// Excluded reports whether pin.exclude matches a path.
func (c *Config) Excluded(path string) bool { return matchesAny(c.Pin.Exclude, path) }
