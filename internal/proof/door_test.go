package proof

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// A door is the address that GitHub knows. What comes in goes to one of the processes behind
// it, in turn; where there is none, or it does not answer, GitHub hears of a failure.
type door struct {
	listener net.Listener
	client   *http.Client

	mu     sync.Mutex
	behind []string // host:port of those that are up
	next   int
	passed int // deliveries that were answered with 2xx
}

func newDoor(t testing.TB) *door {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{listener: l, client: &http.Client{Timeout: time.Minute}}
	server := &http.Server{Handler: d, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return d
}

func (d *door) url() string { return "http://" + d.listener.Addr().String() + "/webhooks/github" }

// admit lets deliveries go to a process, and bar lets none go there any more.
func (d *door) admit(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.behind = append(d.behind, address)
}

func (d *door) bar(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var left []string
	for _, a := range d.behind {
		if a != address {
			left = append(left, a)
		}
	}
	d.behind = left
}

// ServeHTTP passes a delivery on.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	d.mu.Lock()
	address := ""
	if len(d.behind) > 0 {
		address = d.behind[d.next%len(d.behind)]
		d.next++
	}
	d.mu.Unlock()
	if address == "" {
		http.Error(w, "nobody is here", http.StatusBadGateway)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+address+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	req.Header = r.Header.Clone()
	resp, err := d.client.Do(req)
	if err != nil {
		http.Error(w, "nobody answers", http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		http.Error(w, "the answer broke off", http.StatusBadGateway)
		return
	}
	if resp.StatusCode < 300 {
		d.mu.Lock()
		d.passed++
		d.mu.Unlock()
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(answer)
}

// pump delivers what GitHub has to say as soon as it has, until the test ends or it is stopped.
func (w *world) pump() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				w.posting.Lock()
				_, _ = w.Deliver(ctx)
				w.posting.Unlock()
			}
		}
	}()
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); <-done }) }
	w.t.Cleanup(stop)
	return stop
}

// post delivers straight to a process, under another GUID, and returns the status.
func (p *process) post(d sandbox.Delivery, guid string) int {
	req, err := http.NewRequest(http.MethodPost, "http://"+p.at()+"/webhooks/github", bytes.NewReader(d.Payload))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", d.Event)
	req.Header.Set("X-GitHub-Delivery", guid)
	req.Header.Set("X-Hub-Signature-256", sandbox.Sign(p.w.app.Secret(), d.Payload))
	resp, err := many.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

var many = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// flood calls a function for n GUIDs from several goroutines, and counts the answers that are no
// success.
func flood(n, width int, one func(guid string) int) (bad int) {
	next, failed := make(chan int), make(chan int, width)
	for range width {
		go func() {
			count := 0
			for i := range next {
				if status := one(fmt.Sprintf("%08d-0000-4000-8000-000000000000", i)); status < 200 || status > 299 {
					count++
				}
			}
			failed <- count
		}()
	}
	for i := range n {
		next <- i
	}
	close(next)
	for range width {
		bad += <-failed
	}
	return bad
}
