package server

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/github"
)

// inside lets in whom Options.Token describes. Others hear that there is no such page.
func (s *Server) inside(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.trusts(r) {
			http.NotFound(w, r)
			return
		}
		hold(r.Context())
		next.ServeHTTP(w, r)
	})
}

func (s *Server) trusts(r *http.Request) bool {
	if s.o.Token != "" {
		return among([]github.Secret{s.o.Token}, bearer(r.Header))
	}
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if len(r.Header.Values(name)) > 0 {
			return false
		}
	}
	if !within(r.Host) {
		return false
	}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		ip := at.Addr().Unmap()
		return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
	}
	return r.RemoteAddr == "" || r.RemoteAddr == "@" // a Unix socket
}

// within reports whether a request names this server as only the inside does: by an address, or
// by a name that no public zone has. A page elsewhere that rebinds its own name to an inside
// address (https://en.wikipedia.org/wiki/DNS_rebinding), and whoever comes by the public name
// through something that translates addresses, sends another one.
func within(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") {
		return true
	}
	for _, zone := range []string{".svc", ".cluster.local", ".localhost", ".internal", ".local"} {
		if strings.HasSuffix(host, zone) {
			return true
		}
	}
	return false
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	v, err := s.o.Status(r.Context())
	if err != nil {
		s.o.Log.ErrorContext(r.Context(), "status", "error", clip(err))
		brokeDown.write(w)
		return
	}
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		s.o.Log.ErrorContext(r.Context(), "status", "error", clip(err))
		brokeDown.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(data, '\n'))
}

var home = template.Must(template.New("home").Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Pinnace</title></head>
<body>
<h1>Pinnace</h1>
<p>This server keeps image tags in GitOps repositories resolved to digests, and judges promotions between environments. It works through pull requests on GitHub; there is nothing to do here.</p>
<p>Version {{.}}. <a href="https://github.com/pinnace-dev/pinnace" rel="noreferrer">Source and documentation</a>. <a href="healthz">Is it alive?</a> <a href="readyz">Is it of use?</a></p>
</body>
</html>
`))

func (s *Server) home(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = home.Execute(w, s.o.Version) // the client left
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintln(w, "alive")
}
