package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Request was served.
type Request struct {
	Method string
	Route  string // as in Call
	Path   string
	Status int    // what the client got; 0 for a hang-up
	Actor  string // login, or anonymous
}

// Write says whether the request asked to change something. A token is no change.
func (q Request) Write() bool {
	if strings.HasSuffix(q.Route, "/access_tokens") {
		return false
	}
	return q.Method != http.MethodGet && q.Method != http.MethodHead && q.Route != "git-upload-pack" && !strings.HasPrefix(q.Route, "/graphql query")
}

// An Exchange is a request of the REST API and the sandbox's own answer to it.
type Exchange struct {
	Request  *http.Request
	Body     []byte // of the request
	Status   int
	Header   http.Header
	Response []byte
}

// keptRequests is how many requests are listed.
const keptRequests = 200_000

// Requests lists what was served, in order of ending: the last 200,000 at least.
func (s *Sandbox) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Writes counts the requests that asked to change something.
func (s *Sandbox) Writes() int {
	n := 0
	for _, q := range s.Requests() {
		if q.Write() {
			n++
		}
	}
	return n
}

// ForgetRequests empties the list of requests.
func (s *Sandbox) ForgetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

func (s *Sandbox) note(q Request) {
	if len(s.requests) >= 2*keptRequests {
		s.requests = slices.Clone(s.requests[keptRequests:])
	}
	s.requests = append(s.requests, q)
	if s.o.Log != nil {
		s.o.Log.Debug("request", "method", q.Method, "path", q.Path, "status", q.Status, "actor", q.Actor)
	}
}

// ServeHTTP serves GitHub: REST, GraphQL, git, and the few pages for people.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	switch {
	case path == "/api/graphql" || path == "/graphql":
		s.graphql(w, r)
	case strings.HasPrefix(path, "/api/v3/") || path == "/api/v3":
		s.rest(w, r, strings.TrimPrefix(path, "/api/v3"))
	case gitPath(path):
		s.serveGit(w, r)
	case s.page(w, r):
	default:
		s.rest(w, r, path)
	}
}

// A route of the REST API, with what it takes to use it.
type route struct {
	method, template string
	needs            string               // permissions of an App, any of them: "issues:write|pull_requests:write"
	role             promotion.Permission // of a person
	door             door
	do               func(*call) (any, error)
	parts            []string // of the template
	literals         int      // how many of them are no placeholders
}

// A door says who may use a route that is not a repository's.
type door int

const (
	byRepository door = iota // needs and role decide
	byAnybody                // with or without a token
	byToken                  // a person's or an installation's
	byApp                    // a JSON web token
	byInstallation
)

// A call is a request of the REST API at work, under the sandbox's lock.
type call struct {
	s      *Sandbox
	req    *http.Request
	route  *route
	args   map[string]string
	body   []byte
	by     *actor
	repo   *Repository
	status int
	header http.Header
}

func (c *call) created(v any) (any, error) {
	c.status = http.StatusCreated
	return v, nil
}

func (c *call) empty() (any, error) {
	c.status = http.StatusNoContent
	return nil, nil
}

// read parses the body into v.
func (c *call) read(v any) *refusal {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, v); err != nil {
		var shape *json.UnmarshalTypeError
		if errors.As(err, &shape) {
			return unprocessable("Invalid request.\n\n" + shape.Field + " is not of the right type.")
		}
		return refuse(http.StatusBadRequest, "Problems parsing JSON")
	}
	return nil
}

func (c *call) query(name string) string { return c.req.URL.Query().Get(name) }

