package action

import (
	"errors"
	"fmt"
)

// Allows refuses what cannot work in this run, or must not. What it lets pass may still be for
// reading only, see [Run.ReadOnly].
func (r *Run) Allows(i Inputs) error {
	if r == nil {
		return fmt.Errorf("pinnace action is a step of GitHub Actions, and this is none (GITHUB_ACTIONS): use pinnace %s", i.Command)
	}
	if i.Command == Promote && (i.App == "" || len(i.To) == 0) {
		return errors.New("promote takes an app and an environment: set the inputs app and to")
	}
	what := writes(i)
	if what == "" {
		return nil
	}
	switch fork := "a fork's pull request is only read: " + what + " "; {
	case r.Err != nil && (i.Command == Promote || r.ofPull()):
		return r.Err
	case r.Fork && i.Command == Promote:
		return errors.New(fork + "where a pull request of this repository, a push or workflow_dispatch starts the workflow")
	case r.Fork && r.ofPull():
		return errors.New(fork + "on a schedule, on a push to the default branch or by workflow_dispatch, or set dry-run: true")
	}
	return nil
}

// writes says what an input asks to be written to GitHub, besides verdicts, in the form of an
// advice; "" where it is nothing.
func writes(i Inputs) string {
	switch {
	case i.DryRun:
		return ""
	case i.Command == Pin && i.CreatePR:
		return "open pull requests with pins"
	case i.Command == Promote:
		return "promote"
	case i.Command == Reconcile:
		return "reconcile"
	}
	return ""
}

// ofPull says whether the event is a pull request's.
func (r *Run) ofPull() bool { return isPull(r.Event) || r.Event == "pull_request_target" }

// ReadOnly says why nothing at all may be written to GitHub in this run, as a sentence; "" where
// it may. GitHub's token is for reading only there, and a verdict can only be printed
// (https://docs.github.com/en/actions/reference/security/secure-use).
func (r *Run) ReadOnly() string {
	switch {
	case r == nil || !isPull(r.Event):
		return ""
	case r.Err != nil:
		return "nothing is written, since the event could not be read, and this may be a fork's pull request"
	case r.Fork:
		return "nothing is written, since this is a fork's pull request: run decide on workflow_run or on a schedule for a check"
	}
	return ""
}
