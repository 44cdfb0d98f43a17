package sandbox

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Protection is what a branch demands: a ruleset, or classic branch protection.
type Protection struct {
	promotion.Rules
	Classic bool     // branch protection, which only administrators may read
	Bypass  []string // logins, and slugs of Apps, that the rules do not bind
}

type guarded struct {
	pattern string
	Protection
}

// Protect binds the branches that match a pattern, such as "main" or "release/*", in the
// place of the protection of the same kind that the pattern had.
func (r *Repository) Protect(pattern string, p Protection) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.protections = slices.DeleteFunc(r.protections, func(g guarded) bool { return g.pattern == pattern && g.Classic == p.Classic })
	r.protections = append(r.protections, guarded{pattern, p})
	r.s.version++
}

// Unprotect lifts the protections of a pattern.
func (r *Repository) Unprotect(pattern string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.protections = slices.DeleteFunc(r.protections, func(g guarded) bool { return g.pattern == pattern })
	r.s.version++
}

// demands is what all protections of a branch demand together.
type demands struct {
	promotion.Rules
	sources []guarded
}

func (r *Repository) rules(name string) demands {
	var d demands
	for _, g := range r.protections {
		if ok, _ := path.Match(g.pattern, name); !ok {
			continue
		}
		d.sources = append(d.sources, g)
		d.SignedCommits = d.SignedCommits || g.SignedCommits
		d.LinearHistory = d.LinearHistory || g.LinearHistory
		// Branch protection refuses both unless it is told otherwise.
		// https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/about-protected-branches
		d.NoForcePush = d.NoForcePush || g.NoForcePush || g.Classic
		d.NoDeletion = d.NoDeletion || g.NoDeletion || g.Classic
		d.NoCreation = d.NoCreation || g.NoCreation
		d.NoUpdate = d.NoUpdate || g.NoUpdate
		d.PullRequest = d.PullRequest || g.PullRequest || g.Approvals > 0
		d.Approvals = max(d.Approvals, g.Approvals)
		d.DismissStale = d.DismissStale || g.DismissStale
		d.LastPushApproval = d.LastPushApproval || g.LastPushApproval
		d.CodeOwners = d.CodeOwners || g.CodeOwners
		d.ThreadsResolved = d.ThreadsResolved || g.ThreadsResolved
		d.Checks = append(d.Checks, g.Checks...)
		d.UpToDate = d.UpToDate || g.UpToDate
		d.MergeQueue = d.MergeQueue || g.MergeQueue
		if g.MergeQueueMethod != "" {
			d.MergeQueueMethod = g.MergeQueueMethod
		}
		if g.MergeMethods != nil {
			d.MergeMethods = g.MergeMethods
		}
	}
	return d
}

// bypassed says whether every protection lets an actor pass.
func (d demands) bypassed(by *actor) bool {
	for _, g := range d.sources {
		if !slices.ContainsFunc(g.Bypass, by.named) {
			return false
		}
	}
	return true
}

// checksMissing says which required checks a commit lacks: one by its name, several by their
// number. A check is the newest of its name, from the required App where one is named;
// success, neutral and skipped pass.
// https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/about-status-checks
func (r *Repository) checksMissing(d demands, h plumbing.Hash) []string {
	return d.unmet(func(c promotion.RequiredCheck) string { return r.checkState(c, h) })
}

// unmet puts the states of required checks into GitHub's words.
func (d demands) unmet(state func(promotion.RequiredCheck) string) []string {
	counts := map[string]int{}
	var last, its string
	n := 0
	for _, c := range d.Checks {
		if x := state(c); x != "" {
			counts[x]++
			n, last, its = n+1, c.Context, x
		}
	}
	switch {
	case n == 0:
		return nil
	case n == 1:
		return []string{fmt.Sprintf("Required status check %q is %s.", last, its)}
	case counts[its] == n && its != "failing":
		return []string{fmt.Sprintf("%d of %d required status checks are %s.", n, len(d.Checks), its)}
	}
	var parts []string
	for _, x := range []string{"expected", "pending", "in progress", "failing"} {
		if counts[x] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[x], x))
		}
	}
	text := strings.Join(parts, " and ")
	if len(parts) > 2 {
		text = strings.Join(parts[:len(parts)-1], ", ") + ", and " + parts[len(parts)-1]
	}
	return []string{fmt.Sprintf("%d of %d required status checks have not succeeded: %s.", n, len(d.Checks), text)}
}