func (c *call) number(name string) int64 {
	n, err := strconv.ParseInt(c.args[name], 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// origin is the address that the request came to, which is what pages point to: GitHub may be
// reached by others than its own.
func (c *call) origin() string {
	scheme, _, _ := strings.Cut(c.s.URL(), "://")
	return scheme + "://" + c.req.Host
}

// page cuts a list as page and per_page say, and sets Link.
// https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
func page[T any](c *call, list []T, render func(T) any) []any {
	size, _ := strconv.Atoi(c.query("per_page"))
	if size <= 0 {
		size = 30
	}
	size = min(size, 100)
	at, _ := strconv.Atoi(c.query("page"))
	at = max(at, 1)
	last := max((len(list)+size-1)/size, 1)
	link := func(n int) string {
		u := *c.req.URL
		q := u.Query()
		q.Set("page", strconv.Itoa(n))
		u.RawQuery = q.Encode()
		return "<" + c.origin() + u.RequestURI() + ">"
	}
	var links []string
	if at > 1 {
		links = append(links, link(at-1)+`; rel="prev"`)
	}
	if at < last {
		links = append(links, link(at+1)+`; rel="next"`, link(last)+`; rel="last"`)
	}
	if at > 1 {
		links = append(links, link(1)+`; rel="first"`)
	}
	if links != nil {
		c.header.Set("Link", strings.Join(links, ", "))
	}
	from := min((at-1)*size, len(list))
	out := []any{}
	for _, x := range list[from:min(from+size, len(list))] {
		out = append(out, render(x))
	}
	return out
}

// rest serves a request of the REST API at a path below its root, as it was escaped.
func (s *Sandbox) rest(w http.ResponseWriter, r *http.Request, path string) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil {
		return
	}
	rt, args := s.find(r.Method, path)
	name := "unknown"
	if rt != nil {
		name = rt.template
	}
	f := s.befall(r.Method, name, path)
	done := Request{Method: r.Method, Route: name, Path: path, Actor: "anonymous"}
	end := func(status int) {
		s.mu.Lock()
		done.Status = status
		s.note(done)
		s.mu.Unlock()
	}
	if f.Before != nil {
		end(f.Before.Status)
		f.Before.write(w)
		return
	}
	c := &call{s: s, req: r, route: rt, args: args, body: body, status: http.StatusOK, header: http.Header{}}
	status, out := c.answer(path, f.Stale)
	if c.by != nil {
		done.Actor = c.by.name()
	}
	if s.o.Observe != nil && rt != nil {
		s.o.Observe(Exchange{Request: r, Body: body, Status: status, Header: c.header, Response: out})
	}
	if f.After != nil {
		end(f.After.Status)
		f.After.write(w)
		return
	}
	end(status)
	for k, v := range c.header {
		w.Header()[k] = v
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(out)
	}
}

// answer does the work under the lock, and returns the status and the body.
func (c *call) answer(path string, stale bool) (int, []byte) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	c.header.Set("Date", s.now().Format(http.TimeFormat))
	c.header.Set("X-GitHub-Request-Id", fmt.Sprintf("SAND:%X", s.next()))
	c.header.Set("X-GitHub-Enterprise-Version", "3.18.0")
	c.header.Set("Content-Type", "application/json; charset=utf-8")
	v, err := c.work(path)
	if err != nil {
		return c.refusal(path, err)
	}
	if v == nil {
		return c.status, nil
	}
	out, err := json.Marshal(v)
	if err != nil {
		s.violation("%s %s: writing the answer: %v", c.req.Method, path, err)
		return http.StatusInternalServerError, []byte(`{"message":"Server Error"}`)
	}
	if c.req.Method != http.MethodGet {
		return c.status, out
	}
	key := c.by.key() + " " + c.req.URL.RequestURI()
	out = s.recall(key, out, stale)
	// A tag is of one identity and one text: a 304 costs nothing of the primary limit.
	// https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate
	sum := sha256.Sum256([]byte(key + "\x00" + string(out)))
	tag := `W/"` + hex.EncodeToString(sum[:]) + `"`
	c.header.Set("ETag", tag)
	c.header.Set("Cache-Control", "private, max-age=60, s-maxage=60")
	c.header.Set("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP")
	if strings.Contains(c.req.Header.Get("If-None-Match"), tag[2:]) {
		s.refund(c)
		return http.StatusNotModified, nil
	}
	return c.status, out
}

func (c *call) refusal(path string, err error) (int, []byte) {
	var no *refusal
	if !errors.As(err, &no) {
		c.s.violation("%s %s: %v", c.req.Method, path, err)
		no = refuse(http.StatusInternalServerError, "Server Error")
	}
	for k, v := range no.header {
		c.header[k] = v
	}
	body := fields{"message": no.message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(no.status)}
	if no.errors != nil {
		body["errors"] = no.errors
	}
	if u := no.header.Get("Location"); u != "" {
		body = fields{"message": no.message, "url": u, "documentation_url": "https://docs.github.com/rest"}
	}
	out, _ := json.Marshal(body)
	return no.status, out
}

