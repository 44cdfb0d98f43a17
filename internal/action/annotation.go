package action

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// A Level says how an annotation is shown.
type Level string

// The levels.
const (
	Notice  Level = "notice"
	Warning Level = "warning"
	Error   Level = "error"
)

// An Annotation is shown on the run's page, and on a line of a file where it names one. Its
// texts may be foreign. GitHub shows ten of each level for one step
// (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands).
type Annotation struct {
	Level   Level // "" is an error
	Title   string
	Message string
	File    string // "" = none
	Line    int    // from 1; 0 = none
}

// String is the workflow command, without the end of its line.
func (a Annotation) String() string {
	var properties []string
	add := func(name, value string) {
		if value != "" {
			properties = append(properties, name+"="+escapeProperty(value))
		}
	}
	add("file", a.File)
	if a.Line > 0 {
		add("line", fmt.Sprint(a.Line))
	}
	add("title", a.Title)
	head := string(cmp.Or(a.Level, Error))
	if len(properties) > 0 {
		head += " " + strings.Join(properties, ",")
	}
	return "::" + head + "::" + Escape(a.Message)
}

// Annotate writes an annotation on a line of its own.
func (m *Muzzled) Annotate(a Annotation) error {
	_, err := io.WriteString(m.Unmuzzled(), a.String()+"\n")
	return err
}

// Escape escapes the message of a workflow command, as the runner unescapes it
// (https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts). A line of it in
// the log is no command either.
func Escape(s string) string {
	var b strings.Builder
	m := Muzzle(&b)
	_, _ = m.Write([]byte(s)) // a Builder takes all
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(b.String())
}

// escapeProperty escapes the value of a property.
func escapeProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
