package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
)

const (
	// summaryRoom is how many bytes a page grows to before rows are left out. GitHub shows no
	// summary of a step of more than 1 MiB
	// (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits),
	// and a job may have several of them.
	summaryRoom = 256 << 10
	summaryRows = 200 // of one table or list
)

// A page is the summary of a job, in GitHub's Markdown. Its methods take Markdown: foreign text
// has gone through [code], [prose] or [link].
type page struct{ b strings.Builder }

// head begins the page with what came of it.
func (p *page) head(sign, text string) { fmt.Fprintf(&p.b, "## %s %s\n\n", sign, text) }

// section begins a part of the page.
func (p *page) section(text string) { fmt.Fprintf(&p.b, "### %s\n\n", text) }

// say adds a paragraph.
func (p *page) say(text string) {
	if text != "" {
		p.b.WriteString(text + "\n\n")
	}
}

// next adds what to do now.
func (p *page) next(text string) {
	if text != "" {
		p.say("**Next:** " + text)
	}
}

// table adds n rows below their names, and says how many more nouns there are.
func (p *page) table(noun string, names []string, n int, row func(i int) []string) {
	if n == 0 {
		return
	}
	p.b.WriteString("| " + strings.Join(names, " | ") + " |\n|" + strings.Repeat(" --- |", len(names)) + "\n")
	p.rows(n, func(i int) string { return "| " + strings.Join(row(i), " | ") + " |\n" }, noun)
}

// list adds n items, and says how many more nouns there are.
func (p *page) list(noun string, n int, item func(i int) string) {
	if n > 0 {
		p.rows(n, func(i int) string { return "- " + item(i) + "\n" }, noun)
	}
}

func (p *page) rows(n int, row func(i int) string, noun string) {
	shown := 0
	for shown < n && shown < summaryRows && p.b.Len() < summaryRoom {
		p.b.WriteString(row(shown))
		shown++
	}
	p.b.WriteByte('\n')
	if more := n - shown; more > 0 {
		p.say(fmt.Sprintf("and %s more", count(more, noun)))
	}
}

// write writes the page at once.
func (p *page) write(w io.Writer) {
	fmt.Fprintln(w, strings.TrimRight(p.b.String(), "\n"))
}

// at is a place in a file.
func at(path string, line int) string {
	if line > 0 {
		path += fmt.Sprintf(":%d", line)
	}
	return code(path)
}

// versions shows what an image is called, and its tag and short digest before and after.
func versions(before, after string) (name, from, to string) {
	old, errOld := image.Parse(before)
	now, errNow := image.Parse(after)
	if errOld != nil || errNow != nil || old.Repository() != now.Repository() {
		return code(shortened(after)), code(shortened(before)), code(shortened(after))
	}
	return code(now.Name), code(version(old)), code(version(now))
}

// version is an image's tag and short digest.
func version(r image.Ref) string {
	switch {
	case r.Digest == "":
		return r.Tag
	case r.Tag == "":
		return r.Digest.Short()
	}
	return r.Tag + "@" + r.Digest.Short()
}

// numbered links a pull request; "" where there is none.
func numbered(number int, url string) string {
	if number == 0 {
		return ""
	}
	return link(fmt.Sprintf("#%d", number), url)
}

// tally joins counts of what is there, such as "3 pinned, 1 failed".
func tally(n []int, what []string) string {
	var parts []string
	for i, c := range n {
		if c > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c, what[i]))
		}
	}
	return strings.Join(parts, ", ")
}
