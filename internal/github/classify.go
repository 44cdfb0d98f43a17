package github

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// An answer is what came back from GitHub, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
	moved  bool // it came from another address than the one asked
}

// A complaint is what GitHub writes into a refusal
// (https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#validation-failed).
type complaint struct {
	Message       string          `json:"message"`
	Documentation string          `json:"documentation_url"`
	Errors        json.RawMessage `json:"errors"`
	details       []detail
}

type detail struct {
	Resource string `json:"resource"`
	Field    string `json:"field"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Type     string `json:"type"` // GraphQL only
}

// UnmarshalJSON takes the plain string that some errors are.
func (d *detail) UnmarshalJSON(b []byte) error {
	type plain detail
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &d.Message)
	}
	return json.Unmarshal(b, (*plain)(d))
}

// String returns what the detail adds to the message.
func (d detail) String() string {
	if d.Message != "" {
		return d.Message
	}
	if d.Field == "" && d.Code == "" {
		return ""
	}
	return strings.TrimSpace("field: " + d.Field + ", code: " + d.Code)
}

func (c complaint) String() string {
	parts := []string{strings.TrimSuffix(c.Message, ".")}
	for _, d := range c.details {
		if s := d.String(); s != "" && !strings.Contains(c.Message, s) {
			parts = append(parts, strings.TrimSuffix(s, "."))
		}
	}
	return strings.TrimPrefix(strings.Join(parts, "; "), "; ")
}

// read takes the complaint out of an answer. It is empty where the body is not GitHub's.
func (a answer) complaint() complaint {
	var c complaint
	if json.Unmarshal(a.body, &c) != nil {
		return complaint{}
	}
	if json.Unmarshal(c.Errors, &c.details) != nil {
		c.details = nil
		var one detail
		if len(c.Errors) > 0 && json.Unmarshal(c.Errors, &one) == nil {
			c.details = []detail{one}
		}
	}
	if len(c.details) > 20 {
		c.details = c.details[:20]
	}
	return c
}

// html says whether the answer is a web page: a proxy's, or a wrong address.
func (a answer) html() bool {
	if strings.Contains(strings.ToLower(a.header.Get("Content-Type")), "html") {
		return true
	}
	return bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("<"))
}

// A question is what classify must know of a call to judge its answer.
type question struct {
	op      string
	need    string // the permission of an App that the call needs: "pull_requests=write"
	token   string // is never shown
	graphql bool
	now     time.Time
}

// classify says what an answer means: nil, or an error of exactly one class. It is the only
// place that knows GitHub's messages.
func classify(a answer, q question) *Error {
	if a.status >= 200 && a.status < 300 && !a.html() {
		if !q.graphql {
			return nil
		}
		return classifyGraphQL(a, q)
	}
	c := a.complaint()
	e := &Error{Op: q.op, Status: a.status, Message: clean(c.String(), q.token), Documentation: page(c.Documentation, q.token)}
	text := strings.ToLower(e.Message)
	switch {
	case a.html() && a.status < 500:
		webPage(e, a.status)
	case a.status == http.StatusUnauthorized:
		e.Class, e.Remedy = promotion.ErrUnauthenticated, "the token is wrong, expired or revoked; make a new one"
		if q.token == "" {
			e.Remedy = "no token was sent; give one, for example in GITHUB_TOKEN"
		}
	case limited(a, text):
		limit(e, a, text, q.now)
	case a.status == http.StatusForbidden || a.status == http.StatusUnavailableForLegalReasons:
		forbidden(e, a, text, q)
	case a.status == http.StatusNotFound:
		e.Class, e.Permission = promotion.ErrNotFound, accepted(a.header)
		e.Remedy = "it does not exist, or the token may not see it; check the name, and the repositories that the token or the App was given"
	case a.status == http.StatusMethodNotAllowed:
		notAllowed(e, text)
	case a.status == http.StatusConflict:
		conflict(e, text)
	case a.status == http.StatusGone:
		gone(e, text)
	case a.status == http.StatusUnprocessableEntity:
		unprocessable(e, text, c, q)
	case a.status == http.StatusRequestTimeout || a.status >= 500:
		e.Class, e.Remedy = promotion.ErrTransient, "GitHub or the way to it fails at the moment; https://www.githubstatus.com tells more"
		e.After = retryAfter(a.header, q.now)
	case a.status >= 300 && a.status < 400:
		e.Class, e.Remedy = promotion.ErrInvalid, "GitHub points to another address than its own; check the URL of the API"
	default:
		e.Class, e.Remedy = promotion.ErrInvalid, "GitHub does not take this request"
	}
	e.spoken()
	e.detail(c, q.token)
	return e
}

// spoken gives an error words of its own where GitHub has none.
func (e *Error) spoken() {
	if e.Message == "" {
		e.Message = cmp.Or(strings.ToLower(http.StatusText(e.Status)), "GitHub gives no reason")
	}
}

func webPage(e *Error, status int) {
	e.Message = "the answer is a web page, not one of GitHub's API"
	e.Remedy = "a proxy, a login page or a wrong URL stands between; check the URL of the API and the proxy"
	switch {
	case status == http.StatusUnauthorized || status == http.StatusProxyAuthRequired:
		e.Class = promotion.ErrUnauthenticated
	case status == http.StatusForbidden:
		e.Class = promotion.ErrForbidden
	case status == http.StatusTooManyRequests:
		e.Class = promotion.ErrRateLimited
		e.After = time.Minute
	case status < 300:
		e.Class = promotion.ErrTransient
	default: // also 404: a page says nothing about what GitHub holds
		e.Class = promotion.ErrInvalid
	}
}

// permissionWords say that a refusal is about rights, whatever its headers say of limits.
var permissionWords = []string{
	"resource not accessible", "resource protected by organization saml", "is not permitted to", "must have", "archived so is read-only",
	"installation has been suspended", "ip allow list", "upgrade to github", "repository access blocked", "account was suspended",
	"not authorized to", "protected branch", "rule violations",
}

var limitWords = []string{
	"rate limit", "abuse detection", "submitted too quickly", "temporarily blocked from content creation", "code: abuse", "wait a few minutes before you try again",
}

// limited says whether an answer is about a limit.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
func limited(a answer, text string) bool {
	switch a.status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusUnprocessableEntity:
		return holds(text, "submitted too quickly", "temporarily blocked from content creation", "code: abuse")
	case http.StatusForbidden:
		if holds(text, permissionWords...) {
			return false
		}
		return holds(text, limitWords...) || a.header.Get("Retry-After") != "" || a.header.Get("X-RateLimit-Remaining") == "0"
	}
	return false
}

// limit says how long to wait: what GitHub says, or a minute.
func limit(e *Error, a answer, text string, now time.Time) {
	e.Class, e.After = promotion.ErrRateLimited, time.Minute
	e.Remedy = "GitHub wants fewer requests; ask again later"
	if after := retryAfter(a.header, now); after > 0 {
		e.After = after
	} else if reset, ok := primary(a.header, now); ok && !holds(text, "secondary", "too quickly", "content creation", "abuse") {
		e.After, e.primary = reset, true
		e.Remedy = "the requests of this hour are used up; ask again later, or use an App, which has more"
	}
}

// retryAfter reads Retry-After, in seconds or as a date; 0 means that it is not there.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if text == "" {
		return 0
	}
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return bounded(time.Duration(n) * time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return bounded(at.Sub(serverTime(h, now)))
	}
	return 0
}

// primary reads how long it takes until an exhausted limit is renewed, by GitHub's clock.
func primary(h http.Header, now time.Time) (time.Duration, bool) {
	if h.Get("X-RateLimit-Remaining") != "0" {
		return 0, false
	}
	n, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return time.Minute, true
	}
	left := time.Unix(n, 0).Sub(serverTime(h, now))
	if left <= 0 {
		return 0, false
	}
	return bounded(left + time.Second), true
}

func serverTime(h http.Header, now time.Time) time.Time {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		return at
	}
	return now
}

// bounded keeps a wrong header from closing the door for longer than GitHub's windows last.
func bounded(d time.Duration) time.Duration { return min(max(d, time.Second), 65*time.Minute) }

func forbidden(e *Error, a answer, text string, q question) {
	e.Class = promotion.ErrForbidden
	switch {
	case holds(text, "archived so is read-only", "repository was archived"):
		e.Class, e.Remedy = promotion.ErrBlocked, "the repository is archived; unarchive it in its settings, or take it out of the configuration"
	case holds(text, "saml"):
		e.Remedy = "authorize the token for the organization's single sign-on: Settings > Developer settings > the token > Configure SSO"
	case holds(text, "github actions is not permitted to create or approve pull requests"):
		e.Remedy = `allow it in Settings > Actions > General > Workflow permissions > "Allow GitHub Actions to create and approve pull requests", or use an App's token`
	case holds(text, "suspended"):
		e.Remedy = "the App's installation or the account is suspended; an owner can lift that in Settings > Applications"
	case holds(text, "ip allow list"):
		e.Remedy = "the organization admits listed addresses only; an owner can add this one in Settings > Authentication security"
	case holds(text, "upgrade to github"):
		e.Remedy = "the plan of the repository's owner does not include this for private repositories"
	case holds(text, "protected branch", "not authorized to push", "rule violations", "merge queue"):
		e.Class, e.Remedy = promotion.ErrBlocked, "a rule of the branch refuses it; "+seeRules
	default:
		e.Permission = accepted(a.header)
		if e.Permission == "" {
			e.Permission = q.need
		}
		if e.Permission == "" {
			e.Remedy = "the token lacks a permission for this; give it one that has it"
			return
		}
		e.Remedy = grant(e.Permission)
	}
}

