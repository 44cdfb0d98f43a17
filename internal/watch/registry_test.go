package watch

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/registry"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// TestMain keeps the credentials of who runs the tests out of them.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "pinnace-watch-*")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.Setenv("DOCKER_CONFIG", dir); err != nil {
		log.Fatal(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// onRegistry makes the world watch a real registry over HTTP, as a server does: with clients
// that are made anew for each round. Waiting takes no time but moves the clock.
func (w *world) onRegistry() *sandbox.Sandbox {
	w.t.Helper()
	s := sandbox.New(sandbox.Options{T: w.t, Now: w.now})
	if err := s.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { s.Close() })
	base, err := registry.New(registry.Options{Now: w.now, Wait: func(ctx context.Context, d time.Duration) error {
		w.skip(d)
		return ctx.Err()
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(base.Close)
	w.Watcher = w.watcher(Options{Open: func() (Registry, error) { return base.Anew(), nil }})
	return s
}

// publish pushes an image that differs from others by its seed, and returns its digest.
func publish(t *testing.T, s *sandbox.Sandbox, ref, seed string) string {
	t.Helper()
	d, err := s.PushImage(ref, sandbox.Image{Seed: seed, Platforms: []string{"linux/amd64"}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// From a push to a registry to a look, an alert and an issue.
func TestRegistry(t *testing.T) {
	w := lite(t, Options{})
	s := w.onRegistry()
	old := publish(t, s, "acme/shop:1.4.2", "old")
	host := s.Registry()
	image := host + "/acme/shop:1.4.2"
	w.stand(1, 11, "+"+image+"@"+old)
	w.pass(20 * time.Minute)
	same(t, "looks after the first sight", w.looks(), nil)

	publish(t, s, "acme/shop:1.5.0", "next")
	if err := w.Pushed(t.Context(), host+"/acme/shop:1.5.0"); err != nil {
		t.Fatal(err)
	}
	w.skip(w.Every)
	w.tick()
	same(t, "looks at a new tag", w.looks(), []string{"1/11 " + host + "/acme/shop"})

	next := publish(t, s, "acme/shop:1.4.2", "new")
	if err := w.Pushed(t.Context(), image); err != nil {
		t.Fatal(err)
	}
	w.skip(time.Minute)
	w.tick()
	same(t, "looks at a moved tag", w.looks(), []string{"1/11 " + image})
	same(t, "alerts", w.alarms(), []string{"tag_moved"})
	w.skip(time.Minute)
	w.tick()
	same(t, "writes", w.desk.writes(), []string{"open 1/11#1"})
	w.says("`"+image+"`", strings.TrimPrefix(old, "sha256:")[:12], strings.TrimPrefix(next, "sha256:")[:12])

	if err := s.DeleteImage("acme/shop", old); err != nil {
		t.Fatal(err)
	}
	w.pass(49 * time.Hour)
	same(t, "alerts", w.alarms(), []string{"digest_vanished"})
	same(t, "writes", w.desk.writes(), []string{"edit 1/11#1"})
	w.says("Digests that are gone")
}

// faults are what a registry may do to a look: F40, F41, F43, F44, F45, F47, F51 of
// docs/reliability.md, and connections that break.
var faults = []func(r *rand.Rand) *sandbox.Failure{
	func(r *rand.Rand) *sandbox.Failure {
		return &sandbox.Failure{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {fmt.Sprint(1 + r.IntN(600))}}}
	},
	func(*rand.Rand) *sandbox.Failure { return &sandbox.Failure{Status: http.StatusTooManyRequests} },
	func(r *rand.Rand) *sandbox.Failure {
		return &sandbox.Failure{Status: http.StatusTooManyRequests, Header: http.Header{"Ratelimit-Remaining": {"0;w=" + fmt.Sprint(1+r.IntN(600))}}}
	},
	func(r *rand.Rand) *sandbox.Failure { return &sandbox.Failure{Status: 500 + r.IntN(5)} },
	func(*rand.Rand) *sandbox.Failure { return sandbox.Hangup() },
	func(*rand.Rand) *sandbox.Failure { return &sandbox.Failure{Status: http.StatusNotFound} },
	func(*rand.Rand) *sandbox.Failure {
		return &sandbox.Failure{Status: http.StatusUnauthorized, Header: http.Header{"Www-Authenticate": {`Bearer realm="http://127.0.0.1:1/token",service="x"`}}}
	},
	func(r *rand.Rand) *sandbox.Failure { // another digest than that of the bytes, which are no manifest
		return &sandbox.Failure{Status: http.StatusOK, Body: `{"schemaVersion":2}`, Header: http.Header{
			"Docker-Content-Digest": {digestOf(fmt.Sprint(r.Uint64()))}, "Content-Type": {"application/vnd.oci.image.index.v1+json"},
		}}
	},
	func(*rand.Rand) *sandbox.Failure { // a page of a proxy
		return &sandbox.Failure{Status: http.StatusOK, Body: "<html>", Header: http.Header{"Content-Type": {"text/html"}}}
	},
	func(*rand.Rand) *sandbox.Failure { // a body that is cut
		return &sandbox.Failure{Status: http.StatusOK, Body: `{"schemaVersion":2,`, Header: http.Header{"Content-Type": {"application/vnd.oci.image.manifest.v1+json"}}}
	},
}

var (
	firstSeed = flag.Uint64("watch-seed", 1, "the seed of the first schedule of faults")
	seeds     = flag.Uint64("watch-schedules", 6, "how many schedules of faults are run")
)

// Whatever a registry does to the looks, no move is made up, and none is missed that lasts.
func TestRegistryFaults(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+*seeds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			registryFaults(t, seed)
		})
	}
}

func registryFaults(t *testing.T, seed uint64) {
	w := lite(t, Options{})
	s := w.onRegistry()
	var mu sync.Mutex // of the source: looks come at once
	source := rand.New(rand.NewPCG(seed, 7))
	befell := 0
	// Only tags are said to be missing: that a digest is, twice in a row, would be an answer.
	s.Inject(func(c sandbox.Call) sandbox.Fault {
		mu.Lock()
		defer mu.Unlock()
		f := faults[source.IntN(len(faults))](source)
		missing := f.Status == http.StatusNotFound && strings.Contains(c.Path, "sha256:")
		if !strings.HasPrefix(c.Path, "/v2/") || missing || source.IntN(3) > 0 {
			return sandbox.Fault{}
		}
		befell++
		return sandbox.Fault{Before: f}
	})
	tags := []string{"1.0.0", "main", "20260301", "2"}
	first, means, moved := map[string]string{}, map[string]string{}, map[string]bool{}
	var refs []string
	for _, tag := range tags {
		first[tag] = publish(t, s, "acme/shop:"+tag, "first "+tag)
		means[tag] = first[tag]
		refs = append(refs, s.Registry()+"/acme/shop:"+tag+"@"+first[tag])
	}
	w.stand(1, 11, refs...)
	seen := func() map[string]string {
		t.Helper()
		all, err := w.ledger.Findings(t.Context(), event.Subject{Installation: 1, Repository: 11})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, f := range all {
			if f.Meant != "" {
				out[f.Tag] = f.Meant
			}
		}
		return out
	}
	for n := 0; len(seen()) < len(tags); n++ { // faults or not, all are seen some time
		if w.pass(time.Hour); n > 100 {
			t.Fatal("a tag is never seen")
		}
	}
	lied := map[string]bool{} // a first sight is by HEAD alone, and may be made up; nothing pins that
	for tag, got := range seen() {
		lied[tag] = got != first[tag]
	}
	for step := range 12 {
		mu.Lock()
		tag, moves := tags[source.IntN(len(tags))], source.IntN(3) == 0
		mu.Unlock()
		if moves {
			means[tag], moved[tag] = publish(t, s, "acme/shop:"+tag, fmt.Sprint(tag, step)), true
		}
		w.pass(30 * time.Minute)
	}
	s.Inject(nil)
	w.pass(24 * time.Hour)
	w.pass(24 * time.Hour)
	if diff := cmp.Diff(means, seen()); diff != "" {
		t.Errorf("what the tags mean (-want +got):\n%s", diff)
	}
	told := strings.Join(w.looks(), " ")
	for _, tag := range tags {
		if moved[tag] && !strings.Contains(told, ":"+tag) {
			t.Errorf("%s moved, and nobody was told", tag)
		}
	}
	alerts := 0
	body := w.desk.body(repo11)
	for _, tag := range tags {
		want := moved[tag] && Fixed(tag) && !lied[tag]
		if want {
			alerts++
		}
		if said := strings.Contains(body, "shop:"+tag+"`"); said != want {
			t.Errorf("the issue names %s: %v, want %v:\n%s", tag, said, want, body)
		}
	}
	if n := len(w.alarms()); n != alerts {
		t.Errorf("%d alerts, want %d", n, alerts)
	}
	if t.Logf("%d faults", befell); befell == 0 {
		t.Error("no fault befell anything")
	}
}

// onServer makes the world watch what one handler serves, over TLS with a certificate that only
// a client with trust believes.
func (w *world) onServer(h http.HandlerFunc, trust bool) (host string) {
	w.t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	w.t.Cleanup(s.Close)
	host = "registry.test"
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}}
	if trust {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	}
	w.t.Cleanup(transport.CloseIdleConnections)
	o := registry.Options{Now: w.now, Transport: transport, Wait: func(ctx context.Context, d time.Duration) error {
		w.skip(d)
		return ctx.Err()
	}}
	base, err := registry.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(base.Close)
	w.Watcher = w.watcher(Options{Open: func() (Registry, error) { return base.Anew(), nil }})
	return host
}

