package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Documents is what `pinnace policy validate` has to say.
type Documents struct {
	Directory string            `json:"directory"`
	Files     int               `json:"files"`
	Documents []Document        `json:"documents"`
	Problems  []DocumentProblem `json:"problems"`
}

// A Document is one that judges.
type Document struct {
	Kind        string `json:"kind"`
	Name        string `json:"name"`
	File        string `json:"file"`
	Line        int    `json:"line"`
	Description string `json:"description"`
	Bound       string `json:"bound"` // where it holds, for people
}

// A DocumentProblem is a mistake or a warning at a place.
type DocumentProblem struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	Snippet  string `json:"snippet,omitempty"` // two lines: of a condition, and a caret
}

// WriteProblems writes one line for each problem, and under that of a condition its line
// with a caret.
func WriteProblems(w io.Writer, all []DocumentProblem) (failed int) {
	for _, p := range all {
		paint, word := color.New(color.FgYellow), "warning: "
		if p.Severity == "error" {
			paint, word = color.New(color.FgRed), ""
			failed++
		}
		where := ""
		if p.File != "" {
			where = p.File + ": "
		}
		if p.Line > 0 {
			where = fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
		}
		fmt.Fprintln(w, paint.Sprint(Plain(where+word+p.Message)))
		for line := range strings.Lines(p.Snippet) {
			fmt.Fprintf(w, "    %s\n", Plain(strings.TrimRight(line, "\n")))
		}
	}
	return failed
}

// JSON writes the report as one object; docs/output.md describes it.
func (d Documents) JSON(w io.Writer) error {
	d.Documents, d.Problems = filled(d.Documents), filled(d.Problems)
	return writeJSON(w, d)
}

// Text writes the mistakes, or a table of the documents.
func (d Documents) Text(w io.Writer) {
	if failed := WriteProblems(w, d.Problems); failed > 0 {
		fmt.Fprintf(w, "%s: %s\n", Plain(d.Directory), color.New(color.FgRed).Sprint(count(failed, "error")))
		return
	}
	if len(d.Documents) > 0 {
		t := newTable()
		t.AppendRow(table.Row{"KIND", "NAME", "HOLDS", "FILE"})
		for _, x := range d.Documents {
			t.AppendRow(table.Row{x.Kind, color.New(color.Bold).Sprint(Plain(x.Name)), Plain(x.Bound), Plain(fmt.Sprintf("%s:%d", x.File, x.Line))})
		}
		fmt.Fprintln(w, t.Render())
	}
	fmt.Fprintf(w, "%s: %s in %s: %s\n", Plain(d.Directory), count(len(d.Documents), "document"), count(d.Files, "file"), color.New(color.FgGreen).Sprint("valid"))
}

// A PolicyTest is what `pinnace policy test` found.
type PolicyTest struct {
	Suites  []TestSuite `json:"suites"`
	Cases   int         `json:"cases"`
	Failed  int         `json:"failed"`
	Broken  int         `json:"broken"` // files that could not be read or judged
	Skipped int         `json:"skipped"`
}

// A TestSuite is one file of cases.
type TestSuite struct {
	File        string            `json:"file"`
	Description string            `json:"description"`
	Documents   []string          `json:"documents"` // the files that judge
	Problems    []DocumentProblem `json:"problems"`
	Cases       []TestCase        `json:"cases"`
}

// A TestCase is one case. Want is "" and Decision nil where it could not be judged.
type TestCase struct {
	Name     string              `json:"name"`
	Line     int                 `json:"line"`
	Passed   bool                `json:"passed"`
	Want     promotion.Status    `json:"want"`
	Got      promotion.Status    `json:"got"`
	Failures []string            `json:"failures"`
	Decision *promotion.Decision `json:"decision,omitempty"` // of a failed case
}