// grant says how to come by a permission.
func grant(permission string) string {
	return "the token lacks " + permission + ": in a workflow add it under permissions; for an App grant it in the App's settings " +
		"under Permissions, then accept it in the installation; for a personal token edit the token"
}

// accepted reads which permissions would do, such as "contents=read".
func accepted(h http.Header) string {
	return clean(strings.ReplaceAll(h.Get("X-Accepted-GitHub-Permissions"), ";", " or "), "")
}

func notAllowed(e *Error, text string) {
	e.Class = promotion.ErrBlocked
	switch {
	case holds(text, "base branch was modified", "merge already in progress", "try the merge again"):
		e.Class, e.Remedy = promotion.ErrConflict, "the base branch moved during the merge; read the pull request again"
	case holds(text, "merge queue"):
	case holds(text, "not mergeable", "merge conflict"):
		e.Class, e.Remedy = promotion.ErrConflict, "it conflicts with its base, or GitHub still works that out; read the pull request again"
	case holds(text, "already merged", "pull request is closed", "is not open"):
		e.Class, e.Remedy = promotion.ErrConflict, "somebody merged or closed it; read the pull request again"
	case holds(text, "rule violations", "protected", "required"):
		e.Remedy = "a rule of the branch is not met yet; " + seeRules
	default:
		e.Remedy = "GitHub does not allow this now; look at the pull request's page for the reason"
	}
}

