package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fatih/color"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// A Reconcile is what `pinnace reconcile` did in one repository, or with DryRun would do.
type Reconcile struct {
	Repository string `json:"repository"` // as it is named now
	Asked      string `json:"asked"`      // as it was asked for
	Bases      []Base `json:"bases"`
	// Verdicts are those of the pull requests that were judged, and of those that were merged.
	Verdicts  []Verdict  `json:"verdicts"`
	Incidents []Incident `json:"incidents"` // commits that changed images against the rules
}

// A Base is a branch that pull requests go to.
type Base struct {
	Branch    string     `json:"branch"`
	Commit    string     `json:"commit"`
	DryRun    bool       `json:"dryRun"`
	Observe   bool       `json:"observe"` // mode: observe of the configuration
	Error     string     `json:"error,omitempty"`
	Warnings  []string   `json:"warnings"`
	Proposals []Proposal `json:"proposals"`
	Unreached []LeftOver `json:"unreached"` // places of files that no environment has
}

// A Proposal is one pull request, or the reason why there is none.
type Proposal struct {
	Action       string        `json:"action"`
	Kind         string        `json:"kind"`
	Environments []string      `json:"environments"`
	App          string        `json:"app,omitempty"`
	Branch       string        `json:"branch"`
	PullRequest  int           `json:"pullRequest,omitempty"`
	URL          string        `json:"url,omitempty"`
	Reason       string        `json:"reason,omitempty"`
	Error        string        `json:"error,omitempty"`
	Changes      []ImageChange `json:"changes"`
	Left         []LeftOver    `json:"left"`   // places that are not edited
	Failed       []LeftOver    `json:"failed"` // places about which a registry gave no answer
	Diffs        []string      `json:"-"`      // unified diffs, of a dry run
}

// An ImageChange is one place; Old and New are whole references.
type ImageChange struct {
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Pointer string `json:"pointer"`
	Object  string `json:"object"`
	Old     string `json:"old"`
	New     string `json:"new"`
}

// A LeftOver is a place that is not edited.
type LeftOver struct {
	Path   string `json:"path"`
	Line   int    `json:"line"`
	Image  string `json:"image"`
	Reason string `json:"reason"`
}

// JSON writes the report as one object; docs/output.md describes it.
func (r Reconcile) JSON(w io.Writer) error {
	for i := range r.Bases {
		b := &r.Bases[i]
		b.Warnings, b.Proposals, b.Unreached = filled(b.Warnings), filled(b.Proposals), filled(b.Unreached)
		for j := range b.Proposals {
			q := &b.Proposals[j]
			q.Environments, q.Changes, q.Left, q.Failed = filled(q.Environments), filled(q.Changes), filled(q.Left), filled(q.Failed)
		}
	}
	r.Bases, r.Verdicts, r.Incidents = filled(r.Bases), filled(r.Verdicts), filled(r.Incidents)
	for i := range r.Verdicts {
		r.Verdicts[i].fill()
	}
	return writeJSON(w, r)
}

// filled returns a list that JSON writes as [] rather than null.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Text writes for each base a row for each proposal that has something to say, what was
// left alone, and a summary.
func (r Reconcile) Text(w io.Writer) {
	if r.Repository != r.Asked && r.Asked != "" {
		fmt.Fprintf(w, "%s %s is now %s\n", color.New(color.FgYellow).Sprint("note:"), Plain(r.Asked), Plain(r.Repository))
	}
	for _, b := range r.Bases {
		r.base(w, b)
	}
	verdictRows(w, r.Verdicts)
	for _, i := range r.Incidents {
		see := fmt.Sprintf("See #%d.", i.Issue)
		if i.Issue == 0 {
			see = "No issue could be opened."
		}
		fmt.Fprintf(w, "%s %s of %s: %s %s\n", color.New(color.FgRed, color.Bold).Sprint("incident:"), i.Commit[:min(10, len(i.Commit))], Plain(i.Base), Plain(i.Why), see)
	}
}

func (r Reconcile) base(w io.Writer, b Base) {
	title := fmt.Sprintf("%s %s", Plain(r.Repository), Plain(b.Branch))
	if len(b.Commit) >= 10 {
		title += " " + b.Commit[:10]
	}
	switch {
	case b.Observe:
		title += " (mode: observe, nothing is written)"
	case b.DryRun:
		title += " (dry run, nothing is written)"
	}
	fmt.Fprintln(w, color.New(color.Bold).Sprint(title))
	if b.Error != "" {
		failed(w, "", b.Error)
		return
	}
	for _, text := range b.Warnings {
		fmt.Fprintf(w, "%s %s\n", color.New(color.FgYellow).Sprint("note:"), Plain(text))
	}
	b.rows(w)
	for _, q := range b.Proposals {
		if q.Error != "" {
			failed(w, q.name()+": ", q.Error)
		}
	}
	said := map[LeftOver]bool{}
	for _, q := range b.Proposals {
		for _, l := range q.Failed {
			l.say(w, said, color.New(color.FgRed).Sprint("failed:"))
		}
		for _, l := range q.Left {
			l.say(w, said, color.New(color.FgYellow).Sprint("left alone:"))
		}
	}
	b.unreached(w)
	fmt.Fprintln(w, b.summary())
}