// work authenticates, counts, finds the repository, asks for leave, and calls the handler.
func (c *call) work(path string) (any, error) {
	s := c.s
	if c.route == nil {
		s.violation("unknown route: %s %s", c.req.Method, path)
		c.by = &actor{}
		return nil, notFound()
	}
	by, no := s.authenticate(c.req.Header)
	if no != nil {
		c.by = &actor{}
		return nil, no
	}
	c.by = by
	if no := s.limit(c); no != nil {
		return nil, no
	}
	if c.route.door != byRepository {
		if no := c.enter(); no != nil {
			return nil, no
		}
		return c.run()
	}
	if no := c.locate(path); no != nil {
		return nil, no
	}
	if by.jwt {
		return nil, forbidden()
	}
	if no := by.may(c.repo, c.route.needs, c.route.role); no != nil {
		return nil, no
	}
	if c.repo.archived && c.req.Method != http.MethodGet {
		return nil, refuse(http.StatusForbidden, "Repository was archived so is read-only.")
	}
	return c.run()
}

// run calls the handler and unwraps a typed nil.
func (c *call) run() (any, error) { return c.route.do(c) }

// enter asks for leave at the doors that are not a repository's.
func (c *call) enter() *refusal {
	by := c.by
	switch c.route.door {
	case byApp:
		if !by.jwt {
			return refuse(http.StatusUnauthorized, "A JSON web token could not be decoded")
		}
	case byInstallation:
		if by.install == nil {
			return refuse(http.StatusForbidden, "You must authenticate with an installation access token in order to list repositories for an installation.")
		}
		if !by.install.suspended.IsZero() {
			return refuse(http.StatusForbidden, "This installation has been suspended")
		}
	case byToken:
		if by.who == nil || by.jwt {
			return refuse(http.StatusUnauthorized, "Requires authentication")
		}
	}
	return nil
}

// locate finds the repository by name or by number; a name that moved redirects.
// https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
func (c *call) locate(path string) *refusal {
	s := c.s
	if id, ok := c.args["repository_id"]; ok {
		n, _ := strconv.ParseInt(id, 10, 64)
		c.repo = s.repos[n]
	} else {
		key := strings.ToLower(c.args["owner"] + "/" + c.args["repo"])
		c.repo = s.names[key]
		if r := s.former[key]; c.repo == nil && r != nil && c.by.sees(r) {
			rest := strings.SplitN(path, "/", 5)
			to := s.api() + "/repositories/" + itoa(r.id)
			if len(rest) == 5 {
				to += "/" + rest[4]
			}
			if q := c.req.URL.RawQuery; q != "" {
				to += "?" + q
			}
			status := http.StatusMovedPermanently
			if c.req.Method != http.MethodGet && c.req.Method != http.MethodHead {
				status = http.StatusTemporaryRedirect
			}
			return &refusal{status: status, message: http.StatusText(status), header: http.Header{"Location": {to}}}
		}
	}
	if c.repo == nil || !c.by.sees(c.repo) {
		return notFound()
	}
	return nil
}