func conflict(e *Error, text string) {
	e.Class = promotion.ErrConflict
	switch {
	case holds(text, "repository is empty"):
		e.Class, e.Remedy = promotion.ErrNotFound, "the repository has no commit yet; push one"
	case holds(text, "head branch was modified", "head sha", "expected head"):
		e.Remedy = "the pull request has another head than the one that was judged; judge the new one"
	case holds(text, "out of date"):
		e.Remedy = "the base branch moved, or GitHub still works the head out; read the pull request again"
	case holds(text, "rule violations"):
		e.Class, e.Remedy = promotion.ErrBlocked, "a rule of the branch refuses it; "+seeRules
	default:
		e.Remedy = "it changed meanwhile; read it again"
	}
}

func gone(e *Error, text string) {
	e.Class, e.Remedy = promotion.ErrNotFound, "it was there and was deleted"
	if holds(text, "disabled") {
		e.Class, e.Remedy = promotion.ErrBlocked, "switch it on in Settings > General > Features of the repository"
	}
}

func unprocessable(e *Error, text string, c complaint, q question) {
	e.Class = promotion.ErrInvalid
	field := func(name, code string) bool {
		for _, d := range c.details {
			if d.Field == name && d.Code == code {
				return true
			}
		}
		return false
	}
	switch {
	case holds(text, "rule violations", "protected ref", "protected branch", "required status check", "changes must be made through", "cannot update this protected"):
		e.Class, e.Remedy = promotion.ErrBlocked, "a rule of the branch refuses it; "+seeRules
	case holds(text, "a pull request already exists for"):
		e.Class, e.Remedy = promotion.ErrConflict, "the branch has an open pull request; read it, and change that one"
	case holds(text, "reference already exists", "already_exists"):
		e.Class, e.Remedy = promotion.ErrConflict, "it exists already; read it"
	case holds(text, "reference update failed", "not a fast forward", "not a fast-forward"):
		e.Class, e.Remedy = promotion.ErrConflict, "the branch moved meanwhile; read it again"
	case holds(text, "reference does not exist", "no commit found for"):
		e.Class, e.Remedy = promotion.ErrNotFound, "the branch or commit is not there"
	case field("base", "invalid"):
		e.Class, e.Remedy = promotion.ErrNotFound, "the base branch does not exist; check its name, or create it"
	case field("head", "invalid"):
		e.Class, e.Remedy = promotion.ErrNotFound, "the head branch does not exist, or GitHub has not seen the push yet"
	case holds(text, "no commits between"):
		e.Remedy = "both branches hold the same commit, so there is nothing to propose"
	case holds(text, "expected head sha", "head sha didn't match", "expected_head_sha"):
		e.Class, e.Remedy = promotion.ErrConflict, "the pull request has another head than the one that was judged; judge the new one"
	case holds(text, "can not approve your own", "cannot approve your own"):
		e.Class, e.Remedy = promotion.ErrForbidden, "somebody else than the author must approve"
	case holds(text, "permissions requested are not granted"):
		e.Class, e.Permission = promotion.ErrForbidden, q.need
		e.Remedy = grant(q.need)
	case holds(text, "does not exist or is not accessible to the parent installation"):
		e.Class, e.Remedy = promotion.ErrNotFound, "the App is not installed on one of the repositories; add it in the installation's settings"
	case holds(text, "reviews may only be requested from collaborators"):
		e.Remedy = "one of the reviewers or teams has no access to the repository"
	case holds(text, "too long", "too large", "is too big"):
		e.Remedy = "it is longer than GitHub takes"
	default:
		e.Remedy = "GitHub does not take this request as it is"
	}
}

