package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// An Asked is what `pinnace promote` and `pinnace rollback` came to.
type Asked struct {
	Repository string   `json:"repository"`
	Answers    []Answer `json:"answers"` // one for each environment
}

// An Answer is what became of one request.
type Answer struct {
	App         string              `json:"app"`
	Environment string              `json:"environment"`
	Kind        string              `json:"kind"`
	From        string              `json:"from,omitempty"` // of a promotion that comes from an environment
	Skipped     []string            `json:"skipped"`        // environments that it passes by
	Action      string              `json:"action"`         // opened, updated, unchanged, refused, waiting, merged, ...
	PullRequest int                 `json:"pullRequest,omitempty"`
	URL         string              `json:"url,omitempty"`
	Reasons     []string            `json:"reasons"`
	Changes     []ImageChange       `json:"changes"`
	Decision    *promotion.Decision `json:"decision,omitempty"` // on the request, or on its pull request
	DryRun      bool                `json:"dryRun"`
	Diffs       []string            `json:"-"`
}

// JSON writes the answers as one object; docs/output.md describes it.
func (a Asked) JSON(w io.Writer) error {
	a.Answers = filled(a.Answers)
	for i := range a.Answers {
		x := &a.Answers[i]
		x.Reasons, x.Changes, x.Skipped = filled(x.Reasons), filled(x.Changes), filled(x.Skipped)
		if x.Decision != nil {
			d := filledDecision(*x.Decision)
			x.Decision = &d
		}
	}
	return writeJSON(w, a)
}

// Text writes what became of each request, and why.
func (a Asked) Text(w io.Writer) {
	for i, x := range a.Answers {
		if i > 0 {
			fmt.Fprintln(w)
		}
		x.text(w)
	}
}

func (x Answer) text(w io.Writer) {
	for _, d := range x.Diffs {
		fmt.Fprintln(w, d)
	}
	paint := color.New(color.FgGreen)
	switch x.Action {
	case "refused", "failed", "declined", "diverged":
		paint = color.New(color.FgRed)
	case "waiting", "nothing", "clean":
		paint = color.New(color.FgYellow)
	}
	what := "promotion of " + x.App
	if x.From != "" {
		what += " from " + x.From
	}
	what += " to " + x.Environment
	if x.Kind == string(promotion.Rollback) {
		what = "rollback of " + x.App + " in " + x.Environment
	}
	if x.PullRequest != 0 {
		what = fmt.Sprintf("#%d, ", x.PullRequest) + what
	}
	fmt.Fprintln(w, paint.Add(color.Bold).Sprint(x.verb()), Plain(what))
	if x.URL != "" {
		fmt.Fprintln(w, Plain(x.URL))
	}
	said := map[string]bool{}
	for _, c := range x.Changes {
		if s := c.brief(); !said[s] {
			said[s] = true
			fmt.Fprintln(w, "  "+Plain(s))
		}
	}
	if len(x.Skipped) > 0 {
		fmt.Fprintln(w, "  "+color.New(color.FgYellow).Sprint("skips"), Plain(strings.Join(x.Skipped, ", ")))
	}
	for _, r := range x.Reasons {
		fmt.Fprintln(w, "  "+Plain(strings.TrimSpace(r)))
	}
	if x.Decision != nil {
		fmt.Fprintln(w)
		tree{w: w}.brief(*x.Decision)
	}
}

// verb is what became of the request, in a form that says whether it was done.
func (x Answer) verb() string {
	switch {
	case x.Action == "clean":
		return "nothing to do:"
	case x.DryRun && x.Action == "opened":
		return "would open"
	case x.DryRun && x.Action == "updated":
		return "would update"
	}
	return x.Action
}

// brief shows one change in a line: the repository, once where it stays, and the tags with the
// beginnings of the digests.
func (c ImageChange) brief() string {
	old, errOld := image.Parse(c.Old)
	now, errNew := image.Parse(c.New)
	if errOld != nil || errNew != nil || old.Repository() != now.Repository() {
		return shortened(c.Old) + " -> " + shortened(c.New)
	}
	version := func(r image.Ref) string {
		s := r.Tag
		if r.Digest != "" {
			s += "@" + r.Digest.Short()
		}
		return strings.TrimPrefix(s, "@")
	}
	return now.Name + ": " + version(old) + " -> " + version(now)
}

// A Filed is a request that was written as a comment, for Pinnace's App to act on.
type Filed struct {
	Repository string   `json:"repository"`
	Issue      int      `json:"issue"`
	Comment    int64    `json:"comment"`
	URL        string   `json:"url,omitempty"`
	Commands   []string `json:"commands"`
	// Answered says that the App replied, with Answer, in Markdown.
	Answered     bool               `json:"answered"`
	Answer       string             `json:"answer,omitempty"`
	Refused      bool               `json:"refused"`
	PullRequests []FiledPullRequest `json:"pullRequests"` // that the answer names
}

// A FiledPullRequest is what became of a request.
type FiledPullRequest struct {
	Number int    `json:"number"`
	Title  string `json:"title"`
	URL    string `json:"url,omitempty"`
	Action string `json:"action"` // opened, updated, or unchanged: it was asked for before, too
}

// JSON writes the comment as one object; docs/output.md describes it.
func (f Filed) JSON(w io.Writer) error {
	f.PullRequests = filled(f.PullRequests)
	return writeJSON(w, f)
}

// Text says where the request stands.
func (f Filed) Text(w io.Writer) {
	for _, c := range f.Commands {
		fmt.Fprintln(w, Plain(c))
	}
	fmt.Fprintf(w, "filed in #%d, where Pinnace answers: %s\n", f.Issue, Plain(f.URL))
}

// AnswerText writes what the App replied, and the pull requests with their addresses.
func (f Filed) AnswerText(w io.Writer) {
	fmt.Fprintln(w)
	if f.Refused || len(f.PullRequests) == 0 {
		for line := range strings.Lines(f.Answer) {
			fmt.Fprintln(w, Plain(unmarked.Replace(strings.TrimRight(line, "\n"))))
		}
	}
	for _, q := range f.PullRequests {
		fmt.Fprintf(w, "%s #%d %s\n%s\n", color.New(color.FgGreen, color.Bold).Sprint(q.Action), q.Number, Plain(q.Title), Plain(q.URL))
	}
}

// unmarked takes the signs of Markdown out of a text of ours.
var unmarked = strings.NewReplacer("**", "", "`", "")
