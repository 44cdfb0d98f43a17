package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

var ruleChecks = []Check{
	{
		ID: "rules.readable", Title: "Branch rules can be read", judge: judgeReadable,
		About: "Rules that the token cannot read are unknown to the checks below.",
	},
	{
		ID: "rules.required", Title: "The check is required", judge: overBases(judgeRequired),
		About: "A branch that does not require pinnace/promotion can be merged into against every policy.",
	},
	{
		ID: "rules.pinned", Title: "The check is believed from the App only", judge: overBases(judgePinned),
		About: "Anybody who may write can write a check or a status of any name, unless the rule names its source.",
	},
	{
		ID: "rules.pull-request", Title: "Changes come by pull request", judge: overBases(judgeDirect),
		About: "A direct push goes by every review; Pinnace reports it after the fact.",
	},
	{
		ID: "rules.history", Title: "History cannot be rewritten", judge: overBases(judgeHistory),
		About: "History is the record of who approved what; a force push or a deletion loses it.",
	},
	{
		ID: "rules.bypass", Title: "Nobody goes past the rules", judge: overBases(judgeBypass),
		About: "Who may bypass the rules merges and pushes as they like; Pinnace reports it after the fact.",
	},
	{
		ID: "rules.reviews", Title: "Required reviews", judge: overBases(judgeReviews),
		About: "Where GitHub wants more approvals than the policy, Pinnace waits for them although its own check is green.",
	},
	{
		ID: "rules.stale", Title: "Dismissal of stale reviews", judge: overBases(judgeStale),
		About: "Pinnace keeps approvals of what did not change; GitHub dismisses them whenever the branch is brought up to date.",
	},
	{
		ID: "rules.code-owners", Title: "Reviews of code owners", judge: overBases(judgeCodeOwners),
		About: "GitHub then asks its owners for every promotion, whoever the policy takes approvals from.",
	},
	{
		ID: "rules.last-push", Title: "Approval of the last push", judge: overBases(judgeLastPush),
		About: "Pinnace pushes its branches, so each needs a person's approval, whatever the policy says.",
	},
	{
		ID: "rules.conversations", Title: "Resolved conversations", judge: overBases(judgeThreads),
		About: "A conversation that nobody resolves holds what Pinnace would merge.",
	},
	{
		ID: "rules.signatures", Title: "Signed commits", judge: overBases(judgeSignatures),
		About: "GitHub signs what it commits itself, and not what it rebases.",
	},
	{
		ID: "rules.method", Title: "The way of merging is allowed", judge: overBases(judgeMethod),
		About: "GitHub refuses every merge in a way that the repository or a rule does not allow.",
	},
	{
		ID: "rules.up-to-date", Title: "Branches up to date, or a merge queue", judge: overBases(judgeUpToDate),
		About: "Without either, a pull request is merged that was never tested with what was merged before it; Pinnace reads the base again by itself.",
	},
	{
		ID: "rules.queue", Title: "The merge queue knows Pinnace", judge: overBases(judgeQueue),
		About: "A queue waits for pinnace/promotion on each of its groups, and drops them when it does not come.",
	},
	{
		ID: "rules.update", Title: "Pinnace may merge", judge: overBases(judgeUpdate),
		About: "A rule that restricts updates lets those merge only who may bypass it.",
	},
	{
		ID: "rules.branches", Title: "Pinnace may make branches", judge: judgeBranches,
		About: "A rule that restricts creations or updates of pinnace/ branches stops every proposal.",
	},
	{
		ID: "rules.enforced", Title: "What is enforced, and what only detected", judge: judgeEnforced,
		About: "What branch rules do not enforce, Pinnace finds out afterwards and opens an issue about.",
	},
}

