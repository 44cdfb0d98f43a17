package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/pinnace-dev/pinnace/internal/check"
)

// A Check is what `pinnace check` has to say. Root is what the user named, before the
// paths of the findings.
type Check struct {
	Findings   []check.Finding `json:"findings"`
	Unanswered []Unanswered    `json:"unanswered"`
	Files      int             `json:"files"`  // looked at
	Images     int             `json:"images"` // found in them
	Offline    bool            `json:"offline"`
	Root       string          `json:"-"`
}

// An Unanswered image could not be compared with its registry.
type Unanswered struct {
	Image string `json:"image"`
	Error string `json:"error"`
}

// Text writes one line for each finding, then a table of the rules that were broken.
func (c Check) Text(w io.Writer) {
	for _, f := range c.Findings {
		paint := color.New(color.FgYellow)
		if f.Severity == check.Error {
			paint = color.New(color.FgRed)
		}
		where := Plain(f.Object)
		if where == "" {
			where = Plain(f.Place)
		}
		if where != "" {
			where = color.New(color.Faint).Sprintf("  [%s]", where)
		}
		fmt.Fprintf(w, "%s:%s: %s %s%s\n", Plain(f.Path), f.Position, paint.Sprint(f.Code), Plain(f.Message), where)
	}
	for _, u := range c.Unanswered {
		fmt.Fprintf(w, "%s %s\n", color.New(color.FgRed).Sprint("no answer:"), Plain(u.Error))
	}
	if len(c.Findings) > 0 {
		fmt.Fprintln(w)
		c.rules(w)
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, c.summary())
}

func (c Check) rules(w io.Writer) {
	t := newTable()
	for _, r := range check.Rules() {
		n, files := 0, map[string]bool{}
		for _, f := range c.Findings {
			if f.Code == r.Code {
				n++
				files[f.Path] = true
			}
		}
		if n > 0 {
			t.AppendRow(table.Row{color.New(color.Bold).Sprint(r.Code), n, "in " + count(len(files), "file"), r.Short, c.next(r.Code)})
		}
	}
	fmt.Fprintln(w, t.Render())
}

// next is the command that mends most findings of a rule.
func (c Check) next(code check.Code) string {
	root := Shell(cmp.Or(c.Root, "."))
	switch code {
	case check.Unpinned, check.UnPinning:
		return "pinnace pin " + root
	case check.Moved, check.Gone:
		return "pinnace pin --update " + root
	case check.Platform:
		return "pinnace pin --lift " + root
	}
	return "edit by hand"
}

func (c Check) summary() string {
	what := fmt.Sprintf("%s in %s", count(c.Images, "image"), count(c.Files, "file"))
	note := ""
	if c.Offline {
		note = " (offline: no registry was asked)"
	}
	if len(c.Unanswered) > 0 {
		note = fmt.Sprintf(", and %s could not be checked", count(len(c.Unanswered), "image"))
	}
	if len(c.Findings) == 0 {
		if len(c.Unanswered) > 0 {
			return what + ": no finding" + note
		}
		return color.New(color.FgGreen).Sprint(what+": no finding") + note
	}
	return fmt.Sprintf("%s: %s%s", what, color.New(color.Bold).Sprint(count(len(c.Findings), "finding")), note)
}

// JSON writes the report as one object; docs/output.md describes it.
func (c Check) JSON(w io.Writer) error {
	if c.Findings == nil {
		c.Findings = []check.Finding{}
	}
	if c.Unanswered == nil {
		c.Unanswered = []Unanswered{}
	}
	return writeJSON(w, c)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func newTable() table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleDefault)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Box.PaddingLeft, t.Style().Box.PaddingRight = "", "  "
	t.SuppressTrailingSpaces()
	return t
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "y") {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
