package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// A counts says how many requests of each kind were answered. denied are those that were
// answered with 401, and are counted as what they asked for as well.
type counts struct{ ping, token, head, get, denied, other int64 }

func (c counts) total() int64 { return c.ping + c.token + c.head + c.get + c.other }

func (c counts) String() string {
	s := fmt.Sprintf("%d", c.total())
	for _, k := range []struct {
		n    int64
		name string
	}{{c.ping, "ping"}, {c.token, "token"}, {c.head, "head"}, {c.get, "get"}, {c.other, "other"}, {c.denied, "401"}} {
		if k.n > 0 {
			s += fmt.Sprintf(" %s:%d", k.name, k.n)
		}
	}
	return s
}

// A registry answers on loopback for every image of the pool: any tag of any repository
// has the digest that its name hashes to.
type registry struct {
	host    string
	server  *http.Server
	latency atomic.Int64
	bearer  atomic.Bool

	ping, token, head, get, denied, other atomic.Int64
}

func listen(addr string) (*registry, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	r := &registry{host: l.Addr().String()}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}
	go func() { _ = r.server.Serve(l) }()
	return r, nil
}

// set starts a run: how long each answer takes, whether tokens are wanted, and all
// counts at zero.
func (r *registry) set(latency time.Duration, bearer bool) {
	r.latency.Store(int64(latency))
	r.bearer.Store(bearer)
	for _, n := range []*atomic.Int64{&r.ping, &r.token, &r.head, &r.get, &r.denied, &r.other} {
		n.Store(0)
	}
}

func (r *registry) counts() counts {
	return counts{r.ping.Load(), r.token.Load(), r.head.Load(), r.get.Load(), r.denied.Load(), r.other.Load()}
}

const tokenPrefix = "bench-token-for-"

func (r *registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if d := r.latency.Load(); d > 0 {
		time.Sleep(time.Duration(d))
	}
	path, manifest := strings.CutPrefix(req.URL.Path, "/v2/")
	repository, tag, tagged := strings.Cut(path, "/manifests/")
	switch {
	case req.URL.Path == "/token":
		r.token.Add(1)
		scope := strings.Split(req.FormValue("scope"), ":")
		if len(scope) != 3 || scope[2] != "pull" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"token": tokenPrefix + strings.ReplaceAll(scope[1], "/", "."), "expires_in": 300})
	case manifest && path == "":
		r.ping.Add(1)
		if r.bearer.Load() {
			r.deny(w)
		}
	case manifest && tagged && (req.Method == http.MethodHead || req.Method == http.MethodGet):
		if req.Method == http.MethodHead {
			r.head.Add(1)
		} else {
			r.get.Add(1)
		}
		if r.bearer.Load() && req.Header.Get("Authorization") != "Bearer "+tokenPrefix+strings.ReplaceAll(repository, "/", ".") {
			r.deny(w)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/vnd.oci.image.index.v1+json")
		h.Set("Docker-Content-Digest", "sha256:"+img{repository, tag}.digest())
		h.Set("Content-Length", "1609")
		if req.Method == http.MethodGet {
			// No manifest hashes to an invented digest: a GET is a request too many.
			h.Del("Content-Length")
			w.WriteHeader(http.StatusNotImplemented)
		}
	default:
		r.other.Add(1)
		w.WriteHeader(http.StatusNotFound)
	}
}

func (r *registry) deny(w http.ResponseWriter) {
	r.denied.Add(1)
	w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="bench"`, r.host))
	w.WriteHeader(http.StatusUnauthorized)
}
