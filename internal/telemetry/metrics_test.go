package telemetry

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// An outcome stands for queue.Outcome.
type outcome string

func TestMetricsLint(t *testing.T) {
	problems, err := testutil.GatherAndLint(full().registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestMetrics(t *testing.T) {
	now := time.Unix(1000, 0)
	for name, tc := range map[string]struct {
		do   func(*Telemetry)
		name string
		want string // lines of samples, without the namespace
	}{
		"events": {
			func(t *Telemetry) {
				t.Event("push", "accepted")
				t.Event("push", "accepted")
				t.Event("registry", "duplicate")
				t.Event("x\"}\nevil 1", "refused")
				t.Event("push", "acme/shop")
			},
			"events_total",
			`{event="other",outcome="refused"} 1
			 {event="push",outcome="accepted"} 2
			 {event="push",outcome="other"} 1
			 {event="registry",outcome="duplicate"} 1`,
		},
		"statuses": {
			func(t *Telemetry) {
				t.GitHub("GET", "/x", 304, 0)
				t.GitHub("HEAD", "/x", 0, 0)
				t.GitHub("PATCH", "/x", 499, 0)
				t.GitHub("POST", "/graphql", 999, 0)
				t.GitHub("POST", "/app/installations/{}/access_tokens", 201, 0)
			},
			"github_requests_total",
			`{code="304",kind="read"} 1
			 {code="none",kind="read"} 1
			 {code="4xx",kind="write"} 1
			 {code="other",kind="graphql"} 1
			 {code="201",kind="token"} 1`,
		},
		"only 304 is not modified": {
			func(t *Telemetry) { t.GitHub("GET", "/x", 304, 0); t.GitHub("GET", "/x", 200, 0) },
			"github_not_modified_total", ` 1`,
		},
		"hosts of registries": {
			func(t *Telemetry) {
				for _, host := range []string{
					"ghcr.io", "GHCR.io", "index.docker.io", "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
					"europe-docker.pkg.dev", "acme.azurecr.io", "registry.acme.example", "registry.acme.example:5000", "", ".", "evilghcr.io", "mine.example:5000",
				} {
					t.Registry(host, 200)
				}
			},
			"registry_requests_total",
			`{code="200",host="amazonaws.com"} 1
			 {code="200",host="azurecr.io"} 1
			 {code="200",host="docker.io"} 1
			 {code="200",host="ghcr.io"} 2
			 {code="200",host="mine.example:5000"} 1
			 {code="200",host="other"} 5
			 {code="200",host="pkg.dev"} 1`,
		},
		"the least of all limits": {
			func(t *Telemetry) {
				t.Limit(1, 4000, now.Add(time.Hour))
				t.Limit(2, 17, now.Add(time.Hour))
				t.Limit(3, 5000, now.Add(time.Hour))
				t.Limit(2, 16, now.Add(time.Hour))
				t.Limit(4, 1, now) // has started anew
			},
			"github_rate_limit_remaining", ` 16`,
		},
		"no limit is known": {
			func(t *Telemetry) { t.Limit(1, 1, now) }, "github_rate_limit_remaining", "",
		},
		"nothing is counted backwards": {
			func(t *Telemetry) { Turns[outcome]{t}.Swept(-1, -1); Turns[outcome]{t}.Swept(2, 3) }, "redeliveries_total", ` 2`,
		},
		"writes": {
			func(t *Telemetry) { Turns[outcome]{t}.Ended("done", 0, 2); Turns[outcome]{t}.Ended("done", 0, -5) }, "github_writes_total", ` 2`,
		},
		"a lease that ran out": {
			func(t *Telemetry) { Turns[outcome]{t}.Ended("done", 0, 0); Turns[outcome]{t}.Ended("expired", 0, 0) }, "lease_lost_total", ` 1`,
		},
		"a visit that no event asked for has no age": {
			func(t *Telemetry) { Turns[outcome]{t}.Begun(0); Turns[outcome]{t}.Begun(time.Second) }, "event_age_seconds_count", ` 1`,
		},
		"lost, as the database has it": {
			func(t *Telemetry) {
				t.Watch(func(context.Context) (Queue, error) { return Queue{Lost: 4}, nil })
			},
			"lost_events_total", ` 4`,
		},
		"gone again": {
			func(t *Telemetry) { t.Vanished(5); t.Vanished(2) }, "vanished_digests", ` 2`,
		},
		"mirrors": {
			func(t *Telemetry) { t.Mirrors(5, 0); t.Mirrors(3, 2); t.Mirrors(2, 0) }, "mirrors_bytes", ` 2`,
		},
		"mirrors removed": {
			func(t *Telemetry) { t.Mirrors(3, 2); t.Mirrors(3, 0); t.Mirrors(3, 1) }, "mirrors_evicted_total", ` 3`,
		},
		"no longer the leader": {
			func(t *Telemetry) { t.Leading(true); t.Leading(false) }, "leader", ` 0`,
		},
		"alerts stand at zero from the start": {
			func(*Telemetry) {}, "alerts_total",
			`{kind="digest_vanished"} 0
			 {kind="incident"} 0
			 {kind="tag_moved"} 0`,
		},
		"queue": {
			func(t *Telemetry) {
				t.Watch(func(context.Context) (Queue, error) { return Queue{Waiting: 3, Running: 1}, nil })
			},
			"queue_depth",
			`{state="running"} 1
			 {state="waiting"} 3`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			tel := New(Options{Hosts: []string{"Mine.example:5000"}, Now: func() time.Time { return now }})
			tc.do(tel)
			if diff := cmp.Diff(samples(tc.name, tc.want), scrape(t, tel, tc.name)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// samples spells the samples that a test wants as they are exposed, in order.
func samples(name, want string) map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(want) {
		if line = strings.TrimLeft(strings.TrimRight(line, "\n"), "\t"); strings.TrimSpace(line) != "" {
			line = strings.TrimPrefix(line, " ")
			if !strings.HasPrefix(line, "{") {
				line = " " + strings.TrimSpace(line)
			}
			out["pinnace_"+name+line] = true
		}
	}
	return out
}

// scrape asks over HTTP, and returns the samples of one metric.
func scrape(t *testing.T, tel *Telemetry, name string) map[string]bool {
	t.Helper()
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	out := map[string]bool{}
	for line := range strings.Lines(w.Body.String()) {
		rest, ok := strings.CutPrefix(line, "pinnace_"+name)
		if ok && (rest[0] == ' ' || rest[0] == '{') {
			out[strings.TrimSuffix(line, "\n")] = true
		}
	}
	return out
}

func TestQueueThatCannotBeAsked(t *testing.T) {
	var lines strings.Builder
	log, err := Logger(&lines, "text", "info")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1000, 0)
	tel := New(Options{Log: log, Now: func() time.Time { return now }})
	asked := 0
	tel.Watch(func(ctx context.Context) (Queue, error) {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("asking has no deadline")
		}
		asked++
		if asked > 1 {
			return Queue{Waiting: 7}, nil
		}
		return Queue{}, errors.New("open postgres://pinnace:hunter2secret@db/pinnace: refused")
	})
	if got := scrape(t, tel, "queue_depth"); len(got) != 0 {
		t.Errorf("got %v, want no sample: what is not known is not 0", got)
	}
	if got := scrape(t, tel, "tag_moves_total"); len(got) != 1 {
		t.Errorf("got %v, want the other metrics all the same", got)
	}
	if asked != 1 {
		t.Errorf("asked %d times within five seconds, want once", asked)
	}
	if !strings.Contains(lines.String(), "state of the queue") || strings.Contains(lines.String(), "hunter2secret") {
		t.Errorf("logged %q, want the cause without the password", lines.String())
	}
	now = now.Add(depthLife)
	if got := scrape(t, tel, "queue_depth"); !got[`pinnace_queue_depth{state="waiting"} 7`] {
		t.Errorf("got %v, want 7 waiting", got)
	}
}

// TestLimitsAreBounded tells of more installations than are kept: the lowest limits stay.
func TestLimitsAreBounded(t *testing.T) {
	now := time.Unix(1000, 0)
	tel := New(Options{Now: func() time.Time { return now }})
	for i := range maxLimits + 100 {
		tel.Limit(int64(i), 5000-i%10, now.Add(time.Hour))
	}
	tel.Limit(-1, 3, now.Add(time.Hour))
	if len(tel.limits) > maxLimits {
		t.Errorf("%d limits are kept, want %d at most", len(tel.limits), maxLimits)
	}
	if got := scrape(t, tel, "github_rate_limit_remaining"); !got["pinnace_github_rate_limit_remaining 3"] {
		t.Errorf("got %v, want 3", got)
	}
}

func TestBuildInfo(t *testing.T) {
	for name, tc := range map[string]struct {
		o    Options
		want string
	}{
		"known":   {Options{Version: "1.2.3", Commit: "abc"}, `pinnace_build_info{commit="abc",version="1.2.3"} 1`},
		"unknown": {Options{}, `pinnace_build_info{commit="unknown",version="unknown"} 1`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := scrape(t, New(tc.o), "build_info"); !got[tc.want] {
				t.Errorf("got %v, want %s", got, tc.want)
			}
		})
	}
}