// overBases judges each managed branch; the worst finding counts, and where there are several
// branches each is named.
func overBases(judge func(*Facts, Base) Finding) func(*Facts) Finding {
	return func(f *Facts) Finding {
		all, no := f.Bases.get()
		if no != nil {
			return *no
		}
		if len(all) == 0 {
			return skip("the repository has no commit")
		}
		worst := Finding{}
		var seen []string
		for _, b := range all {
			found := judge(f, b)
			seen = append(seen, b.Branch+": "+string(found.Status)+": "+found.Seen)
			if worst.Status == "" || weight[found.Status] > weight[worst.Status] {
				worst = found
				if len(all) > 1 {
					worst.Seen = b.Branch + ": " + found.Seen
				}
			}
		}
		if len(all) > 1 {
			worst.Details = append(slices.Clone(worst.Details), seen...)
		}
		return worst
	}
}

var weight = map[Status]int{Skipped: 0, OK: 1, Warning: 2, Problem: 3}

const rulesAt = "in the repository's settings under Rules, Rulesets"

func judgeReadable(f *Facts) Finding {
	all, no := f.Bases.first()
	if no != nil {
		return *no
	}
	for _, b := range all {
		if b.Rules.ProtectionUnknown {
			return warn("grant the App Administration: read, or move the rules to a ruleset, which everybody may read", "%s has classic branch protection, which the token may not read", b.Branch)
		}
	}
	return ok("those of %s", count(len(all), "branch"))
}

// ours are the required checks that have our name on a base.
func ours(f *Facts, b Base) (name string, found []promotion.RequiredCheck) {
	name = "pinnace/promotion"
	if f.Tree.known && f.Tree.value.Check != nil {
		name = f.Tree.value.Check(b.Branch)
	}
	for _, c := range b.Rules.Checks {
		if c.Context == name {
			found = append(found, c)
		}
	}
	return name, found
}

func judgeRequired(f *Facts, b Base) Finding {
	name, found := ours(f, b)
	switch {
	case len(found) > 0:
		return ok("%s is required", name)
	case b.Rules.ProtectionUnknown:
		return skip("no ruleset requires %s, and classic protection cannot be read", name)
	}
	return problem("require it "+rulesAt+", Require status checks to pass, with Pinnace's App as its source", "no rule requires %s", name)
}

func judgePinned(f *Facts, b Base) Finding {
	name, found := ours(f, b)
	const fix = "choose Pinnace's App as the source of the check " + rulesAt
	switch {
	case len(found) == 0:
		return skip("%s is not required", name)
	case slices.ContainsFunc(found, func(c promotion.RequiredCheck) bool { return f.AppID != 0 && c.App == f.AppID }):
		return ok("from App %d", f.AppID)
	case slices.ContainsFunc(found, func(c promotion.RequiredCheck) bool { return c.App == 0 }):
		return problem(fix, "%s is believed from anybody who may write", name)
	case f.AppID == 0:
		return ok("from App %d", found[0].App)
	}
	return problem(fix+", or remove the old one: no other can make it green", "%s is believed from App %d, and this is App %d", name, found[0].App, f.AppID)
}

func judgeDirect(f *Facts, b Base) Finding {
	_, found := ours(f, b)
	switch {
	case b.Rules.PullRequest || b.Rules.MergeQueue:
		return ok("a rule wants a pull request")
	case len(found) > 0:
		return warn("turn on Require a pull request before merging "+rulesAt, "no rule wants one, though a push without a green check is refused")
	case b.Rules.ProtectionUnknown:
		return skip("classic protection cannot be read")
	}
	return problem("turn on Require a pull request before merging "+rulesAt, "whoever may write may push directly")
}

func judgeHistory(_ *Facts, b Base) Finding {
	switch {
	case b.Rules.NoForcePush && b.Rules.NoDeletion:
		return ok("neither force pushes nor deletion")
	case b.Rules.ProtectionUnknown:
		return skip("classic protection cannot be read")
	case b.Rules.NoForcePush:
		return warn("turn on Restrict deletions "+rulesAt, "%s may be deleted", b.Branch)
	}
	return warn("turn on Block force pushes and Restrict deletions "+rulesAt, "%s may be overwritten", b.Branch)
}

