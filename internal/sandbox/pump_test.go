package sandbox

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The pump sends each delivery once, also those that come while it runs, and repeats none that
// failed; who asks for that gets another attempt. After its end nothing is sent.
func TestPump(t *testing.T) {
	r := newRig(t)
	var mu sync.Mutex
	got := map[string]int{}
	came := make(chan string, 1000)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		guid := req.Header.Get("X-GitHub-Delivery")
		mu.Lock()
		got[guid]++
		mu.Unlock()
		w.WriteHeader(http.StatusServiceUnavailable)
		came <- guid
	}))
	defer hook.Close()
	r.app.SetWebhook(hook.URL)
	r.pull("before", "a: 1")
	before := len(r.Sandbox.Pending())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { r.Sandbox.Pump(ctx); close(ended) }()
	for range before {
		<-came
	}
	for i := range 50 {
		r.branch(fmt.Sprint("more", i), "b: 2")
	}
	r.Sandbox.mu.Lock()
	all := len(r.Sandbox.deliveries)
	again := r.Sandbox.deliveries[0]
	r.Sandbox.redeliver(again)
	r.Sandbox.mu.Unlock()
	for range all + 1 - before {
		<-came
	}
	stop()
	<-ended
	r.branch("after", "b: 3")
	if len(r.Sandbox.Pending()) == 0 {
		t.Error("something was sent after the end")
	}
	mu.Lock()
	defer mu.Unlock()
	if len(got) != all || before == 0 {
		t.Errorf("%d events came of %d", len(got), all)
	}
	for guid, n := range got {
		if want := 1; n != want && (guid != again.GUID || n != 2) {
			t.Errorf("%s came %d times", guid, n)
		}
	}
	for _, d := range r.Sandbox.Deliveries() {
		if d.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", d.GUID, d.Status, d.Outcome)
		}
	}
}

// What is sent and served is forgotten at some time; what waits to be sent is not.
func TestLongLife(t *testing.T) {
	s := New(Options{T: t})
	app := s.App(AppOptions{Name: "x"})
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range 3 * keptDeliveries {
		s.enqueue(&delivery{Delivery: Delivery{ID: int64(i), App: app.id}})
		if i%3 > 0 {
			_ = s.take()
		}
	}
	if n := len(s.deliveries) - s.unsent; n != keptDeliveries || len(s.deliveries) > 2*keptDeliveries+1 {
		t.Errorf("%d wait of %d, want %d", n, len(s.deliveries), keptDeliveries)
	}
	for id := 2 * keptDeliveries; ; id++ {
		d := s.take()
		if d == nil {
			if id != 3*keptDeliveries {
				t.Errorf("the last is before %d", id)
			}
			break
		}
		if d.ID != int64(id) {
			t.Fatalf("got %d, want %d", d.ID, id)
		}
	}
	for i := range 2*keptRequests + 10 {
		s.note(Request{Path: fmt.Sprint(i)})
	}
	if n := len(s.requests); n < keptRequests || n > 2*keptRequests || s.requests[n-1].Path != fmt.Sprint(2*keptRequests+9) {
		t.Errorf("%d requests are kept", n)
	}
}

// BenchmarkWorld says what 10,000 repositories and 1,000 open pull requests in one of them cost,
// and how long the usual questions take then.
func BenchmarkWorld(b *testing.B) {
	s := New(Options{})
	if err := s.Start(); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	s.Org("acme", "ada")
	app := s.App(AppOptions{Name: "Pinnace", WebhookURL: "http://127.0.0.1:1/", Events: []string{"push", "pull_request"}, Permissions: map[string]string{
		"contents": "write", "pull_requests": "write", "metadata": "read", "checks": "write", "issues": "write",
	}})
	began := time.Now()
	for i := range 10_000 {
		s.Repository("acme", fmt.Sprintf("config-%d", i), RepositoryOptions{Files: map[string]string{".pinnace/config.yaml": "x: 1\n", "envs/dev/app.yaml": "image: x\n"}})
	}
	app.Install("acme")
	r := s.Repository("acme", "large", RepositoryOptions{Files: map[string]string{"a": "x"}})
	made := time.Since(began)
	began = time.Now()
	for i := range 1000 {
		name := fmt.Sprintf("b%d", i)
		r.Commit(name, "ada", "m", map[string]string{name: "y"})
		if _, err := r.OpenPullRequest("ada", "t", "", name, "main"); err != nil {
			b.Fatal(err)
		}
	}
	opened := time.Since(began)
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.Logf("10,000 repositories in %s, 1,000 pull requests in %s, %d MB", made.Round(time.Millisecond), opened.Round(time.Millisecond), m.HeapAlloc>>20)
	token := app.InstallationToken("acme")
	for _, path := range []string{
		"/repos/acme/config-77", "/repos/acme/config-77/pulls", "/installation/repositories?per_page=100&page=7",
		"/repos/acme/large/pulls?per_page=100", "/repos/acme/large/pulls/7", "/repos/acme/large/issues?per_page=100",
	} {
		b.Run(strings.ReplaceAll(path[1:], "/", "-"), func(b *testing.B) {
			for b.Loop() {
				req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.URL()+"/api/v3"+path, nil)
				if err != nil {
					b.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer "+token)
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					b.Fatal(resp.Status)
				}
			}
		})
	}
	if !slices.IsSortedFunc(s.Pending(), func(a, b Delivery) int { return int(a.ID - b.ID) }) {
		b.Error("deliveries wait in no order")
	}
}
