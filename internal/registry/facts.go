package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// configurations are the media types of what says what an image is; artifacts of other
// kinds have other ones (https://github.com/opencontainers/image-spec/blob/main/config.md).
var configurations = []string{"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}

// usual is the platform whose image speaks for an index.
var usual = image.Platform{OS: "linux", Architecture: "amd64"}

// Facts returns what the image that the digest of r names or, where r has none, its tag,
// says of itself. For an index, its manifest for linux/amd64 speaks or, without one, the
// first. What is not said, not well formed or too long is left out, as is what stands in
// a child or a configuration that the registry does not have. The errors are those of
// [Client.Resolve]; a digest that was read before is not asked for again, see [Client.Anew].
func (c *Client) Facts(ctx context.Context, r image.Ref) (image.Facts, error) {
	f, err := c.describe(ctx, r)
	if err != nil {
		return image.Facts{}, fmt.Errorf("describe %s: %w", r, err)
	}
	f.Platforms = slices.Clone(f.Platforms)
	f.Labels, f.Annotations = maps.Clone(f.Labels), maps.Clone(f.Annotations)
	return f, nil
}

func (c *Client) describe(ctx context.Context, r image.Ref) (image.Facts, error) {
	t, err := c.hosts.target(r)
	if err != nil {
		return image.Facts{}, err
	}
	if f, ok := c.content.known(t.repo.String() + "@" + string(r.Digest)); ok {
		return f, nil
	}
	a, err := c.index(ctx, r)
	if err != nil {
		return image.Facts{}, err
	}
	key := t.repo.String() + "@" + string(a.res.Digest)
	return c.facts.do(ctx, key, func(ctx context.Context) (image.Facts, error) {
		f, err := c.gather(ctx, r, a)
		if err == nil {
			c.content.keep(key, f)
		}
		return f, err
	})
}

// gather joins what an index or a manifest, one child and its configuration say.
func (c *Client) gather(ctx context.Context, r image.Ref, a answer) (image.Facts, error) {
	f := image.Facts{Digest: a.res.Digest, MediaType: a.res.MediaType, Size: a.res.Size, Labels: words{}, Annotations: words{}}
	annotations, labels := words(f.Annotations), words(f.Labels)
	annotations.fill(a.annotations)
	manifest := a
	if a.res.IsIndex() {
		f.Platforms = platforms(a.res.Children)
		manifest = answer{}
		if entry, ok := speaker(a.entries); ok {
			annotations.fill(entry.Annotations)
			found, err := c.index(ctx, image.Ref{Name: r.Name, Digest: image.Digest(entry.Digest)})
			if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrSchema1) {
				return image.Facts{}, fmt.Errorf("manifest %s: %w", image.Digest(entry.Digest).Short(), err)
			}
			manifest = found
		}
		annotations.fill(manifest.annotations)
	}
	config, err := c.configured(ctx, r, manifest.config)
	if err != nil {
		return image.Facts{}, err
	}
	f.Created = config.created
	labels.fill(config.labels)
	if f.Platforms == nil {
		f.Platforms = platforms(config.res.Children)
	}
	if f.Created.IsZero() {
		f.Created = moment(annotations[image.AnnotationCreated])
	}
	for key, value := range annotations {
		if strings.HasPrefix(key, "org.opencontainers.image.") {
			labels.fill(words{key: value})
		}
	}
	return f, nil
}

// configured reads the configuration that a manifest names, if it names one of an image
// and the registry has it.
func (c *Client) configured(ctx context.Context, r image.Ref, d descriptor) (answer, error) {
	digest, err := image.ParseDigest(d.Digest)
	if err != nil || !slices.Contains(configurations, d.MediaType) {
		return answer{}, nil
	}
	a, err := c.look(ctx, "config", r, "@"+string(digest), func(ctx context.Context, t target) (answer, error) {
		return c.config(ctx, t, digest)
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return answer{}, fmt.Errorf("configuration %s: %w", digest.Short(), err)
	}
	return a, nil
}

// speaker returns the entry of an index that speaks for all.
func speaker(entries []descriptor) (descriptor, bool) {
	entries = slices.DeleteFunc(slices.Clone(entries), descriptor.attestation)
	if len(entries) == 0 {
		return descriptor{}, false
	}
	i := slices.IndexFunc(entries, func(d descriptor) bool { return usual.Matches(d.Platform.image()) })
	return entries[max(i, 0)], true
}

// platforms lists each platform once, in order.
func platforms(children []image.Child) []image.Platform {
	var list []image.Platform
	for _, child := range children {
		if child.Platform != (image.Platform{}) && !slices.Contains(list, child.Platform) {
			list = append(list, child.Platform)
		}
	}
	return list
}

// A configuration is the part of an image's configuration that we read. What is only
// told, and nothing depends on, may be malformed.
type configuration struct {
	platform
	Created json.RawMessage `json:"created"`
	Config  json.RawMessage `json:"config"`
}

func (c configuration) labels() words {
	var config struct {
		Labels words `json:"Labels"`
	}
	if json.Unmarshal(c.Config, &config) != nil {
		return nil
	}
	return config.Labels
}

func (c configuration) created() time.Time {
	var s string
	if json.Unmarshal(c.Created, &s) != nil {
		return time.Time{}
	}
	return moment(s)
}

// moment reads a time of RFC 3339. Before 2000 there were no images: builds that are to be
// reproducible write 1970 or 1980 (https://reproducible-builds.org/docs/source-date-epoch/).
func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 2000 {
		return time.Time{}
	}
	return t.UTC()
}