func judgeBypass(_ *Facts, b Base) Finding {
	all, no := b.Rulesets.first()
	if no != nil {
		return *no
	}
	if len(all) == 0 {
		return skip("no rule binds %s", b.Branch)
	}
	var who, hidden []string
	for _, s := range all {
		if !s.Shown {
			hidden = append(hidden, s.Name)
		}
		for _, by := range s.Bypass {
			who = append(who, s.Name+": "+by)
		}
	}
	switch {
	case who != nil:
		return warn("take them off the bypass list "+rulesAt+", or let them bypass for pull requests only", "%s on a bypass list", is(len(who), "name")).with(who)
	case hidden != nil:
		return skip("GitHub shows bypass lists to who may edit the rules: run this with an admin's GH_TOKEN, or look at %s", strings.Join(hidden, ", "))
	}
	return ok("the bypass list is empty")
}

// approvals returns the fewest and the most approvals that policies ask of Pinnace's pull
// requests to the base; known is false where they cannot be read.
func approvals(f *Facts) (least, most int, unattended []string, known bool) {
	t, _, no := settings(f)
	if no != nil || t.Book.Set == nil {
		return 0, 0, nil, false
	}
	least = -1
	for _, d := range demands(t) {
		if least < 0 || d.approvals < least {
			least = d.approvals
		}
		most = max(most, d.approvals)
		if d.env.Deploy == config.DeployAuto && d.approvals == 0 {
			unattended = append(unattended, d.env.Name)
		}
	}
	return max(least, 0), most, unattended, true
}

func judgeReviews(f *Facts, b Base) Finding {
	least, most, unattended, known := approvals(f)
	n := b.Rules.Approvals
	switch {
	case n == 0:
		return ok("GitHub asks for none; the policy counts them")
	case !known:
		return skip("GitHub asks for %d; what the policies ask for cannot be read", n)
	case len(unattended) > 0:
		return problem("let the policy count approvals, and GitHub ask for none "+rulesAt, "GitHub asks for %s of everything; what Pinnace should merge by itself waits: %s", count(n, "approval"), strings.Join(unattended, ", "))
	case n > least:
		return warn("let the policy count approvals, and GitHub ask for none "+rulesAt, "GitHub asks for %s, and policies for %s", count(n, "approval"), between(least, most))
	}
	return ok("GitHub asks for %d, and policies for %s", n, between(least, most))
}

func between(least, most int) string {
	if least == most {
		return fmt.Sprint(least)
	}
	return fmt.Sprintf("%d to %d", least, most)
}

func judgeStale(_ *Facts, b Base) Finding {
	switch {
	case !b.Rules.DismissStale:
		return ok("reviews stay; Pinnace decides which of them still count")
	case b.Rules.Approvals == 0:
		return ok("reviews are dismissed, but GitHub asks for none")
	}
	return warn("turn off Dismiss stale pull request approvals "+rulesAt+"; Pinnace drops an approval when what was approved changes", "GitHub dismisses every review when Pinnace brings a branch up to date, and people must review again")
}

func judgeCodeOwners(f *Facts, b Base) Finding {
	_, most, unattended, known := approvals(f)
	switch {
	case !b.Rules.CodeOwners:
		return ok("not required by GitHub")
	case known && len(unattended) > 0 && ownsImages(f):
		return problem("give manifests no owner in CODEOWNERS, or turn the rule off "+rulesAt, "owners must approve everything; what Pinnace should merge by itself waits: %s", strings.Join(unattended, ", "))
	case !ownsImages(f):
		return ok("required, and no file with an image has an owner")
	case known && most == 0:
		return warn("give manifests no owner in CODEOWNERS", "owners must approve what policies want no approval for")
	}
	return warn("let the policy's approvers be the owners, or give manifests no owner in CODEOWNERS", "owners must approve, besides those whom the policy asks")
}

// maxOwned is how many files are looked up in CODEOWNERS.
const maxOwned = 2000

