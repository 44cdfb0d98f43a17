package registry

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConcurrency(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	const limit, images = 3, 12
	var names []string
	for i := range images {
		s.image("acme/api", fmt.Sprint(i), "linux/amd64")
		names = append(names, fmt.Sprint("ghcr.io/acme/api:", i))
	}
	var mu sync.Mutex
	inside, most := 0, 0
	full, once := make(chan struct{}), sync.Once{}
	w.https("ghcr.io", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			mu.Lock()
			inside++
			most = max(most, inside)
			if inside == limit {
				once.Do(func() { close(full) })
			}
			mu.Unlock()
			<-full // until as many as may be are inside
			defer func() { mu.Lock(); inside--; mu.Unlock() }()
		}
		s.ServeHTTP(rw, r)
	}))
	resolveAll(t, w.client(Options{Concurrency: limit}), names)
	if most != limit {
		t.Errorf("%d requests at a time, want %d", most, limit)
	}
}

func TestOnRequest(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	s.image("acme/api", "1", "linux/amd64")
	w.https("ghcr.io", s)
	var got []string
	c := w.client(Options{OnRequest: func(method, host string) { got = append(got, method+" "+host) }})
	resolveAll(t, c, []string{"ghcr.io/acme/api:1"})
	if diff := cmp.Diff([]string{"GET ghcr.io", "HEAD ghcr.io"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Our own transport speaks HTTP/2 and keeps its connections.
func TestConnections(t *testing.T) {
	for _, http2 := range []bool{true, false} {
		s := newShelf(t)
		var names []string
		for i := range 100 {
			s.image("acme/api", fmt.Sprint(i), "linux/amd64")
			names = append(names, fmt.Sprint("ghcr.io/acme/api:", i))
		}
		var opened atomic.Int64
		var versions [3]atomic.Int64
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			versions[r.ProtoMajor].Add(1)
			s.ServeHTTP(rw, r)
		}))
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				opened.Add(1)
			}
		}
		server.EnableHTTP2 = http2
		server.StartTLS()
		defer server.Close()
		base, err := newTransport(Options{Concurrency: 8}, &hosts{})
		if err != nil {
			t.Fatal(err)
		}
		own := base.(*http.Transport)
		own.TLSClientConfig.InsecureSkipVerify = true
		own.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		}
		resolveAll(t, newWorld(t).client(Options{Transport: own, Concurrency: 8}), names)
		major := map[bool]int{true: 2, false: 1}[http2]
		if n := versions[major].Load(); n != 101 {
			t.Errorf("http2 %v: %d requests by HTTP/%d, want 101", http2, n, major)
		}
		if n := opened.Load(); n > 50 { // about 8; a busy machine dials more at the start
			t.Errorf("http2 %v: %d connections for 100 requests, 8 at a time", http2, n)
		}
	}
}
