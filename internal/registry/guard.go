package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

const (
	dialTimeout     = 10 * time.Second
	tlsTimeout      = 10 * time.Second
	headerTimeout   = 20 * time.Second
	maxHeaderBytes  = 64 << 10
	idleConnTimeout = 90 * time.Second
)

// special are the ranges that a server does not dial: those that the IANA registries
// list as not globally reachable, those that carry another address inside, and the
// metadata address that lies in public space
// (https://www.iana.org/assignments/iana-ipv4-special-registry,
// https://www.iana.org/assignments/iana-ipv6-special-registry,
// https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
var special = []struct {
	prefix netip.Prefix
	name   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "unspecified"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "carrier-grade NAT"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("168.63.129.16/32"), "metadata"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignment"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},
	{netip.MustParsePrefix("::/128"), "unspecified"},
	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("64:ff9b::/96"), "NAT64"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "NAT64"},
	{netip.MustParsePrefix("2001::/23"), "protocol assignment"},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
	{netip.MustParsePrefix("2002::/16"), "6to4"},
	{netip.MustParsePrefix("3fff::/20"), "documentation"},
	{netip.MustParsePrefix("fc00::/7"), "unique local"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

// global holds every IPv6 address that is handed out for the public network.
var global = netip.MustParsePrefix("2000::/3")

// reserved names the special range that a lies in, or returns "" for a public address.
func reserved(a netip.Addr) string {
	a = a.WithZone("").Unmap()
	for _, s := range special {
		if s.prefix.Contains(a) {
			return s.name
		}
	}
	if a.Is6() && !global.Contains(a) {
		return "reserved"
	}
	return ""
}

// publicOnly refuses the address that a name resolved to, at the moment of dialling
// it, so that a name cannot answer differently between a check and its use.
func publicOnly(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return refuse("refused to dial %s: not an address", clean(address))
	}
	if name := reserved(ap.Addr()); name != "" {
		return refuse("refused to dial %s: %s address, and its host is not among the private registries allowed", ap.Addr(), name)
	}
	return nil
}

// newTransport returns what sends the requests. A server takes no more than the TLS
// settings of the options' transport, so that the dial guard holds whatever that is.
func newTransport(o Options, h *hosts) (http.RoundTripper, error) {
	given, ours := o.Transport.(*http.Transport)
	base := &http.Transport{
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    tlsTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		IdleConnTimeout:        idleConnTimeout,
		MaxIdleConnsPerHost:    2 * o.Concurrency, // some are dialled for a request that then got another
		ForceAttemptHTTP2:      true,
	}
	dialer := &net.Dialer{Timeout: dialTimeout, Resolver: o.Resolver}
	switch {
	case o.Server && o.Transport != nil && !ours:
		return nil, errors.New("a server's registry transport must be an *http.Transport, for the dial guard to hold")
	case o.Server:
		if ours && given.TLSClientConfig != nil {
			base.TLSClientConfig = given.TLSClientConfig.Clone()
		}
		base.DialContext = guarded(dialer, h)
	case o.Transport != nil:
		return o.Transport, nil
	default:
		base.Proxy = http.ProxyFromEnvironment
		base.DialContext = dialer.DialContext
	}
	return base, nil
}

// guarded dials public addresses only, but for the registries that the operator
// allowed.
func guarded(free *net.Dialer, h *hosts) func(context.Context, string, string) (net.Conn, error) {
	strict := *free
	strict.Control = func(network, address string, c syscall.RawConn) error {
		if err := publicOnly(address); err != nil || free.Control == nil {
			return err
		}
		return free.Control(network, address, c)
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		for _, scheme := range []string{"https", "http"} {
			u := &url.URL{Scheme: scheme, Host: address}
			if h.anywhere(u) && (scheme == "https" || h.plain(u)) {
				return free.DialContext(ctx, network, address)
			}
		}
		return strict.DialContext(ctx, network, address)
	}
}
