package github

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func TestClassify(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	unix := func(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }
	message := func(s string) string { return fmt.Sprintf(`{"message":%q}`, s) }
	invalid := func(detail string) string { return `{"message":"Validation Failed","errors":[` + detail + `]}` }
	graphql := func(kind, s string) string {
		return fmt.Sprintf(`{"data":null,"errors":[{"type":%q,"message":%q}]}`, kind, s)
	}
	for _, c := range []struct {
		name    string
		status  int
		header  []string
		body    string
		graphql bool
		want    error
		says    string // in the error's text
		after   time.Duration
	}{
		{name: "success", status: 200, body: `{}`},
		{name: "no content", status: 204},
		{name: "web page for an answer", status: 200, body: "<!DOCTYPE html><title>Log in</title>", want: promotion.ErrTransient, says: "web page"},

		{name: "bad credentials", status: 401, body: message("Bad credentials"), want: promotion.ErrUnauthenticated, says: "expired or revoked"},
		{name: "proxy wants a login", status: 407, header: []string{"Content-Type", "text/html"}, body: "<html>", want: promotion.ErrUnauthenticated, says: "proxy"},

		{
			name: "permission of an App", status: 403, body: message("Resource not accessible by integration"),
			header: []string{"X-Accepted-GitHub-Permissions", "pull_requests=write; contents=read"},
			want:   promotion.ErrForbidden, says: "lacks pull_requests=write or contents=read",
		},
		{name: "permission, without the header", status: 403, body: message("Resource not accessible by integration"), want: promotion.ErrForbidden, says: "lacks checks=write: in a workflow add it under permissions"},
		{name: "permission of a personal token", status: 403, body: message("Resource not accessible by personal access token"), want: promotion.ErrForbidden, says: "edit the token"},
		{
			name: "permission, with the last request of the hour", status: 403, body: message("Resource not accessible by integration"),
			header: []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(time.Hour)}, want: promotion.ErrForbidden,
		},
		{name: "push access", status: 403, body: message("Must have push access to view collaborator permission."), want: promotion.ErrForbidden},
		{name: "single sign-on", status: 403, body: message("Resource protected by organization SAML enforcement. You must grant your OAuth token access to this organization."), want: promotion.ErrForbidden, says: "Configure SSO"},
		{name: "archived", status: 403, body: message("Repository was archived so is read-only."), want: promotion.ErrBlocked, says: "unarchive"},
		{name: "Actions may not open pull requests", status: 403, body: message("GitHub Actions is not permitted to create or approve pull requests."), want: promotion.ErrForbidden, says: "Settings > Actions > General"},
		{name: "suspended", status: 403, body: message("This installation has been suspended"), want: promotion.ErrForbidden, says: "suspended"},
		{name: "allow list", status: 403, body: message("Although you appear to have the correct authorization credentials, the `acme` organization has an IP allow list enabled, and your IP address is not permitted to access this resource."), want: promotion.ErrForbidden, says: "addresses"},
		{name: "plan", status: 403, body: message("Upgrade to GitHub Pro or make this repository public to enable this feature."), want: promotion.ErrForbidden, says: "plan"},
		{name: "push to a protected branch", status: 403, body: message("You're not authorized to push to this branch."), want: promotion.ErrBlocked, says: "Settings > Rules"},
		{name: "taken down", status: 451, body: message("Repository access blocked"), want: promotion.ErrForbidden},
		{name: "proxy forbids", status: 403, header: []string{"Content-Type", "text/html"}, body: "<html>denied</html>", want: promotion.ErrForbidden, says: "web page"},

		{
			name: "primary limit", status: 403, body: message("API rate limit exceeded for installation ID 1."),
			header: []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(10 * time.Minute)},
			want:   promotion.ErrRateLimited, says: "of this hour", after: 10*time.Minute + time.Second,
		},
		{
			name: "primary limit by GitHub's clock", status: 429, body: message("API rate limit exceeded"),
			header: []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(10 * time.Minute), "Date", now.Add(9 * time.Minute).Format(http.TimeFormat)},
			want:   promotion.ErrRateLimited, after: time.Minute + time.Second,
		},
		{name: "secondary limit with a wait", status: 403, body: message("You have exceeded a secondary rate limit."), header: []string{"Retry-After", "30"}, want: promotion.ErrRateLimited, after: 30 * time.Second},
		{name: "secondary limit without one", status: 403, body: message("You have exceeded a secondary rate limit. Please wait a few minutes before you try again."), want: promotion.ErrRateLimited, after: time.Minute},
		{name: "secondary limit, the hour not over", status: 403, body: message("You have exceeded a secondary rate limit."), header: []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(time.Hour)}, want: promotion.ErrRateLimited, after: time.Minute},
		{name: "too many requests", status: 429, body: `{}`, want: promotion.ErrRateLimited, after: time.Minute},
		{name: "a wait as a date", status: 429, body: `{}`, header: []string{"Retry-After", now.Add(2 * time.Minute).Format(http.TimeFormat)}, want: promotion.ErrRateLimited, after: 2 * time.Minute},
		{name: "a wait of years", status: 429, body: `{}`, header: []string{"Retry-After", "999999999"}, want: promotion.ErrRateLimited, after: 65 * time.Minute},
		{name: "a wait of nonsense", status: 429, body: `{}`, header: []string{"Retry-After", "soon"}, want: promotion.ErrRateLimited, after: time.Minute},
		{name: "limit as a web page", status: 429, body: "<html>", want: promotion.ErrRateLimited, after: time.Minute},
		{name: "too quickly", status: 403, body: message("was submitted too quickly"), want: promotion.ErrRateLimited, after: time.Minute},
		{name: "too quickly, as a validation", status: 422, body: invalid(`{"resource":"PullRequest","code":"custom","message":"was submitted too quickly"}`), want: promotion.ErrRateLimited, after: time.Minute},
		{name: "blocked from creating", status: 403, body: message("You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later."), want: promotion.ErrRateLimited, after: time.Minute},

		{name: "not found", status: 404, body: message("Not Found"), want: promotion.ErrNotFound, says: "may not see it"},
		{name: "not found, by a proxy", status: 404, header: []string{"Content-Type", "text/html"}, body: "<html>", want: promotion.ErrInvalid, says: "URL of the API"},
		{name: "gone", status: 410, body: message("This issue was deleted"), want: promotion.ErrNotFound, says: "deleted"},
		{name: "issues are off", status: 410, body: message("Issues are disabled for this repo"), want: promotion.ErrBlocked, says: "Settings > General"},

		{name: "merge: base moved", status: 405, body: message("Base branch was modified. Review and try the merge again."), want: promotion.ErrConflict},
		{name: "merge: queue", status: 405, body: message("Changes must be made through the merge queue"), want: promotion.ErrBlocked, says: "enqueue"},
		{name: "merge: queue, by a ruleset", status: 405, body: message("Repository rule violations found\n\nChanges must be made through the merge queue\n\n"), want: promotion.ErrBlocked, says: "enqueue"},
		{name: "merge: not mergeable", status: 405, body: message("Pull Request is not mergeable"), want: promotion.ErrConflict, says: "conflicts with its base"},
		{name: "merge: status check", status: 405, body: message(`Required status check "ci" is expected.`), want: promotion.ErrBlocked, says: "rule of the branch"},
		{name: "merge: review", status: 405, body: message("At least 1 approving review is required by reviewers with write access."), want: promotion.ErrBlocked},
		{name: "merge: rules", status: 405, body: message("Repository rule violations found"), want: promotion.ErrBlocked},
		{name: "merge: draft", status: 405, body: message("Pull Request is still a draft"), want: promotion.ErrBlocked, says: "ready for review"},
		{name: "merge: method", status: 405, body: message("Squash merges are not allowed on this repository."), want: promotion.ErrBlocked, says: "method of merging"},
		{name: "merge: closed", status: 405, body: message("Pull request is closed"), want: promotion.ErrConflict},
		{name: "merge: no reason", status: 405, body: `{}`, want: promotion.ErrBlocked, says: "page"},

		{name: "head moved", status: 409, body: message("Head branch was modified. Review and try the merge again."), want: promotion.ErrConflict, says: "another head"},
		{name: "head not worked out yet", status: 409, body: message("Head branch is out of date. Review and try the merge again."), want: promotion.ErrConflict, says: "base branch moved"},
		{name: "empty repository", status: 409, body: message("Git Repository is empty."), want: promotion.ErrNotFound, says: "no commit"},
		{name: "conflict by a rule", status: 409, body: message("Repository rule violations found"), want: promotion.ErrBlocked},
		{name: "conflict", status: 409, body: message("Conflict"), want: promotion.ErrConflict},

		{name: "pull request exists", status: 422, body: invalid(`{"resource":"PullRequest","code":"custom","message":"A pull request already exists for acme:pinnace/prod."}`), want: promotion.ErrConflict, says: "already exists for acme:pinnace/prod"},
		{name: "nothing between", status: 422, body: invalid(`{"resource":"PullRequest","code":"custom","message":"No commits between main and pinnace/prod"}`), want: promotion.ErrInvalid, says: "nothing to propose"},
		{name: "reference exists", status: 422, body: message("Reference already exists"), want: promotion.ErrConflict},
		{name: "reference moved", status: 422, body: message("Reference update failed"), want: promotion.ErrConflict},
		{name: "no fast-forward", status: 422, body: message("Update is not a fast forward"), want: promotion.ErrConflict},
		{name: "reference is not there", status: 422, body: message("Reference does not exist"), want: promotion.ErrNotFound},
		{name: "no commit of that hash", status: 422, body: message("No commit found for SHA: " + shaA), want: promotion.ErrNotFound},
		{name: "base is not there", status: 422, body: invalid(`{"resource":"PullRequest","field":"base","code":"invalid"}`), want: promotion.ErrNotFound, says: "base branch does not exist"},
		{name: "head is not there", status: 422, body: invalid(`{"resource":"PullRequest","field":"head","code":"invalid"}`), want: promotion.ErrNotFound, says: "head branch"},
		{name: "label exists", status: 422, body: invalid(`{"resource":"Label","field":"name","code":"already_exists"}`), want: promotion.ErrConflict},
		{name: "rule on a push", status: 422, body: message("Repository rule violations found\n\nChanges must be made through a pull request.\n\n"), want: promotion.ErrBlocked},
		{name: "own pull request", status: 422, body: `{"message":"Unprocessable Entity","errors":["Can not approve your own pull request"]}`, want: promotion.ErrForbidden, says: "somebody else"},
		{name: "reviewer from outside", status: 422, body: message("Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the acme/config repository."), want: promotion.ErrInvalid, says: "no access"},
		{name: "permission not granted", status: 422, body: message("The permissions requested are not granted to this installation."), want: promotion.ErrForbidden, says: "lacks checks=write"},
		{name: "too long", status: 422, body: invalid(`{"resource":"Issue","field":"body","code":"custom","message":"body is too long (maximum is 65536 characters)"}`), want: promotion.ErrInvalid, says: "longer than GitHub takes"},
		{name: "other validation", status: 422, body: invalid(`{"resource":"Issue","field":"title","code":"missing_field"}`), want: promotion.ErrInvalid, says: "field: title, code: missing_field"},
		{name: "one error that is no list", status: 422, body: `{"message":"Validation Failed","errors":"No such thing"}`, want: promotion.ErrInvalid, says: "No such thing"},

		{name: "bad JSON", status: 400, body: message("Problems parsing JSON"), want: promotion.ErrInvalid},
		{name: "redirect that was not followed", status: 304, want: promotion.ErrInvalid},
		{name: "request timeout", status: 408, want: promotion.ErrTransient},
		{name: "server error", status: 500, body: message("Server Error"), want: promotion.ErrTransient},
		{name: "bad gateway", status: 502, body: "<html>Unicorn!</html>", want: promotion.ErrTransient, says: "githubstatus"},
		{name: "unavailable", status: 503, body: `{}`, header: []string{"Retry-After", "7"}, want: promotion.ErrTransient, after: 7 * time.Second},
		{name: "out of GitHub's range", status: 599, want: promotion.ErrTransient},
		{name: "nonsense", status: 418, body: `[1,2`, want: promotion.ErrInvalid},

		{name: "GraphQL success", status: 200, graphql: true, body: `{"data":{"x":{}}}`},
		{name: "GraphQL: not found", status: 200, graphql: true, body: graphql("NOT_FOUND", "Could not resolve to a node with the global id of 'PR_x'."), want: promotion.ErrNotFound},
		{name: "GraphQL: forbidden", status: 200, graphql: true, body: graphql("FORBIDDEN", "Resource not accessible by integration"), want: promotion.ErrForbidden, says: "lacks checks=write"},
		{name: "GraphQL: scopes", status: 200, graphql: true, body: graphql("INSUFFICIENT_SCOPES", "Your token has not been granted the required scopes."), want: promotion.ErrForbidden},
		{name: "GraphQL: limit", status: 200, graphql: true, body: graphql("RATE_LIMITED", "API rate limit exceeded"), header: []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(time.Minute)}, want: promotion.ErrRateLimited, after: 61 * time.Second},
		{name: "GraphQL: too quickly", status: 200, graphql: true, body: graphql("UNPROCESSABLE", "was submitted too quickly"), want: promotion.ErrRateLimited, after: time.Minute},
		{name: "GraphQL: another head", status: 200, graphql: true, body: graphql("UNPROCESSABLE", "The pull request's head ref oid does not match the expected head oid"), want: promotion.ErrConflict, says: "another head"},
		{name: "GraphQL: queued", status: 200, graphql: true, body: graphql("UNPROCESSABLE", "Pull request is already in the queue"), want: promotion.ErrConflict},
		{name: "GraphQL: stale", status: 200, graphql: true, body: graphql("STALE_DATA", "The data changed"), want: promotion.ErrConflict},
		{name: "GraphQL: fails", status: 200, graphql: true, body: graphql("", "Something went wrong while executing your query. This may be the result of a timeout."), want: promotion.ErrTransient},
		{name: "GraphQL: rule", status: 200, graphql: true, body: graphql("UNPROCESSABLE", "Required status check is expected"), want: promotion.ErrBlocked},
		{name: "GraphQL: rule about a head", status: 200, graphql: true, body: graphql("UNPROCESSABLE", `Required status check "headers" is expected.`), want: promotion.ErrBlocked},
		{name: "GraphQL: other", status: 200, graphql: true, body: graphql("UNPROCESSABLE", "No"), want: promotion.ErrInvalid},
		{name: "GraphQL: half an answer", status: 200, graphql: true, body: `{"data":{"x":{}},"errors":[{"message":"No"}]}`, want: promotion.ErrInvalid},
		{name: "GraphQL: credentials", status: 401, graphql: true, body: message("Bad credentials"), want: promotion.ErrUnauthenticated},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{}
			for i := 0; i+1 < len(c.header); i += 2 {
				h.Set(c.header[i], c.header[i+1])
			}
			e := classify(answer{status: c.status, header: h, body: []byte(c.body)}, question{op: "do it", need: "checks=write", token: canary, graphql: c.graphql, now: now})
			if c.want == nil {
				if e != nil {
					t.Fatalf("got %v, want no error", e)
				}
				return
			}
			if e == nil {
				t.Fatalf("got no error, want %v", c.want)
			}
			isOnly(t, e, c.want)
			if e.Status != c.status {
				t.Errorf("status %d, want %d", e.Status, c.status)
			}
			if e.RetryAfter() != c.after {
				t.Errorf("RetryAfter %v, want %v", e.RetryAfter(), c.after)
			}
			if !strings.Contains(e.Error(), c.says) {
				t.Errorf("%q does not say %q", e.Error(), c.says)
			}
			if e.Remedy == "" {
				t.Errorf("%q says nothing of what to do", e.Error())
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	r := newRig(t)
	r.on("POST /repos/acme/config/pulls", 403, `{"message":"Resource not accessible by integration","documentation_url":"https://docs.github.com/rest/pulls/pulls#create-a-pull-request"}`)
	_, err := r.client().OpenPullRequest(t.Context(), config, promotion.Draft{Title: "x", Head: "a", Base: "main"})
	want := "open a pull request in acme/config: not permitted: Resource not accessible by integration (HTTP 403): " +
		"the token lacks pull_requests=write: in a workflow add it under permissions; for an App grant it in the App's settings " +
		"under Permissions, then accept it in the installation; for a personal token edit the token"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var e *Error
	if !errors.As(err, &e) || e.Documentation != "https://docs.github.com/rest/pulls/pulls" || e.Permission != "pull_requests=write" {
		t.Errorf("got %+v", e)
	}
	var d promotion.Delay
	if !errors.As(err, &d) || d.RetryAfter() != 0 {
		t.Errorf("got %v, want a promotion.Delay of 0", d)
	}
}

