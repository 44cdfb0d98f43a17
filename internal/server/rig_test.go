package server

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/github"
)

const key = "It's a Secret to Everybody"

// A box is an inbox in memory. Where refuse is set, it keeps nothing.
type box struct {
	mu     sync.Mutex
	kept   map[string]event.Delivery
	refuse error
	before func(context.Context, event.Delivery) // nil = nothing
}

func (b *box) Accept(ctx context.Context, d event.Delivery) (bool, error) {
	if b.before != nil {
		b.before(ctx, d)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return false, b.refuse
	}
	if _, known := b.kept[d.GUID]; known {
		return false, nil
	}
	b.kept[d.GUID] = d
	return true, nil
}

// fail makes it refuse what comes, or with nil no longer.
func (b *box) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = err
}

func (b *box) all() map[string]event.Delivery {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[string]event.Delivery{}
	for k, v := range b.kept {
		out[k] = v
	}
	return out
}

// counts hears what the observer hears.
type counts struct {
	mu   sync.Mutex
	seen map[string]int
	kept int
}

func (c *counts) Event(name, outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[name+" "+outcome]++
}

func (c *counts) Accepted(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept++
}

func (c *counts) of(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[what]
}

// A pad is a log.
type pad struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *pad) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *pad) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// A rig is a server with what it speaks to.
type rig struct {
	t        testing.TB
	box      *box
	counts   *counts
	log      *pad
	server   *Server
	url      string
	addr     string
	stop     context.CancelFunc
	ended    chan error
	pushedMu sync.Mutex
	images   []string
}

func newRig(t testing.TB, change func(*Options)) *rig {
	t.Helper()
	r := &rig{
		t: t, log: &pad{}, ended: make(chan error, 1),
		box: &box{kept: map[string]event.Delivery{}}, counts: &counts{seen: map[string]int{}},
	}
	o := Options{
		Secrets: []github.Secret{key}, Inbox: r.box, Observer: r.counts, Version: "1.2.3",
		Log: slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Pushed: func(_ context.Context, image string) error {
			r.pushedMu.Lock()
			defer r.pushedMu.Unlock()
			r.images = append(r.images, image)
			return nil
		},
	}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.server = s
	return r
}

func (r *rig) pushed() []string {
	r.pushedMu.Lock()
	defer r.pushedMu.Unlock()
	return append([]string(nil), r.images...)
}

// serve starts the server on a loopback port.
func (r *rig) serve() *rig {
	r.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	r.addr = l.Addr().String()
	r.url = "http://" + r.addr
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { r.ended <- r.server.Serve(ctx, l) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-r.ended; err != nil {
			r.t.Error(err)
		}
	})
	return r
}

// halt stops the server and returns what Serve returned.
func (r *rig) halt() error {
	r.stop()
	err := <-r.ended
	r.ended <- nil
	return err
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// delivery makes a request as GitHub makes it.
func delivery(url, name, guid string, body []byte) *http.Request {
	req, err := http.NewRequest(http.MethodPost, url+"/webhooks/github", bytes.NewReader(body))
	if err != nil {
		panic(err) // unreachable: the tests' addresses are right
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", name)
	req.Header.Set("X-GitHub-Delivery", guid)
	req.Header.Set("X-Hub-Signature-256", sign(key, body))
	return req
}

func payload(installation, repository, pull int) []byte {
	return fmt.Appendf(nil, `{"action":"opened","installation":{"id":%d},"repository":{"id":%d,"full_name":"acme/config"},"pull_request":{"number":%d}}`, installation, repository, pull)
}

// ask passes a request to the handler, as if it came from the address from.
func (r *rig) ask(req *http.Request, from string) *httptest.ResponseRecorder {
	if from == "" {
		from = "192.0.2.1:1234"
	}
	req.RemoteAddr = from
	w := httptest.NewRecorder()
	r.server.Handler().ServeHTTP(w, req)
	return w
}

// send sends a request over the network.
func (r *rig) send(req *http.Request) (status int, header http.Header, body string) {
	r.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(data)
}

func get(url string) *http.Request {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		panic(err) // unreachable: the tests' addresses are right
	}
	return req
}

func (r *rig) logged(want ...string) {
	r.t.Helper()
	for _, w := range want {
		if !strings.Contains(r.log.String(), w) {
			r.t.Errorf("the log lacks %s:\n%s", w, r.log.String())
		}
	}
}
