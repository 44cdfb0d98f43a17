package message

import (
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Merge is what the commit says that merges a pull request. Whatever is empty is not said.
type Merge struct {
	PullRequest         int
	Kind                promotion.Kind
	App                 string
	Envs                []string
	From                string // "" is the registry for a promotion
	Skipped             []string
	Request             string // its ID
	Images              []Image
	Seal                string
	Requested, Approved []promotion.Identity
	Policies            []string // names of those that were bound
	Deployed            promotion.Identity
	Glass               string // why the rules were waived
	Version             string // of Pinnace
}

// Title returns the first line, of at most 72 characters, with the number at its end.
func (m Merge) Title() string {
	n := number(m.PullRequest)
	p := PullRequest{Kind: m.Kind, App: m.App, Environments: m.Envs, Images: m.Images}
	return p.headline(maxSubject-len(n)) + n
}

// Message returns what follows the first line and an empty one: what happens to at most 20
// images, and trailers. [ParseTrailers] reads them from both.
func (m Merge) Message() string {
	var b strings.Builder
	if len(m.Images) > 0 {
		b.WriteString(lines(m.Images) + "\n")
	}
	if why := line(m.Glass, maxText); why != "" {
		b.WriteString("Break-glass")
		if by := signature(m.Deployed); by != "" {
			b.WriteString(" by " + by)
		}
		b.WriteString(": " + ended(why) + "\n\n")
	}
	by := "Merged by Pinnace"
	if m.Version != "" {
		by += " " + plain(m.Version, 40)
	}
	b.WriteString(by + ".\n\n")

	t := trailers{&b}
	t.one(TrailerKind, plain(string(m.Kind), 20))
	t.names(TrailerEnv, m.Envs, maxEnvironments)
	t.one(TrailerApp, plain(m.App, 100))
	t.request(m.Kind, m.From, m.Skipped, m.Request)
	t.images(m.Images)
	t.one(TrailerSeal, plain(m.Seal, 64))
	t.people(TrailerRequestedBy, m.Requested)
	t.people(TrailerApprovedBy, m.Approved)
	t.names(TrailerPolicy, m.Policies, maxNames)
	t.one(TrailerDeployedBy, signature(m.Deployed))
	t.one(TrailerGlass, line(m.Glass, 200))
	return b.String()
}
