package report

import (
	"io"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/check"
)

// The Reviewdog Diagnostic Format
// (https://github.com/reviewdog/reviewdog/tree/master/proto/rdf). Its columns count
// bytes.
type (
	rdResult struct {
		Source      rdSource       `json:"source"`
		Diagnostics []rdDiagnostic `json:"diagnostics"`
	}
	rdSource struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	rdDiagnostic struct {
		Message  string     `json:"message"`
		Location rdLocation `json:"location"`
		Severity string     `json:"severity"`
		Code     rdCode     `json:"code"`
	}
	rdCode struct {
		Value string `json:"value"`
		URL   string `json:"url"`
	}
	rdLocation struct {
		Path  string  `json:"path"`
		Range rdRange `json:"range"`
	}
	rdRange struct {
		Start rdPosition  `json:"start"`
		End   *rdPosition `json:"end,omitempty"`
	}
	rdPosition struct {
		Line   int `json:"line"`
		Column int `json:"column,omitempty"`
	}
)

// RDJSON writes the findings for reviewdog.
func (c Check) RDJSON(w io.Writer) error {
	out := rdResult{Source: rdSource{"pinnace", Home}, Diagnostics: []rdDiagnostic{}}
	for _, f := range c.Findings {
		d := rdDiagnostic{
			Message:  Plain(f.Message) + hint(f),
			Location: rdLocation{Path: f.Path, Range: rdRange{Start: rdPosition{f.Position.Line, f.Byte}}},
			Severity: "WARNING",
			Code:     rdCode{string(f.Code), Home + "/blob/main/docs/findings.md#" + strings.ToLower(string(f.Code))},
		}
		if f.Severity == check.Error {
			d.Severity = "ERROR"
		}
		if f.End > 0 && f.Byte > 0 {
			d.Location.Range.End = &rdPosition{f.Position.Line, f.Byte + len(f.Image)}
		}
		out.Diagnostics = append(out.Diagnostics, d)
	}
	return writeJSON(w, out)
}