// failed writes an error, each of its lines on one.
func failed(w io.Writer, what, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(w, "%s %s\n", color.New(color.FgRed).Sprint("failed:"), Plain(what+strings.TrimRight(line, "\n")))
		what = ""
	}
}

// unreached names the files of no environment, once each.
func (b Base) unreached(w io.Writer) {
	const most = 5
	var files []string
	for _, l := range b.Unreached {
		if !slices.Contains(files, Plain(l.Path)) {
			files = append(files, Plain(l.Path))
		}
	}
	if len(files) == 0 {
		return
	}
	more := ""
	if n := len(files) - most; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	fmt.Fprintf(w, "%s %s in files of no environment: %s%s (add their paths to one in %s)\n", color.New(color.FgYellow).Sprint("left alone:"),
		count(len(b.Unreached), "image"), strings.Join(files[:min(len(files), most)], ", "), more, ".pinnace/config.yaml")
}

func (l LeftOver) say(w io.Writer, said map[LeftOver]bool, how string) {
	if said[l] {
		return
	}
	said[l] = true
	text := l.Reason
	if l.Image != "" && !strings.Contains(text, l.Image) {
		text = shortened(l.Image) + ": " + text
	}
	at := Plain(l.Path)
	if l.Line > 0 {
		at += fmt.Sprintf(":%d", l.Line)
	}
	fmt.Fprintf(w, "%s: %s %s\n", at, how, Plain(text))
}

// shortened cuts the digest of a reference to what a person reads.
func shortened(s string) string {
	r, err := image.Parse(s)
	if err != nil || r.Digest == "" {
		return s
	}
	short := r.Digest.Short()
	r.Digest = ""
	return r.String() + "@" + short
}

// rows writes a table of the proposals.
func (b Base) rows(w io.Writer) {
	t := newTable()
	t.SuppressEmptyColumns()
	shown := 0
	for _, q := range b.Proposals {
		if q.Action == "clean" {
			continue
		}
		number := ""
		if q.PullRequest > 0 {
			number = fmt.Sprintf("#%d", q.PullRequest)
		}
		what := q.URL
		switch {
		case q.Error != "":
			what = "" // it is told below
		case q.Reason != "":
			what = q.Reason
		}
		t.AppendRow(table.Row{coloured(b.verb(q.Action)), Plain(q.name()), number, q.size(), Plain(what)})
		shown++
	}
	if shown > 0 {
		fmt.Fprintln(w, t.Render())
	}
}

// verb is an action in the form that says whether it was done.
func (b Base) verb(action string) string {
	if !b.DryRun {
		return action
	}
	switch action {
	case "opened":
		return "would open"
	case "updated":
		return "would update"
	case "finished":
		return "would close"
	}
	return action
}

func coloured(action string) string {
	switch action {
	case "failed":
		return color.New(color.FgRed).Sprint(action)
	case "opened", "updated", "finished", "would open", "would update", "would close":
		return color.New(color.FgGreen).Sprint(action)
	case "diverged", "declined", "waiting":
		return color.New(color.FgYellow).Sprint(action)
	}
	return action
}

func (q Proposal) name() string {
	name := q.Kind
	if q.App != "" {
		name += " " + q.App
	}
	switch {
	case len(q.Environments) > 0 && strings.HasSuffix(q.Branch, "/pin-shared"):
		name += " shared by " + strings.Join(q.Environments, ", ")
	case len(q.Environments) > 0:
		name += " in " + strings.Join(q.Environments, ", ")
	case strings.HasSuffix(q.Branch, "/pin-all"):
	default:
		name = q.Branch
	}
	return name
}

func (q Proposal) size() string {
	if len(q.Changes) == 0 {
		return ""
	}
	files := map[string]bool{}
	for _, c := range q.Changes {
		files[c.Path] = true
	}
	return count(len(q.Changes), "image") + " in " + count(len(files), "file")
}

func (b Base) summary() string {
	counts := map[string]int{}
	var order []string
	for _, q := range b.Proposals {
		if q.Action == "clean" {
			continue
		}
		verb := b.verb(q.Action)
		if counts[verb] == 0 {
			order = append(order, verb)
		}
		counts[verb]++
	}
	if len(order) == 0 {
		return "nothing to propose"
	}
	var parts []string
	for _, verb := range order {
		parts = append(parts, fmt.Sprintf("%d %s", counts[verb], verb))
	}
	return "pull requests: " + strings.Join(parts, ", ")
}