// A server or proxy that repeats the token does not get it into an error.
func TestErrorsKeepSecrets(t *testing.T) {
	spread := strings.Join(strings.Split(canary, ""), `\u0000`)
	for name, body := range map[string]string{
		"message":          `{"message":"Bearer ` + canary + ` is bad"}`,
		"escaped":          `{"message":"\u0067` + canary[1:] + ` is bad"}`,
		"between controls": `{"message":"` + spread + `"}`,
		"details":          `{"message":"Validation Failed","errors":[{"message":"` + canary + `"},"` + canary + `"]}`,
		"documentation":    `{"message":"no","documentation_url":"https://docs.github.com/` + canary + `"}`,
		"other address":    `{"message":"no","documentation_url":"https://evil.test/` + canary + `"}`,
		"at the cut":       `{"message":"` + strings.Repeat("x", longestMessage-10) + canary + `"}`,
		"other token":      `{"message":"ghp_0123456789abcdefghijABCDEFGHIJ012345 and github_pat_11AAAAAAA0123456789 and https://u:p@host/"}`,
	} {
		for _, status := range []int{400, 401, 403, 404, 405, 409, 410, 422, 429, 500} {
			e := classify(answer{status: status, header: http.Header{}, body: []byte(body)}, question{op: "do it", token: canary})
			text := fmt.Sprintf("%v %#v", e, *e)
			for _, secret := range []string{canary, canary[:12], "ghp_0123", "11AAAAAAA0", "u:p"} {
				if strings.Contains(text, secret) {
					t.Errorf("%s, %d: %q shows %q", name, status, text, secret)
				}
			}
		}
	}
}

func FuzzClassify(f *testing.F) {
	f.Add(422, `{"message":"x","errors":[{"field":"base","code":"invalid"}]}`, "30", "0", true)
	f.Add(200, `{"errors":[{"type":"RATE_LIMITED"}]}`, "", "1", true)
	f.Add(403, "<html>", "", "", false)
	f.Fuzz(func(t *testing.T, status int, body, after, remaining string, graphql bool) {
		h := http.Header{"Retry-After": {after}, "X-Ratelimit-Remaining": {remaining}}
		e := classify(answer{status: status, header: h, body: []byte(body)}, question{op: "do it", token: canary, graphql: graphql})
		if e == nil {
			if status < 200 || status > 299 {
				t.Fatalf("status %d is no error", status)
			}
			return
		}
		isOnly(t, e, e.Class)
		if len([]rune(e.Message)) > longestMessage+3 || e.After < 0 || e.After > 65*time.Minute {
			t.Errorf("out of bounds: %q, %v", e.Message, e.After)
		}
	})
}
