package reference

import (
	"fmt"
	"strings"
)

// A Page is one file of docs/reference.
type Page struct {
	Name  string // of the file
	Title string
	About string // one line, for the list of pages
	Text  []byte // Markdown, as GitHub reads it (https://github.github.com/gfm/)
}

// Update is the command that writes the pages, from the root of the repository.
const Update = "go run ./cmd/pinnace reference --dir docs/reference"

// Pages returns every page; the first is the list of the others.
func Pages(p Program) []Page {
	pages := []Page{
		page("cli.md", "Command line", "every command with its flags, and the variables of the environment", p.cli()),
		page("configuration.md", "Configuration", "every key of `.pinnace/config.yaml`", configuration()),
		page("policy.md", "Policies", "every key of the documents in `.pinnace/policies` and of `.pinnace/freeze.yaml`", policies()),
		page("cel.md", "Conditions", "variables, functions and limits of conditions (CEL)", conditions()),
		page("findings.md", "Findings", "what `pinnace check` finds, PIN001 to PIN007, each with an example", findings()),
		page("comments.md", "Comments", "commands that Pinnace reads in comments, and every other way to act on it", comments()),
		page("checks.md", "Checks of the doctor", "what `pinnace doctor` looks at", p.checks()),
		page("metrics.md", "Metrics and log keys", "what `pinnace serve` counts, and the keys of its log", p.metrics()),
		page("errors.md", "Errors", "exit statuses, kinds of failure, and when a server tries again", p.errors()),
	}
	var b strings.Builder
	b.WriteString("Lists of all there is, printed from the code. How to use it is in [the guides](../).\n\n")
	for _, page := range pages {
		fmt.Fprintf(&b, "* [%s](%s): %s\n", page.Title, page.Name, page.About)
	}
	b.WriteString("\n`pinnace reference --dir DIR` prints these pages for the version that you have, `pinnace man --dir DIR` its man pages.\n")
	return append([]Page{page("README.md", "Reference", "this list", b.String())}, pages...)
}

func page(name, title, about, text string) Page {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n<!-- Printed from the code by `%s`; do not edit. -->\n\n", title, Update)
	b.WriteString(strings.TrimSpace(text))
	b.WriteString("\n")
	return Page{Name: name, Title: title, About: about, Text: []byte(b.String())}
}

// table writes a table. Its cells are Markdown.
func table(b *strings.Builder, head []string, rows [][]string) {
	line := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + strings.ReplaceAll(c, "|", `\|`) + " ")
		}
		b.WriteString("|\n")
	}
	line(head)
	b.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, r := range rows {
		line(r)
	}
	b.WriteString("\n")
}

// code writes a text as code within a line.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// codes writes each text as code.
func codes(all []string) string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = code(s)
	}
	return strings.Join(out, ", ")
}

// block writes a block of code.
func block(b *strings.Builder, language, text string) {
	fmt.Fprintf(b, "```%s\n%s\n```\n\n", language, strings.TrimRight(text, "\n"))
}

// prose escapes what Markdown would read in plain text; code in backticks stays.
func prose(s string) string {
	parts := strings.Split(s, "`")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = escaper.Replace(parts[i])
	}
	return strings.Join(parts, "`")
}

var escaper = strings.NewReplacer(`*`, `\*`, `<`, `&lt;`, `[`, `\[`, `]`, `\]`, `~`, `\~`)
