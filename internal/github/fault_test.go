package github

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A GitHub whose 304 is wrong is believed, as a stale read is, until it matters: after Anew
// answers are asked for whole, page by page. What that tells is remembered for later visits.
func TestWrongNotModified(t *testing.T) {
	r := newRig(t)
	body := "old"
	r.handle("GET /repos/acme/config/issues/3/comments", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("ETag", `W/"never changes"`)
		if req.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if req.URL.Query().Get("page") == "" {
			w.Header().Set("Link", "<"+r.server.URL+`/repos/acme/config/issues/3/comments?page=2>; rel="next"`)
		}
		fmt.Fprintf(w, `[{"id":1,"body":%q}]`, body)
	})
	o := r.options()
	o.Cache, o.Tenant = NewMemoryETags(1<<20), "1"
	c := r.with(o)
	read := func(c *Client) string {
		var all []string
		for _, x := range must[[]promotion.Comment](t)(c.Comments(t.Context(), config, 3)) {
			all = append(all, x.Body)
		}
		return strings.Join(all, " ")
	}
	v := c.Visit(t.Context(), VisitOptions{})
	defer v.Close()
	got := []string{read(v)}
	body = "new"
	got = append(got, read(v))
	v.Anew()
	got = append(got, read(v))
	next := c.Visit(t.Context(), VisitOptions{})
	defer next.Close()
	got = append(got, read(next))
	if diff := cmp.Diff([]string{"old old", "old old", "new new", "new new"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An answer is believed by what is in it, not by its tag; a tag that no header could send back
// is not remembered; a 304 that nobody asked for is no answer.
func TestETagsThatLie(t *testing.T) {
	for _, c := range []struct {
		name   string
		tags   [2]string // of the first and the second answer
		second int       // status
		sent   string    // as If-None-Match by the second question
		want   string    // "" = an error
	}{
		{"the same tag for another answer", [2]string{`"a"`, `"a"`}, 200, `"a"`, "second"},
		{"no tag", [2]string{"", ""}, 200, "", "second"},
		{"a long tag", [2]string{`"` + strings.Repeat("x", 300) + `"`, ""}, 200, "", "second"},
		{"304 with another tag", [2]string{`"a"`, `"b"`}, 304, `"a"`, "first"},
		{"304 that nobody asked for", [2]string{"", `"b"`}, 304, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.script("GET /users/octo", says(200, `{"id":1,"login":"first"}`, "ETag", c.tags[0]), says(c.second, `{"id":1,"login":"second"}`, "ETag", c.tags[1]))
			o := r.options()
			o.Cache, o.Tenant = NewMemoryETags(1<<20), "1"
			client := r.with(o)
			if err := ask(t, client); err != nil {
				t.Fatal(err)
			}
			u, _, err := client.UserByLogin(t.Context(), "octo")
			if sent := r.requests()[1].header.Get("If-None-Match"); sent != c.sent {
				t.Errorf("If-None-Match %.20q, want %q", sent, c.sent)
			}
			if c.want == "" {
				isOnly(t, err, promotion.ErrTransient)
			} else if err != nil || u.Login != c.want {
				t.Errorf("got %+v, %v", u, err)
			}
		})
	}
}

// repeated are the writes that do no harm twice, and so are sent again where nobody knows what
// became of them.
var repeated = []string{"CreateTreeCommit", "SetLabels", "AddLabels"}

// Where GitHub does what was asked and never answers, a write is sent once, within half a
// minute, and its outcome is unknown; a read is asked for four times.
func TestTimeoutAfterTheEffect(t *testing.T) {
	for name := range every(nil) {
		synctest.Test(t, func(t *testing.T) {
			var reads, writes atomic.Int32
			c, err := New(Options{Tokens: StaticToken(canary), Spacing: -1, Transport: transport(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodGet {
					reads.Add(1)
				} else {
					writes.Add(1)
				}
				<-req.Context().Done()
				return nil, req.Context().Err()
			})})
			if err != nil {
				t.Fatal(err)
			}
			isOnly(t, every(c)[name](t.Context()), promotion.ErrTransient)
			r, w := reads.Load(), writes.Load()
			switch {
			case slices.Contains(repeated, name) && w == maxRetries+1 && r == 0:
			case w == 1 && r == 0:
			case r == maxRetries+1 && w == 0:
			default:
				t.Errorf("%s: %d reads and %d writes", name, r, w)
			}
		})
	}
}

// The end of a context is its caller's: it is said as such, and nothing is asked again.
func TestCanceledAfterTheEffect(t *testing.T) {
	for name := range every(nil) {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		c, err := New(Options{URL: "http://127.0.0.1:1", Spacing: -1, Transport: transport(func(req *http.Request) (*http.Response, error) {
			n++
			cancel()
			return nil, req.Context().Err()
		})})
		if err != nil {
			t.Fatal(err)
		}
		err = every(c)[name](ctx)
		isOnly(t, err, promotion.ErrTransient)
		if !errors.Is(err, context.Canceled) || n != 1 {
			t.Errorf("%s: %v after %d requests", name, err, n)
		}
	}
}

// An h2 is a server of HTTP/2 that does what a test says with each connection's first request
// (https://www.rfc-editor.org/rfc/rfc9113#section-6.8).
type h2 struct {
	address  string
	client   *http.Transport
	requests atomic.Int32 // that reached the server
}

const (
	frameData     = 0x0
	frameHeaders  = 0x1
	frameSettings = 0x4
	frameGoAway   = 0x7
)

func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	b := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

// goAway says that streams up to last were or will be answered.
func goAway(last uint32) []byte {
	return frame(frameGoAway, 0, 0, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, last), 0))
}

