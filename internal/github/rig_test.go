package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const (
	shaA   = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	shaB   = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	shaC   = "cccccccccccccccccccccccccccccccccccccccc"
	canary = "ghs_canary0123456789abcdefABCDEF"
)

var config = promotion.Repository{ID: 7, Owner: "acme", Name: "config", DefaultBranch: "main"}

// A rig is a GitHub that answers what the test says, and a clock that only waiting moves.
// A request to a route that the test does not name fails the test.
type rig struct {
	t      *testing.T
	server *httptest.Server

	mu     sync.Mutex
	routes map[string]http.HandlerFunc // by "GET /path?query", or without the query
	log    []seen
	clock  time.Time
	waits  []time.Duration
}

type seen struct {
	line   string // "GET /path?query"
	header http.Header
	body   string
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, routes: map[string]http.HandlerFunc{}, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *rig) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	line := req.Method + " " + req.URL.RequestURI()
	r.mu.Lock()
	r.log = append(r.log, seen{line, req.Header.Clone(), string(body)})
	h := r.routes[line]
	if h == nil {
		h = r.routes[req.Method+" "+req.URL.EscapedPath()]
	}
	now := r.clock
	r.mu.Unlock()
	if h == nil {
		r.t.Errorf("unknown route: %s", line)
		http.Error(w, `{"message":"unknown route"}`, http.StatusTeapot)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Date", now.Format(http.TimeFormat))
	h(w, req)
}

// on answers a route with a status and JSON.
func (r *rig) on(route string, status int, body string) {
	r.handle(route, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func (r *rig) handle(route string, h http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.routes[route] = h
}

// script answers a route with one handler after the other; the last one stays.
func (r *rig) script(route string, handlers ...http.HandlerFunc) {
	n := 0
	r.handle(route, func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		h := handlers[min(n, len(handlers)-1)]
		n++
		r.mu.Unlock()
		h(w, req)
	})
}

func says(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hangup ends the connection without an answer.
func hangup(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clock
}

func (r *rig) sleep(ctx context.Context, d time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waits = append(r.waits, d)
	r.clock = r.clock.Add(d)
	return ctx.Err()
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock = r.clock.Add(d)
}

func (r *rig) slept() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.waits)
}

// lines lists the requests that came, in order.
func (r *rig) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, s := range r.log {
		all = append(all, s.line)
	}
	return all
}

func (r *rig) requests() []seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.log)
}

// body decodes the last request's body.
func (r *rig) body() map[string]any {
	r.t.Helper()
	all := r.requests()
	var v map[string]any
	if err := json.Unmarshal([]byte(all[len(all)-1].body), &v); err != nil {
		r.t.Fatalf("body of %s: %v", all[len(all)-1].line, err)
	}
	return v
}

func (r *rig) options() Options {
	return Options{URL: r.server.URL, Tokens: StaticToken(canary), Now: r.now, Sleep: r.sleep, Spacing: -1}
}

func (r *rig) client() *Client { return r.with(r.options()) }

func (r *rig) with(o Options) *Client {
	r.t.Helper()
	c, err := New(o)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

var classes = []error{
	promotion.ErrNotFound, promotion.ErrConflict, promotion.ErrForbidden, promotion.ErrUnauthenticated,
	promotion.ErrRateLimited, promotion.ErrInvalid, promotion.ErrTransient, promotion.ErrBlocked,
}

// isOnly fails unless err is of exactly the class, says what was done, and shows no secret.
func isOnly(t *testing.T, err, class error) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %v", class)
	}
	for _, c := range classes {
		if got, want := errors.Is(err, c), c == class; got != want {
			t.Errorf("errors.Is(%v, %v) = %v, want %v", err, c, got, want)
		}
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %T, want *Error: %v", err, err)
	}
	if e.Op == "" || e.Message == "" {
		t.Errorf("the error does not say what was done or what happened: %#v", err.Error())
	}
	text := fmt.Sprintf("%v %+v %#v %s", err, err, e, err.Error())
	if strings.Contains(text, canary) || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error shows a secret or has several lines: %q", text)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
