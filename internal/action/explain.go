package action

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Token says whose the token of the step is.
type Token string

// The tokens.
const (
	WorkflowToken Token = "GITHUB_TOKEN"     // of the run itself; acts as github-actions[bot]
	AppToken      Token = "an App's token"   // of an installation of another App
	PersonToken   Token = "a person's token" // classic or fine-grained
)

// Bot is the account that GITHUB_TOKEN acts as
// (https://docs.github.com/en/actions/concepts/security/github_token).
const Bot = "github-actions[bot]"

// NoWorkflows is the note for pull requests that were opened with a [WorkflowToken].
const NoWorkflows = "Pull requests and commits of GITHUB_TOKEN start no workflow by themselves, so required checks of other workflows wait: " +
	"somebody with write approves their runs on the pull request's page, or closes and opens it again, or the action gets an App's token " +
	"(https://docs.github.com/en/actions/concepts/security/github_token)."

// Explain puts an error that comes from a limit of the token into one line that says what to do;
// "" where it is about something else. It goes by the class of the error and by its words, line
// by line, so that what a command printed will do, too. What a registry says is not looked at.
func Explain(err error, token Token) string {
	if err == nil {
		return ""
	}
	text := strings.ToLower(err.Error())
	for line := range strings.Lines(text) {
		if said := explain(strings.TrimSpace(line), token); said != "" {
			return said
		}
	}
	switch {
	case errors.Is(err, promotion.ErrRateLimited):
		return limits(token, false)
	case errors.Is(err, promotion.ErrUnauthenticated):
		return unauthenticated(token)
	}
	return ""
}

// explain judges a line in small letters.
func explain(line string, token Token) string {
	has := func(phrases ...string) bool {
		return slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(line, p) })
	}
	switch {
	case strings.HasPrefix(strings.TrimPrefix(line, "pinnace: "), "resolve "), has(": resolve ", "toomanyrequests", "pull rate limit"):
		return ""
	case has("not permitted to create or approve pull requests"):
		return `GitHub Actions may not open pull requests here: switch on "Allow GitHub Actions to create and approve pull requests" in ` +
			"Settings > Actions > General > Workflow permissions (of the organization first, where it is greyed out), or give the action an App's token"
	case has("rate limit"):
		return limits(token, has("secondary", "abuse", "too quickly", "content creation"))
	case has("without `workflows` permission", "without `workflow` scope", "workflows=write"):
		return workflows(token)
	case has("bad credentials", promotion.ErrUnauthenticated.Error()):
		return unauthenticated(token)
	case has("resource not accessible by integration", "resource not accessible by personal access token", "the token lacks"):
		return lacks(line, token)
	case has("denied to github-actions", "write access to repository not granted"):
		return lack("contents", "write", token)
	}
	return ""
}

func limits(token Token, secondary bool) string {
	switch {
	case secondary:
		return "GitHub wants fewer writes at a time: run the job again in a few minutes, and let one run of it wait for the other (concurrency:)"
	case token == WorkflowToken:
		return "GITHUB_TOKEN has 1,000 requests an hour in one repository, and they are used up: run the job again in the next hour, run it less often, or give the action an App's token, which has 5,000 or more"
	}
	return "the requests of this hour are used up: run the job again in the next one"
}

func workflows(token Token) string {
	what := "files in .github/workflows are not to be changed with " + string(token) + ": "
	switch token {
	case AppToken:
		return what + "grant the App Workflows: write, or leave them out with paths"
	case PersonToken:
		return what + "give it the scope workflow, or leave them out with paths"
	}
	return what + "leave them out with paths, or give the action the token of an App that has Workflows: write"
}

func unauthenticated(token Token) string {
	switch token {
	case WorkflowToken:
		return "GitHub does not take the token: GITHUB_TOKEN ends with its job, so hand over token: ${{ github.token }} in the same job"
	case AppToken:
		return "GitHub does not take the App's token: it lasts an hour, and ends with the job that made it; make it in the step before"
	}
	return "GitHub does not take the token: it is wrong, expired or revoked; check the secret that the input token names"
}

// keys are the permissions that a workflow can give to GITHUB_TOKEN, by GitHub's name of an
// App's permission
// (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions).
var keys = map[string]string{
	"actions": "actions", "checks": "checks", "contents": "contents", "deployments": "deployments", "issues": "issues",
	"packages": "packages", "pages": "pages", "pull_requests": "pull-requests", "statuses": "statuses",
}

// named matches the permission of an error, as package github and GitHub itself name it.
var named = regexp.MustCompile(`\b([a-z]+(?:_[a-z]+)*)[=:] ?(read|write|admin)\b`)

// permissions are those of an App that Pinnace makes use of.
var permissions = map[string]bool{
	"actions": true, "administration": true, "checks": true, "contents": true, "deployments": true, "issues": true, "members": true,
	"merge_queues": true, "metadata": true, "organization_administration": true, "packages": true, "pull_requests": true, "statuses": true, "workflows": true,
}

// doings are words of what was being done, and the permission that it takes.
var doings = []struct {
	words      []string
	permission string
	access     string
}{
	{[]string{"check run", "check suite", "check "}, "checks", "write"},
	{[]string{"pull request", "review", "draft"}, "pull_requests", "write"},
	{[]string{"label", "issue", "comment"}, "issues", "write"},
	{[]string{"deployment"}, "deployments", "write"},
	{[]string{"status"}, "statuses", "write"},
	{[]string{"push", "branch", "commit", "ref ", "tree", "blob", "merge"}, "contents", "write"},
}

// lacks names the permission that is missing, where the error tells.
func lacks(text string, token Token) string {
	for _, m := range named.FindAllStringSubmatch(text, -1) {
		if permissions[m[1]] {
			return lack(m[1], m[2], token)
		}
	}
	doing, _, _ := strings.Cut(text, ": ")
	for _, d := range doings {
		if slices.ContainsFunc(d.words, func(w string) bool { return strings.Contains(doing+" ", w) }) {
			access := d.access
			if reads(doing) {
				access = "read"
			}
			return lack(d.permission, access, token)
		}
	}
	if token == WorkflowToken {
		return "GITHUB_TOKEN lacks a permission: give the job permissions: contents: write, pull-requests: write, checks: write and issues: write, and see that Settings > Actions > General does not forbid it"
	}
	return string(token) + " lacks a permission: see docs/setup.md for those that Pinnace needs"
}

// reads says whether what was being done is only looking.
func reads(doing string) bool {
	for _, w := range []string{"read ", "list ", "look ", "find ", "get ", "compare ", "reading ", "listing "} {
		if strings.HasPrefix(doing, w) {
			return true
		}
	}
	return false
}

// lack says how a token comes by a permission.
func lack(permission, access string, token Token) string {
	key := keys[permission]
	switch {
	case token == WorkflowToken && key != "":
		return "GITHUB_TOKEN lacks " + key + ": " + access + ": add it under permissions: of the job (a fork's pull request and Dependabot's get a token for reading only)"
	case token == WorkflowToken:
		return "GITHUB_TOKEN cannot have the permission " + permission + ": " + access + ": give the action an App's token that has it"
	case token == AppToken:
		return "the App lacks " + permission + ": " + access + ": grant it in the App's settings under Permissions, and accept it in the installation"
	}
	return "the token lacks " + permission + ": " + access + ": edit the token"
}
