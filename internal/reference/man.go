package reference

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Man returns a man page of section 1 for each command, by the names of their files. They are
// written in the macros of man(7) (https://man.openbsd.org/man.7), which every reader knows.
func Man(p Program) map[string][]byte {
	pages := map[string][]byte{}
	var names []string
	each(p.Root, func(c Command) { names = append(names, manName(c)) })
	each(p.Root, func(c Command) { pages[manName(c)+".1"] = p.man(c, names) })
	return pages
}

// manName is the name of a page, such as pinnace-config-init.
func manName(c Command) string { return strings.ReplaceAll(c.Path, " ", "-") }

func (p Program) man(c Command, names []string) []byte {
	var b strings.Builder
	name := manName(c)
	fmt.Fprintf(&b, ".TH %s 1 %q %s %s\n", quoted(strings.ToUpper(name)), p.Date, quoted("pinnace "+p.Version), quoted("Pinnace"))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(c.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(c.Path))
	if arguments := strings.TrimPrefix(c.Usage, c.Path+" "); arguments != c.Usage {
		b.WriteString(roff(arguments) + "\n")
	}
	b.WriteString(".SH DESCRIPTION\n")
	for i, part := range paragraphs(cmp.Or(c.Long, c.Short)) {
		switch {
		case part.verbatim:
			b.WriteString(".PP\n")
			verbatim(&b, part.text)
		case i > 0:
			b.WriteString(".PP\n" + roff(part.text) + "\n")
		default:
			b.WriteString(roff(part.text) + "\n")
		}
	}
	if len(c.Children) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, child := range c.Children {
			fmt.Fprintf(&b, ".TP\n.BR %s (1)\n%s\n", roff(manName(child)), roff(child.Short))
		}
	}
	if len(c.Flags) > 0 {
		b.WriteString(".SH OPTIONS\n")
		for _, f := range c.Flags {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(f.spelled()), roff(f.Text+f.standard()))
		}
	}
	if len(c.Examples) > 0 {
		b.WriteString(".SH EXAMPLES\n")
		verbatim(&b, strings.Join(c.Examples, "\n"))
	}
	b.WriteString(".SH EXIT STATUS\n")
	verb := strings.TrimPrefix(c.Path, p.Root.Path+" ")
	for _, e := range p.Exits {
		means := e.Means
		i := slices.IndexFunc(e.Verbs, func(m Meaning) bool { return m.Verb == verb })
		if i >= 0 {
			means = e.Verbs[i].Means
		} else if e.Only && c.Path != p.Root.Path {
			continue
		}
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", strconv.Itoa(e.Status), roff(means))
	}
	if c.Path == p.Root.Path {
		b.WriteString(".SH ENVIRONMENT\n")
		for _, v := range p.Env {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(v.Name), roff(v.Text))
		}
	}
	b.WriteString(".SH SEE ALSO\n" + seeAlso(name, names) + "\n")
	return []byte(b.String())
}

// standard is the flag's default as a part of its text.
func (f Flag) standard() string {
	if f.Default == "" {
		return ""
	}
	return " (default " + f.Default + ")"
}

// seeAlso names the page above, the pages below, and beside the program's own all pages.
func seeAlso(name string, names []string) string {
	var all []string
	for _, other := range names {
		inside := strings.HasPrefix(other, name+"-") && !strings.Contains(other[len(name)+1:], "-")
		above := strings.HasPrefix(name, other+"-")
		if inside || above {
			all = append(all, other)
		}
	}
	slices.Sort(all)
	for i, other := range all {
		all[i] = ".BR " + roff(other) + " (1)"
		if i < len(all)-1 {
			all[i] += ","
		}
	}
	return strings.Join(all, "\n")
}

// verbatim writes lines as they are, indented.
func verbatim(b *strings.Builder, text string) {
	b.WriteString(".RS 4\n.nf\n" + roff(text) + "\n.fi\n.RE\n")
}

// roff escapes plain text: backslashes, hyphens that are to be copied as such, and what a line
// may not begin with.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", "", "\t", "    ").Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

// quoted is an argument of a macro.
func quoted(s string) string { return `"` + strings.ReplaceAll(roff(s), `"`, `\(dq`) + `"` }
