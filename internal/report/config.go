package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"
	"github.com/jedib0t/go-pretty/v6/table"
)

// A Config is what `pinnace config validate` has to say.
type Config struct {
	File         string               `json:"file"`
	Problems     []ConfigProblem      `json:"problems"`
	Environments []*ConfigEnvironment `json:"environments"`
	Unassigned   []string             `json:"unassigned"` // files with images that are in no environment
}

// A ConfigProblem is a mistake or a warning at a place.
type ConfigProblem struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	Text     string `json:"-"`
}

// A ConfigEnvironment is what stands in one environment.
type ConfigEnvironment struct {
	Name       string   `json:"name"`
	Production bool     `json:"production"`
	Files      int      `json:"files"`
	Images     int      `json:"images"`
	Pinned     int      `json:"pinned"`
	Apps       []string `json:"apps"`
}

// JSON writes the report as one object; docs/output.md describes it.
func (c Config) JSON(w io.Writer) error {
	if c.Problems == nil {
		c.Problems = []ConfigProblem{}
	}
	if c.Environments == nil {
		c.Environments = []*ConfigEnvironment{}
	}
	if c.Unassigned == nil {
		c.Unassigned = []string{}
	}
	for _, e := range c.Environments {
		if e.Apps == nil {
			e.Apps = []string{}
		}
	}
	return writeJSON(w, c)
}

// mostUnassigned is how many files of no environment are named.
const mostUnassigned = 10

// Text writes the mistakes, then a table of the environments.
func (c Config) Text(w io.Writer) {
	failed := 0
	for _, p := range c.Problems {
		paint := color.New(color.FgYellow)
		if p.Severity == "error" {
			paint = color.New(color.FgRed)
			failed++
		}
		fmt.Fprintln(w, paint.Sprint(Plain(p.Text)))
	}
	if failed > 0 {
		fmt.Fprintf(w, "%s: %s\n", c.File, color.New(color.FgRed).Sprint(count(failed, "error")))
		return
	}
	if len(c.Environments) > 0 {
		t := newTable()
		t.AppendRow(table.Row{"ENVIRONMENT", "FILES", "IMAGES", "PINNED", "APPS"})
		for _, e := range c.Environments {
			name := e.Name
			if e.Production {
				name += " (production)"
			}
			t.AppendRow(table.Row{color.New(color.Bold).Sprint(name), e.Files, e.Images, e.Pinned, Plain(strings.Join(e.Apps, ", "))})
		}
		fmt.Fprintln(w, t.Render())
	}
	if n := len(c.Unassigned); n > 0 {
		fmt.Fprintf(w, "%s with images in no environment:\n", color.New(color.FgYellow).Sprint(count(n, "file")))
		for i, file := range c.Unassigned {
			if i == mostUnassigned {
				fmt.Fprintf(w, "  and %d more (-o json lists all)\n", n-i)
				break
			}
			fmt.Fprintf(w, "  %s\n", Plain(file))
		}
	}
	fmt.Fprintf(w, "%s: %s\n", c.File, color.New(color.FgGreen).Sprint("valid"))
}
