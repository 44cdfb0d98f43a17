package registry

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// A client that was made anew asks again, and knows how the registry wants to be entered and
// what it asked of us.
func TestAnewAsks(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	first := s.image("acme/api", "1", "linux/amd64")
	limited := false
	w.https("ghcr.io", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if limited {
			rw.Header().Set("Retry-After", "3600")
			rw.WriteHeader(http.StatusTooManyRequests)
			return
		}
		s.ServeHTTP(rw, r)
	}))
	type seen struct {
		Host   string
		Status int
	}
	var observed []seen
	base := w.client(Options{Observe: func(_ context.Context, host string, status int, _ time.Duration) {
		observed = append(observed, seen{host, status})
	}})
	digest := func(c *Client) image.Digest {
		t.Helper()
		r, err := c.Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1"))
		if err != nil {
			t.Fatal(err)
		}
		return r.Digest
	}
	resolve := func(c *Client, want image.Digest) {
		t.Helper()
		if got := digest(c); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	resolve(base, first)
	s.image("acme/api", "1", "linux/arm64")
	resolve(base, first)
	second := base.Anew()
	if digest(second) == first {
		t.Error("a client made anew repeats an answer")
	}
	if _, err := second.Resolve(t.Context(), ref(t, "ghcr.io/acme/none:1")); err == nil {
		t.Error("there is no such image")
	}
	if pings := w.count("GET ghcr.io/v2/") - w.count("GET ghcr.io/v2/acme"); pings != 1 {
		t.Errorf("the registry was entered %d times, want 1", pings)
	}
	w.pass(2 * doorLife)
	third := second.Anew()
	digest(third)
	if pings := w.count("GET ghcr.io/v2/") - w.count("GET ghcr.io/v2/acme"); pings != 2 {
		t.Errorf("the registry was entered %d times, want 2: the first was long ago", pings)
	}
	if got, want := third.Requests(), base.Requests(); got != want || want != int64(len(w.requests())) {
		t.Errorf("the clients count %d and %d requests, want %d", got, want, len(w.requests()))
	}
	limited = true
	_, err := third.Anew().Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1"))
	var limit *RateLimitError
	if !errors.As(err, &limit) || !limit.Resumes().Equal(w.now().Add(time.Hour)) {
		t.Fatalf("got %v, want a limit for an hour", err)
	}
	sent := base.Requests()
	if _, err := third.Anew().Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1")); !errors.As(err, &limit) || base.Requests() != sent {
		t.Errorf("got %v after %d requests, want the limit without a request", err, base.Requests()-sent)
	}
	if last := observed[len(observed)-1]; last != (seen{"ghcr.io", 429}) || len(observed) != int(sent) {
		t.Errorf("%d answers were observed, the last as %v; want %d, and ghcr.io's 429", len(observed), last, sent)
	}
}