// An answer that comes a byte at a time is waited for no longer than the look may take, and
// says nothing.
func TestDrip(t *testing.T) {
	w := lite(t, Options{})
	dripping := make(chan struct{}, 10)
	host := w.onServer(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/" {
			return
		}
		rw.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
		rw.WriteHeader(http.StatusOK)
		for r.Method == http.MethodGet && r.Context().Err() == nil {
			if _, err := rw.Write([]byte(" ")); err != nil || http.NewResponseController(rw).Flush() != nil {
				return
			}
			select {
			case dripping <- struct{}{}:
			default:
			}
		}
	}, true)
	w.stand(1, 11, host+"/acme/shop:main")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Tick(ctx) }()
	<-dripping
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	all, err := w.ledger.Due(t.Context(), host, w.now(), 10)
	if err != nil || len(all) != 1 || all[0].Seen != "" || !all[0].Asked.IsZero() {
		t.Errorf("got %+v, %v of a look that was called off, want it due as before", all, err)
	}
}

// A registry whose certificate nobody signed is not believed, and asked ever less often.
func TestBadTLS(t *testing.T) {
	w := lite(t, Options{})
	host := w.onServer(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Docker-Content-Digest", digestOf("forged"))
		rw.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
	}, false)
	w.stand(1, 11, host+"/acme/shop:1.0.0@"+digestOf("a"))
	w.tick()
	all, err := w.ledger.Due(t.Context(), host, w.now().Add(24*time.Hour), 10)
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	for _, thing := range all {
		if thing.Seen != "" || thing.Tag != "" && (thing.Failures != 1 || !thing.Due.After(w.now().Add(w.Tags))) {
			t.Errorf("got %+v, want a failure and no digest", thing)
		}
	}
	if !strings.Contains(w.said(), "certificate") {
		t.Errorf("the log does not say why:\n%s", w.said())
	}
}
