package registry

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// hosts knows what the options say about registries by name. Names are lower case,
// and Docker Hub is docker.io.
type hosts struct {
	mirrors  map[string]mirror
	insecure []string
	private  []string
	server   bool
}

type mirror struct{ host, prefix string }

// A target is where a look-up goes.
type target struct {
	host string          // as a person writes it: docker.io, ghcr.io, localhost:5000
	repo name.Repository // as go-containerregistry names it: index.docker.io/library/nginx
}

func newHosts(o Options) (*hosts, error) {
	h := &hosts{mirrors: map[string]mirror{}, server: o.Server}
	for from, to := range o.Map {
		key := canonical(from)
		if at := strings.LastIndex(to, "@"); at >= 0 && !strings.Contains(to, "://") { // the rest may be a password
			return nil, fmt.Errorf("registry map %s=...%s: want host[:port][/prefix] without a login: docker login gives it", clean(from), clean(to[at:]))
		}
		if from != "*" {
			if err := checkHost(key); err != nil {
				return nil, fmt.Errorf("registry map %s=%s: %w", clean(from), clean(to), err)
			}
		}
		host, prefix, _ := strings.Cut(to, "/")
		host = canonical(host)
		if err := checkMirror(to, host, prefix); err != nil {
			return nil, fmt.Errorf("registry map %s=%s: %w", clean(from), clean(to), err)
		}
		if _, twice := h.mirrors[key]; twice {
			return nil, fmt.Errorf("registry map has two entries for %s", key)
		}
		h.mirrors[key] = mirror{host, prefix}
	}
	for _, list := range []struct {
		name string
		in   []string
		out  *[]string
	}{{"insecure registry", o.Insecure, &h.insecure}, {"private registry", o.AllowPrivate, &h.private}} {
		for _, entry := range list.in {
			host := canonical(entry)
			if err := checkHost(host); err != nil {
				return nil, fmt.Errorf("%s %s: %w", list.name, clean(entry), err)
			}
			*list.out = append(*list.out, host)
		}
	}
	return h, nil
}

func checkMirror(to, host, prefix string) error {
	if strings.Contains(to, "://") {
		return fmt.Errorf("want host[:port][/prefix] without a scheme")
	}
	if err := checkHost(host); err != nil {
		return err
	}
	if strings.Contains(to, "/") {
		if _, err := image.Parse("localhost/" + prefix + "/name"); err != nil {
			return fmt.Errorf("prefix %q: %w", clean(prefix), err)
		}
	}
	return nil
}

// checkHost holds an entry to host[:port] by the grammar of references, in which a
// host of one word needs a port.
func checkHost(host string) error {
	if host == "" || strings.Contains(host, "/") {
		return fmt.Errorf("%q is not a registry: want host[:port]", clean(host))
	}
	if !strings.Contains(host, ":") {
		host += ":443"
	}
	_, err := image.Parse(host + "/name")
	return err
}

// canonical returns a registry's one spelling.
func canonical(host string) string {
	host = strings.ToLower(host)
	switch host {
	case name.DefaultRegistry, "registry-1.docker.io":
		return image.DefaultRegistry
	}
	return host
}

// target returns where to look r up.
func (h *hosts) target(r image.Ref) (target, error) {
	if _, err := image.Parse(r.String()); err != nil {
		return target{}, refuse("%s", clean(err.Error()))
	}
	host, path := canonical(r.Registry()), r.Path()
	m, mapped := h.mirrors[host]
	if !mapped {
		m, mapped = h.mirrors["*"]
	}
	if mapped {
		host = m.host
		if m.prefix != "" {
			path = m.prefix + "/" + path
		}
	}
	reg, err := name.NewRegistry(host)
	if err != nil {
		return target{}, refuse("registry %q is not a host", clean(host))
	}
	return target{host: host, repo: reg.Repo(path)}, nil
}

// plain reports whether the host of u may be spoken to over plain HTTP.
func (h *hosts) plain(u *url.URL) bool {
	return h.listed(h.insecure, u) || !h.server && loopback(u.Hostname())
}

// anywhere reports whether the operator lets a server reach u at any address.
func (h *hosts) anywhere(u *url.URL) bool { return h.listed(h.private, u) }

// listed says whether a list names the host and port of u; an entry without a port
// stands for the port of the scheme.
func (h *hosts) listed(list []string, u *url.URL) bool {
	if slices.Contains(list, canonical(u.Host)) {
		return true
	}
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	o := originOf(u)
	return o.port == defaultPort[o.scheme] && slices.Contains(list, canonical(host)) ||
		slices.Contains(list, canonical(host)+":"+o.port)
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Zone() == "" && (a == netip.IPv6Loopback() || a.Is4() && a.IsLoopback())
}

var defaultPort = map[string]string{"http": "80", "https": "443"}

// An origin is what credentials belong to.
type origin struct{ scheme, host, port string }

func originOf(u *url.URL) origin {
	scheme := strings.ToLower(u.Scheme)
	port := u.Port()
	if port == "" {
		port = defaultPort[scheme]
	}
	return origin{scheme, strings.ToLower(u.Hostname()), port}
}

func (o origin) String() string {
	if o.port == defaultPort[o.scheme] {
		return o.host
	}
	return net.JoinHostPort(o.host, o.port)
}
