package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Summary writes what became of each request, as the Markdown of a job's summary.
func (a Asked) Summary(w io.Writer) {
	var out page
	switch len(a.Answers) {
	case 0:
		out.head("✅", "Nothing was asked for")
	case 1:
		x := a.Answers[0]
		out.head(x.sign(), x.told())
	default:
		var words []string
		var counts []int
		bad := "✅"
		for _, x := range a.Answers {
			word := strings.TrimSuffix(x.verb(), ":")
			at := -1
			for i := range words {
				if words[i] == word {
					at = i
				}
			}
			if at < 0 {
				words, counts = append(words, word), append(counts, 0)
				at = len(words) - 1
			}
			counts[at]++
			if s := x.sign(); bad != "❌" && s != "✅" {
				bad = s
			}
		}
		out.head(bad, "Requests: "+prose(tally(counts, words)))
		out.table("request", []string{"Pull request", "What", "Result"}, len(a.Answers), func(i int) []string {
			x := a.Answers[i]
			return []string{numbered(x.PullRequest, x.URL), x.what(), x.sign() + " " + prose(strings.TrimSuffix(x.verb(), ":"))}
		})
	}
	for i, x := range a.Answers {
		if i >= treesShown || out.b.Len() >= summaryRoom {
			out.say("and " + count(len(a.Answers)-i, "request") + " more")
			break
		}
		if len(a.Answers) > 1 {
			out.section(x.what())
		}
		out.answer(x)
	}
	out.write(w)
}

// told is what became of a request, in a line.
func (x Answer) told() string {
	text := prose(strings.TrimSuffix(x.verb(), ":")) + ": " + x.what()
	if n := numbered(x.PullRequest, x.URL); n != "" {
		text += ", " + n
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// what names the request.
func (x Answer) what() string {
	if x.Kind == string(promotion.Rollback) {
		return "rollback of " + code(x.App) + " in " + code(x.Environment)
	}
	text := "promotion of " + code(x.App)
	if x.From != "" {
		text += " from " + code(x.From)
	}
	return text + " to " + code(x.Environment)
}

func (x Answer) sign() string {
	switch x.Action {
	case "refused", "failed", "declined", "diverged":
		return "❌"
	case "waiting", "nothing":
		return "⏳"
	}
	return "✅"
}

// answer adds what changes, and why it does not.
func (p *page) answer(x Answer) {
	p.changes(x.Changes)
	if len(x.Skipped) > 0 {
		p.say("It skips " + code(strings.Join(x.Skipped, ", ")) + ".")
	}
	p.list("reason", len(x.Reasons), func(i int) string { return "why: " + prose(x.Reasons[i]) })
	if x.Decision != nil {
		p.say(sign(x.Decision.Status) + " " + prose(x.Decision.Summary))
		p.decision(*x.Decision)
	}
	switch {
	case x.DryRun:
		p.next("this was a dry run; leave `dry-run` out to ask for it.")
	case x.PullRequest != 0 && x.sign() == "✅" && x.Action != "merged" && x.Action != "queued":
		p.next("review " + numbered(x.PullRequest, x.URL) + ": its reviews are the approvals.")
	case x.Action == "refused":
		p.next("nothing was opened; the reasons above say who can change that.")
	}
}

// changes adds a row for each place that changes.
func (p *page) changes(all []ImageChange) {
	p.table("image", []string{"Where", "Image", "From", "To"}, len(all), func(i int) []string {
		name, from, to := versions(all[i].Old, all[i].New)
		return []string{at(all[i].Path, all[i].Line), name, from, to}
	})
}

// Summary writes where the request stands, as the Markdown of a job's summary.
func (f Filed) Summary(w io.Writer) {
	var out page
	where := link(fmt.Sprintf("#%d", f.Issue), f.URL)
	switch {
	case !f.Answered:
		out.head("⏳", "Filed in "+where+", where Pinnace answers")
	case f.Refused:
		out.head("❌", "Refused in "+where)
	default:
		out.head("✅", "Answered in "+where)
	}
	out.list("command", len(f.Commands), func(i int) string { return code(f.Commands[i]) })
	out.table("pull request", []string{"Pull request", "What", "Result"}, len(f.PullRequests), func(i int) []string {
		q := f.PullRequests[i]
		return []string{numbered(q.Number, q.URL), prose(q.Title), prose(q.Action)}
	})
	if f.Refused || len(f.PullRequests) == 0 {
		for line := range strings.Lines(f.Answer) {
			if line = strings.TrimSpace(unmarked.Replace(line)); line != "" && out.b.Len() < summaryRoom {
				out.say("> " + prose(line))
			}
		}
	}
	out.write(w)
}
