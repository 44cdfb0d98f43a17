package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// Resolve returns what the tag of r, or latest, means now. A digest beside the tag is
// not looked at; a digest alone is an error, as are [ErrNotFound], [ErrSchema1],
// [ErrRefused], [ErrTransient], [*AuthError] and [*RateLimitError]. Size is 0 where
// the registry does not state one.
func (c *Client) Resolve(ctx context.Context, r image.Ref) (image.Resolution, error) {
	a, err := c.tag(ctx, r)
	return a.result("resolve", r, err)
}

func (c *Client) tag(ctx context.Context, r image.Ref) (answer, error) {
	if r.Tag == "" && r.Pinned() {
		return answer{}, errors.New("the reference has a digest and no tag to ask for")
	}
	return c.look(ctx, "head", r, ":"+r.TagOrLatest(), func(ctx context.Context, t target) (answer, error) {
		return c.head(ctx, t, r.TagOrLatest(), "")
	})
}

// Stat asks whether the registry has the digest of r, and returns its media type and
// size. The errors are those of [Client.Resolve].
func (c *Client) Stat(ctx context.Context, r image.Ref) (image.Resolution, error) {
	a, err := c.stat(ctx, r)
	return a.result("look up", r, err)
}

func (c *Client) stat(ctx context.Context, r image.Ref) (answer, error) {
	if !r.Pinned() {
		return answer{}, errors.New("the reference has no digest to ask for")
	}
	return c.look(ctx, "head", r, "@"+string(r.Digest), func(ctx context.Context, t target) (answer, error) {
		return c.head(ctx, t, string(r.Digest), r.Digest)
	})
}

// Index reads the manifest that the digest of r names or, where r has none, its tag.
// Children holds the entries of an index, without attestations, and is nil for the
// manifest of a single image. The errors are those of [Client.Resolve].
func (c *Client) Index(ctx context.Context, r image.Ref) (image.Resolution, error) {
	a, err := c.index(ctx, r)
	return a.result("read", r, err)
}

func (c *Client) index(ctx context.Context, r image.Ref) (answer, error) {
	key, reference := ":"+r.TagOrLatest(), r.TagOrLatest()
	if r.Pinned() {
		key, reference = "@"+string(r.Digest), string(r.Digest)
	}
	return c.look(ctx, "get", r, key, func(ctx context.Context, t target) (answer, error) {
		return c.get(ctx, t, reference, r.Digest)
	})
}

// result hands out an answer as the caller's own.
func (a answer) result(verb string, r image.Ref, err error) (image.Resolution, error) {
	if err != nil {
		return image.Resolution{}, fmt.Errorf("%s %s: %w", verb, r, err)
	}
	a.res.Children = slices.Clone(a.res.Children)
	return a.res, nil
}
