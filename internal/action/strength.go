package action

import (
	"fmt"
	"slices"
	"strings"
)

// ofDefault are the events whose runs are always those of the default branch: GITHUB_REF is
// that branch, and the workflow is the one that stands there
// (https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows).
// Where the payload does not name the default branch, GITHUB_REF does.
var ofDefault = []string{
	"branch_protection_rule", "check_run", "check_suite", "delete", "discussion", "discussion_comment", "fork", "gollum", "issue_comment", "issues", "label",
	"milestone", "page_build", "public", "repository_dispatch", "schedule", "status", "watch", "workflow_run",
}

// Unprotected says why any writer of the repository could have written the workflow that runs,
// as a part of a sentence; "" where it is the default branch's. Then an environment that is
// limited to the default branch keeps an App's key from everybody else's workflows, and a
// verdict of that App is its own.
//
// What runs is told by two variables of the runner that no step can set. GITHUB_REF is the ref
// of the run: environments are held to it, and since 2025-12-08 it is the default branch for
// pull_request_target, too (https://github.blog/changelog/2025-11-07-actions-pull_request_target-and-environment-branch-protections-changes/).
// GITHUB_WORKFLOW_REF is the repository, path and ref of the workflow's file; a workflow that
// another one calls has that of its caller. Both have to be the default branch of the run's own
// repository. A runner without the second, such as an older GitHub Enterprise Server, reads
// workflows from the first.
//
// Who can push to the default branch is another question, which branch rules answer.
func (r *Run) Unprotected() string {
	if r == nil {
		return "it is no run of GitHub Actions"
	}
	main := r.DefaultBranch
	if ref, ok := strings.CutPrefix(r.Ref, "refs/heads/"); main == "" && ok && slices.Contains(ofDefault, r.Event) {
		main = ref
	}
	switch {
	case main == "" && r.Err != nil:
		return "the default branch is not known, since the event could not be read"
	case main == "":
		return "the event does not say which branch is the default one"
	case r.Ref != "refs/heads/"+main:
		return r.otherRef(main)
	}
	file, ref, ok := strings.Cut(r.Workflow, "@")
	switch own := r.FullName() + "/"; {
	case r.Workflow == "":
		return ""
	case !ok:
		return "the workflow's file is not known (GITHUB_WORKFLOW_REF)"
	case len(file) < len(own) || !strings.EqualFold(file[:len(own)], own):
		return "the workflow's file is of another repository (GITHUB_WORKFLOW_REF)"
	case ref != r.Ref:
		return fmt.Sprintf("the workflow's file is that of %s, not of the default branch %s (GITHUB_WORKFLOW_REF)", shortRef(ref), main)
	}
	return ""
}

// otherRef says why the workflow of a ref that is not the default branch is anybody's.
func (r *Run) otherRef(main string) string {
	switch {
	case isPull(r.Event):
		return fmt.Sprintf("a run of %s takes the workflow from the pull request itself, where its author can change it", r.Event)
	case r.Event == "merge_group" || strings.HasPrefix(r.Ref, "refs/heads/gh-readonly-queue/"):
		return "a run for the merge queue takes the workflow from the pull requests in the queue, where their authors can change it"
	case strings.HasPrefix(r.Ref, "refs/tags/"):
		return fmt.Sprintf("the workflow is that of the tag %s, which anybody with write may set", shortRef(r.Ref))
	case r.Ref == "":
		return "the run does not say which ref its workflow is of (GITHUB_REF)"
	}
	return fmt.Sprintf("the workflow is that of %s, not of the default branch %s", shortRef(r.Ref), main)
}

// shortRef is a ref without what all branches and tags begin with.
func shortRef(ref string) string {
	for _, prefix := range []string{"refs/heads/", "refs/tags/"} {
		if short, ok := strings.CutPrefix(ref, prefix); ok {
			return short
		}
	}
	return ref
}