// ownsImages says whether CODEOWNERS has an owner for a file with an image; yes where that is
// not known.
func ownsImages(f *Facts) bool {
	if !f.Owners.known || !f.Tree.known {
		return true
	}
	lines := parseOwners(f.Owners.value.Text)
	seen := map[string]bool{}
	for _, s := range f.Tree.value.Standing {
		if seen[s.Path] {
			continue
		}
		if seen[s.Path] = true; len(seen) > maxOwned || len(lines.of(s.Path)) > 0 {
			return true
		}
	}
	return false
}

func judgeLastPush(f *Facts, b Base) Finding {
	least, _, _, known := approvals(f)
	switch {
	case !b.Rules.LastPushApproval:
		return ok("not asked for")
	case known && least > 0:
		return ok("asked for, and every environment's policy asks for an approval anyway")
	}
	return warn("turn off Require approval of the most recent reviewable push "+rulesAt, "every pull request of Pinnace needs a person's approval, pins included")
}

func judgeThreads(f *Facts, b Base) Finding {
	_, c, no := settings(f)
	switch {
	case !b.Rules.ThreadsResolved:
		return ok("not asked for")
	case no != nil:
		return *no
	case !slices.ContainsFunc(c.Environments, func(e config.Environment) bool { return e.Deploy != config.DeployButton }):
		return ok("asked for, and people merge")
	}
	return warn("turn off Require conversation resolution "+rulesAt+", or resolve conversations before Pinnace is to merge", "an open conversation holds a merge that is otherwise due")
}

func judgeSignatures(f *Facts, b Base) Finding {
	_, c, no := settings(f)
	switch {
	case !b.Rules.SignedCommits:
		return ok("not asked for")
	case no != nil:
		return *no
	case c.Merge.Method == config.MergeRebase:
		return problem("write merge: {method: squash} into .pinnace/config.yaml", "commits must be signed, and GitHub signs no commit that it rebases")
	}
	return ok("asked for; GitHub makes and signs Pinnace's commits")
}

func judgeMethod(f *Facts, b Base) Finding {
	_, c, no := settings(f)
	if no != nil {
		return *no
	}
	method := string(c.Merge.Method)
	allowed := b.Rules.MergeMethods
	if f.Repository.known && f.Repository.value.MergeMethods != nil {
		allowed = both(allowed, f.Repository.value.MergeMethods)
	}
	switch {
	case b.Rules.MergeQueue:
		return ok("the merge queue merges, by %s", b.Rules.MergeQueueMethod)
	case method == string(config.MergeFastForward):
		if b.Rules.PullRequest {
			return problem("write another merge.method, or let the App bypass the rule", "merge.method is fast-forward, and a rule wants pull requests: the push is refused")
		}
		return ok("fast-forward")
	case allowed != nil && !slices.Contains(allowed, method):
		return problem("write merge: {method: "+first(allowed)+"} into .pinnace/config.yaml, or allow it in the repository's settings", "merge.method is %s, and allowed is %s", method, strings.Join(allowed, ", "))
	case method == string(config.MergeCommit) && b.Rules.LinearHistory:
		return problem("write merge: {method: squash} into .pinnace/config.yaml", "merge.method is merge, and a rule wants a linear history")
	}
	return ok("%s", method)
}

// both returns what two lists allow together; nil allows all.
func both(a, b []string) []string {
	if a == nil {
		return b
	}
	return slices.DeleteFunc(slices.Clone(a), func(m string) bool { return !slices.Contains(b, m) })
}

func first(all []string) string {
	if len(all) == 0 {
		return "squash"
	}
	return all[0]
}

func judgeUpToDate(_ *Facts, b Base) Finding {
	switch {
	case b.Rules.MergeQueue:
		return ok("a merge queue tests what is merged")
	case b.Rules.UpToDate:
		return warn("a merge queue does the same without that, or turn off Require branches to be up to date "+rulesAt, "every merge makes Pinnace's other branches wait for their turn to be brought up to date")
	}
	return ok("neither is asked for; Pinnace judges against the base's tip each time")
}

