package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/check"
)

// GitHub writes one workflow command for each finding, which the runner shows on its
// line
// (https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions).
func (c Check) GitHub(w io.Writer) error {
	for _, f := range c.Findings {
		command := "warning"
		if f.Severity == check.Error {
			command = "error"
		}
		end := ""
		if f.End > 0 {
			end = fmt.Sprintf(",endColumn=%d", f.End)
		}
		_, err := fmt.Fprintf(w, "::%s file=%s,line=%d,col=%d%s,title=%s::%s\n", command, property(f.Path), f.Position.Line, f.Position.Column, end,
			property(string(f.Code)), data(Plain(f.Message)+hint(f)))
		if err != nil {
			return err
		}
	}
	for _, u := range c.Unanswered {
		if _, err := fmt.Fprintf(w, "::error title=no answer::%s\n", data(Plain(u.Error))); err != nil {
			return err
		}
	}
	return nil
}

// data escapes what follows the second pair of colons, as the runner unescapes it
// (https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts).
func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// property escapes the value of a property.
func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
