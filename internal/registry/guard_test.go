package registry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/image"
)

func TestReserved(t *testing.T) {
	for _, tc := range []struct{ addr, want string }{
		{"0.0.0.0", "unspecified"},
		{"0.1.2.3", "unspecified"},
		{"10.0.0.1", "private"},
		{"10.255.255.255", "private"},
		{"100.63.255.255", ""},
		{"100.64.0.1", "carrier-grade NAT"},
		{"100.100.100.200", "carrier-grade NAT"},
		{"100.128.0.0", ""},
		{"127.0.0.1", "loopback"},
		{"127.255.255.254", "loopback"},
		{"168.63.129.16", "metadata"},
		{"169.254.169.254", "link-local"},
		{"169.254.170.2", "link-local"},
		{"172.15.255.255", ""},
		{"172.16.0.1", "private"},
		{"172.31.255.255", "private"},
		{"172.32.0.0", ""},
		{"192.0.0.192", "protocol assignment"},
		{"192.0.2.1", "documentation"},
		{"192.88.99.1", "6to4 relay"},
		{"192.168.1.1", "private"},
		{"198.18.0.1", "benchmarking"},
		{"198.19.255.255", "benchmarking"},
		{"198.51.100.1", "documentation"},
		{"203.0.113.1", "documentation"},
		{"224.0.0.1", "multicast"},
		{"239.255.255.255", "multicast"},
		{"240.0.0.1", "reserved"},
		{"255.255.255.255", "reserved"},
		{"8.8.8.8", ""},
		{"140.82.112.33", ""},
		{"::", "unspecified"},
		{"::1", "loopback"},
		{"::ffff:127.0.0.1", "loopback"},
		{"::ffff:169.254.169.254", "link-local"},
		{"::ffff:8.8.8.8", ""},
		{"::127.0.0.1", "reserved"},
		{"::ffff:0:127.0.0.1", "reserved"},
		{"64:ff9b::7f00:1", "NAT64"},
		{"64:ff9b::a9fe:a9fe", "NAT64"},
		{"64:ff9b:1::1", "NAT64"},
		{"100::1", "reserved"},
		{"2001::1", "protocol assignment"},
		{"2001:db8::1", "documentation"},
		{"2002:7f00:1::", "6to4"},
		{"2002:a9fe:a9fe::1", "6to4"},
		{"3fff::1", "documentation"},
		{"5f00::1", "reserved"},
		{"fc00::1", "unique local"},
		{"fd00:ec2::254", "unique local"},
		{"fe80::1%eth0", "link-local"},
		{"fec0::1", "reserved"},
		{"ff02::1", "multicast"},
		{"2606:4700:4700::1111", ""},
		{"2a00:1450:4001::1", ""},
	} {
		if got := reserved(netip.MustParseAddr(tc.addr)); got != tc.want {
			t.Errorf("reserved(%s) = %q, want %q", tc.addr, got, tc.want)
		}
	}
	is(t, publicOnly("localhost:80"), ErrRefused)
}

// However loopback is spelled, and whatever a name resolves to, a server does not
// reach the canary.
func TestServerDialsNoPrivateAddress(t *testing.T) {
	port, touched := canary(t)
	w := newWorld(t)
	c := w.client(Options{Server: true, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Resolver: always("127.0.0.1", "::1").resolver()})
	for _, host := range []string{
		"127.0.0.1", "127.0.0.2", "127.255.255.254", "127.1", "127.0.1", "0.0.0.0", "0", "00.0.0.0",
		"0177.0.0.1", "0177.0.0.01", "017700000001", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "0X7F.0.0.1", "127.0.0.1.nip.io",
		"127.000.000.001", "127.0.0.0x1", "127.0.0.01", "localhost", "LOCALHOST", "LocalHost", "localhost.localdomain", "app.localhost", "ip6-localhost", "localtest.me",
		"[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]",
		"[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2002:7f00:0001::1]", "[fe80::1]", "[fd00::1]",
		"169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "xn--11b", "registry.example.com", "metadata.google.internal", "rebind.example",
	} {
		for _, name := range []string{host + ":" + port + "/acme/api", host + "/acme/api"} {
			_, err := c.Resolve(t.Context(), image.Ref{Name: name, Tag: "1"})
			var noName *net.DNSError // the resolver itself finds no sense in some
			if !errors.As(err, &noName) {
				is(t, err, ErrRefused)
			}
		}
	}
	for _, unusual := range []string{"127。0。0。1", "①②⑦.⓪.⓪.①", "127.0.0.1\t", "127.0.0.1.", "localhost.", "[::1%25lo]", "[::1%lo]", "127.0.0.1#", "127.0.0.1@", "user@127.0.0.1", "127.0.0.1\\", "..", "%31%32%37.0.0.1", "ⓛocalhost"} {
		_, err := c.Resolve(t.Context(), image.Ref{Name: unusual + ":" + port + "/acme/api", Tag: "1"})
		is(t, err, ErrRefused)
	}
	if n := touched.Load(); n != 0 {
		t.Errorf("the canary was reached %d times", n)
	}
}