// JSON writes the report as one object; docs/output.md describes it.
func (p PolicyTest) JSON(w io.Writer) error {
	p.Suites = filled(p.Suites)
	for i := range p.Suites {
		s := &p.Suites[i]
		s.Documents, s.Problems, s.Cases = filled(s.Documents), filled(s.Problems), filled(s.Cases)
		for k := range s.Cases {
			c := &s.Cases[k]
			c.Failures = filled(c.Failures)
			if c.Decision != nil {
				d := filledDecision(*c.Decision)
				c.Decision = &d
			}
		}
	}
	return writeJSON(w, p)
}

// Text writes the failed cases with their trees, then a line for each file.
func (p PolicyTest) Text(w io.Writer) {
	seen := map[DocumentProblem]bool{}
	for _, s := range p.Suites {
		for _, d := range s.Problems {
			if !seen[d] {
				seen[d] = true
				WriteProblems(w, []DocumentProblem{d})
			}
		}
		for _, c := range s.Cases {
			if !c.Passed {
				c.text(w, s.File)
			}
		}
	}
	for _, s := range p.Suites {
		failed := 0
		for _, c := range s.Cases {
			if !c.Passed {
				failed++
			}
		}
		verdict := color.New(color.FgGreen).Sprint("ok    ")
		switch {
		case failed > 0:
			verdict = color.New(color.FgRed).Sprint("FAILED")
		case broken(s.Problems):
			verdict = color.New(color.FgRed).Sprint("BROKEN")
		}
		note := count(len(s.Cases), "case")
		if failed > 0 {
			note = fmt.Sprintf("%d of %s failed", failed, note)
		}
		fmt.Fprintf(w, "%s  %s  %s%s\n", verdict, Plain(s.File), note, judgedBy(s))
	}
	total := fmt.Sprintf("%s in %s", count(p.Cases, "case"), count(len(p.Suites), "file"))
	if p.Skipped > 0 {
		total += fmt.Sprintf(", %d not run", p.Skipped)
	}
	switch {
	case p.Broken > 0:
		fmt.Fprintf(w, "%s: %s\n", total, color.New(color.FgRed).Sprintf("%s broken", count(p.Broken, "file")))
	case p.Failed > 0:
		fmt.Fprintf(w, "%s: %s\n", total, color.New(color.FgRed).Sprintf("%d failed", p.Failed))
	default:
		fmt.Fprintf(w, "%s: %s\n", total, color.New(color.FgGreen).Sprint("all hold"))
	}
}

func broken(all []DocumentProblem) bool {
	for _, p := range all {
		if p.Severity == "error" {
			return true
		}
	}
	return false
}

// judgedBy names the documents of a suite.
func judgedBy(s TestSuite) string {
	switch len(s.Documents) {
	case 0:
		return ""
	case 1:
		return color.New(color.Faint).Sprint("  judged by " + Plain(s.Documents[0]))
	}
	return color.New(color.Faint).Sprint("  judged by " + count(len(s.Documents), "file"))
}

func (c TestCase) text(w io.Writer, file string) {
	fmt.Fprintf(w, "%s %s\n", color.New(color.FgRed, color.Bold).Sprint("failed:"), color.New(color.Bold).Sprint(Plain(fmt.Sprintf("%s:%d: %s", file, c.Line, c.Name))))
	for _, f := range c.Failures {
		fmt.Fprintf(w, "  %s\n", Plain(f))
	}
	if c.Decision != nil {
		tree{w: w, indent: "    "}.decision(*c.Decision)
	}
	fmt.Fprintf(w, "    %s %s\n\n", color.New(color.FgCyan).Sprint("next:"), "pinnace policy explain "+Shell(file+"#"+c.Name))
}

// The elements of JUnit's report, as Jenkins and GitLab read them
// (https://github.com/testmoapp/junitxml).
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		File     string      `xml:"file,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string      `xml:"name,attr"`
		Class   string      `xml:"classname,attr"`
		File    string      `xml:"file,attr"`
		Line    int         `xml:"line,attr,omitempty"`
		Failure *junitWords `xml:"failure"`
		Error   *junitWords `xml:"error"`
	}
	junitWords struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",cdata"`
	}
)

