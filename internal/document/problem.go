package document

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Severity says whether a problem stops its file from being used.
type Severity int

// The severities.
const (
	Error Severity = iota
	Warning
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// MarshalText spells "error" or "warning".
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Problem is a mistake and its place. Line and Column count from 1, columns in
// characters; they are 0 where there is no place.
type Problem struct {
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Column   int      `json:"column"`
	Message  string   `json:"message"`
	Severity Severity `json:"severity"`
	Snippet  string   `json:"snippet,omitempty"` // of a condition: its line, and a caret below
}

// Error spells file:line:column: message, with "warning: " before the message of a
// warning.
func (p Problem) Error() string {
	message := p.Message
	if p.Severity == Warning {
		message = "warning: " + message
	}
	switch {
	case p.Line > 0:
		return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, message)
	case p.File != "":
		return p.File + ": " + message
	}
	return message
}

func (p Problem) String() string { return p.Error() }

// Problems are the mistakes of one or more files, by place.
type Problems []Problem

// Error spells the problems, one on each line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// HasErrors reports whether one of them is more than a warning.
func (ps Problems) HasErrors() bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return p.Severity == Error })
}

// Err returns the errors without the warnings, or nil where there is none.
func (ps Problems) Err() error {
	var errs Problems
	for _, p := range ps {
		if p.Severity == Error {
			errs = append(errs, p)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errs
}

// MaxProblems is how many are worth reading.
const MaxProblems = 100

// Tidy orders the problems by place, drops repetitions, and cuts a flood short.
func (ps Problems) Tidy() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	ps = slices.Compact(ps)
	if len(ps) <= MaxProblems {
		return ps
	}
	last := ps[MaxProblems]
	more := len(ps) - MaxProblems
	severity := Warning
	if ps[MaxProblems:].HasErrors() {
		severity = Error
	}
	return append(ps[:MaxProblems:MaxProblems], Problem{
		File: last.File, Line: last.Line, Column: last.Column, Severity: severity,
		Message: fmt.Sprintf("and %d more problems: mend those above first", more),
	})
}
