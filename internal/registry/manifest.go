package registry

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// accept names the manifests that we understand. Without the list a registry may
// answer with schema 1 or with the index's child for linux/amd64
// (https://github.com/opencontainers/distribution-spec/issues/207).
var accept = strings.Join([]string{image.DockerManifest, image.DockerIndex, image.OCIManifest, image.OCIIndex}, ", ")

// An answer is what a look-up found out.
type answer struct {
	res         image.Resolution
	entries     []descriptor // of an index that was read
	config      descriptor   // of a manifest that was read
	annotations words        // of an index or a manifest that was read
	labels      words        // of a configuration
	created     time.Time    // of a configuration
}

// A reply is an HTTP answer, read whole.
type reply struct {
	*http.Response
	body  []byte
	grant *grant
	home  bool // it came from the registry itself, not from where that sent us
}

// send asks the registry for one of its resources. A token that has worked and is
// denied now is renewed once.
func (c *Client) send(ctx context.Context, method string, t target, kind, reference string) (reply, error) {
	return c.query(ctx, method, t, kind, reference, "")
}

// query is send with a query string.
func (c *Client) query(ctx context.Context, method string, t target, kind, reference, query string) (reply, error) {
	for attempt := 0; ; attempt++ {
		g, d, err := c.grant(ctx, t)
		if err != nil {
			return reply{}, err
		}
		u := d.url(t)
		u.Path = "/v2/" + t.repo.RepositoryStr() + "/" + kind + "/" + reference
		u.RawQuery = query
		ctx := withLane(ctx, lane{registry: d.url(t), owner: originOf(u), auth: g.auth})
		req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
		if err != nil {
			return reply{}, refuse("%s makes no address", clean(u.Host)) // unreachable: its parts were checked
		}
		if kind == "manifests" {
			req.Header.Set("Accept", accept)
		}
		resp, err := c.http.Do(req)
		if err != nil {
			return reply{}, unwrapped(t.host, err)
		}
		body, err := io.ReadAll(resp.Body) // already in memory
		resp.Body.Close()
		if err != nil {
			return reply{}, unwrapped(t.host, err)
		}
		r := reply{Response: resp, body: body, grant: g, home: originOf(resp.Request.URL) == originOf(u)}
		if r.StatusCode != http.StatusUnauthorized {
			g.works.Store(true)
		} else if r.home && attempt == 0 && c.renew(t, d, g, resp.Header) {
			continue
		}
		return r, nil
	}
}

// head asks for a manifest's headers, and for its bytes where these do not suffice.
// want is the digest that was asked for, or empty for a tag.
func (c *Client) head(ctx context.Context, t target, reference string, want image.Digest) (answer, error) {
	r, err := c.send(ctx, http.MethodHead, t, "manifests", reference)
	if err != nil {
		return answer{}, err
	}
	switch s := r.StatusCode; {
	case s == http.StatusOK:
		media := mediaType(r.Header)
		if schema1(media) {
			return answer{}, ErrSchema1
		}
		digest, ok := headerDigest(r.Header)
		if ok && known(media) && (want == "" || want == digest) {
			return answer{res: image.Resolution{Digest: digest, MediaType: media, Size: max(r.ContentLength, 0)}}, nil
		}
	case s == http.StatusNotFound, failing(s), s >= 300 && s < 400:
		return answer{}, r.failure(t)
	}
	return c.get(ctx, t, reference, want)
}

// get reads a manifest and hashes it.
func (c *Client) get(ctx context.Context, t target, reference string, want image.Digest) (answer, error) {
	r, err := c.send(ctx, http.MethodGet, t, "manifests", reference)
	if err != nil {
		return answer{}, err
	}
	if r.StatusCode != http.StatusOK {
		return answer{}, r.failure(t)
	}
	if err := r.verify(want); err != nil {
		return answer{}, err
	}
	a, err := inspect(mediaType(r.Header), r.body)
	if err != nil {
		return answer{}, err
	}
	a.res.Digest = want
	if want == "" {
		a.res.Digest = hash("sha256", r.body)
	}
	return a, nil
}

// verify holds the bytes against the digest that was asked for and the one that the
// registry states.
func (r reply) verify(want image.Digest) error {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return refuse("refused an answer in content encoding %q", clean(e))
	}
	if got := hash(algorithm(want), r.body); want != "" && got != want {
		return refuse("refused the manifest: %s was asked for, and the bytes are %s", want, got)
	}
	if stated, ok := headerDigest(r.Header); ok {
		if got := hash(algorithm(stated), r.body); got != stated {
			return refuse("refused the manifest: the registry states %s, and the bytes are %s", stated, got)
		}
	}
	return nil
}

// failure classifies an answer that is not the thing asked for.
func (r reply) failure(t target) error {
	detail, code := r.detail()
	switch r.StatusCode {
	case http.StatusNotFound:
		if code == transport.NameUnknownErrorCode {
			return &fault{text: "repository unknown", kind: ErrNotFound}
		}
		return ErrNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return r.grant.denied(t, r.StatusCode, detail)
	}
	host := t.host
	if !r.home {
		host = originOf(r.Request.URL).String()
	}
	return statusFault(host, r.StatusCode, detail)
}

// detail returns the registry's own words
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes).
func (r reply) detail() (string, transport.ErrorCode) {
	if !r.home {
		return "answered by " + originOf(r.Request.URL).String(), ""
	}
	var said struct {
		Errors []struct {
			Code    transport.ErrorCode `json:"code"`
			Message string              `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(r.body, &said) != nil || len(said.Errors) == 0 {
		return "", ""
	}
	first := said.Errors[0]
	return r.grant.clean(string(first.Code) + ": " + first.Message), first.Code
}
