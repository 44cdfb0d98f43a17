package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/pinnace-dev/pinnace/internal/document"
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
	return document.CheckGlob(s)
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
