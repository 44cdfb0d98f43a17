package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/github"
)

func TestNewRefuses(t *testing.T) {
	good := Options{Secrets: []github.Secret{"s"}, Inbox: &box{}}
	for name, tc := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"no secret":              {func(o *Options) { o.Secrets = nil }, "no webhook secret"},
		"an empty secret":        {func(o *Options) { o.Secrets = []github.Secret{"s", ""} }, "it is empty"},
		"three secrets":          {func(o *Options) { o.Secrets = []github.Secret{"a", "b", "c"} }, "more than two"},
		"no inbox":               {func(o *Options) { o.Inbox = nil }, "no inbox"},
		"an unknown registry":    {func(o *Options) { o.RegistrySecrets = map[Registry][]github.Secret{"quay": {"s"}} }, "quay"},
		"a registry's no secret": {func(o *Options) { o.RegistrySecrets = map[Registry][]github.Secret{Harbor: nil} }, "harbor has no secret"},
		"a registry's empty one": {func(o *Options) { o.RegistrySecrets = map[Registry][]github.Secret{Harbor: {""}} }, "harbor: it is empty"},
	} {
		o := good
		tc.change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
}

// TestNotSetUp: a server without an App takes no deliveries.
func TestNotSetUp(t *testing.T) {
	r := newRig(t, func(o *Options) {
		pages(o)
		o.Secrets, o.Inbox = nil, nil
	})
	for _, secret := range []string{key, ""} {
		req := delivery("http://x", "push", guid, payload(7, 42, 3))
		req.Header.Set("X-Hub-Signature-256", sign(secret, payload(7, 42, 3)))
		if w := r.ask(req, outside); w.Code != 503 {
			t.Errorf("signed with %q: got %d, want 503", secret, w.Code)
		}
	}
	if w := r.ask(get("http://x/setup/"), outside); w.Code != 200 {
		t.Errorf("setup: got %d", w.Code)
	}
}

// TestServeEnds: what is under way is answered, what comes later is not taken, and /readyz says
// so before.
func TestServeEnds(t *testing.T) {
	draining, drained, passed := make(chan struct{}), make(chan struct{}), make(chan time.Time)
	r := newRig(t, func(o *Options) { o.Drain = time.Hour })
	r.server.after = func(d time.Duration) <-chan time.Time {
		if d != time.Hour {
			t.Errorf("it drains for %s", d)
		}
		return passed
	}
	r.serve()
	r.box.before = func(context.Context, event.Delivery) {
		r.stop()
		close(draining)
		<-drained
	}
	answered := make(chan int, 1)
	go func() {
		resp, err := http.DefaultClient.Do(delivery(r.url, "push", guid, payload(7, 42, 3)))
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		_ = resp.Body.Close()
		answered <- resp.StatusCode
	}()
	<-draining
	<-r.server.stopping
	if status, _, text := r.send(get(r.url + "/readyz")); status != 503 || !strings.Contains(text, "it stops") {
		t.Errorf("while it drains: got %d %s", status, text)
	}
	if status, _, _ := r.send(get(r.url + "/healthz")); status != 200 {
		t.Errorf("while it drains: got %d, want it alive", status)
	}
	close(passed)
	close(drained)
	if status := <-answered; status != 202 {
		t.Errorf("what was under way: got %d, want 202", status)
	}
	if err := r.halt(); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", r.addr); err == nil {
		t.Error("it still listens")
	}
}

// TestServeWaitsNotForEver: what does not end is cut off.
func TestServeWaitsNotForEver(t *testing.T) {
	r := newRig(t, nil)
	l := usual
	l.shutdown = time.Millisecond
	r.server.bound(l)
	r.serve()
	began, end := make(chan struct{}), make(chan struct{})
	defer close(end)
	r.box.before = func(context.Context, event.Delivery) {
		close(began)
		<-end
	}
	failed := make(chan error, 1)
	go func() {
		_, err := http.DefaultClient.Do(delivery(r.url, "push", guid, payload(7, 42, 3))) //nolint:bodyclose // there is none
		failed <- err
	}()
	<-began
	if err := r.halt(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that something did not end", err)
	}
	if err := <-failed; err == nil {
		t.Error("the client got an answer")
	}
}

