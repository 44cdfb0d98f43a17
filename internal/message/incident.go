package message

import (
	"fmt"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Glass is the follow-up of a break-glass: an issue that a second person closes.
type Glass struct {
	Key         string // of [ReplyKey]
	App         string
	Envs        []string
	PullRequest int
	Commit      string // that merged it
	By          promotion.Identity
	At          time.Time
	Reason      string
	Images      []Image
	Waived      []promotion.Result // the rules that were not asked, whatever their status
	Seal        string
}

// Title returns one line of at most 255 characters.
func (g Glass) Title() string {
	return cut("Break-glass: review "+about(g.App, g.Envs)+number(g.PullRequest), maxTitle)
}

// Body returns Markdown of fewer than [Limit] bytes.
func (g Glass) Body() string {
	who := person(g.By)
	if who == "" {
		who = "Somebody"
	}
	what := "an image change"
	if g.PullRequest > 0 {
		what = fmt.Sprintf("pull request #%d", g.PullRequest)
	}
	did := who + " broke the glass to merge " + what
	if sha := shortSHA(g.Commit); sha != "" {
		did += " as " + sha
	}
	if !g.At.IsZero() {
		did += " on " + stamp(g.At)
	}
	why := "No reason was given."
	if s := text(g.Reason, maxText); s != "" {
		why = "> " + unblocked(s)
	}
	return replied(g.Key,
		did+":", why,
		PullRequest{Images: g.Images}.table(),
		ruled("Waived", "No rule was in the way.", g.Waived),
		"**A second person closes this issue** after looking at what was merged and at the reason. Where "+who+" closes it, Pinnace opens it again.",
		sealed(g.Seal),
	)
}

// A Bypass is an incident: images changed on a managed branch without a verdict that allowed
// it.
type Bypass struct {
	Key         string // of [ReplyKey]
	Base        string // the branch
	Commit      string // that changed them
	URL         string // of the commit, an address of ours; may be empty
	PullRequest int    // that was merged; 0 is a direct push
	By          promotion.Identity
	At          time.Time // when it was seen first
	Envs        []string
	Images      []Image
	Rules       []promotion.Result // the tree as judged afterwards
	Why         string             // how it differs from what was judged, may be empty
	Documents   bool               // .pinnace/ changed
	Unread      bool               // nobody knows what changed
}

// Title returns one line of at most 255 characters.
func (b Bypass) Title() string {
	how := "direct push"
	if b.PullRequest > 0 {
		how = "merge"
	}
	p := PullRequest{Images: b.Images, Environments: b.Envs}
	where := p.where(3)
	if where != "" {
		where = " in " + where
	}
	what := counted(p.names(), "image")
	if b.Documents && len(b.Images) == 0 {
		what = "the rules themselves"
	}
	if b.Unread {
		what = "what cannot be read"
	}
	return cut("Rules bypassed: "+how+" changed "+what+where+number(b.PullRequest), maxTitle)
}

// Body returns Markdown of fewer than [Limit] bytes.
func (b Bypass) Body() string {
	commit := shortSHA(b.Commit)
	if commit != "" && plainAddress(b.URL) {
		commit = "[" + commit + "](" + b.URL + ")"
	}
	did := "A commit"
	if commit != "" {
		did = "Commit " + commit
	}
	if branch := code(b.Base, 255); branch != "" {
		did += " on " + branch
	}
	if b.PullRequest > 0 {
		did += fmt.Sprintf(", the merge of #%d", b.PullRequest)
	} else {
		did += ", pushed directly"
	}
	if who := person(b.By); who != "" {
		did += " by " + who
	}
	what := "images"
	switch {
	case b.Documents && len(b.Images) == 0:
		what = "`.pinnace/`"
	case b.Documents:
		what = "images and `.pinnace/`"
	case b.Unread:
		what = "what cannot be read"
	}
	did += ", changed " + what + " without a verdict that allowed it."
	if !b.At.IsZero() {
		did += " Seen on " + stamp(b.At) + "."
	}
	return replied(b.Key,
		did, ended(Text(b.Why)),
		PullRequest{Images: b.Images}.table(),
		ruled("Rules that did not hold", "", hurdles(b.Rules)),
		"**What to do**\n\n- Look at what runs now. To go back, revert the commit through a pull request.\n- Let a branch rule ask for the check `pinnace/promotion` and forbid direct pushes, as docs/promotions.md says.\n- Close this issue when that is done.",
	)
}

// ruled lists rules without those below them, or says that there are none.
func ruled(title, none string, rules []promotion.Result) string {
	if len(rules) == 0 {
		return none
	}
	return section(title, obstacles(rules), hurdlesRoom, "rule")
}

// about names an app and where it is, for a title.
func about(app string, envs []string) string {
	s := plain(app, 100)
	if s == "" {
		s = "an image change"
	}
	if where := (PullRequest{Environments: envs}).where(3); where != "" {
		s += " in " + where
	}
	return s
}

// number refers to a pull request at the end of a title.
func number(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" (#%d)", n)
}

func sealed(seal string) string {
	if seal == "" {
		return ""
	}
	return "<sub>Seal " + code(seal, 12) + "</sub>"
}
