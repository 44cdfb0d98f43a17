package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A limiter answers the first few manifest requests with its own status and headers.
type limiter struct {
	http.Handler
	mu     sync.Mutex
	times  int
	status int
	header http.Header
}

func (l *limiter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	now := r.URL.Path != "/v2/" && l.times > 0
	if now {
		l.times--
	}
	l.mu.Unlock()
	for k, v := range l.header {
		if now || l.status == 0 {
			w.Header()[k] = v
		}
	}
	if now && l.status != 0 {
		w.WriteHeader(l.status)
		return
	}
	l.Handler.ServeHTTP(w, r)
}

func TestRetries(t *testing.T) {
	start := newWorld(t).now()
	for _, tc := range []struct {
		name     string
		times    int
		status   int
		header   http.Header
		heads    int
		waits    []time.Duration // nil: not looked at
		until    time.Time       // of the RateLimitError, if that is what is wanted
		transent bool
	}{
		{name: "short Retry-After", times: 1, status: 429, header: headers("Retry-After", "7"), heads: 2, waits: []time.Duration{7 * time.Second}},
		{name: "date", times: 1, status: 429, header: headers("Retry-After", start.Add(9*time.Second).Format(http.TimeFormat)), heads: 2, waits: []time.Duration{9 * time.Second}},
		{name: "on 503", times: 2, status: 503, header: headers("Retry-After", "3"), heads: 3, waits: []time.Duration{3 * time.Second, 3 * time.Second}},
		{name: "third time", times: 9, status: 429, header: headers("Retry-After", "3"), heads: 3, until: start.Add(9 * time.Second)},
		{name: "over the budget together", times: 9, status: 429, header: headers("Retry-After", "20"), heads: 2, waits: []time.Duration{20 * time.Second}, until: start.Add(40 * time.Second)},
		{name: "long", times: 9, status: 429, header: headers("Retry-After", "3600"), heads: 1, waits: []time.Duration{}, until: start.Add(time.Hour)},
		{name: "long date", times: 9, status: 429, header: headers("Retry-After", start.Add(time.Hour).Format(http.TimeFormat)), heads: 1, until: start.Add(time.Hour)},
		{name: "long on 503", times: 9, status: 503, header: headers("Retry-After", "3600"), heads: 1, until: start.Add(time.Hour)},
		{name: "absurd", times: 9, status: 429, header: headers("Retry-After", "99999999999999999"), heads: 1, until: start.Add(24 * time.Hour)},
		{name: "Docker Hub says when", times: 9, status: 429, header: headers("Ratelimit-Remaining", "0;w=21600"), heads: 1, until: start.Add(6 * time.Hour)},
		{name: "429 without a word", times: 2, status: 429, heads: 3},
		{name: "502", times: 2, status: 502, heads: 3},
		{name: "500 for good", times: 9, status: 500, heads: 3, transent: true},
		{name: "408", times: 1, status: 408, heads: 2},
		{name: "past date", times: 1, status: 429, header: headers("Retry-After", "Mon, 01 Jan 2001 00:00:00 GMT"), heads: 2},
		{name: "nonsense", times: 1, status: 429, header: headers("Retry-After", "-5"), heads: 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, s := newWorld(t), newShelf(t)
			s.image("acme/api", "1", "linux/amd64")
			w.https("ghcr.io", &limiter{Handler: s, times: tc.times, status: tc.status, header: tc.header})
			_, err := w.client(Options{}).Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1"))
			if n := w.count("HEAD"); n != tc.heads {
				t.Errorf("%d HEADs, want %d", n, tc.heads)
			}
			if n := w.count("GET ghcr.io/v2/acme"); n != 0 {
				t.Errorf("%d GETs: a limit must not be answered with a GET", n)
			}
			if tc.waits != nil && !cmp.Equal(tc.waits, append([]time.Duration{}, w.waits...)) {
				t.Errorf("waited %v, want %v", w.waits, tc.waits)
			}
			var limited *RateLimitError
			switch {
			case tc.transent:
				is(t, err, ErrTransient)
				says(t, err, "ghcr.io answered 500 Internal Server Error")
			case tc.until.IsZero():
				if err != nil {
					t.Error(err)
				}
			case !errors.As(err, &limited) || !limited.Until.Equal(tc.until) || limited.Registry != "ghcr.io":
				t.Errorf("got %v, want a limit until %v", err, tc.until)
			default:
				says(t, err, "ghcr.io limits requests until "+tc.until.Format(time.RFC3339))
			}
		})
	}
}