// checkState returns expected, pending, in progress or failing, "" for one that passes.
func (r *Repository) checkState(c promotion.RequiredCheck, h plumbing.Hash) string {
	state := "expected"
	for _, x := range r.checks {
		if x.sha != h.String() || x.name != c.Context || c.App != 0 && x.app.id != c.App {
			continue
		}
		switch {
		case x.status == "in_progress":
			state = "in progress"
		case x.status != "completed":
			state = "pending"
		case slices.Contains([]string{"success", "neutral", "skipped"}, x.conclusion):
			state = ""
		default:
			state = "failing"
		}
	}
	if state != "expected" {
		return state
	}
	for _, x := range r.statuses {
		if x.sha != h.String() || x.context != c.Context || c.App != 0 && (x.app == nil || x.app.id != c.App) {
			continue
		}
		state = map[string]string{"success": "", "pending": "pending"}[x.state]
		if x.state == "failure" || x.state == "error" {
			state = "failing"
		}
	}
	return state
}

// obstacles are what keeps a pull request from being merged, in GitHub's words, conflicts
// and drafts aside. A branch that must be up to date and is not says that its checks are
// expected, though they are green.
// https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request
func (p *pull) obstacles(by *actor) []string {
	d := p.r.rules(p.baseRef)
	if by != nil && d.bypassed(by) {
		return nil
	}
	var list []string
	approvals, changes := p.approvals()
	if n := d.Approvals; len(approvals) < n {
		plural := "reviews are"
		if n == 1 {
			plural = "review is"
		}
		list = append(list, fmt.Sprintf("At least %d approving %s required by reviewers with write access.", n, plural))
	}
	if changes && d.PullRequest {
		list = append(list, "Changes were requested by a reviewer with write access.")
	}
	if d.LastPushApproval && !slices.ContainsFunc(approvals, func(a *account) bool { return a != p.lastPusher }) {
		list = append(list, "New changes require approval from someone other than the last pusher.")
	}
	if p.behind(d) {
		list = append(list, d.unmet(func(promotion.RequiredCheck) string { return "expected" })...)
	} else {
		list = append(list, p.r.checksMissing(d, p.head)...)
	}
	if d.SignedCommits && slices.ContainsFunc(p.r.between(p.since(), p.head), func(c *gitCommit) bool { _, ok := p.r.signed[c.Hash]; return !ok }) {
		list = append(list, "Commits must have verified signatures.")
	}
	if d.MergeQueue {
		list = append(list, "Changes must be made through the merge queue")
	}
	if d.NoUpdate {
		list = append(list, "Cannot update this protected ref.")
	}
	return list
}

func (p *pull) behind(d demands) bool {
	return d.UpToDate && len(d.Checks) > 0 && !p.r.isAncestor(p.r.tip(p.baseRef), p.head)
}

// mergeability is what the API says of an open pull request: whether it merges (nil while
// it is worked out), and the state.
// https://docs.github.com/en/graphql/reference/enums#mergestatestatus
func (p *pull) mergeability() (*bool, string) {
	if !p.open {
		no := false
		if p.merged {
			return nil, "unknown"
		}
		return &no, "unknown"
	}
	at := [2]plumbing.Hash{p.head, p.r.tip(p.baseRef)}
	if p.r.s.o.SlowMergeability && p.told != at {
		p.told = at
		return nil, "unknown"
	}
	p.settle()
	ok := !p.test.IsZero()
	d := p.r.rules(p.baseRef)
	switch {
	case !ok:
		return &ok, "dirty"
	case p.draft:
		return &ok, "draft"
	case p.behind(d):
		return &ok, "behind"
	case len(p.obstacles(nil)) > 0:
		return &ok, "blocked"
	case p.r.shaky(p.head.String()):
		return &ok, "unstable"
	}
	return &ok, "clean"
}

// shaky says whether any check or status of a commit is not green.
func (r *Repository) shaky(sha string) bool {
	for _, c := range r.latestChecks(sha) {
		if c.status != "completed" || !slices.Contains([]string{"success", "neutral", "skipped"}, c.conclusion) {
			return true
		}
	}
	for _, x := range r.latestStatuses(sha) {
		if x.state != "success" {
			return true
		}
	}
	return false
}

func lower(s string) string { return strings.ToLower(s) }
