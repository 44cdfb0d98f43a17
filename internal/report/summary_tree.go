package report

import (
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// signs tell the statuses apart by shape, not by colour alone.
var signs = map[promotion.Status]string{
	promotion.Passed: "✅", promotion.Skipped: "➖", promotion.Waiting: "⏳", promotion.Unknown: "❔", promotion.Denied: "❌",
}

// sign shows a status; one that nobody knows is unknown.
func sign(s promotion.Status) string {
	if x := signs[s]; x != "" {
		return x
	}
	return signs[promotion.Unknown]
}

// word names a status.
func word(s promotion.Status) string {
	if signs[s] == "" {
		return string(promotion.Unknown)
	}
	return string(s)
}

const (
	leafRows  = 400 // rules of one tree that are shown
	leafDepth = 10  // levels of one tree that are shown
)

// decision adds the rules of a verdict as a nested list, with what stands in the way in words,
// and who is counted.
func (p *page) decision(d promotion.Decision) {
	t := &branches{p: p}
	t.grow(d.Results, 0)
	if t.rows > 0 {
		p.b.WriteByte('\n')
	}
	if t.more > 0 {
		p.say("and " + count(t.more, "rule") + " more")
	}
	const most = 20
	var counted []string
	for _, a := range d.Approvals[:min(len(d.Approvals), most)] {
		counted = append(counted, code(a.By.String()))
	}
	if len(counted) > 0 {
		text := "Approvals that count: " + strings.Join(counted, ", ")
		if more := len(d.Approvals) - most; more > 0 {
			text += " and " + count(more, "approval") + " more"
		}
		p.say(text)
	}
	if len(d.Ignored) > 0 {
		p.say("Reviews that do not count:")
		p.list("review", len(d.Ignored), func(i int) string { return code(d.Ignored[i].By.String()) + ": " + prose(d.Ignored[i].Reason) })
	}
	if !d.Recheck.IsZero() {
		p.say("Judged again by itself on " + stamp(d.Recheck.UTC()) + ".")
	}
}

// A branches adds results to a page, as far as there is room.
type branches struct {
	p    *page
	rows int
	more int
}

func (t *branches) grow(all []promotion.Result, depth int) {
	for _, r := range all {
		if depth >= leafDepth || t.rows >= leafRows || t.p.b.Len() >= summaryRoom {
			t.more++
			continue
		}
		t.rows++
		step := strings.Repeat("  ", depth)
		line := step + "- " + sign(r.Status) + " " + word(r.Status) + ": " + prose(r.Title)
		if r.File != "" {
			line += " (" + at(r.File, r.Line) + ")"
		}
		t.p.b.WriteString(line + "\n")
		if r.Status != promotion.Passed && r.Status != promotion.Skipped {
			for _, why := range reasons(own(r)) {
				t.p.b.WriteString(step + "  - " + why + "\n")
			}
		}
		if !folded(r) {
			t.grow(r.Children, depth+1)
		}
	}
}

// reasons are the rows that say why a result stands in the way.
func reasons(r promotion.Result) []string {
	var out []string
	add := func(name, text string) {
		if text = prose(text); text != "" {
			out = append(out, name+": "+text)
		}
	}
	add("seen", r.Seen)
	add("wanted", r.Wanted)
	add("missing", strings.Join(r.Missing, ", "))
	add("who", r.Who)
	add("**next**", r.Next)
	if !r.Until.IsZero() && r.Status == promotion.Waiting && !strings.HasPrefix(r.Next, "wait until ") {
		out = append(out, "until: "+stamp(r.Until.UTC()))
	}
	return out
}
