package setup

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// A Loopback is the page on this machine.
type Loopback struct {
	flow     *flow
	listener net.Listener
	path     string
	host     string
}

// Listen opens the page on a free port of the loopback address, below a path that nobody can
// guess. Run serves it.
func Listen(o Options) (*Loopback, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Loopback{listener: l, path: "/" + random() + "/", host: l.Addr().String()}
	if p.flow, err = newFlow(o, "http://"+p.host+p.path+"done", p.path); err != nil {
		_ = l.Close()
		return nil, err
	}
	return p, nil
}

// URL is the address of the page. Whoever opens it registers the App.
func (p *Loopback) URL() string { return "http://" + p.host + p.path }

// Close ends a page that is not run.
func (p *Loopback) Close() error { return p.listener.Close() }

// Run serves the page until the credentials are stored, or until the context ends.
func (p *Loopback) Run(ctx context.Context) (Result, error) {
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, MaxHeaderBytes: 64 << 10}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(p.listener) }()
	var err error
	select {
	case <-p.flow.done:
	case <-ctx.Done():
		err = ctx.Err()
	case err = <-failed:
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if e := server.Shutdown(end); err == nil && e != nil && !errors.Is(e, context.DeadlineExceeded) {
		err = e
	}
	p.flow.mu.Lock()
	defer p.flow.mu.Unlock()
	if p.flow.result != nil {
		return *p.flow.result, nil
	}
	return Result{}, err
}

// ServeHTTP answers this machine's browser. A page elsewhere that lets its own name lead here
// sends that name as the host (https://en.wikipedia.org/wiki/DNS_rebinding), and gets nothing.
func (p *Loopback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Host != p.host {
		http.Error(w, "This page answers to "+p.host+" only.", http.StatusMisdirectedRequest)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "This page is read with GET.", http.StatusMethodNotAllowed)
		return
	}
	switch {
	case same(r.URL.Path, p.path):
		p.flow.form(w)
	case same(r.URL.Path, p.path+"done") && r.Method == http.MethodGet:
		p.flow.back(w, r)
	default:
		http.NotFound(w, r)
	}
}
