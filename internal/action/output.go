package action

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxOutput is how many bytes of one output are written at most. GitHub takes 1 MB of outputs
// of a job, counted as UTF-16
// (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idoutputs).
const MaxOutput = 400 << 10

// MaxSummary is how many bytes of a step's summary GitHub takes
// (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits).
const MaxSummary = 1 << 20

// An Output is one of the step's.
type Output struct{ Name, Value string }

// AppendOutputs appends outputs to the file that GITHUB_OUTPUT names, in one write. Each value
// stands between two lines of a random word that is not in it, so that no value can begin
// another output
// (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings).
// A file "" is no place to tell anybody, and nothing is done. A value is refused that has more
// than [MaxOutput] bytes, is no UTF-8 or has a byte 0.
func AppendOutputs(file string, outs []Output) error {
	if file == "" || len(outs) == 0 {
		return nil
	}
	var b bytes.Buffer
	for _, o := range outs {
		switch {
		case !outputName(o.Name):
			return fmt.Errorf("write outputs: %q is no name of an output", o.Name)
		case len(o.Value) > MaxOutput:
			return fmt.Errorf("write output %s: it has %d bytes, and at most %d can be told", o.Name, len(o.Value), MaxOutput)
		case !utf8.ValidString(o.Value) || strings.IndexByte(o.Value, 0) >= 0:
			return fmt.Errorf("write output %s: it is no text", o.Name)
		}
		end := delimiter(o.Value)
		fmt.Fprintf(&b, "%s<<%s\n%s\n%s\n", o.Name, end, o.Value, end)
	}
	return appendTo(file, b.Bytes(), "outputs", "GITHUB_OUTPUT")
}

// delimiter returns a random word that is not in s.
func delimiter(s string) string {
	for {
		if word := "end_" + rand.Text(); !strings.Contains(s, word) {
			return word
		}
	}
}

func outputName(s string) bool {
	return s != "" && len(s) <= 100 && made(s, "-_") && (s[0] == '_' || s[0] > '9')
}

// Lines joins names to the value of an output, one a line. A name that holds a line's end or
// another control character, or begins with a quote, is quoted as in Go, so that it stays one.
func Lines(names []string) string {
	var lines []string
	for _, n := range names {
		if !fit(n) || strings.HasPrefix(n, `"`) {
			n = strconv.Quote(n)
		}
		lines = append(lines, n)
	}
	return strings.Join(lines, "\n")
}

// AppendSummary appends Markdown to the file that GITHUB_STEP_SUMMARY names. A file "" is no
// place to tell anybody, and nothing is done. More than [MaxSummary] bytes are refused: GitHub
// would show none of it.
func AppendSummary(file string, markdown []byte) error {
	switch {
	case file == "" || len(markdown) == 0:
		return nil
	case len(markdown) > MaxSummary:
		return fmt.Errorf("write the summary: it has %d bytes, and GitHub takes %d", len(markdown), MaxSummary)
	}
	return appendTo(file, markdown, "the summary", "GITHUB_STEP_SUMMARY")
}

// appendTo writes to a file of the runner's.
func appendTo(file string, data []byte, what, variable string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return fmt.Errorf("write %s: %s: %w", what, variable, err)
	}
	n, err := f.Write(data)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite // unreachable: os.File writes all or returns an error
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %s: %w", what, variable, err)
	}
	return nil
}
