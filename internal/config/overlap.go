package config

import (
	"fmt"

	"github.com/pinnace-dev/pinnace/internal/document"
)

// checkPaths finds one glob in the paths of two environments.
func (c *Config) checkPaths() Problems {
	var ps Problems
	owner := map[string]int{}
	for i, e := range c.Environments {
		for j, glob := range e.Paths {
			first, taken := owner[glob]
			if taken && first != i && glob != "" {
				ps = append(ps, c.problem(Error, fmt.Sprintf("/environments/%d/paths/%d", i, j),
					"%s is in the paths of environment %s, too: a file belongs to one environment; narrow one of them", document.Quote(glob), c.Environments[first].Name))
			} else if !taken {
				owner[glob] = i
			}
		}
	}
	return ps
}

// Overlaps returns an error for each two environments that a file is in the paths
// of; it names the first such file and the globs. Paths are slash paths relative to the
// repository root.
func (c *Config) Overlaps(paths []string) Problems {
	type pair struct{ a, b int }
	type clash struct {
		globA, glob int
		path        string
		count       int
	}
	found := map[pair]*clash{}
	for _, path := range paths {
		var in []int
		var globs []int
		for i, e := range c.Environments {
			for j, glob := range e.Paths {
				if matches(glob, path) {
					in, globs = append(in, i), append(globs, j)
					break
				}
			}
		}
		for x := range in {
			for y := x + 1; y < len(in); y++ {
				key := pair{in[x], in[y]}
				if p := found[key]; p != nil {
					p.count++
				} else {
					found[key] = &clash{globs[x], globs[y], path, 1}
				}
			}
		}
	}
	var ps Problems
	for key, p := range found {
		more := ""
		if p.count > 1 {
			more = fmt.Sprintf(" and %d more", p.count-1)
		}
		ps = append(ps, c.problem(Error, fmt.Sprintf("/environments/%d/paths/%d", key.b, p.glob),
			"%s%s is in the paths of environments %s (%s) and %s (%s): a file belongs to one environment; narrow one of the globs, or list a shared file under includes",
			p.path, more, c.Environments[key.a].Name, c.Environments[key.a].Paths[p.globA], c.Environments[key.b].Name, c.Environments[key.b].Paths[p.glob]))
	}
	return ps.Tidy()
}

// Unmatched returns a warning for each glob of files that matches none of the paths.
func (c *Config) Unmatched(paths []string) Problems {
	var ps Problems
	look := func(at string, globs []string) {
		for i, glob := range globs {
			if !anyMatch(glob, paths) {
				ps = append(ps, c.problem(Warning, fmt.Sprintf("%s/%d", at, i), "%s matches no file%s", document.Quote(glob), deeper(glob, paths)))
			}
		}
	}
	for i, e := range c.Environments {
		look(fmt.Sprintf("/environments/%d/paths", i), e.Paths)
		look(fmt.Sprintf("/environments/%d/includes", i), e.Includes)
	}
	for i, a := range c.Apps {
		look(fmt.Sprintf("/apps/%d/paths", i), a.Paths)
	}
	look("/pin/exclude", c.Pin.Exclude)
	for i, x := range c.Pin.Extra {
		look(fmt.Sprintf("/pin/extra/%d/paths", i), x.Paths)
	}
	return ps.Tidy()
}

func anyMatch(glob string, paths []string) bool {
	for _, path := range paths {
		if matches(glob, path) {
			return true
		}
	}
	return false
}

// deeper says that the glob names a directory.
func deeper(glob string, paths []string) string {
	if anyMatch(glob+"/**", paths) {
		return ": it names a directory; write " + glob + "/**"
	}
	return ""
}