// A name that is public when first asked and private afterwards is judged at each dial.
func TestRebinding(t *testing.T) {
	port, touched := canary(t)
	names := &nameServer{answer: func(_ string, n int) []netip.Addr {
		if n == 0 {
			return []netip.Addr{netip.MustParseAddr("8.8.8.8")}
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	}}
	errStop := errors.New("stopped before the network")
	var passed []string
	dial := guarded(&net.Dialer{Resolver: names.resolver(), Control: func(_, address string, _ syscall.RawConn) error {
		passed = append(passed, address)
		return errStop
	}}, &hosts{server: true})

	_, err := dial(t.Context(), "tcp", "rebind.example:"+port)
	is(t, err, errStop)
	_, err = dial(t.Context(), "tcp", "rebind.example:"+port)
	is(t, err, ErrRefused)
	if len(passed) != 1 || passed[0] != "8.8.8.8:"+port || touched.Load() != 0 {
		t.Errorf("passed the guard: %q; canary reached %d times", passed, touched.Load())
	}
}

// Of several addresses, only public ones are tried.
func TestMixedAddresses(t *testing.T) {
	port, touched := canary(t)
	var passed []string
	dial := guarded(&net.Dialer{Resolver: always("127.0.0.1", "8.8.8.8", "10.0.0.1").resolver(), Control: func(_, address string, _ syscall.RawConn) error {
		passed = append(passed, address)
		return errors.New("stopped before the network")
	}}, &hosts{server: true})
	if _, err := dial(t.Context(), "tcp4", "mixed.example:"+port); err == nil {
		t.Error("got no error")
	}
	if len(passed) != 1 || passed[0] != "8.8.8.8:"+port || touched.Load() != 0 {
		t.Errorf("passed the guard: %q; canary reached %d times", passed, touched.Load())
	}
}

func TestAllowPrivate(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	s.image("acme/api", "1", "linux/amd64")
	w.https("registry.corp", s)
	w.http("plain.corp", s)
	_, port, _ := net.SplitHostPort(w.addrs["registry.corp:443"])
	_, plainPort, _ := net.SplitHostPort(w.addrs["plain.corp:80"])
	resolve := func(host string, o Options) error {
		o.Server, o.Transport, o.Resolver = true, w.transport(), always("127.0.0.1").resolver()
		_, err := w.client(o).Resolve(t.Context(), ref(t, host+"/acme/api:1"))
		return err
	}
	host, plain := "registry.corp:"+port, "plain.corp:"+plainPort
	is(t, resolve(host, Options{}), ErrRefused)
	is(t, resolve(host, Options{AllowPrivate: []string{"registry.corp"}}), ErrRefused)
	is(t, resolve(host, Options{AllowPrivate: []string{"other.corp:" + port}}), ErrRefused)
	is(t, resolve(host, Options{Insecure: []string{host}}), ErrRefused)
	if err := resolve(host, Options{AllowPrivate: []string{"Registry.corp:" + port}}); err != nil {
		t.Errorf("allowed registry: %v", err)
	}
	if err := resolve(plain, Options{AllowPrivate: []string{plain}}); err == nil {
		t.Error("plain http without leave: got no error")
	}
	if err := resolve(plain, Options{AllowPrivate: []string{plain}, Insecure: []string{plain}}); err != nil {
		t.Errorf("allowed plain registry: %v", err)
	}
	if err := resolve("localhost:"+plainPort, Options{AllowPrivate: []string{"localhost:" + plainPort}}); err == nil {
		t.Error("plain loopback on a server: got no error")
	}
}

// Leave to reach a private registry is for its own images, not for a public registry
// that redirects there or names it as its token server.
func TestSentToPrivateRegistry(t *testing.T) {
	w := newWorld(t)
	w.https("private.corp", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w.https("public.example", ping(http.RedirectHandler("https://private.corp/v2/acme/api/manifests/1", http.StatusFound).ServeHTTP))
	w.https("token.example", (&tokenServer{realm: "https://private.corp/token"}).guard(nil))
	c := w.client(Options{AllowPrivate: []string{"private.corp"}})
	c.hosts.server = true // with the world's dialler
	for _, host := range []string{"public.example", "token.example"} {
		_, err := c.Resolve(t.Context(), ref(t, host+"/acme/api:1"))
		is(t, err, ErrRefused)
	}
	if n := w.count("GET private.corp") + w.count("HEAD private.corp"); n != 0 {
		t.Errorf("the private registry was asked %d times", n)
	}
}

func TestServerTakesNoProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	for _, server := range []bool{true, false} {
		base, err := newTransport(Options{Server: server, Concurrency: 7}, &hosts{})
		if err != nil {
			t.Fatal(err)
		}
		own := base.(*http.Transport)
		if hasProxy := own.Proxy != nil; hasProxy == server {
			t.Errorf("server %v has a proxy: %v", server, hasProxy)
		}
		if own.MaxIdleConnsPerHost < 7 || !own.ForceAttemptHTTP2 || own.MaxResponseHeaderBytes == 0 || own.ResponseHeaderTimeout == 0 || own.TLSHandshakeTimeout == 0 {
			t.Errorf("transport lacks a limit: %+v", own)
		}
	}
	_, err := New(Options{Server: true, Transport: canned{}})
	says(t, err, "must be an *http.Transport")
	given := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return nil, fmt.Errorf("asked") }}
	base, err := newTransport(Options{Server: true, Transport: given}, &hosts{})
	if err != nil || base.(*http.Transport).Proxy != nil {
		t.Errorf("a server keeps the proxy of its transport: %v", err)
	}
}