// find returns the route of a method and an escaped path, and what its placeholders hold.
// What is below /repositories/{id} is what is below /repos/{owner}/{repo}.
func (s *Sandbox) find(method, path string) (*route, map[string]string) {
	id := ""
	if rest, ok := strings.CutPrefix(path, "/repositories/"); ok {
		var tail string
		id, tail, _ = strings.Cut(rest, "/")
		if path = "/repos/-/-"; tail != "" {
			path += "/" + tail
		}
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	var best *route
	var bestArgs map[string]string
	for i := range s.routes {
		rt := &s.routes[i]
		if rt.method != method {
			continue
		}
		if rt.parts[0] != parts[0] || best != nil && rt.literals <= best.literals {
			continue
		}
		if args, ok := match(rt.parts, parts); ok {
			best, bestArgs = rt, args
		}
	}
	if best != nil && id != "" {
		bestArgs["repository_id"] = id
	}
	return best, bestArgs
}

// several are the placeholders that may hold slashes.
var several = map[string]bool{"{ref}": true, "{path}": true, "{branch}": true, "{basehead}": true}

func match(template, parts []string) (map[string]string, bool) {
	args := map[string]string{}
	for i, t := range template {
		if several[t] {
			tail := template[i+1:]
			end := len(parts) - len(tail)
			if end < i || end == i && t != "{path}" {
				return nil, false
			}
			value, err := url.PathUnescape(strings.Join(parts[min(i, end):end], "/"))
			more, ok := match(tail, parts[end:])
			if err != nil || !ok {
				return nil, false
			}
			args[strings.Trim(t, "{}")] = value
			for k, v := range more {
				args[k] = v
			}
			return args, true
		}
		if i >= len(parts) {
			return nil, false
		}
		if strings.HasPrefix(t, "{") {
			value, err := url.PathUnescape(parts[i])
			if err != nil || value == "" {
				return nil, false
			}
			args[strings.Trim(t, "{}")] = value
			continue
		}
		if t != parts[i] {
			return nil, false
		}
	}
	return args, len(parts) == len(template)
}

// usage is what an identity used up.
type usage struct {
	reset   time.Time // of the primary limit
	used    int
	content []time.Time
	points  []spent
}

type spent struct {
	at time.Time
	n  int
}

// limit counts a request, and refuses it where a limit is reached.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
func (s *Sandbox) limit(c *call) *refusal {
	now := s.now()
	u := s.used[c.by.key()]
	if u == nil || !now.Before(u.reset) {
		u = &usage{reset: now.Add(time.Hour)}
		s.used[c.by.key()] = u
	}
	free := c.route.template == "/rate_limit"
	full := s.o.Limits.Primary > 0 && u.used >= s.o.Limits.Primary
	if !full && !free {
		u.used++
	}
	s.limitHeaders(c.header, u)
	if full && !free {
		return &refusal{status: http.StatusForbidden, message: "API rate limit exceeded for " + c.by.key() + "."}
	}
	write := c.req.Method != http.MethodGet && c.req.Method != http.MethodHead
	minute := now.Add(-time.Minute)
	for len(u.content) > 0 && !u.content[0].After(minute) {
		u.content = u.content[1:]
	}
	for len(u.points) > 0 && !u.points[0].at.After(minute) {
		u.points = u.points[1:]
	}
	cost, sum := 1, 0
	if write {
		cost = 5
	}
	for _, p := range u.points {
		sum += p.n
	}
	content := c.req.Method == http.MethodPost && c.route.door == byRepository
	if n := s.o.Limits.Content; content && n > 0 && len(u.content) >= n || s.o.Limits.Points > 0 && sum+cost > s.o.Limits.Points {
		return &refusal{
			status: http.StatusForbidden, header: http.Header{"Retry-After": {"60"}},
			message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
		}
	}
	if content {
		u.content = append(u.content, now)
	}
	u.points = append(u.points, spent{now, cost})
	return nil
}

func (s *Sandbox) limitHeaders(h http.Header, u *usage) {
	limit := s.o.Limits.Primary
	if limit == 0 {
		limit = 5000
	}
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(s.remaining(u)))
	h.Set("X-RateLimit-Used", strconv.Itoa(u.used))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(u.reset.Unix(), 10))
	h.Set("X-RateLimit-Resource", "core")
}

// remaining never reaches 0 where there is no limit.
func (s *Sandbox) remaining(u *usage) int {
	if s.o.Limits.Primary == 0 {
		return max(5000-u.used, 1)
	}
	return max(s.o.Limits.Primary-u.used, 0)
}

func (s *Sandbox) refund(c *call) {
	u := s.used[c.by.key()]
	u.used--
	s.limitHeaders(c.header, u)
}

// remembered are the answers to one read, for reads that are to be stale.
type remembered struct {
	version      int
	last, before []byte // before is of an older version than last
}

// recall keeps an answer, and gives the one before the last write where it is asked to.
func (s *Sandbox) recall(key string, now []byte, stale bool) []byte {
	m := s.memory[key]
	if m == nil {
		if len(s.memory) >= 10_000 {
			clear(s.memory)
		}
		m = &remembered{version: s.version, last: now}
		s.memory[key] = m
	}
	if m.version != s.version && !stale {
		m.version, m.before, m.last = s.version, m.last, now
	}
	if !stale {
		return now
	}
	if m.version != s.version {
		return m.last
	}
	if m.before != nil {
		return m.before
	}
	return now
}

// record runs a handler and keeps what it wrote.
func record(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
