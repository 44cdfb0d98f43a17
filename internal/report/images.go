package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// Images is what stands where, as `pinnace images` and `pinnace where` say it.
type Images struct {
	Images []StandingImage `json:"images"`
	// Cut says that the history goes on behind what was fetched, so that an image without
	// Since stands there for longer.
	Cut bool `json:"cut"`
	// Skipped is what could not be read as images.
	Skipped []LeftOver `json:"skipped"`

	Repositories bool `json:"-"` // name the repository in the table
	Missing      bool `json:"-"` // there is no Moved column: no registry was asked
}

// A StandingImage is one image in one app of one environment, with its places.
type StandingImage struct {
	Repository  string       `json:"repository"`
	Environment string       `json:"environment"`
	App         string       `json:"app"`
	Image       string       `json:"image"` // the name as written
	Tag         string       `json:"tag"`
	Digest      image.Digest `json:"digest"`
	Since       *time.Time   `json:"since,omitempty"`  // when the commit that brought it was made, as it says
	Commit      string       `json:"commit,omitempty"` // that commit
	Moved       string       `json:"moved"`            // yes, no, gone, unpinned, or unknown
	Now         image.Digest `json:"now,omitempty"`    // what the tag means now, where it was asked
	Error       string       `json:"error,omitempty"`  // why that is unknown
	Places      []ImagePlace `json:"places"`
}

// An ImagePlace is where an image is written.
type ImagePlace struct {
	Path   string `json:"path"`
	Line   int    `json:"line"`
	Object string `json:"object"`
	// Overridden says that an entry of a kustomization says what runs instead.
	Overridden bool `json:"overridden"`
}

func (p ImagePlace) String() string {
	s := fmt.Sprintf("%s:%d", Plain(p.Path), p.Line)
	if p.Overridden {
		s += " (overridden)"
	}
	return s
}

// JSON writes the report as one object; docs/output.md describes it.
func (r Images) JSON(w io.Writer) error {
	r.Images, r.Skipped = filled(r.Images), filled(r.Skipped)
	return writeJSON(w, r)
}

// Notes writes what a reader of the table has to know: what was not read, and which registry
// gave no answer.
func (r Images) Notes(w io.Writer) {
	const most = 5
	for i, l := range r.Skipped {
		if i == most {
			fmt.Fprintf(w, "%s and %d more places that could not be read (-o json lists all)\n", color.New(color.FgYellow).Sprint("note:"), len(r.Skipped)-most)
			break
		}
		l.say(w, map[LeftOver]bool{}, color.New(color.FgYellow).Sprint("not read:"))
	}
	counts := map[string]int{}
	for _, i := range r.Images {
		if i.Error != "" {
			counts[i.Error]++
		}
	}
	for i, text := range sorted(counts) {
		if i == most {
			fmt.Fprintf(w, "%s and %d more images without an answer (-o json lists all)\n", color.New(color.FgRed).Sprint("failed:"), len(counts)-most)
			break
		}
		fmt.Fprintf(w, "%s %s\n", color.New(color.FgRed).Sprint("failed:"), Plain(text))
	}
}

