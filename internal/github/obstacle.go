package github

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const maxObstacles = 20

const seeRules = "see Settings > Rules of the repository"

// obstacles are GitHub's phrases for what refuses a change, in small letters. The first one
// that a line holds says which rule it is.
var obstacles = []struct {
	rule    string
	phrases []string
	remedy  string
}{
	{promotion.RuleArchived, []string{"archived"}, "the repository is archived; unarchive it in its settings, or take it out of the configuration"},
	{promotion.RuleQueue, []string{"merge queue"}, "the branch has a merge queue; enqueue the pull request instead of merging it"},
	{promotion.RuleCodeOwners, []string{"code owner"}, "a code owner of the changed files must approve; .github/CODEOWNERS says who"},
	{promotion.RuleLastPush, []string{"last pusher", "most recent reviewable push"}, "somebody else than who pushed last must approve"},
	{promotion.RuleChanges, []string{"changes were requested", "changes requested", "requested changes"}, "the reviewer who asked for changes must approve, or somebody must dismiss that review"},
	{promotion.RuleApprovals, []string{"approving review", "approved review", "review is required", "review required", "reviews are required"}, "people with write access must approve the pull request on GitHub, as many as a rule of the branch wants"},
	{promotion.RuleThreads, []string{"conversation", "review thread", "comments must be resolved"}, "resolve the open conversations of the pull request"},
	{promotion.RuleCheck, []string{"status check", "required workflow", "checks are required"}, "a rule of the branch wants checks to succeed on this head: wait for them or run them again, or change the rule in Settings > Rules of the repository"},
	{promotion.RuleSignatures, []string{"signature", "signed commits"}, "the branch takes verified commits only; sign them, or merge by squash, which GitHub signs"},
	{promotion.RuleLinear, []string{"must not contain merge commits", "linear history"}, "the branch takes no merge commits; merge by squash or rebase"},
	{promotion.RuleMethod, []string{"merges are not allowed", "merge commits are not allowed", "merging is not allowed", "merge method", "can't be rebased"}, "choose a method of merging that the repository allows (Settings > General > Pull Requests)"},
	{promotion.RuleBehind, []string{"out of date", "out-of-date", "up to date", "up-to-date", "must be updated"}, "bring the branch up to date with its base first"},
	{promotion.RulePullRequest, []string{"through a pull request"}, "a rule of the branch takes changes by pull request only; " + seeRules},
	{promotion.RuleDeployment, []string{"deploy"}, "a rule of the branch wants a deployment of this head first; " + seeRules},
	{promotion.RuleDraft, []string{"draft"}, "mark the pull request as ready for review first"},
	{promotion.RuleUpdate, []string{"protected ref", "protected branch", "not authorized to push", "restricted", "cannot update", "cannot force-push", "cannot delete"}, "a rule of the branch lets only those change it who may bypass the rule; " + seeRules},
}

// heading opens a list of what rulesets refuse.
var heading = regexp.MustCompile(`(?i)^repository rule violations found( for \S+)?\.?$`)

var quotedCheck = regexp.MustCompile(`(?i)status check ["“]([^"”]{1,255})["”] `)

// blocked says which rules the words of a refusal are of, in GitHub's order: a ruleset gives
// each its own line. Words that nothing is known of are RuleUnknown.
func blocked(words []string, token string) []*promotion.Blocked {
	var all []*promotion.Blocked
	var whole []string
	for _, text := range words {
		for line := range strings.Lines(text) {
			line = clean(line, token)
			if line == "" || heading.MatchString(line) || len(all) == maxObstacles {
				continue
			}
			whole = append(whole, line)
			if b := obstacle(line); b != nil && !slices.ContainsFunc(all, func(x *promotion.Blocked) bool { return *x == *b }) {
				all = append(all, b)
			}
		}
	}
	if all == nil {
		text := strings.Join(whole, " ")
		all = append(all, &promotion.Blocked{Rule: promotion.RuleUnknown, Text: cmp.Or(text, "a rule refuses it, and GitHub does not say which")})
	}
	return all
}

func obstacle(line string) *promotion.Blocked {
	text := strings.ToLower(line)
	for _, o := range obstacles {
		if !holds(text, o.phrases...) {
			continue
		}
		b := &promotion.Blocked{Rule: o.rule, Text: line, Remedy: o.remedy}
		if m := quotedCheck.FindStringSubmatch(line); m != nil && o.rule == promotion.RuleCheck {
			b.Check = m[1]
		}
		return b
	}
	return nil
}

// changed says what changed meanwhile, nil where GitHub's words do not.
func changed(text string) *promotion.Conflict {
	lower := strings.ToLower(text)
	for _, c := range []struct {
		rule    string
		phrases []string
	}{
		{promotion.RuleHead, []string{"head branch was modified", "head sha", "expected head", "head ref oid", "expected_head"}},
		{promotion.RuleBase, []string{"base branch was modified", "out of date", "already in progress", "try the merge again"}},
		{promotion.RuleMergeability, []string{"not mergeable", "merge conflict"}},
		{promotion.RuleClosed, []string{"already merged", "already been merged", "is closed", "is not open"}},
	} {
		if holds(lower, c.phrases...) {
			return &promotion.Conflict{Rule: c.rule, Text: text}
		}
	}
	return nil
}

// detail adds to an error which rules refuse, or what changed.
func (e *Error) detail(c complaint, token string) {
	switch e.Class {
	case promotion.ErrBlocked:
		words := []string{c.Message}
		for _, d := range c.details {
			words = append(words, d.String())
		}
		e.blocked = blocked(words, token)
		var remedies []string
		for _, b := range e.blocked {
			if b.Remedy != "" && !slices.Contains(remedies, b.Remedy) {
				remedies = append(remedies, b.Remedy)
			}
		}
		if len(remedies) > 0 {
			e.Remedy = strings.Join(remedies, "; also, ")
		}
		for _, b := range e.blocked {
			b.Remedy = cmp.Or(b.Remedy, e.Remedy)
		}
	case promotion.ErrConflict:
		e.conflict = changed(e.Message)
	}
}

// Rule returns which rule refuses, or what changed meanwhile, as one of promotion's Rule
// constants; the first one where there are several, "" for any other error.
func (e *Error) Rule() string {
	switch {
	case len(e.blocked) > 0:
		return e.blocked[0].Rule
	case e.conflict != nil:
		return e.conflict.Rule
	}
	return ""
}
