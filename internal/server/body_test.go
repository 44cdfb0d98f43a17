package server

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
)

// padded returns a payload of exactly so many bytes.
func padded(size int) []byte {
	head := `{"installation":{"id":7},"repository":{"id":42,"full_name":"acme/config"},"x":"`
	return []byte(head + strings.Repeat("x", size-len(head)-2) + `"}`)
}

// chunked takes the length out of a request.
func chunked(req *http.Request) *http.Request {
	req.Body, req.ContentLength = io.NopCloser(req.Body), -1
	return req
}

func TestSizes(t *testing.T) {
	const mib = 1 << 20
	r := newRig(t, nil).serve()
	for _, tc := range []struct {
		name string
		req  *http.Request
		want int
	}{
		{"the largest", delivery(r.url, "push", "a", padded(25*mib)), http.StatusAccepted},
		{"the largest, without a length", chunked(delivery(r.url, "push", "b", padded(25*mib))), http.StatusAccepted},
		{"at the first room", delivery(r.url, "push", "c", padded(firstRead)), http.StatusAccepted},
		{"at the first room, without a length", chunked(delivery(r.url, "push", "d", padded(firstRead))), http.StatusAccepted},
		{"one byte more", chunked(delivery(r.url, "push", "e", padded(firstRead+1))), http.StatusAccepted},
		{"at the end of small ones", delivery(r.url, "push", "f", padded(256<<10)), http.StatusAccepted},
		{"beyond it", chunked(delivery(r.url, "push", "g", padded(256<<10+1))), http.StatusAccepted},
		{"nothing", chunked(delivery(r.url, "push", "h", nil)), http.StatusBadRequest},
	} {
		status, _, text := r.send(tc.req)
		if status != tc.want {
			t.Errorf("%s: got %d %q, want %d", tc.name, status, text, tc.want)
		}
	}
	if r.server.small.left.Load() != usual.small || r.server.large.left.Load() != usual.large {
		t.Errorf("room is left over: %d and %d", r.server.small.left.Load(), r.server.large.left.Load())
	}
}

// TestTooLarge: a body beyond the limit is refused by its length or, where it has none, as soon
// as it is too long; and the connection is closed, so that the rest is not read.
func TestTooLarge(t *testing.T) {
	r := newRig(t, nil).serve()
	for name, length := range map[string]string{"with a length": "Content-Length: 10737418240", "without": "Transfer-Encoding: chunked"} {
		t.Run(name, func(t *testing.T) {
			c := r.dial()
			c.header(length)
			sent := int64(0)
			go func() { // 10 GB, if they let us
				chunk := bytes.Repeat([]byte("x"), 64<<10)
				for sent < 10<<30 {
					if length[0] == 'T' {
						_, _ = fmt.Fprintf(c.Conn, "%x\r\n", len(chunk))
					}
					n, err := c.Conn.Write(append(chunk, "\r\n"...)) // the line end counts for chunks only
					if sent += int64(n); err != nil {
						return
					}
				}
			}()
			if status := c.status(); status != http.StatusRequestEntityTooLarge {
				t.Errorf("got %d, want 413", status)
			}
			c.closed()
		})
	}
}

// TestRoom: the bytes of all bodies are bounded, and large ones leave room for small ones.
func TestRoom(t *testing.T) {
	r := newRig(t, nil)
	l := usual
	l.small, l.large = 1<<20, 1<<20
	r.server.bound(l)
	began, end := make(chan struct{}, 8), make(chan struct{})
	var wg sync.WaitGroup
	hold := func(id string, size int) {
		wg.Go(func() {
			req := delivery("http://x", "push", id, padded(size))
			last := &waiting{began: began, end: end}
			req.Body = io.NopCloser(io.MultiReader(io.LimitReader(req.Body, int64(size-1)), last, req.Body))
			if w := r.ask(req, ""); w.Code != http.StatusAccepted {
				t.Errorf("%s: got %d, want 202", id, w.Code)
			}
		})
		<-began
	}
	hold("held-1", 1<<20)
	w := r.ask(delivery("http://x", "push", "large", padded(1<<20)), "")
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("a second large one: got %d, want 503", w.Code)
	}
	if w := r.ask(delivery("http://x", "push", "small", padded(20<<10)), ""); w.Code != http.StatusAccepted {
		t.Errorf("a small one beside it: got %d, want 202", w.Code)
	}
	for i := range 3 {
		hold(fmt.Sprint("held-small-", i), 250<<10)
	}
	if w := r.ask(delivery("http://x", "push", "small-2", padded(200<<10)), ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("one small one too many: got %d, want 503", w.Code)
	}
	close(end)
	wg.Wait()
	if w := r.ask(delivery("http://x", "push", "large", padded(1<<20)), ""); w.Code != http.StatusAccepted {
		t.Errorf("afterwards: got %d, want 202", w.Code)
	}
	if r.server.small.left.Load() != l.small || r.server.large.left.Load() != l.large {
		t.Errorf("room is left over: %d and %d", r.server.small.left.Load(), r.server.large.left.Load())
	}
}

// A waiting is a part of a body that has no bytes and takes until end.
type waiting struct{ began, end chan struct{} }

func (w *waiting) Read([]byte) (int, error) {
	w.began <- struct{}{}
	<-w.end
	return 0, io.EOF
}

// A line is a connection that is written to by hand.
type line struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

func (r *rig) dial() *line {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return &line{c, r.t, bufio.NewReader(c)}
}

// header writes a delivery's header with the lines given, and a signature of the right form.
func (l *line) header(more ...string) {
	l.t.Helper()
	text := "POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: " + guid +
		"\r\nX-Hub-Signature-256: sha256=" + strings.Repeat("0", 64) + "\r\n" + strings.Join(more, "\r\n") + "\r\n\r\n"
	if _, err := io.WriteString(l, text); err != nil {
		l.t.Fatal(err)
	}
}

