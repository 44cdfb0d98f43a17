package registry

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	ggcr "github.com/google/go-containerregistry/pkg/registry"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// A world is a network of real HTTP servers under names of our choice. It has a clock
// that only waiting moves, and remembers every request that reached a server.
type world struct {
	t     *testing.T
	mu    sync.Mutex
	addrs map[string]string // host:port to where its server listens
	log   []seen
	clock time.Time
	waits []time.Duration
	keys  map[string]authn.AuthConfig // by registry
}

type seen struct{ scheme, host, method, path, query, auth, cookie, body, agent, accept, referer, named string }

func newWorld(t *testing.T) *world {
	return &world{
		t: t, addrs: map[string]string{}, keys: map[string]authn.AuthConfig{},
		clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
}

// https serves host (with :443 unless it names a port) over TLS.
func (w *world) https(host string, h http.Handler) {
	w.serve("https", host, httptest.NewUnstartedServer(w.recorded("https", host, h)), (*httptest.Server).StartTLS)
}

// http serves host (with :80 unless it names a port) in the clear.
func (w *world) http(host string, h http.Handler) {
	w.serve("http", host, httptest.NewUnstartedServer(w.recorded("http", host, h)), (*httptest.Server).Start)
}

func (w *world) serve(scheme, host string, s *httptest.Server, start func(*httptest.Server)) {
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	start(s)
	w.t.Cleanup(s.Close)
	if _, _, err := net.SplitHostPort(host); err != nil {
		host += ":" + defaultPort[scheme]
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addrs[host] = s.Listener.Addr().String()
}

func (w *world) recorded(scheme, host string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.mu.Lock()
		w.log = append(w.log, seen{
			scheme: scheme, host: host, method: r.Method, path: r.URL.Path, query: r.URL.RawQuery,
			auth: r.Header.Get("Authorization"), cookie: r.Header.Get("Cookie"), body: string(body),
			agent: r.Header.Get("User-Agent"), accept: r.Header.Get("Accept"),
			referer: r.Header.Get("Referer"), named: r.Host,
		})
		w.mu.Unlock()
		h.ServeHTTP(rw, r)
	})
}

func (w *world) transport() *http.Transport {
	return &http.Transport{
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true},
		MaxIdleConnsPerHost: 64,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			w.mu.Lock()
			to, ok := w.addrs[strings.ToLower(addr)]
			w.mu.Unlock()
			if !ok {
				return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}}
			}
			return (&net.Dialer{}).DialContext(ctx, network, to)
		},
	}
}

// client returns a client that lives in the world.
func (w *world) client(o Options) *Client {
	w.t.Helper()
	if o.Transport == nil {
		o.Transport = w.transport()
	}
	if o.Keychain == nil {
		o.Keychain = w
	}
	o.Now, o.Wait = w.now, w.wait
	c, err := New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.Close)
	return c
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) wait(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waits = append(w.waits, d)
	w.clock = w.clock.Add(d)
	return ctx.Err()
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// Resolve makes the world its clients' keychain.
func (w *world) Resolve(r authn.Resource) (authn.Authenticator, error) {
	if k, ok := w.keys[r.RegistryStr()]; ok {
		return authn.FromConfig(k), nil
	}
	return authn.Anonymous, nil
}

// requests lists what reached the servers, as "GET host/path", in order of arrival.
func (w *world) requests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var lines []string
	for _, s := range w.log {
		lines = append(lines, s.method+" "+s.host+s.path)
	}
	return lines
}

// count counts the requests that begin with a prefix, such as "HEAD ghcr.io/v2/".
func (w *world) count(prefix string) int {
	n := 0
	for _, line := range w.requests() {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// leaked fails the test for each request outside of owners that holds a secret.
func (w *world) leaked(secrets []string, owners ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.log {
		if slices.Contains(owners, s.host) {
			continue
		}
		for _, secret := range secrets {
			if strings.Contains(fmt.Sprintf("%+v", s), secret) {
				w.t.Errorf("%s saw the secret %s: %+v", s.host, secret, s)
			}
		}
		if s.referer != "" {
			w.t.Errorf("%s saw where we came from: %s", s.host, s.referer)
		}
		if s.cookie != "" {
			w.t.Errorf("%s saw the cookie %s", s.host, s.cookie)
		}
	}
}

// A shelf is go-containerregistry's registry, filled without a network.
type shelf struct {
	http.Handler
	t *testing.T
}

func newShelf(t *testing.T) *shelf {
	return &shelf{ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0))), t}
}

func (s *shelf) put(path, media string, body []byte) image.Digest {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodPut, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", media)
	rw := httptest.NewRecorder()
	s.ServeHTTP(rw, r)
	if rw.Code != http.StatusCreated {
		s.t.Fatalf("PUT %s: %d %s", path, rw.Code, rw.Body)
	}
	return hash("sha256", body)
}

// image stores a small image for a platform under a tag.
func (s *shelf) image(repo, tag, platform string) image.Digest {
	s.t.Helper()
	p, _ := image.ParsePlatform(platform)
	config := fmt.Appendf(nil, `{"os":%q,"architecture":%q,"variant":%q,"comment":%q}`, p.OS, p.Architecture, p.Variant, repo+":"+tag)
	d := s.blob(repo, config)
	return s.put("/v2/"+repo+"/manifests/"+tag, image.OCIManifest, manifestFor(d, len(config)))
}

func (s *shelf) blob(repo string, b []byte) image.Digest {
	s.t.Helper()
	d := hash("sha256", b)
	r := httptest.NewRequest(http.MethodPost, "/v2/"+repo+"/blobs/uploads/?digest="+string(d), bytes.NewReader(b))
	rw := httptest.NewRecorder()
	s.ServeHTTP(rw, r)
	if rw.Code != http.StatusCreated {
		s.t.Fatalf("POST blob of %s: %d %s", repo, rw.Code, rw.Body)
	}
	return d
}

// index stores an image for each platform and an index of them under a tag.
func (s *shelf) index(repo, tag string, platforms ...string) (image.Digest, []image.Digest) {
	s.t.Helper()
	var entries []string
	var children []image.Digest
	for i, platform := range platforms {
		p, _ := image.ParsePlatform(platform)
		d := s.image(repo, fmt.Sprintf("%s-child-%d", tag, i), platform)
		children = append(children, d)
		entries = append(entries, fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":300,"platform":{"os":%q,"architecture":%q,"variant":%q}}`,
			image.OCIManifest, d, p.OS, p.Architecture, p.Variant))
	}
	body := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, image.OCIIndex, strings.Join(entries, ","))
	return s.put("/v2/"+repo+"/manifests/"+tag, image.OCIIndex, body), children
}

func manifestFor(config image.Digest, size int) []byte {
	return fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},"layers":[]}`,
		image.OCIManifest, config, size)
}

// plainManifest is a manifest that no registry has to check.
var plainManifest = manifestFor(hash("sha256", []byte("{}")), 2)

func ref(t *testing.T, s string) image.Ref {
	t.Helper()
	r, err := image.Parse(s)
	if err != nil {
		t.Fatalf("parse %q: %v", s, err)
	}
	return r
}

// says fails unless err's message holds every part, on one line.
func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want one that says %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got error %q, want it to say %q", err, part)
		}
	}
	if strings.ContainsAny(err.Error(), "\r\n\x1b") {
		t.Errorf("error is not one clean line: %q", err)
	}
}

func is(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got error %v, want %v", err, kind)
	}
}

// ping answers the API check with 200 and gives everything else to h.
func ping(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/" {
			return
		}
		h(w, r)
	}
}