// answered is status 200 and a body.
func answered(stream uint32, body string) []byte {
	return append(frame(frameHeaders, 0x4, stream, []byte{0x88}), frame(frameData, 0x1, stream, []byte(body))...)
}

// newH2 answers the first request of connection n, from 0, with what reply says, and closes the
// connection unless more says that it goes on.
func newH2(t *testing.T, reply func(n int, stream uint32) (out []byte, more bool)) *h2 {
	cert := httptest.NewTLSServer(nil)
	cert.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: cert.TLS.Certificates, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	h := &h2{address: "https://" + l.Addr().String(), client: NewTransport()}
	h.client.TLSClientConfig = &tls.Config{RootCAs: cert.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	t.Cleanup(h.client.CloseIdleConnections)
	t.Cleanup(func() { l.Close() })
	go func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go h.serve(conn, n, reply)
		}
	}()
	return h
}

func (h *h2) serve(conn net.Conn, n int, reply func(int, uint32) ([]byte, bool)) {
	defer conn.Close()
	if _, err := io.CopyN(io.Discard, conn, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	if _, err := conn.Write(frame(frameSettings, 0, 0, nil)); err != nil {
		return
	}
	for {
		var head [9]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, conn, int64(head[0])<<16|int64(head[1])<<8|int64(head[2])); err != nil {
			return
		}
		const endStream = 0x1
		if kind := head[3]; kind != frameHeaders && kind != frameData || head[4]&endStream == 0 {
			continue
		}
		h.requests.Add(1)
		out, more := reply(n, binary.BigEndian.Uint32(head[5:]))
		if _, err := conn.Write(out); err != nil || !more {
			return
		}
	}
}

// A connection that GitHub closes by GOAWAY is replaced. What the server says that it did not
// begin is sent again, also a write; of what it may have begun a write is not.
func TestGoAway(t *testing.T) {
	user, comment := octo, `{"id":1}`
	for _, c := range []struct {
		name          string
		first         func(stream uint32, body string) []byte
		reads, writes int32 // requests that reach the server
		write         error
	}{
		{"after the answer", func(s uint32, body string) []byte { return append(answered(s, body), goAway(s)...) }, 1, 1, nil},
		{"before the answer", func(s uint32, body string) []byte { return append(goAway(s), answered(s, body)...) }, 1, 1, nil},
		{"not begun", func(uint32, string) []byte { return goAway(0) }, 2, 2, nil},
		{"begun, no answer", func(s uint32, _ string) []byte { return goAway(s) }, 2, 1, promotion.ErrTransient},
		{"half an answer", func(s uint32, _ string) []byte {
			return append(append(frame(frameHeaders, 0x4, s, []byte{0x88}), frame(frameData, 0, s, []byte(`{"id":`))...), goAway(s)...)
		}, 2, 1, promotion.ErrTransient},
		{"closed without a word", func(uint32, string) []byte { return nil }, 2, 1, promotion.ErrTransient},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, write := range []bool{false, true} {
				body := user
				if write {
					body = comment
				}
				h := newH2(t, func(n int, stream uint32) ([]byte, bool) {
					if n == 0 {
						return c.first(stream, body), false
					}
					return answered(stream, body), true
				})
				r := newRig(t) // for its clock
				o := r.options()
				o.URL, o.Transport = h.address, h.client
				client := r.with(o)
				var err error
				want, n := error(nil), c.reads
				if write {
					_, err = client.Comment(t.Context(), config, 3, "x")
					want, n = c.write, c.writes
				} else {
					err = ask(t, client)
				}
				if want != nil {
					isOnly(t, err, want)
				} else if err != nil {
					t.Errorf("write %v: %v", write, err)
				}
				if got := h.requests.Load(); got != n {
					t.Errorf("write %v: %d requests, want %d", write, got, n)
				}
			}
		})
	}
}

// A repository that is renamed or transferred between two calls is found under its old name, by
// reads, lists, writes and what is asked ahead; each write happens once.
func TestSandboxRenamed(t *testing.T) {
	for name, move := range map[string]func(*harbour){
		"renamed":       func(h *harbour) { h.repo.Rename("gitops") },
		"renamed twice": func(h *harbour) { h.repo.Rename("gitops"); h.repo.Rename("deploys") },
		"transferred":   func(h *harbour) { h.repo.Transfer("alice") },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarbour(t)
			q := h.propose("pinnace/pin")
			before := h.alice.Visit(t.Context(), VisitOptions{})
			if _, err := before.Comments(t.Context(), h.noun, q.Number); err != nil {
				t.Fatal(err)
			}
			before.Close()
			move(h)
			v := h.alice.Visit(t.Context(), VisitOptions{Ahead: before.Reads()})
			defer v.Close()
			ctx := t.Context()
			if got, err := v.Comments(ctx, h.noun, q.Number); err != nil || len(got) != 0 {
				t.Errorf("comments %v, %v", got, err)
			}
			if got, ok, err := v.Repository(ctx, "acme", "config"); err != nil || !ok || got.ID != h.repo.ID() || got.FullName() != h.repo.FullName() {
				t.Errorf("got %+v, %v, %v", got, ok, err)
			}
			if got, err := v.PullRequests(ctx, h.noun, promotion.Query{State: promotion.Open}); err != nil || len(got) != 1 {
				t.Errorf("pull requests %v, %v", got, err)
			}
			if _, err := v.Comment(ctx, h.noun, q.Number, "x"); err != nil {
				t.Error(err)
			}
			if _, err := v.Merge(ctx, h.noun, promotion.MergeRequest{Number: q.Number, SHA: q.Head.SHA, Method: "merge", Title: "t"}); err != nil {
				t.Error(err)
			}
			if n := len(h.repo.Comments(q.Number)); n != 1 || v.Writes() != 2 {
				t.Errorf("%d comments, %d writes", n, v.Writes())
			}
		})
	}
}
