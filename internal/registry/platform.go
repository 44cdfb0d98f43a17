package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// Platform returns the manifest for one platform of what the tag of r means now. An
// index must have exactly one; the manifest of a single image must be for p by its
// configuration, of at most 4 MiB. The error names the platforms that exist. Other
// errors are those of [Client.Resolve].
func (c *Client) Platform(ctx context.Context, r image.Ref, p image.Platform) (image.Resolution, error) {
	a, err := c.platform(ctx, r, p)
	if err != nil {
		err = fmt.Errorf("for %s: %w", p, err)
	}
	return a.result("resolve", r, err)
}

func (c *Client) platform(ctx context.Context, r image.Ref, p image.Platform) (answer, error) {
	tagged := r
	if r.Tag != "" {
		tagged.Digest = ""
	}
	if tagged.Pinned() {
		return c.tag(ctx, r) // the error that a digest has no tag
	}
	a, err := c.index(ctx, tagged)
	if err != nil {
		return answer{}, err
	}
	if !a.res.IsIndex() {
		return c.single(ctx, tagged, a, p)
	}
	var fit []image.Digest
	for _, child := range a.res.Children {
		if p.Matches(child.Platform) && !slices.Contains(fit, child.Digest) {
			fit = append(fit, child.Digest)
		}
	}
	switch len(fit) {
	case 0:
		return answer{}, &fault{text: "the image has " + offered(a.res.Children), kind: ErrNotFound}
	case 1:
	default:
		return answer{}, refuse("refused to choose: the index has %d manifests for it", len(fit))
	}
	child := image.Ref{Name: r.Name, Digest: fit[0]}
	found, err := c.stat(ctx, child)
	if err == nil && found.res.IsIndex() {
		err = refuse("refused the child %s: it is itself an index", fit[0].Short())
	}
	return found, err
}

// single accepts the manifest of a single image if its configuration is for p.
func (c *Client) single(ctx context.Context, r image.Ref, a answer, p image.Platform) (answer, error) {
	digest, err := image.ParseDigest(a.config.Digest)
	if err != nil {
		return answer{}, refuse("refused the manifest: its configuration: %s", clean(err.Error()))
	}
	config, err := c.look(ctx, "config", r, "@"+string(digest), func(ctx context.Context, t target) (answer, error) {
		return c.config(ctx, t, digest)
	})
	if err != nil {
		return answer{}, fmt.Errorf("configuration %s: %w", digest.Short(), err)
	}
	if children := config.res.Children; !p.Matches(children[0].Platform) {
		return answer{}, &fault{text: "the image has " + offered(children), kind: ErrNotFound}
	}
	return a, nil
}

// config reads an image's configuration; its platform is the one child of the answer
// (https://github.com/opencontainers/image-spec/blob/main/config.md).
func (c *Client) config(ctx context.Context, t target, digest image.Digest) (answer, error) {
	r, err := c.send(ctx, http.MethodGet, t, "blobs", string(digest))
	if err != nil {
		return answer{}, err
	}
	if r.StatusCode != http.StatusOK {
		return answer{}, r.failure(t)
	}
	if err := r.verify(digest); err != nil {
		return answer{}, err
	}
	var said configuration
	if err := json.Unmarshal(r.body, &said); err != nil {
		return answer{}, refuse("refused the configuration: it is not JSON")
	}
	return answer{
		res:     image.Resolution{Children: []image.Child{{Digest: digest, Platform: said.image()}}},
		labels:  said.labels(),
		created: said.created(),
	}, nil
}

// offered lists platforms for a message.
func offered(children []image.Child) string {
	const most = 20
	var names []string
	for _, child := range children {
		if child.Platform != (image.Platform{}) {
			names = append(names, child.Platform.String())
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	switch {
	case len(names) == 0:
		return "no platform"
	case len(names) > most:
		names = append(names[:most], "...")
	}
	return strings.Join(names, ", ")
}
