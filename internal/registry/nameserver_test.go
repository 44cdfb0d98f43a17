package registry

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// A nameServer answers with the addresses that answer returns for a name and the
// how-manieth question for it.
type nameServer struct {
	answer func(name string, n int) []netip.Addr
	mu     sync.Mutex
	asked  map[string]int
}

func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go s.serve(server)
		return client, nil
	}}
}

// serve speaks DNS over a stream (https://www.rfc-editor.org/rfc/rfc1035#section-4.2.2).
func (s *nameServer) serve(c net.Conn) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		packet := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, packet); err != nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(packet); err != nil || len(m.Questions) != 1 {
			return
		}
		q := m.Questions[0]
		s.mu.Lock()
		if s.asked == nil {
			s.asked = map[string]int{}
		}
		n := s.asked[q.Name.String()]
		if q.Type == dnsmessage.TypeA {
			s.asked[q.Name.String()]++
		}
		s.mu.Unlock()
		m.Response, m.Authoritative, m.Additionals = true, true, nil
		for _, a := range s.answer(q.Name.String(), n) {
			h := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET}
			switch {
			case a.Is4() && q.Type == dnsmessage.TypeA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
			case a.Is6() && q.Type == dnsmessage.TypeAAAA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
			}
		}
		out, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...)); err != nil {
			return
		}
	}
}

func always(addrs ...string) *nameServer {
	var list []netip.Addr
	for _, a := range addrs {
		list = append(list, netip.MustParseAddr(a))
	}
	return &nameServer{answer: func(string, int) []netip.Addr { return list }}
}

// A canary is a listener on loopback that nobody should reach. It gives its port.
func canary(t *testing.T) (port string, touched *atomic.Int64) {
	t.Helper()
	touched = &atomic.Int64{}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		if port != "" {
			address = net.JoinHostPort("::1", port)
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			if port == "" {
				t.Fatal(err)
			}
			return port, touched // no IPv6 here
		}
		t.Cleanup(func() { l.Close() })
		_, port, _ = net.SplitHostPort(l.Addr().String())
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				touched.Add(1)
				c.Close()
			}
		}()
	}
	return port, touched
}