// classifyGraphQL judges an answer of status 200 that may hold errors
// (https://docs.github.com/en/graphql/guides/using-graphql-clients).
func classifyGraphQL(a answer, q question) *Error {
	c := a.complaint()
	if len(c.details) == 0 && c.Message == "" {
		return nil
	}
	e := &Error{Op: q.op, Status: a.status, Message: clean(c.String(), q.token)}
	text := strings.ToLower(e.Message)
	kind := ""
	for _, d := range c.details {
		if d.Type != "" {
			kind = d.Type
			break
		}
	}
	switch {
	case kind == "RATE_LIMITED" || kind == "MAX_NODE_LIMIT_EXCEEDED" && holds(text, "rate") || holds(text, limitWords...):
		limit(e, a, text, q.now)
	case holds(text, "merge queue entry") && holds(text, "already", "exists"), holds(text, "already in the merge queue", "already queued", "already in the queue"):
		e.Class, e.Remedy = promotion.ErrConflict, "it is in the merge queue already; read the pull request again"
	case holds(text, "head") && !holds(text, "status check", "approving review") && holds(text, "expected", "modified", "does not match", "doesn't match", "did not match", "out of date"):
		e.Class, e.Remedy = promotion.ErrConflict, "the pull request has another head than the one that was judged; judge the new one"
	case kind == "NOT_FOUND" || holds(text, "could not resolve to a"):
		e.Class, e.Remedy = promotion.ErrNotFound, "it does not exist, or the token may not see it"
	case kind == "FORBIDDEN" || kind == "INSUFFICIENT_SCOPES" || holds(text, permissionWords...):
		forbidden(e, a, text, q)
	case kind == "STALE_DATA":
		e.Class, e.Remedy = promotion.ErrConflict, "it changed meanwhile; read it again"
	case kind == "SERVICE_UNAVAILABLE" || kind == "INTERNAL" || holds(text, "something went wrong", "timeout", "timed out", "internal error"):
		e.Class, e.Remedy = promotion.ErrTransient, "GitHub fails at the moment; https://www.githubstatus.com tells more"
	case holds(text, "rule violations", "protected", "required", "merge queue", "not mergeable", "draft pull requests are not supported"):
		e.Class, e.Remedy = promotion.ErrBlocked, "a rule of the branch refuses it; "+seeRules
	default:
		e.Class, e.Remedy = promotion.ErrInvalid, "GitHub does not take this request as it is"
	}
	e.spoken()
	e.detail(c, q.token)
	return e
}

// page returns a link that may be shown: to GitHub's documentation, and nowhere else.
func page(link, token string) string {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" || u.Host != "docs.github.com" || len(link) > 300 || redact(link, token) != link {
		return ""
	}
	return fmt.Sprintf("https://docs.github.com%s", u.EscapedPath())
}
