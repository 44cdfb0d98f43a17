package github

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Call is one HTTP request that was sent, for measurements.
type Call struct {
	Method string
	// Route is the kind of the address, of which there are few, such as
	// "/repos/{owner}/{repo}/pulls/{}"; "/graphql" for a change by GraphQL.
	Route       string
	Status      int // of the answer; 0 = none came
	NotModified bool
	// Ahead says that nobody had asked for it yet; see VisitOptions.
	Ahead bool
	Took  time.Duration // until the answer was read whole

	// What GitHub says of its limit; Resource is "" where it says nothing
	// (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#checking-the-status-of-your-rate-limit).
	Resource  string
	Limit     int
	Remaining int
	Reset     time.Time
}

// observe tells of a request that was sent at a time. resp is nil where no answer came.
func (c *Client) observe(q call, target string, sent time.Time, resp *http.Response) {
	if c.watch == nil {
		return
	}
	a := Call{Method: q.method, Route: c.route(target), Ahead: q.ahead, Took: c.now().Sub(sent)}
	if resp != nil {
		a.Status, a.NotModified = resp.StatusCode, resp.StatusCode == http.StatusNotModified
		a.limits(resp.Header)
	}
	c.watch(a)
}

// limits reads the headers of a limit. One whose name is none of GitHub's form is left out.
func (a *Call) limits(h http.Header) {
	limit, err := strconv.Atoi(h.Get("X-RateLimit-Limit"))
	remaining, e := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	reset, e2 := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil || e != nil || e2 != nil {
		return
	}
	switch r := h.Get("X-RateLimit-Resource"); r {
	case "", "core":
		a.Resource = "core"
	case "graphql", "search", "code_search", "integration_manifest", "dependency_snapshots", "source_import", "code_scanning_upload", "audit_log":
		a.Resource = r
	default:
		a.Resource = "other"
	}
	a.Limit, a.Remaining, a.Reset = limit, remaining, time.Unix(reset, 0)
}

// words are the segments that a route shows; every other is somebody's name or number.
var words = setOf(`repos users user orgs app installations installation access_tokens repositories token hook config
		deliveries attempts app-manifests conversions meta rate_limit pulls issues comments reviews commits files merge labels timeline
		requested_reviewers dismissals update-branch branches protection rules collaborators permission git ref refs matching-refs rulesets blobs
		trees contents compare check-runs check-suites rerequest annotations status statuses deployments teams memberships members`)

// open are the words after which names follow that may be of several segments.
var open = setOf(`contents ref refs matching-refs compare`)

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

// route returns the kind of an address. A repository's number is its name as well.
func (c *Client) route(target string) string {
	if target == c.graphql {
		return "/graphql"
	}
	path, ok := strings.CutPrefix(target, c.root)
	if !ok {
		return "other"
	}
	path, _, _ = strings.Cut(path, "?")
	segments := strings.Split(strings.Trim(path, "/"), "/")
	var b strings.Builder
	switch {
	case segments[0] == "repos" && len(segments) > 2:
		b.WriteString("/repos/{owner}/{repo}")
		segments = segments[3:]
	case segments[0] == "repositories" && len(segments) > 1:
		b.WriteString("/repos/{owner}/{repo}")
		segments = segments[2:]
	}
	for i, s := range segments {
		if i == 6 {
			break
		}
		if !words[s] {
			b.WriteString("/{}")
			continue
		}
		b.WriteString("/" + s)
		if open[s] && i+1 < len(segments) {
			b.WriteString("/{}")
			break
		}
	}
	return b.String()
}
