package sandbox

import (
	"net/http"
	"strconv"
	"time"
)

// A Call is a request on its way in, as the fault hook sees it.
type Call struct {
	Method string
	Route  string // "/repos/{owner}/{repo}/pulls", "/graphql enqueuePullRequest", "git-receive-pack", "/v2/{name}/manifests/{reference}"
	Path   string // as asked, without /api/v3
	N      int    // the how manieth of this method and route, from 1
}

// A Fault is what befalls a call. The zero value is none.
type Fault struct {
	Before *Failure // instead of the effect
	After  *Failure // the effect happens, its answer is lost
	Delay  func()   // runs before anything else, outside of every lock
	Stale  bool     // a read gets the answer of its last asking before the last write
}

// A Failure is what the client gets instead of the answer.
type Failure struct {
	Status int // 0 hangs up without an answer
	Header http.Header
	Body   string // "" is an error of GitHub's form
}

// Hangup ends the connection without an answer.
func Hangup() *Failure { return &Failure{} }

// Status answers with an error of GitHub's form.
func Status(code int) *Failure { return &Failure{Status: code} }

// SecondaryLimit is GitHub's answer to too many requests; without a wait, 0, it says nothing
// of when to come back.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
func SecondaryLimit(status int, wait time.Duration) *Failure {
	f := &Failure{Status: status, Header: http.Header{}, Body: `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`}
	if wait > 0 {
		f.Header.Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
	}
	return f
}

// TooQuick is GitHub's answer to a burst of new pull requests or comments: a 403 without
// Retry-After.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
func TooQuick() *Failure {
	return &Failure{Status: http.StatusForbidden, Body: `{"message":"was submitted too quickly","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"}`}
}

// Inject sets the one hook that sees each call and says what befalls it; nil takes it away.
// It runs outside of every lock, and at once for requests that come at once.
func (s *Sandbox) Inject(f func(Call) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// befall counts a call and asks the hook.
func (s *Sandbox) befall(method, route, path string) Fault {
	s.mu.Lock()
	s.counts[method+" "+route]++
	call := Call{Method: method, Route: route, Path: path, N: s.counts[method+" "+route]}
	f := s.fault
	s.mu.Unlock()
	if f == nil {
		return Fault{}
	}
	x := f(call)
	if x.Delay != nil {
		x.Delay()
	}
	return x
}

// write sends the failure in the place of an answer.
func (f *Failure) write(w http.ResponseWriter) {
	if f.Status == 0 {
		panic(http.ErrAbortHandler)
	}
	for k, v := range f.Header {
		w.Header()[k] = v
	}
	body := f.Body
	if body == "" {
		body = `{"message":` + strconv.Quote(http.StatusText(f.Status)) + `}`
		if f.Status >= 500 {
			w.Header().Set("Content-Type", "text/html")
			body = "<html><body>Unicorn!</body></html>"
		}
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(body))
}
