package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fatih/color"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

// A Pin is what `pinnace pin` did, or with DryRun would do.
type Pin struct {
	Files  []PinFile `json:"files"`
	Looked int       `json:"looked"` // files that were looked at
	DryRun bool      `json:"dryRun"`
	Counts PinCounts `json:"counts"`
}

// PinCounts counts places by what happened to them.
type PinCounts struct {
	Pinned  int `json:"pinned"`
	Updated int `json:"updated"`
	Lifted  int `json:"lifted"`
	Kept    int `json:"kept"`
	Left    int `json:"left"`
	Failed  int `json:"failed"`
	Changed int `json:"changedFiles"`
}

// A PinFile is one file in which anything was found.
type PinFile struct {
	Path    string    `json:"path"`
	Changed bool      `json:"changed"`
	Error   string    `json:"error,omitempty"`
	Steps   []PinStep `json:"steps"`
}

// A PinStep is what happened to one place. Old and New are whole references.
type PinStep struct {
	Action   plan.Action       `json:"action"`
	Position manifest.Position `json:"position"`
	Pointer  string            `json:"pointer,omitempty"`
	Object   string            `json:"object,omitempty"`
	Place    manifest.Place    `json:"place,omitempty"`
	Old      string            `json:"old"`
	New      string            `json:"new,omitempty"`
	Reason   string            `json:"reason,omitempty"`
	Warning  string            `json:"warning,omitempty"`

	name   image.Ref
	digest image.Digest
}

// NewPinStep takes over a step.
func NewPinStep(s plan.Step) PinStep {
	out := PinStep{
		Action: s.Action, Position: s.Finding.Position, Pointer: s.Finding.Pointer, Object: s.Finding.Object.String(),
		Place: s.Finding.Place, Old: s.Finding.Text, Reason: s.Reason, name: s.Finding.Image, digest: s.New.Digest,
	}
	if s.New != s.Finding.Image {
		out.New = s.New.String()
	}
	if w := s.Finding.Warning; w != nil && out.New != "" {
		out.Warning = w.Text
		if w.Code == manifest.Number {
			out.Warning = "a newTag that was not read as a string is quoted"
		}
	}
	return out
}

// Count fills Counts from Files.
func (p *Pin) Count() {
	p.Counts = PinCounts{}
	for _, f := range p.Files {
		if f.Changed {
			p.Counts.Changed++
		}
		if f.Error != "" {
			p.Counts.Failed++
		}
		for _, s := range f.Steps {
			if f.Error != "" && s.New != "" {
				continue
			}
			switch s.Action {
			case plan.Pin:
				p.Counts.Pinned++
			case plan.Update:
				p.Counts.Updated++
			case plan.Lift:
				p.Counts.Lifted++
			case plan.Keep:
				p.Counts.Kept++
			case plan.Leave:
				p.Counts.Left++
			case plan.Fail:
				p.Counts.Failed++
			}
		}
	}
}

// JSON writes the report as one object; docs/output.md describes it.
func (p Pin) JSON(w io.Writer) error {
	if p.Files == nil {
		p.Files = []PinFile{}
	}
	return writeJSON(w, p)
}

// mostRows is how many rows the table of images has at most.
const mostRows = 40

// Text writes a table of the images that changed, a line for each place that was left
// alone or failed, and a summary.
func (p Pin) Text(w io.Writer) {
	p.images(w)
	warnings := map[string]int{}
	failures := map[string]int{}
	for _, f := range p.Files {
		if f.Error != "" {
			fmt.Fprintf(w, "%s: %s %s\n", Plain(f.Path), color.New(color.FgRed).Sprint("left alone:"), Plain(f.Error))
		}
		for _, s := range f.Steps {
			if s.Warning != "" {
				warnings[s.Warning]++
			}
			switch s.Action {
			case plan.Fail:
				if failures[s.Reason]++; failures[s.Reason] == 1 {
					fmt.Fprintf(w, "%s:%s: %s %s\n", Plain(f.Path), s.Position, color.New(color.FgRed).Sprint("failed:"), Plain(s.Reason))
				}
			case plan.Leave:
				fmt.Fprintf(w, "%s:%s: %s %s\n", Plain(f.Path), s.Position, color.New(color.FgYellow).Sprint("left alone:"), Plain(leaveText(s)))
			}
		}
	}
	for _, reason := range sorted(failures) {
		if n := failures[reason]; n > 1 {
			fmt.Fprintf(w, "%s %s, in %d places\n", color.New(color.FgRed).Sprint("failed:"), Plain(reason), n)
		}
	}
	for _, text := range sorted(warnings) {
		fmt.Fprintf(w, "%s %s (%s)\n", color.New(color.FgYellow).Sprint("note:"), Plain(text), count(warnings[text], "place"))
	}
	fmt.Fprintln(w, p.summary())
}

func leaveText(s PinStep) string {
	if s.Old == "" {
		return s.Reason
	}
	return s.Old + ": " + s.Reason
}

func sorted(m map[string]int) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// images writes a row for each image that was pinned.
func (p Pin) images(w io.Writer) {
	type key struct {
		name   string
		digest image.Digest
		action plan.Action
	}
	places := map[key]int{}
	for _, f := range p.Files {
		if f.Error != "" {
			continue
		}
		for _, s := range f.Steps {
			if s.New != "" {
				r := s.name
				r.Digest = ""
				places[key{r.String(), s.digest, s.Action}]++
			}
		}
	}
	if len(places) == 0 {
		return
	}
	keys := make([]key, 0, len(places))
	for k := range places {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.digest, b.digest), cmp.Compare(a.action, b.action))
	})
	t := newTable()
	for i, k := range keys {
		if i == mostRows {
			break
		}
		t.AppendRow(table.Row{color.New(color.FgGreen).Sprint(p.done(k.action)), Plain(k.name), color.New(color.FgCyan).Sprint(k.digest.Short()), count(places[k], "place")})
	}
	fmt.Fprintln(w, t.Render())
	if more := len(keys) - mostRows; more > 0 {
		fmt.Fprintf(w, "and %s more (-o json lists all)\n", count(more, "image"))
	}
	fmt.Fprintln(w)
}

// done is the word for an action that was, or with DryRun would be, taken.
func (p Pin) done(a plan.Action) string {
	if p.DryRun {
		return string(a)
	}
	switch a {
	case plan.Update:
		return "updated"
	case plan.Lift:
		return "lifted"
	}
	return "pinned"
}

func (p Pin) summary() string {
	c := p.Counts
	var parts []string
	add := func(n int, what string, paint *color.Color) {
		if n > 0 {
			parts = append(parts, paint.Sprintf("%d %s", n, what))
		}
	}
	green, yellow, red, plain := color.New(color.FgGreen), color.New(color.FgYellow), color.New(color.FgRed), color.New()
	verb := ""
	if p.DryRun {
		verb = "would be "
	}
	add(c.Pinned, verb+"pinned", green)
	add(c.Updated, verb+"updated", green)
	add(c.Lifted, verb+"lifted", green)
	add(c.Kept, "pinned already", plain)
	add(c.Left, "left alone", yellow)
	add(c.Failed, "failed", red)
	if len(parts) == 0 {
		return fmt.Sprintf("no image in %s", count(p.Looked, "file"))
	}
	text := strings.Join(parts, ", ")
	if c.Changed > 0 {
		text += fmt.Sprintf(" (%s %schanged)", count(c.Changed, "file"), verb)
	}
	return text
}
