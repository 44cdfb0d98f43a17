package action

import (
	"errors"
	"strings"
	"testing"
)

// A run is protected where its workflow is the default branch's own: of this repository, at
// this branch. Each row is what GitHub's runner sets for that event.
func TestUnprotected(t *testing.T) {
	const file = "acme/config/.github/workflows/pinnace.yml@"
	for name, test := range map[string]struct {
		run  Run
		want string // a part of the reason, "" = protected
	}{
		"workflow_run":                     {Run{Event: "workflow_run", Ref: "refs/heads/main", Workflow: file + "refs/heads/main"}, ""},
		"schedule":                         {Run{Event: "schedule", Ref: "refs/heads/main", Workflow: file + "refs/heads/main"}, ""},
		"issue_comment":                    {Run{Event: "issue_comment", Ref: "refs/heads/main", Workflow: file + "refs/heads/main"}, ""},
		"pull_request_target":              {Run{Event: "pull_request_target", Ref: "refs/heads/main", Workflow: file + "refs/heads/main", Fork: true}, ""},
		"push to it":                       {Run{Event: "push", Ref: "refs/heads/main", Workflow: file + "refs/heads/main"}, ""},
		"workflow_dispatch on it":          {Run{Event: "workflow_dispatch", Ref: "refs/heads/main", Workflow: file + "refs/heads/main"}, ""},
		"repository_dispatch":              {Run{Event: "repository_dispatch", Ref: "refs/heads/main", Workflow: file + "refs/heads/main"}, ""},
		"capitals of an owner":             {Run{Event: "push", Ref: "refs/heads/main", Workflow: "ACME/Config/.github/workflows/pinnace.yml@refs/heads/main"}, ""},
		"a runner that names no file":      {Run{Event: "push", Ref: "refs/heads/main"}, ""},
		"pull_request":                     {Run{Event: "pull_request", Ref: "refs/pull/12/merge", Workflow: file + "refs/pull/12/merge"}, "takes the workflow from the pull request itself"},
		"pull_request_review":              {Run{Event: "pull_request_review", Ref: "refs/pull/12/merge", Workflow: file + "refs/pull/12/merge"}, "takes the workflow from the pull request itself"},
		"pull_request_review_comment":      {Run{Event: "pull_request_review_comment", Ref: "refs/pull/12/merge"}, "takes the workflow from the pull request itself"},
		"push to another branch":           {Run{Event: "push", Ref: "refs/heads/x", Workflow: file + "refs/heads/x"}, "that of x, not of the default branch main"},
		"workflow_dispatch on another":     {Run{Event: "workflow_dispatch", Ref: "refs/heads/x", Workflow: file + "refs/heads/x"}, "that of x, not of the default branch main"},
		"a tag that is named so":           {Run{Event: "workflow_dispatch", Ref: "refs/tags/main", Workflow: file + "refs/tags/main"}, "the tag main"},
		"a branch that is named so":        {Run{Event: "push", Ref: "refs/heads/refs/heads/main", Workflow: file + "refs/heads/refs/heads/main"}, "not of the default branch"},
		"a release":                        {Run{Event: "release", Ref: "refs/tags/v1", Workflow: file + "refs/tags/v1"}, "the tag v1"},
		"the merge queue":                  {Run{Event: "merge_group", Ref: "refs/heads/gh-readonly-queue/main/pr-1-x", Workflow: file + "refs/heads/gh-readonly-queue/main/pr-1-x"}, "merge queue"},
		"a push of the merge queue":        {Run{Event: "push", Ref: "refs/heads/gh-readonly-queue/main/pr-1-x"}, "merge queue"},
		"pull_request_target until 2025":   {Run{Event: "pull_request_target", Ref: "refs/heads/release", Workflow: file + "refs/heads/release"}, "that of release, not of the default branch main"},
		"a file of another ref":            {Run{Event: "workflow_run", Ref: "refs/heads/main", Workflow: file + "refs/heads/x"}, "that of x, not of the default branch main (GITHUB_WORKFLOW_REF)"},
		"a file of another repository":     {Run{Event: "push", Ref: "refs/heads/main", Workflow: "acme/policy/.github/workflows/pinnace.yml@refs/heads/main"}, "of another repository"},
		"of one whose name begins as ours": {Run{Event: "push", Ref: "refs/heads/main", Workflow: "acme/config2/.github/workflows/x.yml@refs/heads/main"}, "of another repository"},
		"a file without a ref":             {Run{Event: "push", Ref: "refs/heads/main", Workflow: "acme/config/.github/workflows/pinnace.yml"}, "is not known"},
		"no ref":                           {Run{Event: "push"}, "which ref"},
	} {
		r := test.run
		r.Owner, r.Name, r.DefaultBranch = "acme", "config", "main"
		got := r.Unprotected()
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// Without a payload, only an event that is always the default branch's says which that is.
func TestUnprotectedUnknownDefault(t *testing.T) {
	for event, want := range map[string]bool{"schedule": true, "workflow_run": true, "issue_comment": true, "push": false, "workflow_dispatch": false, "pull_request_target": false, "pull_request": false, "merge_group": false} {
		r := &Run{Event: event, Ref: "refs/heads/main", Owner: "acme", Name: "config", Workflow: "acme/config/.github/workflows/x.yml@refs/heads/main"}
		if got := r.Unprotected(); (got == "") != want {
			t.Errorf("%s: %q", event, got)
		}
		r.Err = errors.New("no file")
		if got := r.Unprotected(); (got == "") != want {
			t.Errorf("%s with a broken event: %q", event, got)
		}
	}
	if (*Run)(nil).Unprotected() == "" {
		t.Error("no run is protected")
	}
}

func TestAllows(t *testing.T) {
	promote := Inputs{Command: Promote, App: "shop", To: []string{"prod"}}
	broken := errors.New("read the event: broken")
	for name, test := range map[string]struct {
		run  *Run
		in   Inputs
		want string // a part of the refusal, "" = none
	}{
		"not in Actions":                       {nil, Inputs{Command: Pin}, "use pinnace pin"},
		"promote of nothing":                   {&Run{Event: "push"}, Inputs{Command: Promote}, "app and to"},
		"promote on a schedule":                {&Run{Event: "schedule"}, promote, ""},
		"promote in a pull request":            {&Run{Event: "pull_request"}, promote, ""},
		"promote in a fork's":                  {&Run{Event: "pull_request", Fork: true}, promote, "a fork's pull request is only read"},
		"promote after a fork's build":         {&Run{Event: "workflow_run", Fork: true}, promote, "a fork's pull request is only read"},
		"pull requests of pins in a fork's":    {&Run{Event: "pull_request", Fork: true}, Inputs{Command: Pin, CreatePR: true}, "only read"},
		"the same as a dry run":                {&Run{Event: "pull_request", Fork: true}, Inputs{Command: Pin, CreatePR: true, DryRun: true}, ""},
		"pins of a fork's tree":                {&Run{Event: "pull_request", Fork: true}, Inputs{Command: Pin}, ""},
		"check in a fork's":                    {&Run{Event: "pull_request", Fork: true}, Inputs{Command: Check}, ""},
		"decide in a fork's":                   {&Run{Event: "pull_request", Fork: true}, Inputs{Command: Decide}, ""},
		"reconcile in a fork's":                {&Run{Event: "pull_request_target", Fork: true}, Inputs{Command: Reconcile}, "only read"},
		"reconcile after a fork's run":         {&Run{Event: "workflow_run", Fork: true}, Inputs{Command: Reconcile}, ""},
		"decide without a pull request":        {&Run{Event: "schedule"}, Inputs{Command: Decide}, ""},
		"promote without the event":            {&Run{Event: "push", Err: broken}, promote, "broken"},
		"reconcile without the event":          {&Run{Event: "push", Err: broken}, Inputs{Command: Reconcile}, ""},
		"reconcile of who knows which request": {&Run{Event: "pull_request", Err: broken}, Inputs{Command: Reconcile}, "broken"},
	} {
		err := test.run.Allows(test.in)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestReadOnly(t *testing.T) {
	for name, test := range map[string]struct {
		run  *Run
		want bool
	}{
		"no run":                  {nil, false},
		"a fork's":                {&Run{Event: "pull_request", Fork: true}, true},
		"a review of a fork's":    {&Run{Event: "pull_request_review", Fork: true}, true},
		"our own":                 {&Run{Event: "pull_request"}, false},
		"for a fork's, by target": {&Run{Event: "pull_request_target", Fork: true}, false},
		"after a fork's":          {&Run{Event: "workflow_run", Fork: true}, false},
		"nobody knows whose":      {&Run{Event: "pull_request", Err: errors.New("x")}, true},
	} {
		if got := test.run.ReadOnly() != ""; got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
