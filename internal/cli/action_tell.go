package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/action"
	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
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
	if err := s.summarize(); err != nil {
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

// summarize appends to the summary of the job.
func (s *step) summarize() error {
	var b bytes.Buffer
	for _, r := range s.results {
		r.Summary(&b)
		b.WriteString("\n")
	}
	for _, text := range s.failed {
		report.Failure{Command: cmp.Or(s.in.Command, "action"), Error: text}.Summary(&b)
	}
	if s.opened() && s.token() == action.WorkflowToken {
		s.note(action.NoWorkflows)
		b.WriteString("> " + action.NoWorkflows + "\n")
	}
	return action.AppendSummary(s.run.SummaryFile, b.Bytes()[:min(b.Len(), action.MaxSummary)])
}

// opened says whether a pull request was opened or moved.
func (s *step) opened() bool {
	for _, r := range s.results {
		switch r := r.(type) {
		case report.Asked:
			for _, a := range r.Answers {
				if !a.DryRun && (a.Action == "opened" || a.Action == "updated") {
					return true
				}
			}
		case report.Reconcile:
			for _, b := range r.Bases {
				for _, p := range b.Proposals {
					if !b.DryRun && (p.Action == "opened" || p.Action == "updated") {
						return true
					}
				}
			}
		}
	}
	return false
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

// told is what the outputs say.
type told struct {
	files, digests []string
	findings       int
	number         int
	url            string
	sarif          string
}

func (t *told) outputs() []action.Output {
	number := ""
	if t.number != 0 {
		number = strconv.Itoa(t.number)
	}
	digest := ""
	if len(t.digests) == 1 {
		digest = t.digests[0]
	}
	files := action.Lines(t.files)
	if len(files) > action.MaxOutput/4 {
		files = "" // changed says that there are some
	}
	return []action.Output{
		{Name: "changed", Value: strconv.FormatBool(len(t.files) > 0)},
		{Name: "changed-files", Value: files},
		{Name: "findings", Value: strconv.Itoa(t.findings)},
		{Name: "pull-request-number", Value: number},
		{Name: "pull-request-url", Value: t.url},
		{Name: "digest", Value: digest},
		{Name: "sarif-file", Value: t.sarif},
	}
}

// add takes a result in.
func (t *told) add(r result) {
	switch r := r.(type) {
	case report.Pin:
		for _, f := range r.Files {
			if !f.Changed {
				continue
			}
			t.file(f.Path)
			for _, p := range f.Steps {
				t.digest(p.New)
			}
		}
	case report.Check:
		t.findings += len(r.Findings)
	case report.Asked:
		for _, a := range r.Answers {
			t.pull(a.PullRequest, a.URL)
			if !a.DryRun && (a.Action == "opened" || a.Action == "updated" || a.Action == "merged" || a.Action == "queued") {
				t.changes(a.Changes)
			}
		}
	case report.Verdicts:
		for _, v := range r.Verdicts {
			t.pull(v.PullRequest, v.URL)
		}
	case report.Reconcile:
		for _, b := range r.Bases {
			for _, p := range b.Proposals {
				t.pull(p.PullRequest, p.URL)
				if !b.DryRun && (p.Action == "opened" || p.Action == "updated") {
					t.changes(p.Changes)
				}
			}
		}
	}
}

func (t *told) changes(all []report.ImageChange) {
	for _, c := range all {
		t.file(c.Path)
		t.digest(c.New)
	}
}

func (t *told) file(path string) {
	if !slices.Contains(t.files, path) {
		t.files = append(t.files, path)
	}
}

func (t *told) digest(ref string) {
	if r, err := image.Parse(ref); err == nil && r.Digest != "" && !slices.Contains(t.digests, string(r.Digest)) {
		t.digests = append(t.digests, string(r.Digest))
	}
}

// pull is the first pull request that is named.
func (t *told) pull(number int, url string) {
	if t.number == 0 {
		t.number, t.url = number, url
	}
}

// fails says whether a step that fails on something fails on a result.
func fails(r result, on string) bool {
	if on == action.FailOnNone {
		return false
	}
	switch r := r.(type) {
	case report.Check:
		return slices.ContainsFunc(r.Findings, func(f check.Finding) bool {
			switch f.Code {
			case check.Unpinned:
				return true
			case check.Moved, check.Gone:
				return on != action.FailOnUnpinned
			}
			return on == action.FailOnPolicy
		})
	case report.Asked:
		return slices.ContainsFunc(r.Answers, func(a report.Answer) bool {
			return slices.Contains([]string{"refused", "declined", "diverged"}, a.Action) || a.Decision != nil && stopped(a.Decision.Status)
		})
	case report.Verdicts:
		return slices.ContainsFunc(r.Verdicts, denied)
	case report.Reconcile:
		return slices.ContainsFunc(r.Verdicts, denied) || len(r.Incidents) > 0
	}
	return false
}

// unanswered says whether images of a check could not be looked up, which its annotations say.
func unanswered(r result) bool {
	c, ok := r.(report.Check)
	return ok && len(c.Unanswered) > 0
}

func denied(v report.Verdict) bool { return stopped(v.Decision.Status) }

// stopped says whether a check is red: waiting changes nothing, or nobody can tell.
func stopped(s promotion.Status) bool { return s == promotion.Denied || s == promotion.Unknown }

// problems are the errors that a result holds. Those of a check are shown where they are.
func problems(r result) []string {
	var all []string
	add := func(where, text string) {
		if text != "" && where != "" {
			text = where + ": " + text
		}
		if text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	switch r := r.(type) {
	case report.Pin:
		for _, f := range r.Files {
			add(f.Path, f.Error)
			for _, p := range f.Steps {
				if p.Action == plan.Fail {
					add(fmt.Sprintf("%s:%d", f.Path, p.Position.Line), p.Reason)
				}
			}
		}
	case report.Asked:
		for _, a := range r.Answers {
			if a.Action == "failed" {
				add(a.App+" in "+a.Environment, strings.Join(a.Reasons, "; "))
			}
		}
	case report.Verdicts:
		for _, v := range r.Verdicts {
			add(fmt.Sprintf("#%d", v.PullRequest), v.Error)
		}
	case report.Reconcile:
		for _, b := range r.Bases {
			add(b.Branch, b.Error)
			for _, p := range b.Proposals {
				add(p.Branch, p.Error)
				for _, l := range p.Failed {
					add(fmt.Sprintf("%s:%d", l.Path, l.Line), l.Reason)
				}
			}
		}
		for _, v := range r.Verdicts {
			add(fmt.Sprintf("#%d", v.PullRequest), v.Error)
		}
	}
	return all
}
