package report

import (
	"fmt"
	"io"

	"github.com/pinnace-dev/pinnace/internal/plan"
)

// Summary writes what was pinned, as the Markdown of a job's summary.
func (p Pin) Summary(w io.Writer) {
	type row struct {
		path string
		step PinStep
	}
	var changed, left []row
	var broken []PinFile
	for _, f := range p.Files {
		if f.Error != "" {
			broken = append(broken, f)
		}
		for _, s := range f.Steps {
			switch {
			case f.Error != "" && s.New != "":
			case s.New != "":
				changed = append(changed, row{f.Path, s})
			case s.Action == plan.Fail || s.Action == plan.Leave:
				left = append(left, row{f.Path, s})
			}
		}
	}
	c, would := p.Counts, ""
	if p.DryRun {
		would = "would be "
	}
	text := tally([]int{c.Pinned, c.Updated, c.Lifted, c.Kept, c.Left, c.Failed},
		[]string{would + "pinned", would + "updated", would + "lifted", "pinned already", "left alone", "failed"})
	sign := "✅"
	switch {
	case c.Failed > 0:
		sign = "❌"
	case c.Left > 0:
		sign = "⚠️"
	}
	if text == "" {
		text = "no image in " + count(p.Looked, "file")
	} else if c.Changed > 0 {
		text += fmt.Sprintf(" (%s %schanged)", count(c.Changed, "file"), would)
	}
	var out page
	out.head(sign, "Images: "+text)
	out.table("image", []string{"Where", "Image", "From", "To"}, len(changed), func(i int) []string {
		name, from, to := versions(changed[i].step.Old, changed[i].step.New)
		return []string{at(changed[i].path, changed[i].step.Position.Line), name, from, to}
	})
	if len(broken) > 0 {
		out.section("Files that could not be edited")
		out.table("file", []string{"File", "Why"}, len(broken), func(i int) []string { return []string{code(broken[i].Path), prose(broken[i].Error)} })
	}
	if len(left) > 0 {
		out.section("Not edited")
		out.table("place", []string{"Where", "Image", "Result", "Why"}, len(left), func(i int) []string {
			s, result := left[i].step, "left alone"
			if s.Action == plan.Fail {
				result = "**failed**"
			}
			return []string{at(left[i].path, s.Position.Line), code(shortened(s.Old)), result, prose(s.Reason)}
		})
	}
	switch {
	case c.Changed > 0 && p.DryRun:
		out.next("this was a dry run; leave `dry-run` out to edit the files.")
	case c.Changed > 0:
		out.next("commit the changed files, or set `create-pr: true` to get a pull request.")
	case c.Failed > 0:
		out.next("see what the registries answered above; the images that failed are as they were.")
	}
	out.write(w)
}