// JUnit writes the report in JUnit's form. A file that is broken is a case with an error.
func (p PolicyTest) JUnit(w io.Writer) error {
	var out junitSuites
	for _, s := range p.Suites {
		file := Plain(s.File)
		suite := junitSuite{Name: file, File: file}
		add := func(c junitCase) {
			c.Class, c.File = file, file
			suite.Cases = append(suite.Cases, c)
			suite.Tests++
			if c.Failure != nil {
				suite.Failures++
			}
			if c.Error != nil {
				suite.Errors++
			}
		}
		for _, d := range s.Problems {
			if d.Severity == "error" {
				message := Plain(fmt.Sprintf("%s:%d:%d: %s", d.File, d.Line, d.Column, d.Message))
				add(junitCase{Name: "the file can be read", Line: d.Line, Error: &junitWords{message, "broken", inXML(message)}})
			}
		}
		for _, c := range s.Cases {
			words := junitCase{Name: Plain(c.Name), Line: c.Line}
			if !c.Passed {
				var b strings.Builder
				plainly(func() { c.text(&b, s.File) })
				words.Failure = &junitWords{Plain(strings.Join(c.Failures, "; ")), "failed", inXML(b.String())}
			}
			add(words)
		}
		out.Tests, out.Failures, out.Errors = out.Tests+suite.Tests, out.Failures+suite.Failures, out.Errors+suite.Errors
		out.Suites = append(out.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// inXML replaces the two characters that XML 1.0 has no form for and [Plain] lets pass.
func inXML(s string) string {
	return strings.NewReplacer("\ufffe", "\ufffd", "\uffff", "\ufffd").Replace(s)
}

// plainly prints without colour.
func plainly(print func()) {
	was := color.NoColor
	color.NoColor = true
	print()
	color.NoColor = was
}

// A CaseKey is a key of a case, as `pinnace policy test --keys` lists it.
type CaseKey struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	Meaning string `json:"meaning"`
}

// CaseKeys are all keys of a case.
type CaseKeys struct {
	Keys []CaseKey `json:"keys"`
}

// JSON writes the keys as one object; docs/output.md describes it.
func (k CaseKeys) JSON(w io.Writer) error { return writeJSON(w, k) }

// Text writes two lines for each key.
func (k CaseKeys) Text(w io.Writer) {
	for _, x := range k.Keys {
		fmt.Fprintf(w, "%s  %s\n", color.New(color.Bold).Sprint(x.Name), x.Meaning)
		if x.Default != "" {
			fmt.Fprintf(w, "    default: %s\n", x.Default)
		}
	}
}

// A Library is the policies that `pinnace policy create --from` copies.
type Library struct {
	Policies []LibraryPolicy `json:"policies"`
}

// A LibraryPolicy is one of them.
type LibraryPolicy struct {
	Name        string `json:"name"`
	Kind        string `json:"kind"`
	Description string `json:"description"`
	Use         string `json:"use"` // when to use it
}

// JSON writes the library as one object; docs/output.md describes it.
func (l Library) JSON(w io.Writer) error { return writeJSON(w, l) }

// Text writes one line for each policy.
func (l Library) Text(w io.Writer) {
	t := newTable()
	for _, p := range l.Policies {
		t.AppendRow(table.Row{color.New(color.Bold).Sprint(p.Name), strings.TrimPrefix(p.Use, "Use it ")})
	}
	fmt.Fprintln(w, t.Render())
	fmt.Fprintln(w, "pinnace policy create --from NAME writes one, with its cases; --print shows it")
}

// A Written file is what `pinnace policy create` and `apply` wrote. File is "" where it was
// printed.
type Written struct {
	File     string            `json:"file"`
	Cases    string            `json:"cases,omitempty"` // the cases that were written beside it
	Names    []string          `json:"names"`
	Problems []DocumentProblem `json:"problems"`
}

// JSON writes the report as one object; docs/output.md describes it.
func (x Written) JSON(w io.Writer) error {
	x.Names, x.Problems = filled(x.Names), filled(x.Problems)
	return writeJSON(w, x)
}
