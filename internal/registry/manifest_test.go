package registry

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// An odd registry answers HEAD and GET of one manifest in its own way.
type odd struct {
	head, get         http.Header
	headCode, getCode int
	body              []byte
}

func (o odd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h, code := o.get, o.getCode
	if r.Method == http.MethodHead {
		h, code = o.head, o.headCode
	}
	for k, v := range h {
		w.Header()[k] = v
	}
	if code == 0 {
		code = http.StatusOK
	}
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(o.body)
	}
}

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h[http.CanonicalHeaderKey(pairs[i])] = []string{pairs[i+1]}
	}
	return h
}

func TestManifestAnswers(t *testing.T) {
	const dcd, ct = "Docker-Content-Digest", "Content-Type"
	var (
		body   = plainManifest
		right  = string(hash("sha256", body))
		right5 = string(hash("sha512", body))
		wrong  = string(hash("sha256", []byte("something else")))
		typed  = headers(ct, image.OCIManifest)
		whole  = headers(ct, image.OCIManifest, dcd, right)
		asJSON = headers(ct, "application/json; charset=utf-8")
		noType = http.Header{ct: nil}
		index  = fmt.Appendf(nil, `{"schemaVersion":2,"manifests":[{"digest":%q,"platform":{"os":"linux","architecture":"amd64"}}]}`, wrong)
		signed = []byte(`{"schemaVersion":1,"name":"acme/api","signatures":[]}`)
	)
	for _, tc := range []struct {
		name string
		odd  odd
		gets int
		want string // digest
		kind error
		say  string
	}{
		{name: "whole", odd: odd{head: whole}, want: right},
		{name: "sha512", odd: odd{head: headers(ct, image.OCIManifest, dcd, right5)}, want: right5},
		{name: "upper case type with a parameter", odd: odd{head: headers(ct, strings.ToUpper(image.OCIManifest)+"; charset=utf-8", dcd, right)}, want: right},
		{name: "no digest", odd: odd{head: typed, get: typed, body: body}, gets: 1, want: right},
		{name: "malformed digest", odd: odd{head: headers(ct, image.OCIManifest, dcd, "sha256:abc"), get: whole, body: body}, gets: 1, want: right},
		{name: "two digests", odd: odd{head: http.Header{ct: {image.OCIManifest}, dcd: {right, wrong}}, get: typed, body: body}, gets: 1, want: right},
		{name: "no type", odd: odd{head: http.Header{ct: nil, dcd: {right}}, get: noType, body: body}, gets: 1, want: right},
		{name: "JSON type", odd: odd{head: asJSON, get: asJSON, body: body}, gets: 1, want: right},
		{name: "JSON type, no type inside", odd: odd{head: asJSON, get: asJSON, body: index}, gets: 1, want: string(hash("sha256", index))},
		{name: "HEAD is 405", odd: odd{headCode: 405, get: whole, body: body}, gets: 1, want: right},
		{name: "HEAD is 400", odd: odd{headCode: 400, get: whole, body: body}, gets: 1, want: right},
		{name: "HEAD is 501", odd: odd{headCode: 501, get: whole, body: body}, gets: 1, want: right},
		{name: "HEAD is 401", odd: odd{headCode: 401, get: whole, body: body}, gets: 1, want: right},
		{name: "HEAD is 403", odd: odd{headCode: 403, get: whole, body: body}, gets: 1, want: right},
		{name: "digest by sha512 on GET", odd: odd{head: typed, get: headers(ct, image.OCIManifest, dcd, right5), body: body}, gets: 1, want: right},

		{name: "lying header", odd: odd{head: typed, get: headers(ct, image.OCIManifest, dcd, wrong), body: body}, gets: 1, kind: ErrRefused, say: "the registry states " + wrong},
		{name: "HTML page", odd: odd{head: headers(ct, "text/html"), get: headers(ct, "text/html"), body: []byte("<html>")}, gets: 1, kind: ErrRefused, say: `media type "text/html"`},
		{name: "HTML page without type", odd: odd{head: noType, get: headers(ct, "text/plain"), body: []byte("<html>")}, gets: 1, kind: ErrRefused, say: "not JSON"},
		{name: "other type", odd: odd{head: headers(ct, "application/vnd.acme+json", dcd, right), get: headers(ct, "application/vnd.acme+json"), body: body}, gets: 1, kind: ErrRefused, say: "application/vnd.acme+json"},
		{name: "schema 1", odd: odd{head: headers(ct, image.DockerSchema1, dcd, right)}, kind: ErrSchema1},
		{name: "schema 1, signed", odd: odd{head: headers(ct, image.DockerSchema1Sign, dcd, right)}, kind: ErrSchema1},
		{name: "schema 1 on GET", odd: odd{headCode: 405, get: headers(ct, image.DockerSchema1Sign), body: signed}, gets: 1, kind: ErrSchema1},
		{name: "schema 1 inside", odd: odd{headCode: 405, get: asJSON, body: signed}, gets: 1, kind: ErrSchema1},
		{name: "neither", odd: odd{headCode: 405, get: typed, body: []byte(`{"schemaVersion":2}`)}, gets: 1, kind: ErrRefused, say: "neither"},
		{name: "both", odd: odd{headCode: 405, get: typed, body: []byte(`{"schemaVersion":2,"config":{},"manifests":[]}`)}, gets: 1, kind: ErrRefused, say: "neither"},
		{name: "index served as manifest", odd: odd{headCode: 405, get: typed, body: index}, gets: 1, kind: ErrRefused, say: "is served as"},
		{name: "type inside differs", odd: odd{headCode: 405, get: headers(ct, image.DockerManifest), body: body}, gets: 1, kind: ErrRefused, say: "is served as"},
		{name: "bad child digest", odd: odd{headCode: 405, get: headers(ct, image.OCIIndex), body: []byte(`{"schemaVersion":2,"manifests":[{"digest":"x"}]}`)}, gets: 1, kind: ErrRefused, say: "refused the index"},
		{name: "5 MiB", odd: odd{head: typed, get: typed, body: bytes.Repeat([]byte(" "), 5<<20)}, gets: 1, kind: ErrRefused, say: "more than 4 MiB"},
		{name: "other encoding", odd: odd{head: typed, get: headers(ct, image.OCIManifest, "Content-Encoding", "br"), body: body}, gets: 1, kind: ErrRefused, say: "content encoding"},
		{name: "404", odd: odd{headCode: 404}, kind: ErrNotFound},
		{name: "GET is 404", odd: odd{headCode: 405, getCode: 404}, gets: 1, kind: ErrNotFound},
		{name: "redirect to nowhere", odd: odd{headCode: 302}, say: "302 Found"},
		{name: "words of the registry", odd: odd{headCode: 400, getCode: 400, body: []byte("{\"errors\":[{\"code\":\"X\",\"message\":\"a\\nb\\u001b[31m https://u:p@h/p?token=t \u202e\"}]}")}, gets: 1, say: "400 Bad Request: X: a b[31m https://h/p"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.https("ghcr.io", ping(tc.odd.ServeHTTP))
			got, err := w.client(Options{}).Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1"))
			if n := w.count("GET ghcr.io/v2/acme"); n != tc.gets {
				t.Errorf("%d GETs, want %d", n, tc.gets)
			}
			if tc.want != "" {
				if err != nil || string(got.Digest) != tc.want {
					t.Errorf("got %s, %v; want %s", got.Digest, err, tc.want)
				}
				return
			}
			says(t, err, "resolve ghcr.io/acme/api:1: ", tc.say)
			if tc.kind != nil {
				is(t, err, tc.kind)
			}
		})
	}
}

