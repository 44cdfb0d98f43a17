package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"
)

func TestConditionalRequestsAreFree(t *testing.T) {
	r := newRig(t)
	token := r.Token("bob")
	_, h, _ := r.ask(token, "GET", "/repos/acme/config", nil)
	tag, left := h.Get("ETag"), h.Get("X-RateLimit-Remaining")
	status, h, text := r.ask(token, "GET", "/repos/acme/config", nil, "If-None-Match", tag)
	if status != 304 || text != "" || h.Get("X-RateLimit-Remaining") != left {
		t.Errorf("got %d %q with %s left, want 304 and %s", status, text, h.Get("X-RateLimit-Remaining"), left)
	}
	if status, _, _ := r.ask(r.Token("carol"), "GET", "/repos/acme/config", nil, "If-None-Match", tag); status != 200 {
		t.Errorf("another identity: got %d, want 200", status)
	}
	if status, _, _ := r.ask(r.Token("bob"), "GET", "/repos/acme/config", nil, "If-None-Match", tag); status != 304 {
		t.Errorf("another token of the same person: got %d, want 304", status)
	}
	r.repo.Archive(true)
	if status, _, _ := r.ask(token, "GET", "/repos/acme/config", nil, "If-None-Match", tag); status != 200 {
		t.Errorf("after a change: got %d, want 200", status)
	}
}

func TestPrimaryLimit(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.Primary = 2 })
	token := r.Token("bob")
	get := func() (int, http.Header, string) { return r.ask(token, "GET", "/repos/acme/config", nil) }
	get()
	if _, h, _ := get(); h.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("got %s left", h.Get("X-RateLimit-Remaining"))
	}
	status, h, text := get()
	if status != 403 || !strings.Contains(text, "API rate limit exceeded") || h.Get("X-RateLimit-Reset") != itoa(r.clock.now().Add(time.Hour).Unix()) {
		t.Errorf("got %d %s, reset %s", status, text, h.Get("X-RateLimit-Reset"))
	}
	if status, _, _ := r.ask(token, "GET", "/rate_limit", nil); status != 200 {
		t.Errorf("asking for the limit is free: got %d", status)
	}
	r.clock.pass(time.Hour)
	if status, _, _ := get(); status != 200 {
		t.Errorf("after the reset: got %d", status)
	}
}

func TestSecondaryLimits(t *testing.T) {
	for name, limits := range map[string]Limits{"content": {Content: 2}, "points": {Points: 12}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.Limits = limits })
			token := r.Token("bob")
			post := func() (int, http.Header) {
				status, h, _ := r.ask(token, "POST", "/repos/acme/config/issues", fields{"title": "x"})
				return status, h
			}
			post()
			post()
			if status, h := post(); status != 403 || h.Get("Retry-After") != "60" {
				t.Errorf("got %d, Retry-After %q", status, h.Get("Retry-After"))
			}
			r.clock.pass(time.Minute)
			if status, _ := post(); status != 201 {
				t.Errorf("a minute later: got %d", status)
			}
			if got := len(r.repo.Issues()); got != 3 {
				t.Errorf("got %d issues, want 3", got)
			}
		})
	}
}

// TestFaults: before the effect, after it, and what a client sees of each.
func TestFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		fault  Fault
		status int // 0: no answer
		effect bool
		header string
	}{
		"before":             {Fault{Before: Status(502)}, 502, false, ""},
		"before, hanging up": {Fault{Before: Hangup()}, 0, false, ""},
		"after":              {Fault{After: Status(504)}, 504, true, ""},
		"after, hanging up":  {Fault{After: Hangup()}, 0, true, ""},
		"secondary limit":    {Fault{Before: SecondaryLimit(429, time.Minute)}, 429, false, "60"},
		"silent limit":       {Fault{Before: SecondaryLimit(403, 0)}, 403, false, ""},
		"too quick":          {Fault{Before: TooQuick()}, 403, false, ""},
		"none":               {Fault{}, 201, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			var calls []Call
			r.Inject(func(c Call) Fault {
				calls = append(calls, c)
				return tc.fault
			})
			status, h, text := r.ask(r.Token("bob"), "POST", "/repos/acme/config/issues", fields{"title": "x"})
			if status != tc.status || tc.header != "" && h.Get("Retry-After") != tc.header {
				t.Errorf("got %d %s, want %d", status, text, tc.status)
			}
			if got := len(r.repo.Issues()) == 1; got != tc.effect {
				t.Errorf("effect %v, want %v", got, tc.effect)
			}
			if len(calls) != 1 || calls[0] != (Call{"POST", "/repos/{owner}/{repo}/issues", "/repos/acme/config/issues", 1}) {
				t.Errorf("got calls %v", calls)
			}
			if got := r.Requests(); len(got) != 1 || got[0].Status != tc.status || !got[0].Write() || r.Writes() != 1 {
				t.Errorf("got requests %v", got)
			}
		})
	}
}

func TestFaultDelayHoldsNoLock(t *testing.T) {
	r := newRig(t)
	once := true
	r.Inject(func(c Call) Fault {
		if !once {
			return Fault{}
		}
		once = false
		return Fault{Delay: func() { r.repo.Issue("bob", "meanwhile", "") }}
	})
	if _, _, text := r.ask(r.Token("bob"), "GET", "/repos/acme/config/issues", nil); !strings.Contains(text, "meanwhile") {
		t.Errorf("got %s", text)
	}
}

func TestStaleReads(t *testing.T) {
	r := newRig(t)
	token := r.Token("bob")
	list := func() int {
		_, _, text := r.ask(token, "GET", "/repos/acme/config/issues", nil)
		return strings.Count(text, `"title"`)
	}
	stale := false
	r.Inject(func(Call) Fault { return Fault{Stale: stale} })
	list()
	r.repo.Issue("bob", "one", "")
	stale = true
	if got := list(); got != 0 {
		t.Errorf("stale: got %d issues, want 0", got)
	}
	stale = false
	if got := list(); got != 1 {
		t.Errorf("fresh: got %d issues, want 1", got)
	}
	stale = true
	if got := list(); got != 0 {
		t.Errorf("stale after a fresh one: got %d issues, want 0", got)
	}
}

func TestGitFaultAfterTheEffect(t *testing.T) {
	r := newRig(t)
	r.Inject(func(c Call) Fault {
		if c.Route == "/repos/{owner}/{repo}/git/refs" {
			return Fault{After: Hangup()}
		}
		return Fault{}
	})
	sha := r.repo.Tip("main")
	_, _, err := r.bot().Git.CreateRef(t.Context(), "acme", "config", &github.Reference{Ref: github.String("refs/heads/new"), Object: &github.GitObject{SHA: &sha}})
	if err == nil || r.repo.Tip("new") != sha {
		t.Errorf("got %v, and the branch at %q", err, r.repo.Tip("new"))
	}
}

func TestPageForPeople(t *testing.T) {
	r := newRig(t)
	r.pull("pin", "a: 1")
	resp, err := http.Get(r.URL() + "/acme/config/pull/1")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("got %d", resp.StatusCode)
	}
}

func TestEveryAnswerHasItsHeaders(t *testing.T) {
	r := newRig(t)
	_, h, _ := r.ask("", "GET", "/repos/acme/config", nil)
	for _, name := range []string{"X-GitHub-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Used", "X-RateLimit-Reset", "X-RateLimit-Resource", "Date", "ETag", "Vary"} {
		if h.Get(name) == "" {
			t.Errorf("there is no %s", name)
		}
	}
}
