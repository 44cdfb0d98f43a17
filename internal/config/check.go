package config

import (
	"fmt"

	"github.com/pinnace-dev/pinnace/internal/document"
)

// check returns the mistakes that span several values. Values that the schema
// refused are empty here, and skipped.
func (c *Config) check() Problems {
	var ps Problems
	ps = append(ps, c.checkNames()...)
	ps = append(ps, c.checkOrder()...)
	ps = append(ps, c.checkPaths()...)
	ps = append(ps, c.checkApps()...)
	ps = append(ps, c.checkRoles()...)
	ps = append(ps, c.checkNotify()...)
	return ps
}

// problem is a mistake at a JSON pointer.
func (c *Config) problem(severity Severity, pointer, format string, args ...any) Problem {
	m := c.marks[pointer]
	message := fmt.Sprintf(format, args...)
	if name := document.Dotted(pointer); name != "" {
		message = name + ": " + message
	}
	return Problem{File: c.file, Line: m.Line, Column: m.Column, Severity: severity, Message: message}
}

func (c *Config) environmentNames() []string {
	var names []string
	for _, e := range c.Environments {
		if e.Name != "" {
			names = append(names, e.Name)
		}
	}
	return names
}

// checkNames finds names that are given twice.
func (c *Config) checkNames() Problems {
	var ps Problems
	line := func(pointer string) int { l, _ := c.Locate(pointer); return l }
	first := map[string]int{}
	for i, e := range c.Environments {
		at := fmt.Sprintf("/environments/%d/name", i)
		if l, twice := first[e.Name]; twice && e.Name != "" {
			ps = append(ps, c.problem(Error, at, "a second environment %s, the first is in line %d: rename one, or join their paths", e.Name, l))
			continue
		}
		first[e.Name] = line(at)
	}
	clear(first)
	for i, a := range c.Apps {
		at := fmt.Sprintf("/apps/%d/name", i)
		if l, twice := first[a.Name]; twice && a.Name != "" {
			ps = append(ps, c.problem(Error, at, "a second app %s, the first is in line %d: rename one, or join their images", a.Name, l))
			continue
		}
		first[a.Name] = line(at)
	}
	return ps
}

func (c *Config) checkNotify() Problems {
	var ps Problems
	names := c.environmentNames()
	for i, n := range c.Notify {
		for j, name := range n.Environments {
			if _, ok := c.Environment(name); !ok && name != "" {
				ps = append(ps, c.problem(Error, fmt.Sprintf("/notify/%d/environments/%d", i, j), "unknown environment %s%s", document.Quote(name), document.HintUnless(len(ps) > document.MaxProblems, name, names)))
			}
		}
	}
	return ps
}