// A host that wants a long rest is left alone, and others are not.
func TestCircuit(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	s.image("acme/api", "1", "linux/amd64")
	s.image("acme/api", "2", "linux/amd64")
	w.https("index.docker.io", &limiter{Handler: s, times: 1, status: 429, header: headers("Retry-After", "3600")})
	w.https("ghcr.io", s)
	c := w.client(Options{})
	for i := range 100 {
		_, err := c.Resolve(t.Context(), ref(t, fmt.Sprint("acme/api:", i)))
		var limited *RateLimitError
		if !errors.As(err, &limited) || limited.Registry != "docker.io" || limited.RetryAfter != time.Hour {
			t.Fatalf("image %d: got %v, want docker.io's limit", i, err)
		}
	}
	if n := w.count("HEAD index.docker.io"); n != 1 {
		t.Errorf("%d requests after the limit, want 1", n)
	}
	if _, err := c.Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1")); err != nil {
		t.Errorf("another host: %v", err)
	}
	w.pass(time.Hour)
	if _, err := w.client(Options{}).Resolve(t.Context(), ref(t, "acme/api:2")); err != nil {
		t.Errorf("after the limit ended: %v", err)
	}
}

// The answer that says "none left" counts; the next look-up is not tried.
func TestRemaining(t *testing.T) {
	for header, want := range map[string]struct {
		header http.Header
		hold   time.Duration
	}{
		"window":  {headers("Ratelimit-Limit", "100;w=21600", "Ratelimit-Remaining", "0;w=21600"), 6 * time.Hour},
		"reset":   {headers("Ratelimit-Remaining", "0;w=21600", "Ratelimit-Reset", "90"), 90 * time.Second},
		"unix":    {headers("Ratelimit-Remaining", "0", "Ratelimit-Reset", fmt.Sprint(newWorld(t).now().Add(time.Hour).Unix())), time.Hour},
		"no word": {headers("Ratelimit-Remaining", "0"), time.Minute},
		"some":    {headers("Ratelimit-Remaining", "1;w=21600"), 0},
		"none":    {headers(), 0},
	} {
		t.Run(header, func(t *testing.T) {
			w, s := newWorld(t), newShelf(t)
			s.image("acme/api", "1", "linux/amd64")
			s.image("acme/api", "2", "linux/amd64")
			w.https("index.docker.io", &limiter{Handler: s, times: 1, header: want.header})
			c := w.client(Options{})
			// Only the manifest's answer carries the header: the ping asks first.
			if _, err := c.door(t.Context(), mustTarget(t, c, "acme/api:1")); err != nil {
				t.Fatal(err)
			}
			c.fence.next.(*pacer).paces = nil
			if _, err := c.Resolve(t.Context(), ref(t, "acme/api:1")); err != nil {
				t.Fatal(err)
			}
			_, err := c.Resolve(t.Context(), ref(t, "acme/api:2"))
			var limited *RateLimitError
			if got := errors.As(err, &limited); got != (want.hold > 0) || got && limited.RetryAfter != want.hold {
				t.Errorf("got %v, want a limit for %v", err, want.hold)
			}
		})
	}
}

func mustTarget(t *testing.T, c *Client, s string) target {
	t.Helper()
	tg, err := c.hosts.target(ref(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

// A connection that is cut is tried again; a token server's limit stops the tokens.
func TestReset(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	s.image("acme/api", "1", "linux/amd64")
	left := 2
	w.https("ghcr.io", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			if left--; left >= 0 {
				conn, _, err := http.NewResponseController(rw).Hijack()
				if err == nil {
					conn.Close()
				}
				return
			}
		}
		s.ServeHTTP(rw, r)
	}))
	if _, err := w.client(Options{}).Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1")); err != nil {
		t.Error(err)
	}
}

func TestTokenServerLimit(t *testing.T) {
	w := newWorld(t)
	w.https("registry.example.com", (&tokenServer{realm: "https://auth.example.com/token"}).guard(nil))
	w.https("auth.example.com", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", "600")
		rw.WriteHeader(429)
	}))
	c := w.client(Options{})
	for i := range 5 {
		_, err := c.Resolve(t.Context(), ref(t, fmt.Sprintf("registry.example.com/acme/app-%d:1", i)))
		var limited *RateLimitError
		if !errors.As(err, &limited) || limited.Registry != "auth.example.com" {
			t.Errorf("got %v, want the token server's limit", err)
		}
	}
	if n := w.count("GET auth."); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
}

// While a host wants a short rest, every request to it waits, within its budget.
func TestRest(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	s.image("acme/api", "1", "linux/amd64")
	w.https("ghcr.io", s)
	c := w.client(Options{})
	p := c.fence.next.(*pacer).pace("ghcr.io")
	p.resume = w.now().Add(waitBudget + time.Second)
	_, err := c.Resolve(t.Context(), ref(t, "ghcr.io/acme/api:0"))
	var limited *RateLimitError
	if !errors.As(err, &limited) || !limited.Until.Equal(p.resume) || len(w.requests()) != 0 {
		t.Errorf("long rest: got %v after %q", err, w.requests())
	}
	c = w.client(Options{})
	c.fence.next.(*pacer).pace("ghcr.io").resume = w.now().Add(5 * time.Second)
	resolveAll(t, c, []string{"ghcr.io/acme/api:1"})
	if diff := cmp.Diff([]time.Duration{5 * time.Second}, w.waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

func TestSleep(t *testing.T) {
	if err := sleep(t.Context(), 0); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	is(t, sleep(ctx, time.Hour), context.Canceled)
}
