package reference

import (
	"cmp"
	"fmt"
	"strings"
)

func (p Program) cli() string {
	var b strings.Builder
	b.WriteString("What each form of output holds is in [output.md](../output.md), what an exit status means in [errors.md](errors.md#exit-statuses). Every command prints its help with `-h` or `--help`. `pinnace completion` has shells complete commands, and the names of environments and apps.\n\n")
	var rows [][]string
	each(p.Root, func(c Command) {
		if len(c.Children) == 0 {
			rows = append(rows, []string{"[" + code(c.Path) + "](#" + anchor(c.Path) + ")", prose(c.Short)})
		}
	})
	table(&b, []string{"command", "what it does"}, rows)
	top := p.Root
	top.Children = nil // they have just been listed
	b.WriteString(top.section())
	for _, child := range p.Root.Children {
		each(child, func(c Command) { b.WriteString(c.section()) })
	}
	b.WriteString("## Environment variables\n\nFlags win over variables.\n\n")
	rows = nil
	for _, v := range p.Env {
		rows = append(rows, []string{code(v.Name), prose(v.Text)})
	}
	table(&b, []string{"variable", "what it does"}, rows)
	return b.String()
}

// each visits a command and what is below it, parents first.
func each(c Command, visit func(Command)) {
	visit(c)
	for _, child := range c.Children {
		each(child, visit)
	}
}

// section is the part of the page that is about one command.
func (c Command) section() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n", c.Path)
	block(&b, "text", c.Usage)
	for _, part := range paragraphs(cmp.Or(c.Long, c.Short)) {
		if part.verbatim {
			block(&b, "text", part.text)
		} else {
			b.WriteString(prose(part.text) + "\n\n")
		}
	}
	if len(c.Children) > 0 {
		var rows [][]string
		for _, child := range c.Children {
			rows = append(rows, []string{"[" + code(child.Path) + "](#" + anchor(child.Path) + ")", prose(child.Short)})
		}
		table(&b, []string{"command", "what it does"}, rows)
	}
	if len(c.Examples) > 0 {
		block(&b, "sh", strings.Join(c.Examples, "\n"))
	}
	if len(c.Flags) > 0 {
		var rows [][]string
		for _, f := range c.Flags {
			rows = append(rows, []string{code(f.spelled()), code(f.Default), prose(f.Text)})
		}
		table(&b, []string{"flag", "default", "what it does"}, rows)
	}
	return b.String()
}

// spelled is the flag as it is written.
func (f Flag) spelled() string {
	s := "--" + f.Name
	if f.Letter != "" {
		s = "-" + f.Letter + ", " + s
	}
	if f.Value != "" {
		s += " " + f.Value
	}
	return s
}

// A paragraph of plain text; one whose lines are indented is shown as it is.
type paragraph struct {
	text     string
	verbatim bool
}

// paragraphs parts a text at its empty lines.
func paragraphs(text string) []paragraph {
	var all []paragraph
	for part := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		if part = strings.Trim(part, "\n"); part == "" {
			continue
		}
		if indent := len(part) - len(strings.TrimLeft(part, " \t")); indent > 0 {
			lines := strings.Split(part, "\n")
			for i, l := range lines {
				lines[i] = strings.TrimPrefix(l, part[:indent])
			}
			all = append(all, paragraph{strings.Join(lines, "\n"), true})
			continue
		}
		all = append(all, paragraph{part, false})
	}
	return all
}

// anchor is the name that GitHub gives a heading of letters, digits, spaces and hyphens.
func anchor(heading string) string {
	return strings.ReplaceAll(strings.ToLower(heading), " ", "-")
}