func judgeQueue(f *Facts, b Base) Finding {
	if !b.Rules.MergeQueue {
		return skip("%s has no merge queue", b.Branch)
	}
	_, found := ours(f, b)
	has, no := granted(f)
	if no != nil {
		return *no
	}
	switch {
	case !reaches(has["merge_queues"], "write"):
		return problem("grant the App Merge queues: write", "the App may not enqueue (merge_queues: write)")
	case f.App.known && !slices.Contains(f.App.value.Events, "merge_group"):
		return problem("subscribe the App to Merge group in its settings", "the App does not hear of the queue's groups (merge_group)")
	case len(found) == 0:
		return warn("require the check, so that the queue waits for it", "the queue does not wait for Pinnace's check")
	}
	return ok("the App may enqueue and hears of its groups")
}

func judgeUpdate(f *Facts, b Base) Finding {
	if !b.Rules.NoUpdate {
		return ok("no rule restricts who merges")
	}
	if b.Rulesets.known && slices.ContainsFunc(b.Rulesets.value, func(s Ruleset) bool { return s.Ours }) {
		return ok("updates are restricted, and the App may bypass that")
	}
	if _, c, no := settings(f); no == nil && !slices.ContainsFunc(c.Environments, func(e config.Environment) bool { return e.Deploy != config.DeployButton }) {
		return ok("updates are restricted, and people merge")
	}
	return problem("add the App to the bypass list of that ruleset, for pull requests only", "a rule restricts updates of %s, and the App is not seen to be excepted", b.Branch)
}

func judgeBranches(f *Facts) Finding {
	r, no := f.NewBranch.first()
	if no != nil {
		return *no
	}
	const fix = "leave pinnace/** out of the ruleset, or add the App to its bypass list"
	switch {
	case r.NoCreation:
		return problem(fix, "a rule restricts the creation of pinnace/ branches")
	case r.NoUpdate:
		return problem(fix, "a rule restricts updates of pinnace/ branches")
	case r.PullRequest:
		return problem(fix, "a rule wants pull requests for changes of pinnace/ branches themselves")
	case r.NoForcePush || r.NoDeletion:
		return warn(fix, "pinnace/ branches cannot be replaced or deleted when they are done")
	}
	return ok("no rule binds pinnace/ branches")
}

func judgeEnforced(f *Facts) Finding {
	all, no := f.Bases.get()
	if no != nil {
		return *no
	}
	var firm, loose, dark []string
	add := func(b Base, what string, enforced bool, why string) {
		if len(all) > 1 {
			what = b.Branch + ": " + what
		}
		if enforced {
			firm = append(firm, "enforced: "+what)
		} else {
			loose = append(loose, "only detected: "+what+" ("+why+")")
		}
	}
	for _, b := range all {
		required := judgeRequired(f, b).Status == OK && judgePinned(f, b).Status == OK
		add(b, "approvals, conditions, pins and freezes before a merge", required, "the check is not required from the App")
		add(b, "no direct push", b.Rules.PullRequest || b.Rules.MergeQueue || required, "no rule wants a pull request")
		add(b, "history stays", b.Rules.NoForcePush && b.Rules.NoDeletion, "it may be overwritten or deleted")
		if found := judgeBypass(f, b); found.Status != Skipped {
			add(b, "nobody is excepted", found.Status == OK, found.Seen)
		} else if len(b.Rulesets.value) > 0 || !b.Rulesets.known {
			dark = append(dark, "unknown: who is excepted ("+found.Seen+")")
		}
	}
	if t, _, no := settings(f); no == nil {
		for _, d := range demands(t) {
			if !d.bound {
				continue
			}
			firmly := d.env.Deploy != config.DeployButton || d.separate == ""
			add(all[0], "who deploys to "+d.env.Name, firmly, "deploy is button")
		}
	}
	switch {
	case len(loose) > 0:
		return warn("see the checks above", "%d enforced, %d only detected", len(firm), len(loose)).with(slices.Concat(loose, dark, firm))
	case len(dark) > 0:
		return ok("all that can be seen").with(append(dark, firm...))
	}
	return ok("all of it").with(firm)
}