func (l *line) status() int {
	l.t.Helper()
	resp, err := http.ReadResponse(l.r, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// closed waits until the other side has closed.
func (l *line) closed() {
	l.t.Helper()
	if n, err := io.Copy(io.Discard, l.r); n > 0 {
		l.t.Errorf("%d more bytes came, %v", n, err)
	}
}

// hasty makes the server impatient.
func hasty(r *rig) *rig {
	l := usual
	l.grace, l.header, l.bodyTime = 50*time.Millisecond, 50*time.Millisecond, 400*time.Millisecond
	r.server.bound(l)
	return r
}

// TestSlow: whoever sends too slowly is hung up on.
func TestSlow(t *testing.T) {
	t.Run("a header that never ends", func(t *testing.T) {
		r := hasty(newRig(t, nil)).serve()
		c := r.dial()
		_, _ = io.WriteString(c, "POST /webhooks/github HTTP/1.1\r\nHost: x\r\n")
		c.drip("X-A: b\r\n")
	})
	t.Run("a body of which nothing comes", func(t *testing.T) {
		r := hasty(newRig(t, nil)).serve()
		c := r.dial()
		c.header("Content-Length: 100")
		if status := c.status(); status != http.StatusRequestTimeout {
			t.Errorf("got %d, want 408", status)
		}
		c.closed()
		r.logged("too slowly")
	})
	t.Run("a body below the pace", func(t *testing.T) {
		r := hasty(newRig(t, nil)).serve()
		c := r.dial()
		c.header("Content-Length: 1000000")
		c.drip("x")
	})
	t.Run("a body at the pace for too long", func(t *testing.T) {
		r := hasty(newRig(t, nil))
		r.server.limits.rate = 1
		r.serve()
		c := r.dial()
		c.header("Content-Length: 1000000")
		c.drip("xxxxxxxxxx")
	})
	t.Run("the rest of a refused body", func(t *testing.T) {
		r := hasty(newRig(t, nil)).serve()
		c := r.dial()
		_, _ = io.WriteString(c, "POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
		if status := c.status(); status != http.StatusUnauthorized {
			t.Errorf("got %d, want 401", status)
		}
		c.closed()
	})
}

// drip writes a little, again and again, until the other side has hung up.
func (l *line) drip(text string) {
	l.t.Helper()
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, l.r)
		close(gone)
	}()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-gone:
			return
		case <-tick.C:
			_, _ = io.WriteString(l, text) // fails once it is gone
		}
	}
}

// TestKeepsAlive: the deadlines of one request are not those of the next.
func TestKeepsAlive(t *testing.T) {
	r := hasty(newRig(t, nil)).serve()
	r.box.before = func(context.Context, event.Delivery) { time.Sleep(100 * time.Millisecond) } // longer than grace
	body := payload(7, 42, 3)
	c := r.dial()
	for i := range 3 {
		_, err := fmt.Fprintf(c, "POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: %d\r\nX-Hub-Signature-256: %s\r\nContent-Length: %d\r\n\r\n%s", i, sign(key, body), len(body), body)
		if err != nil {
			t.Fatal(err)
		}
		if status := c.status(); status != http.StatusAccepted {
			t.Fatalf("request %d: got %d, want 202", i, status)
		}
	}
}

// TestManySlowConnections: thousands of them neither fill the memory nor keep GitHub out.
func TestManySlowConnections(t *testing.T) {
	many := 5000
	if testing.Short() || raceEnabled {
		many = 500
	}
	r := newRig(t, func(o *Options) { o.Log = nil })
	l := usual
	l.connections, l.header, l.grace, l.bodyTime = many*2/5, time.Hour, time.Hour, time.Hour // only the number helps
	r.server.bound(l)
	r.serve()
	before := heap()
	var slow []net.Conn
	defer func() {
		for _, c := range slow {
			_ = c.Close()
		}
	}()
	for i := range many {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Skipf("%d connections are as many as this system lets a process have: %v", i, err)
		}
		slow = append(slow, c)
		switch i % 3 {
		case 0: // nothing at all
		case 1:
			_, _ = io.WriteString(c, "POST /webhooks/github HTTP/1.1\r\nHost: x\r\nX-A: "+strings.Repeat("a", 3000))
		case 2:
			(&line{c, t, nil}).header("Content-Length: 20000000")
			_, _ = io.WriteString(c, strings.Repeat("x", 20000))
		}
		if i%(many/10) == 0 {
			resp, err := (&http.Client{Transport: &http.Transport{}}).Do(delivery(r.url, "push", fmt.Sprint(i), payload(7, 42, 3)))
			if err != nil {
				t.Fatalf("behind %d slow ones: %v", i, err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusAccepted {
				t.Fatalf("behind %d slow ones: got %d, want 202", i, resp.StatusCode)
			}
		}
	}
	grown := heap() - before
	t.Logf("%d slow connections, room for %d: %d MiB more in use", many, l.connections, grown>>20)
	if grown > 128<<20 {
		t.Errorf("%d MiB more in use, want less than 128", grown>>20)
	}
	if kept := len(r.box.all()); kept != 10 {
		t.Errorf("kept %d of 10", kept)
	}
}

// heap returns the bytes of heap and stacks in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

func TestNoRoomAtAll(t *testing.T) {
	r := newRig(t, nil)
	l := usual
	l.small = 100
	r.server.bound(l)
	if w := r.ask(delivery("http://x", "push", guid, padded(1000)), ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d, want 503", w.Code)
	}
	if got := r.server.small.left.Load(); got != 100 {
		t.Errorf("%d are left, want 100", got)
	}
}