// By digest, the bytes must be the ones asked for.
func TestLyingBody(t *testing.T) {
	w := newWorld(t)
	asked := hash("sha256", []byte("asked"))
	w.https("ghcr.io", ping(odd{
		head: headers("Content-Type", image.OCIManifest, "Docker-Content-Digest", string(hash("sha256", plainManifest))),
		get:  headers("Content-Type", image.OCIManifest, "Docker-Content-Digest", string(asked)), body: plainManifest,
	}.ServeHTTP))
	c := w.client(Options{})
	for _, get := range []func() error{
		func() error { _, err := c.Index(t.Context(), ref(t, "ghcr.io/acme/api@"+string(asked))); return err },
		func() error { _, err := c.Stat(t.Context(), ref(t, "ghcr.io/acme/api@"+string(asked))); return err },
	} {
		err := get()
		is(t, err, ErrRefused)
		says(t, err, string(asked)+" was asked for, and the bytes are "+string(hash("sha256", plainManifest)))
	}
}

func TestSHA512(t *testing.T) {
	w := newWorld(t)
	w.https("ghcr.io", ping(odd{headCode: 405, get: headers("Content-Type", image.OCIManifest), body: plainManifest}.ServeHTTP))
	digest := hash("sha512", plainManifest)
	got, err := w.client(Options{}).Stat(t.Context(), ref(t, "ghcr.io/acme/api@"+string(digest)))
	if err != nil || got.Digest != digest || got.Size != int64(len(plainManifest)) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestGzip(t *testing.T) {
	squeeze := func(r io.Reader) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.Copy(z, r)
		_ = z.Close()
		return b.Bytes()
	}
	for name, body := range map[string][]byte{
		"honest": squeeze(bytes.NewReader(plainManifest)),
		"bomb":   squeeze(io.LimitReader(zeros{}, 100<<20)),
	} {
		w := newWorld(t)
		w.https("ghcr.io", ping(odd{headCode: 405, get: headers("Content-Type", image.OCIManifest, "Content-Encoding", "gzip"), body: body}.ServeHTTP))
		got, err := w.client(Options{}).Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1"))
		if name == "honest" {
			if err != nil || got.Digest != hash("sha256", plainManifest) {
				t.Errorf("honest: got %+v, %v", got, err)
			}
			continue
		}
		is(t, err, ErrRefused)
		says(t, err, "more than 4 MiB")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A body that breaks off is asked for again, and never hashed.
func TestTruncated(t *testing.T) {
	for _, breaks := range []int{1, 9} {
		w := newWorld(t)
		left := breaks
		w.https("ghcr.io", ping(func(rw http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				rw.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			rw.Header().Set("Content-Type", image.OCIManifest)
			rw.Header().Set("Content-Length", strconv.Itoa(len(plainManifest)))
			if left--; left >= 0 {
				_, _ = rw.Write(plainManifest[:20])
				_ = http.NewResponseController(rw).Flush()
				panic(http.ErrAbortHandler)
			}
			_, _ = rw.Write(plainManifest)
		}))
		got, err := w.client(Options{}).Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1"))
		if breaks == 1 {
			if err != nil || got.Digest != hash("sha256", plainManifest) {
				t.Errorf("broken once: got %+v, %v", got, err)
			}
			continue
		}
		is(t, err, ErrTransient)
		if n := w.count("GET ghcr.io/v2/acme"); n != 3 {
			t.Errorf("%d attempts, want 3", n)
		}
	}
}

func TestHugeHeaders(t *testing.T) {
	w := newWorld(t)
	w.https("ghcr.io", ping(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("X-Padding", strings.Repeat("x", 2<<20))
	}))
	o := Options{Server: false}
	base, err := newTransport(o, &hosts{})
	if err != nil {
		t.Fatal(err)
	}
	own := base.(*http.Transport)
	own.DialContext, own.TLSClientConfig = w.transport().DialContext, w.transport().TLSClientConfig
	_, err = w.client(Options{Transport: own}).Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1"))
	is(t, err, ErrTransient)
}
