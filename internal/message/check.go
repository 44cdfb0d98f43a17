package message

import (
	"cmp"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// CheckLimit is the number of bytes that GitHub takes in the summary of a check run, and in
// its text
// (https://docs.github.com/en/rest/checks/runs#create-a-check-run).
const CheckLimit = 65535

// RecordRoom is how many bytes of a check run's text [Check.Text] leaves to whoever appends
// to it.
const RecordRoom = 24000

const (
	textRoom    = CheckLimit - RecordRoom - 500
	hurdlesRoom = 16 << 10
	stepsRoom   = 8 << 10
)

// A Check is what the check run of a verdict says. It says nothing of now: the same verdict
// has the same texts at any time.
type Check struct {
	Name     string // of the check run
	Subject  string // what is judged, in one line
	Decision promotion.Decision
	// Hold says why a verdict that is Passed is not shown as success yet, such as "waiting
	// for /deploy"; "" where it is.
	Hold     string
	Advisory bool     // anybody who may write could have forged it
	Notes    []string // sentences
	Seal     string   // that was judged
}

// Conclusion returns the status and the conclusion of the check run. What waits, or is held,
// stays in progress, so that a branch rule that asks for the check keeps waiting. Only
// Passed is ever a success.
func (c Check) Conclusion() (status, conclusion string) {
	switch s := c.Decision.Status; {
	case s == promotion.Passed && c.Hold == "":
		return "completed", "success"
	case s == promotion.Passed, s == promotion.Waiting:
		return "in_progress", ""
	case s == promotion.Denied:
		return "completed", "failure"
	}
	return "completed", "action_required"
}

// Title returns one line of at most 255 bytes, without Markdown.
func (c Check) Title() string {
	d := c.Decision
	title := cmp.Or(line(d.Summary, maxTitle), line(string(d.Status), 20), string(promotion.Unknown))
	if d.Status == promotion.Passed && c.Hold != "" {
		title += "; " + line(c.Hold, 120)
	}
	if c.Advisory {
		title = "advisory, " + title
	}
	return capital(cutBytes(title, maxTitle))
}

// Summary returns Markdown that says what stands in the way, who can do what about it, which
// approvals count and which do not, and when the verdict may change by itself.
func (c Check) Summary() string {
	d := c.Decision
	sections := []string{Text(c.Subject)}
	if c.Advisory {
		sections = append(sections, "**This is advice.** The token that wrote this check is one that anybody who may write here can use, so Pinnace merges nothing here that needs approvals.")
	}
	if d.Status == promotion.Passed {
		s := concluded(d)
		if hold := Text(c.Hold); hold != "" {
			s += " **Not merged yet**: " + ended(hold)
		}
		sections = append(sections, s)
	} else {
		sections = append(sections, inTheWay(d)...)
	}
	var counts, ignored, notes []string
	for _, a := range d.Approvals {
		row := "- " + cmp.Or(person(a.By), "somebody")
		if !a.At.IsZero() {
			row += ", " + stamp(a.At)
		}
		counts = append(counts, row+"\n")
	}
	for _, i := range d.Ignored {
		ignored = append(ignored, "- "+cmp.Or(person(i.By), "somebody")+": "+text(i.Reason, 300)+"\n")
	}
	for _, n := range c.Notes {
		if n = Text(n); n != "" {
			notes = append(notes, "- "+n+"\n")
		}
	}
	sections = append(sections,
		section("Approvals that count", counts, notesRoom, "approval"),
		section("Reviews that do not count", ignored, stepsRoom, "review"),
		section("Notes", notes, notesRoom, "note"),
	)
	if !d.Recheck.IsZero() {
		sections = append(sections, "Judged again by itself on "+stamp(d.Recheck)+".")
	}
	foot := code(c.Name, 120)
	if c.Seal != "" {
		foot = strings.TrimPrefix(foot+", seal "+code(c.Seal, 12), ", ")
	}
	if foot != "" {
		sections = append(sections, "<sub>"+foot+"</sub>")
	}
	return paragraphs(sections...)
}

// Text returns the whole tree of rules in Markdown, of at most [CheckLimit] less
// [RecordRoom] bytes. Where that is not enough, the deepest of what holds is left out first.
func (c Check) Text() string {
	list := (&tree{}).list(c.Decision.Results, textRoom)
	if list == "" {
		return "No rule is to be judged here.\n"
	}
	return "**Rules**\n\n" + list + "\n"
}

// inTheWay lists the rules that do not hold, and who can do what next.
func inTheWay(d promotion.Decision) []string {
	found := hurdles(d.Results)
	if len(found) == 0 {
		return []string{concluded(d)}
	}
	return []string{
		section("In the way", obstacles(found), hurdlesRoom, "rule"),
		section("Next", moves(found), stepsRoom, "step"),
	}
}

// concluded is the verdict as a sentence.
func concluded(d promotion.Decision) string {
	return capital(ended(cmp.Or(Text(d.Summary), Text(string(d.Status)), string(promotion.Unknown))))
}

// paragraphs joins what is not empty.
func paragraphs(all ...string) string {
	var b strings.Builder
	for _, s := range all {
		if s == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(s)
	}
	b.WriteByte('\n')
	return b.String()
}
