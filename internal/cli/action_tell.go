package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/action"
	"github.com/pinnace-dev/pinnace/internal/report"
)

// tell writes annotations, the summary, the file of findings and the outputs.
func (s *step) tell() error {
	var told told
	for _, r := range s.results {
		told.add(r)
		if c, ok := r.(report.Check); ok {
			if err := c.GitHub(s.log.Unmuzzled()); err != nil {
				return err
			}
		}
	}
	var failed error
	if s.in.SARIFFile != "" {
		told.sarif = s.in.SARIFFile
		if err := s.sarif(); err != nil {
			s.fail("input sarif-file: " + err.Error())
			told.sarif, failed = "", exit(exitError)
		}
	}
	if err := s.summarize(told.opened); err != nil {
		return err
	}
	document, err := s.json()
	if err != nil {
		return err
	}
	return cmp.Or(action.AppendOutputs(s.run.OutputFile, append(told.outputs(), action.Output{Name: "json", Value: document})), failed)
}

// sarif writes all findings as one file.
func (s *step) sarif() error {
	var all report.Check
	for _, r := range s.results {
		if c, ok := r.(report.Check); ok {
			all.Findings = append(all.Findings, c.Findings...)
			all.Unanswered = append(all.Unanswered, c.Unanswered...)
			all.Root = "."
		}
	}
	var b bytes.Buffer
	if err := all.SARIF(&b, versionNumber()); err != nil {
		return err
	}
	return replace(s.in.SARIFFile, b.Bytes())
}

// replace writes a file at once, in the place of what has its name. A relative one, and one of
// the working directory, is written below that: what was checked out may hold symbolic links,
// and none of them leads out, or is written through.
func replace(file string, data []byte) error {
	dir, name := filepath.Split(file)
	if here, err := os.Getwd(); err == nil {
		if below, err := filepath.Rel(here, file); err == nil && filepath.IsLocal(below) {
			file = below
		}
	}
	if !filepath.IsAbs(file) {
		dir, name = ".", file
	}
	root, err := os.OpenRoot(cmp.Or(dir, "."))
	if err != nil {
		return err
	}
	defer root.Close()
	part := name + ".part"
	if err := root.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = root.Rename(part, name)
	}
	if err != nil {
		_ = root.Remove(part)
	}
	return err
}

// summarize appends to the summary of the job. opened says that a pull request was opened or moved.
func (s *step) summarize(opened bool) error {
	var b bytes.Buffer
	for _, r := range s.results {
		r.Summary(&b)
		b.WriteString("\n")
	}
	for _, text := range s.failed {
		report.Failure{Command: cmp.Or(s.in.Command, "action"), Error: text}.Summary(&b)
	}
	if opened && s.token() == action.WorkflowToken {
		s.note(action.NoWorkflows)
		b.WriteString("> " + action.NoWorkflows + "\n")
	}
	return action.AppendSummary(s.run.SummaryFile, b.Bytes()[:min(b.Len(), action.MaxSummary)])
}

// json is the result, or a list where several verbs are run; "" where there is none, and where it
// is too large for an output.
func (s *step) json() (string, error) {
	var all []string
	size := 0
	for _, r := range s.results {
		var b bytes.Buffer
		if err := r.JSON(&b); err != nil {
			return "", err
		}
		all = append(all, strings.TrimSpace(b.String()))
		size += b.Len()
	}
	switch {
	case size > action.MaxOutput/2:
		s.note(fmt.Sprintf("the output json is left empty: it would have %d KiB", size>>10))
		return "", nil
	case !s.several:
		return strings.Join(all, ""), nil
	}
	return "[" + strings.Join(all, ",\n") + "]", nil
}
