package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/message"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Pins narrows what is proposed to pins, in words of the caller's own.
type Pins struct {
	Branch  string // of the one pull request that holds them all; "": one for each environment, as ever
	Title   string // of its pull request, "" is Pinnace's own
	Subject string // the first line of its commit, "" is Pinnace's own
	Labels  []string
	// Paths says which files are looked at, nil: all. It takes a Branch, since the pull requests
	// of environments hold all of their files.
	Paths func(path string) bool
}

// ours are the names below plan.Prefix that branches of Pinnace have or begin with. Where one is
// a branch, git takes none below it.
var ours = []string{"base", "configure", "pin", "pin-all", "pin-shared", "promote", "rollback", "update"}

// branch is that of the pull request to a base: a branch has one open pull request.
func (x *Pins) branch(base string, isDefault bool) string {
	if isDefault || x.Branch == "" {
		return x.Branch
	}
	return plan.Prefix + "base/" + base + "/" + strings.TrimPrefix(x.Branch, plan.Prefix)
}

// Check says what is wrong with them.
func (x *Pins) Check() error {
	switch {
	case x.Branch == "" && x.Paths != nil:
		return fmt.Errorf("some files only: name the branch of their pull request, such as %spins; those of environments hold all files", plan.Prefix)
	case x.Branch == "" && x.Title+x.Subject != "":
		return fmt.Errorf("a title of one's own: name the branch of the pull request, too, such as %spins", plan.Prefix)
	case x.Branch == "":
		return nil
	case !strings.HasPrefix(x.Branch, plan.Prefix) || len(x.Branch) == len(plan.Prefix):
		return fmt.Errorf("branch %s: it has to begin with %s, such as %spins: other branches are people's", x.Branch, plan.Prefix, plan.Prefix)
	}
	if first, _, _ := strings.Cut(strings.TrimPrefix(x.Branch, plan.Prefix), "/"); slices.Contains(ours, strings.ToLower(first)) {
		return fmt.Errorf("branch %s is one that Pinnace gives by itself: name another one, such as %spins", x.Branch, plan.Prefix)
	}
	return nil
}

// files leaves out those that are not to be looked at.
func (x *Pins) files(all []check.File) []check.File {
	if x == nil || x.Paths == nil {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(f check.File) bool { return !x.Paths(f.Path) })
}

// narrow leaves the pins of proposals, in one where a branch is named.
func (x *Pins) narrow(all []plan.Proposal, base string, isDefault bool) []plan.Proposal {
	if x == nil {
		return all
	}
	pins := slices.DeleteFunc(all, func(q plan.Proposal) bool { return q.Kind != promotion.Pin })
	if x.Branch == "" {
		return pins
	}
	one := plan.Proposal{Kind: promotion.Pin, Branch: x.branch(base, isDefault)}
	for _, q := range pins {
		if len(q.Changes) > 0 {
			one.Environments = union(one.Environments, q.Environments)
		}
		one.Changes = append(one.Changes, q.Changes...)
		one.Left = append(one.Left, q.Left...)
		one.Failed = append(one.Failed, q.Failed...)
	}
	promotion.SortChanges(one.Changes)
	return []plan.Proposal{one}
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// keeps says whether a branch that no proposal has is another run's to look after.
func (x *Pins) keeps(kind promotion.Kind) bool {
	return x != nil && (kind != promotion.Pin || x.Branch != "")
}

// word puts the caller's words into the text of a pull request to a base.
func (x *Pins) word(s *Settled, text *message.PullRequest, base string, isDefault bool) {
	if x != nil && s.Branch == x.branch(base, isDefault) {
		text.Headline, text.Subject = x.Title, x.Subject
	}
}

// labels are those of a pull request.
func (x *Pins) labels() []string {
	if x == nil {
		return []string{Label}
	}
	return union([]string{Label}, x.Labels)
}
