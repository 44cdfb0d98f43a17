package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Verdict is what was decided of one pull request.
type Verdict struct {
	PullRequest  int                `json:"pullRequest"`
	URL          string             `json:"url,omitempty"`
	Title        string             `json:"title"`
	Base         string             `json:"base"`
	Kind         string             `json:"kind"`
	App          string             `json:"app,omitempty"`
	Environments []string           `json:"environments"`
	Requesters   []string           `json:"requesters"` // login#id
	Action       string             `json:"action"`     // judged, merged, queued, failed
	Reason       string             `json:"reason,omitempty"`
	Seal         string             `json:"seal,omitempty"`
	Error        string             `json:"error,omitempty"`
	Decision     promotion.Decision `json:"decision"`
}

// An Incident is a commit that changed images against the rules.
type Incident struct {
	Base        string `json:"base"`
	Commit      string `json:"commit"`
	PullRequest int    `json:"pullRequest,omitempty"` // that was merged, 0 for a push
	Why         string `json:"why"`
	Issue       int    `json:"issue"`
	URL         string `json:"url,omitempty"`
}

func (v *Verdict) fill() {
	v.Environments, v.Requesters = filled(v.Environments), filled(v.Requesters)
	v.Decision.Results, v.Decision.Approvals, v.Decision.Ignored = filled(v.Decision.Results), filled(v.Decision.Approvals), filled(v.Decision.Ignored)
}

// verdictRows writes a row for each pull request that was judged.
func verdictRows(w io.Writer, all []Verdict) {
	if len(all) == 0 {
		return
	}
	t := newTable()
	for _, v := range all {
		word := statusWord(v.Decision.Status)
		if v.Action != "judged" {
			word = color.New(color.FgGreen).Sprint(Plain(v.Action))
		}
		if v.Action == "failed" {
			word = color.New(color.FgRed).Sprint("failed")
		}
		what := strings.TrimPrefix(v.Decision.Summary, string(v.Decision.Status)+": ")
		if v.Reason != "" {
			what = v.Reason
		}
		if v.Error != "" {
			what = v.Error
		}
		t.AppendRow(table.Row{fmt.Sprintf("#%d", v.PullRequest), word, Plain(what)})
	}
	fmt.Fprintln(w, t.Render())
}

func statusWord(s promotion.Status) string {
	c := color.New(color.FgYellow)
	switch s {
	case promotion.Passed:
		c = color.New(color.FgGreen)
	case promotion.Denied:
		c = color.New(color.FgRed)
	}
	return c.Sprint(string(s))
}

// JSON writes the verdict as one object; docs/output.md describes it.
func (v Verdict) JSON(w io.Writer) error {
	v.fill()
	return writeJSON(w, v)
}

// Text writes the verdict with its tree. advisory says that nobody could write its check.
func (v Verdict) Text(w io.Writer, advisory bool) {
	fmt.Fprintf(w, "%s %s\n", color.New(color.Bold).Sprintf("#%d", v.PullRequest), Plain(v.Title))
	if v.URL != "" {
		fmt.Fprintln(w, Plain(v.URL))
	}
	if advisory {
		fmt.Fprintln(w, color.New(color.FgYellow).Sprint("note:"), "without the App's key no check is written: the verdict is for you alone")
	}
	fmt.Fprintln(w)
	tree{w: w}.decision(v.Decision)
	if v.Error != "" {
		failed(w, "", v.Error)
	} else if v.Reason != "" {
		fmt.Fprintln(w, Plain(v.Reason))
	}
	if v.Action == "merged" || v.Action == "queued" {
		fmt.Fprintf(w, "%s #%d\n", color.New(color.FgGreen, color.Bold).Sprint(v.Action), v.PullRequest)
	}
}

// Verdicts are what was decided of several pull requests of one repository.
type Verdicts struct {
	Repository string `json:"repository"`
	// Advisory says why the verdicts are advice only; "" where they are the App's.
	Advisory string    `json:"advisory,omitempty"`
	Verdicts []Verdict `json:"verdicts"`
}

// JSON writes the verdicts as one document.
func (v Verdicts) JSON(w io.Writer) error {
	v.Verdicts = filled(v.Verdicts)
	for i := range v.Verdicts {
		v.Verdicts[i].fill()
	}
	return writeJSON(w, v)
}

// Text writes one verdict after the other. unwritten says that no check was written.
func (v Verdicts) Text(w io.Writer, unwritten bool) {
	if len(v.Verdicts) == 0 {
		fmt.Fprintln(w, "no pull request to a managed branch is open")
	}
	for i, x := range v.Verdicts {
		if i > 0 {
			fmt.Fprintln(w)
		}
		x.Text(w, unwritten)
	}
}

// An Approvals lists what waits for somebody.
type Approvals struct {
	Repository string            `json:"repository"`
	Pending    []PendingApproval `json:"pending"`
}

// A PendingApproval is one pull request that waits.
type PendingApproval struct {
	Verdict
	Mine bool   `json:"mine"`          // the owner of the token can approve it
	Why  string `json:"why,omitempty"` // why not
}

// JSON writes the list as one object; docs/output.md describes it.
func (a Approvals) JSON(w io.Writer) error {
	for i := range a.Pending {
		a.Pending[i].fill()
	}
	return writeJSON(w, a)
}

// Text writes a row for each pull request, and where to go for those that the reader can
// approve.
func (a Approvals) Text(w io.Writer) {
	if len(a.Pending) == 0 {
		fmt.Fprintln(w, "nothing waits for anybody")
		return
	}
	t := newTable()
	t.SuppressEmptyColumns()
	t.AppendHeader(table.Row{"PR", "ENVIRONMENT", "WHAT", "WAITS FOR", "YOU"})
	for _, p := range a.Pending {
		you := Plain(gist(p.Why))
		if p.Mine {
			you = color.New(color.FgGreen, color.Bold).Sprint("can approve it")
		} else if you == "" {
			you = Plain(p.URL)
		}
		t.AppendRow(table.Row{fmt.Sprintf("#%d", p.PullRequest), Plain(strings.Join(p.Environments, ",")), Plain(p.Title), p.waitsFor(), you})
	}
	fmt.Fprintln(w, t.Render())
	for _, p := range a.Pending {
		if p.Mine && p.URL != "" {
			fmt.Fprintf(w, "review #%d: %s\n", p.PullRequest, Plain(p.URL))
		}
	}
	fmt.Fprintf(w, "why: pinnace decide %d --repo %s\n", a.Pending[0].PullRequest, Shell(a.Repository))
}

// gist is a reason without what follows from it.
func gist(s string) string {
	for _, end := range []string{", and ", ": ", "; "} {
		s, _, _ = strings.Cut(s, end)
	}
	return s
}

// waitsFor says what stands between a pull request and its merge.
func (v Verdict) waitsFor() string {
	switch {
	case v.Error != "":
		return color.New(color.FgRed).Sprint("failed: ") + Plain(v.Error)
	case v.Decision.Status == promotion.Passed:
		return "a person's merge"
	}
	return Plain(strings.TrimPrefix(v.Decision.Summary, string(v.Decision.Status)+": "))
}
