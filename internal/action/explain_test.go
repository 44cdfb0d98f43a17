package action

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// What GitHub answers to a token that may not, is put into one line that says what to do.
func TestExplain(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		token Token
		want  string // a part, "" = nothing to explain
	}{
		"nothing":       {nil, WorkflowToken, ""},
		"an app in dev": {errors.New("shop in dev: write the check pinnace/promotion: the token lacks checks=write"), WorkflowToken, "GITHUB_TOKEN lacks checks: write"},
		"a registry, at a line": {
			errors.New("envs/pod.yaml:3: resolve reg.acme.dev/shop:1: reg.acme.dev denies shop (unauthorized: Bad credentials)"), WorkflowToken, "",
		},
		"another error": {errors.New("resolve ghcr.io/acme/shop:1: manifest unknown"), WorkflowToken, ""},
		"not permitted": {
			errors.New("open a pull request in acme/config: forbidden: GitHub Actions is not permitted to create or approve pull requests (HTTP 403)"), WorkflowToken,
			"Settings > Actions > General > Workflow permissions",
		},
		"1,000 an hour":        {fmt.Errorf("list pull requests: %w", promotion.ErrRateLimited), WorkflowToken, "1,000 requests an hour"},
		"1,000 an hour, words": {errors.New("API rate limit exceeded for installation ID 5"), WorkflowToken, "1,000 requests an hour"},
		"an App's hour":        {promotion.ErrRateLimited, AppToken, "requests of this hour are used up"},
		"what was printed":     {errors.New("pinnace: note\npinnace: read acme/config: not authenticated: Bad credentials"), WorkflowToken, "ends with its job"},
		"a registry's limit":   {errors.New("resolve nginx:1: toomanyrequests: You have reached your pull rate limit"), WorkflowToken, ""},
		"a registry's login":   {errors.New("pinnace: resolve ghcr.io/acme/shop:1: not authenticated"), WorkflowToken, ""},
		"without a phrase":     {fmt.Errorf("x: %w", classed{promotion.ErrUnauthenticated}), PersonToken, "check the secret"},
		"a limit, no phrase":   {fmt.Errorf("x: %w", classed{promotion.ErrRateLimited}), WorkflowToken, "1,000 requests an hour"},
		"too quickly":          {fmt.Errorf("open a pull request: %w: was submitted too quickly", promotion.ErrRateLimited), WorkflowToken, "fewer writes at a time"},
		"secondary":            {errors.New("You have exceeded a secondary rate limit"), AppToken, "fewer writes at a time"},
		"named": {
			errors.New("write a check run in acme/config: forbidden: Resource not accessible by integration (HTTP 403): the token lacks checks=write: in a workflow add it under permissions"), WorkflowToken,
			"GITHUB_TOKEN lacks checks: write: add it under permissions: of the job",
		},
		"named, pull requests":   {errors.New("x: forbidden: Resource not accessible by integration: the token lacks pull_requests=write: in"), WorkflowToken, "GITHUB_TOKEN lacks pull-requests: write"},
		"named, not to be given": {errors.New("x: forbidden: Resource not accessible by integration: the token lacks members=read: in"), WorkflowToken, "GITHUB_TOKEN cannot have the permission members: read"},
		"named, of an App":       {errors.New("x: forbidden: Resource not accessible by integration: the token lacks checks=write: in"), AppToken, "the App lacks checks: write: grant it in the App's settings"},
		"by what was being done": {errors.New("open a pull request in acme/config: forbidden: Resource not accessible by integration (HTTP 403)"), WorkflowToken, "lacks pull-requests: write"},
		"a commit":               {errors.New("make a commit in acme/config: forbidden: Resource not accessible by integration"), WorkflowToken, "lacks contents: write"},
		"looking":                {errors.New("read branch main: forbidden: Resource not accessible by integration"), WorkflowToken, "lacks contents: read"},
		"nobody knows which":     {errors.New("x: Resource not accessible by integration"), WorkflowToken, "contents: write, pull-requests: write, checks: write"},
		"a person's":             {errors.New("x: Resource not accessible by personal access token: the token lacks issues=write: in"), PersonToken, "the token lacks issues: write: edit the token"},
		"a push":                 {errors.New("push: remote: Permission to acme/config.git denied to github-actions[bot]."), WorkflowToken, "lacks contents: write"},
		"workflow files":         {errors.New("refusing to allow a GitHub App to create or update workflow `.github/workflows/a.yml` without `workflows` permission"), WorkflowToken, "leave them out with paths"},
		"expired":                {fmt.Errorf("read acme/config: %w", promotion.ErrUnauthenticated), WorkflowToken, "ends with its job"},
		"an App's, expired":      {errors.New("Bad credentials"), AppToken, "lasts an hour"},
	} {
		got := Explain(test.err, test.token)
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) || strings.Contains(got, "\n") {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// A classed error has a class, and words of its own.
type classed struct{ error }

func (classed) Error() string   { return "no" }
func (c classed) Unwrap() error { return c.error }
