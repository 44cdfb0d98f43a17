package github

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// What GitHub says when it refuses a merge, and which rule it is.
func TestObstacles(t *testing.T) {
	for text, want := range map[string]string{
		"At least 1 approving review is required by reviewers with write access.":                  promotion.RuleApprovals,
		"At least 2 approving reviews are required by reviewers with write access.":                promotion.RuleApprovals,
		"Waiting on code owner review from @acme/owners.":                                          promotion.RuleCodeOwners,
		"New changes require approval from someone other than the last pusher.":                    promotion.RuleLastPush,
		"Changes were requested by a reviewer with write access.":                                  promotion.RuleChanges,
		"A conversation must be resolved before this pull request can be merged.":                  promotion.RuleThreads,
		`Required status check "pinnace/promotion (main)" is expected.`:                            promotion.RuleCheck,
		`Required status check "ci" is in progress.`:                                               promotion.RuleCheck,
		"2 of 2 required status checks are expected.":                                              promotion.RuleCheck,
		"2 of 5 required status checks have not succeeded: 1 expected and 1 failing.":              promotion.RuleCheck,
		"Commits must have verified signatures.":                                                   promotion.RuleSignatures,
		"Base branch requires signed commits. Rebase merges cannot be automatically signed by it.": promotion.RuleSignatures,
		"This branch must not contain merge commits.":                                              promotion.RuleLinear,
		"Merge commits are not allowed on this repository.":                                        promotion.RuleMethod,
		"Squash merges are not allowed on this repository.":                                        promotion.RuleMethod,
		"This branch can't be rebased":                                                             promotion.RuleMethod,
		"This branch is out-of-date with the base branch":                                          promotion.RuleBehind,
		"Changes must be made through the merge queue":                                             promotion.RuleQueue,
		"Changes must be made through a pull request.":                                             promotion.RulePullRequest,
		"Cannot update this protected ref.":                                                        promotion.RuleUpdate,
		"You're not authorized to push to this branch.":                                            promotion.RuleUpdate,
		"Pull Request is still a draft":                                                            promotion.RuleDraft,
		"Waiting for a deployment to staging":                                                      promotion.RuleDeployment,
		"The stars are not right":                                                                  promotion.RuleUnknown,
	} {
		got := blocked([]string{text}, "")
		if len(got) != 1 || got[0].Rule != want || got[0].Text != text {
			t.Errorf("%q: got %+v, want %s", text, got[0], want)
		}
	}
}

// A ruleset gives each rule its own line; each is told, with GitHub's words and a remedy, and
// nothing of it hides that the class is one.
func TestObstaclesOfARuleset(t *testing.T) {
	r := newRig(t)
	r.on("PUT /repos/acme/config/pulls/3/merge", 405, `{"message":"Repository rule violations found\n\nAt least 1 approving review is required by reviewers with write access.\n\nRequired status check \"a \u0007b\" is expected.\n\nRequired status check \"a \u0007b\" is expected.\n\nCannot update this protected ref.\n\n"}`)
	_, err := r.client().Merge(t.Context(), config, promotion.MergeRequest{Number: 3, SHA: shaA})
	isOnly(t, err, promotion.ErrBlocked)
	var got []string
	for _, b := range promotion.Obstacles(err) {
		if b.Remedy == "" || !errors.Is(b, promotion.ErrBlocked) || strings.HasSuffix(b.Error(), ".") {
			t.Errorf("got %+v", b)
		}
		got = append(got, b.Rule+"|"+b.Check+"|"+b.Text)
	}
	want := []string{
		"approvals||At least 1 approving review is required by reviewers with write access.",
		`check|a b|Required status check "a b" is expected.`,
		"update||Cannot update this protected ref.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var first *promotion.Blocked
	var e *Error
	if !errors.As(err, &first) || first.Rule != promotion.RuleApprovals || !errors.As(err, &e) || e.Rule() != promotion.RuleApprovals {
		t.Errorf("the first is %+v", first)
	}
	if text := err.Error(); !strings.Contains(text, "must approve") || !strings.Contains(text, "run them again") || !strings.Contains(text, "may bypass") {
		t.Errorf("%q does not tell every remedy", text)
	}
}

// A message that never ends is heard to twenty rules, a line to three hundred characters.
func TestObstaclesAreBounded(t *testing.T) {
	var lines []string
	for i := range 500 {
		lines = append(lines, strings.Repeat("x", i)+" approving review")
	}
	if got := blocked([]string{strings.Join(lines, "\n")}, ""); len(got) != maxObstacles {
		t.Errorf("%d obstacles, want %d", len(got), maxObstacles)
	}
	if got := blocked([]string{strings.Repeat("y", 1<<20) + " " + canary}, canary)[0]; len(got.Text) > 400 || strings.Contains(got.Text, canary) {
		t.Errorf("%d bytes", len(got.Text))
	}
	if got := blocked(nil, "")[0]; got.Rule != promotion.RuleUnknown || got.Text == "" {
		t.Errorf("without words: %+v", got)
	}
}

// What changed meanwhile is told apart, as far as GitHub does.
func TestConflicts(t *testing.T) {
	for text, want := range map[string]string{
		"Head branch was modified. Review and try the merge again.":                promotion.RuleHead,
		"expected head sha didn’t match current head ref.":                         promotion.RuleHead,
		"The pull request's head ref oid does not match the expected head oid":     promotion.RuleHead,
		"Base branch was modified. Review and try the merge again.":                promotion.RuleBase,
		"Head branch is out of date. Review and try the merge again.":              promotion.RuleBase,
		"Merge already in progress":                                                promotion.RuleBase,
		"Pull Request is not mergeable":                                            promotion.RuleMergeability,
		"Pull request is closed":                                                   promotion.RuleClosed,
		"A pull request already exists for acme:pinnace/prod.":                     "",
		"it exists already, whatever \"rule\" or \"status check\" its name may be": "",
	} {
		e := &Error{Op: "merge", Class: promotion.ErrConflict, Message: text}
		e.detail(complaint{Message: text}, "")
		if e.Rule() != want {
			t.Errorf("%q: got %q, want %q", text, e.Rule(), want)
		}
		var c *promotion.Conflict
		if ok := errors.As(error(e), &c); ok != (want != "") || ok && (!errors.Is(c, promotion.ErrConflict) || errors.Is(c, promotion.ErrBlocked) || c.Error() != strings.TrimSuffix(text, ".")) {
			t.Errorf("%q: got %+v", text, c)
		}
	}
	e := &Error{Op: "o", Class: promotion.ErrForbidden, Message: "Changes must be made through the merge queue"}
	e.detail(complaint{Message: e.Message}, "")
	if e.Rule() != "" || promotion.Obstacles(e) != nil {
		t.Errorf("an error of another class is of rule %q", e.Rule())
	}
}