// Text writes a row for each image, and with places a row for each place.
func (r Images) Text(w io.Writer, places bool) {
	if len(r.Images) == 0 {
		fmt.Fprintln(w, "no image found")
		return
	}
	t := newTable()
	header := table.Row{"ENVIRONMENT", "APP", "IMAGE", "TAG", "DIGEST", "SINCE"}
	if r.Repositories {
		header = append(table.Row{"REPOSITORY"}, header...)
	}
	if !r.Missing {
		header = append(header, "MOVED")
	}
	if places {
		header = append(header, "PLACE")
	}
	t.AppendHeader(header)
	for _, i := range r.Images {
		digest := color.New(color.FgYellow).Sprint("unpinned")
		if i.Digest != "" {
			digest = color.New(color.FgCyan).Sprint(i.Digest.Short())
		}
		row := table.Row{orDash(i.Environment), orDash(i.App), Plain(i.Image), orDash(i.Tag), digest, i.since()}
		if r.Repositories {
			row = append(table.Row{Plain(i.Repository)}, row...)
		}
		if !r.Missing {
			row = append(row, i.moved())
		}
		if !places {
			t.AppendRow(row)
			continue
		}
		for _, p := range i.Places {
			t.AppendRow(append(append(table.Row{}, row...), p.String()))
		}
	}
	fmt.Fprintln(w, t.Render())
	if r.Cut {
		fmt.Fprintln(w, "- under SINCE: longer than the commits that are here go back")
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return Plain(s)
}

func (i StandingImage) since() string {
	if i.Since == nil {
		return "-"
	}
	return i.Since.UTC().Format("2006-01-02")
}

func (i StandingImage) moved() string {
	switch i.Moved {
	case "yes":
		return color.New(color.FgYellow).Sprint("to " + i.Now.Short())
	case "gone":
		return color.New(color.FgRed).Sprint("gone")
	case "unknown":
		if i.Tag == "" {
			return "-"
		}
		return color.New(color.FgYellow).Sprint("unknown")
	}
	return i.Moved
}

// A History is who brought which image when.
type History struct {
	Environment string    `json:"environment"`
	App         string    `json:"app"`
	Arrivals    []Arrival `json:"arrivals"`
	More        bool      `json:"more"` // there are older ones than --limit lets through
	Cut         bool      `json:"cut"`  // the history goes on behind what was fetched
}

// An Arrival is one commit that changed the images of an app. What it says of author, date
// and kind is what the commit says, which nobody verified. Record is what Pinnace wrote of it,
// null where nothing is on record or nobody asked GitHub.
type Arrival struct {
	When        time.Time `json:"when"`
	Commit      string    `json:"commit"`
	Author      string    `json:"author"`
	PullRequest int       `json:"pullRequest,omitempty"`
	Kind        string    `json:"kind,omitempty"`
	Subject     string    `json:"subject"`
	Old         string    `json:"old"` // "" where the image is new here
	New         string    `json:"new"` // "" where it is gone
	Places      int       `json:"places"`
	Source      string    `json:"source,omitempty"`   // where the new image was built, as it says itself
	Revision    string    `json:"revision,omitempty"` // of that source
	Record      *Record   `json:"record"`
	Asked       bool      `json:"-"` // GitHub was asked for the record
}

// A Record is what Pinnace's App wrote of a pull request that was merged.
type Record struct {
	PullRequest int       `json:"pullRequest"`
	At          time.Time `json:"at,omitzero"` // when it was merged
	Kind        string    `json:"kind"`
	From        string    `json:"from,omitempty"` // the environment; "" for the registry
	Requesters  []string  `json:"requesters"`     // login#id
	Approvers   []string  `json:"approvers"`
	Policies    []string  `json:"policies"`
	Verdict     string    `json:"verdict"`
	Seal        string    `json:"seal,omitempty"`
	BreakGlass  string    `json:"breakGlass,omitempty"` // why the rules were waived
	Breaker     string    `json:"breaker,omitempty"`    // login#id of who did that
}

// JSON writes the report as one object; docs/output.md describes it.
func (r History) JSON(w io.Writer) error {
	r.Arrivals = filled(r.Arrivals)
	return writeJSON(w, r)
}

// Text writes a row for each arrival, the newest first.
func (r History) Text(w io.Writer) {
	if len(r.Arrivals) == 0 {
		fmt.Fprintf(w, "no commit changed an image of %s in %s\n", Plain(r.App), Plain(r.Environment))
		return
	}
	t := newTable()
	t.AppendHeader(table.Row{"WHEN", "COMMIT", "BY", "WHAT", "IMAGE"})
	for _, a := range r.Arrivals {
		what := Plain(a.Subject)
		if a.PullRequest > 0 && !strings.Contains(what, fmt.Sprintf("#%d", a.PullRequest)) {
			what += fmt.Sprintf(" (#%d)", a.PullRequest)
		}
		t.AppendRow(table.Row{a.When.UTC().Format("2006-01-02 15:04"), a.Commit[:10], Plain(a.Author), what, a.image()})
	}
	for i, line := range strings.Split(t.Render(), "\n") {
		fmt.Fprintln(w, line)
		if i > 0 && i <= len(r.Arrivals) {
			r.Arrivals[i-1].details(w)
		}
	}
	switch {
	case r.More:
		fmt.Fprintln(w, "older changes are not shown: --limit 0 shows all")
	case r.Cut:
		fmt.Fprintln(w, "older commits were not fetched")
	}
}

// details writes what is on record of an arrival, and where its image was built.
func (a Arrival) details(w io.Writer) {
	const indent = "    "
	if r := a.Record; r != nil {
		s := r.Kind
		if r.From != "" {
			s += " from " + r.From
		}
		if len(r.Requesters) > 0 {
			s += ", asked by " + strings.Join(r.Requesters, ", ")
		}
		if len(r.Approvers) > 0 {
			s += ", approved by " + strings.Join(r.Approvers, ", ")
		}
		if len(r.Policies) > 0 {
			s += ", under " + strings.Join(r.Policies, ", ")
		}
		if len(r.Seal) >= 12 {
			s += ", seal " + r.Seal[:12]
		}
		sign := color.New(color.FgGreen).Sprint("verified")
		if r.Verdict != "passed" {
			sign = color.New(color.FgRed, color.Bold).Sprint("merged although " + r.Verdict)
		}
		if r.BreakGlass != "" {
			sign = color.New(color.FgRed, color.Bold).Sprint("break-glass by "+Plain(r.Breaker)) + " (" + Plain(r.BreakGlass) + ")"
		}
		fmt.Fprintf(w, "%s%s: %s\n", indent, sign, Plain(s))
	} else if a.Asked {
		fmt.Fprintf(w, "%s%s: no record of Pinnace\n", indent, color.New(color.FgYellow).Sprint("unverified"))
	}
	if a.Source != "" {
		s := a.Source
		if a.Revision != "" {
			s += " at " + a.Revision[:min(12, len(a.Revision))]
		}
		fmt.Fprintf(w, "%sbuilt from %s, as the image says\n", indent, Plain(s))
	}
}

func (a Arrival) image() string {
	switch {
	case a.New == "":
		return color.New(color.FgRed).Sprint("removed ") + brief(a.Old)
	case a.Old == "":
		return color.New(color.FgGreen).Sprint("added ") + brief(a.New)
	}
	return brief(a.Old) + " -> " + brief(a.New)
}

// brief shortens the digest of a reference.
func brief(s string) string {
	r, err := image.Parse(s)
	if err != nil {
		return Plain(s)
	}
	name := r.Name
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	if r.Tag != "" {
		name += ":" + r.Tag
	}
	if r.Digest != "" {
		name += "@" + r.Digest.Short()
	}
	return Plain(name)
}