func TestServeFails(t *testing.T) {
	r := newRig(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := r.server.Serve(t.Context(), l); !errors.Is(err, net.ErrClosed) || !strings.HasPrefix(err.Error(), "serve 127.0.0.1:") {
		t.Errorf("got %v", err)
	}
}

func TestServeFailsWhileItDrains(t *testing.T) {
	r := newRig(t, nil)
	r.server.after = func(time.Duration) <-chan time.Time { return nil }
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		stop()
		<-r.server.stopping
		_ = l.Close()
	}()
	if err := r.server.Serve(ctx, l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// TestConnections: the one that was of no use for the longest time goes first, and one whose
// request may ask for what it asks for stays.
func TestConnections(t *testing.T) {
	c := newConns(2)
	open := func() (net.Conn, net.Conn) {
		a, b := net.Pipe()
		t.Cleanup(func() { _, _ = a.Close(), b.Close() })
		return a, b
	}
	gone := func(far net.Conn) bool {
		_ = far.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		_, err := far.Read(make([]byte, 1))
		return errors.Is(err, io.EOF)
	}
	first, farFirst := open()
	second, farSecond := open()
	third, farThird := open()
	for _, x := range []net.Conn{first, second} {
		if !c.admit(x) {
			t.Fatal("there is room for two")
		}
	}
	c.changed(first, http.StateActive) // the second now waits for longer
	if !c.admit(third) || !gone(farSecond) || gone(farFirst) {
		t.Error("the third did not take the place of the second")
	}
	c.changed(second, http.StateClosed) // what is gone already
	hold(c.with(t.Context(), first))
	if fourth, _ := open(); !c.admit(fourth) || !gone(farThird) || gone(farFirst) {
		t.Error("the fourth did not take the place of the third, although the first is held")
	} else {
		hold(c.with(t.Context(), fourth))
	}
	fifth, _ := open()
	if c.admit(fifth) {
		t.Error("a fifth was let in although both are held")
	}
	c.changed(first, http.StateIdle)
	if !c.admit(fifth) || !gone(farFirst) {
		t.Error("the fifth did not take the place of the first, which is idle now")
	}
	c.changed(fifth, http.StateClosed)
	if len(c.place) != 1 || c.order.Len() != 1 {
		t.Errorf("%d and %d are left, want 1", len(c.place), c.order.Len())
	}
	hold(t.Context()) // without a connection
}

// TestFullOfWork: a listener closes what there is no room for, and goes on.
func TestFullOfWork(t *testing.T) {
	r := newRig(t, nil)
	l := usual
	l.connections = 1
	r.server.bound(l)
	r.serve()
	began, end := make(chan struct{}), make(chan struct{})
	r.box.before = func(context.Context, event.Delivery) {
		close(began)
		<-end
		r.box.before = nil
	}
	answered := make(chan int, 1)
	go func() {
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(delivery(r.url, "push", guid, payload(7, 42, 3)))
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		_ = resp.Body.Close()
		answered <- resp.StatusCode
	}()
	<-began
	r.dial().closed()
	close(end)
	if status := <-answered; status != 202 {
		t.Errorf("got %d, want 202", status)
	}
}

// TestSecretsStayIn: no log and no answer has a secret in it, right or wrong.
func TestSecretsStayIn(t *testing.T) {
	r := newRig(t, func(o *Options) {
		every(o)
		pages(o)
		o.Token = "secret-of-operator"
		o.Secrets = []github.Secret{"secret-of-github"}
	}).serve()
	var said strings.Builder
	send := func(req *http.Request) {
		req.URL.Scheme, req.URL.Host = "http", r.addr
		_, h, text := r.send(req)
		said.WriteString(text)
		for k, v := range h {
			said.WriteString(k + strings.Join(v, ""))
		}
	}
	body := []byte(`{"canary":"secret-of-body"}`)
	for _, name := range []string{"push", "pull_request"} {
		send(delivery("http://x", name, guid, body))
		req := delivery("http://x", name, guid, body)
		req.Header.Set("X-Hub-Signature-256", sign("secret-of-github", body))
		req.Header.Set("Cookie", "secret-of-cookie")
		send(req)
	}
	for _, kind := range []Registry{Distribution, Harbor, DockerHub, Generic} {
		for _, secret := range []string{"secret-of-" + string(kind), "secret-of-nobody"} {
			send(notice(kind, secret, `{"canary":"secret-of-body"}`))
			send(notice(kind, secret, `"secret-of-body"`))
		}
	}
	hub := notice(DockerHub, "x", `{}`)
	hub.URL.Path, hub.URL.RawQuery = "/webhooks//registry/dockerhub/secret-of-dockerhub", ""
	noRedirect := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	hub.URL.Scheme, hub.URL.Host = "http", r.addr
	resp, err := noRedirect.Do(hub)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	for _, path := range []string{"/metrics", "/status", "/readyz", "/"} {
		req := get("http://x" + path)
		req.Header.Set("Authorization", "Bearer secret-of-operator")
		send(req)
		req = get("http://x" + path + "?secret-of-query")
		send(req)
	}
	if text := said.String() + r.log.String(); strings.Contains(text, "secret-of-") {
		i := strings.Index(text, "secret-of-")
		t.Errorf("got ...%s...", text[max(0, i-200):min(len(text), i+100)])
	}
	if n := strings.Count(r.log.String(), "\n"); n < 10 {
		t.Errorf("got %d lines of log, want what there was to be in it", n)
	}
}

// TestNoise: strangers write no more than a line now and then.
func TestNoise(t *testing.T) {
	r := newRig(t, nil)
	for range 1000 {
		req := delivery("http://x", "push", guid, []byte("{}"))
		req.Header.Set("X-Hub-Signature-256", sign("wrong", []byte("{}")))
		r.ask(req, outside)
	}
	if n := strings.Count(r.log.String(), "\n"); n < 1 || n > 40 {
		t.Errorf("got %d lines, want a few", n)
	}
	if n := r.counts.of("push refused"); n != 1000 {
		t.Errorf("counted %d, want 1000", n)
	}
}
