package cli

import (
	"slices"
	"strconv"

	"github.com/pinnace-dev/pinnace/internal/action"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/report"
)

// told is what the outputs say.
type told struct {
	files, digests []string
	findings       int
	number         int
	url            string
	sarif          string
	opened         bool // a pull request was opened or moved
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
			if !f.Changed || r.DryRun {
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
			if !a.DryRun && (a.Action == "merged" || a.Action == "queued") {
				t.changes(a.Changes)
			}
			t.wrote(a.Action, a.DryRun, a.Changes)
		}
	case report.Verdicts:
		for _, v := range r.Verdicts {
			t.pull(v.PullRequest, v.URL)
		}
	case report.Reconcile:
		for _, b := range r.Bases {
			for _, p := range b.Proposals {
				t.pull(p.PullRequest, p.URL)
				t.wrote(p.Action, b.DryRun, p.Changes)
			}
		}
	}
}

// wrote takes in what a pull request changes that was opened or moved.
func (t *told) wrote(action string, dryRun bool, changes []report.ImageChange) {
	if !dryRun && (action == "opened" || action == "updated") {
		t.opened = true
		t.changes(changes)
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
