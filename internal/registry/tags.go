package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// Bounds of one list of tags.
const (
	pageSize = 1000
	maxPages = 500
	maxTags  = 50_000
	maxQuery = 8 << 10 // bytes
)

// Tags returns all tags of r's repository, sorted as text, each once. Tags that
// no reference can be written with are left out. A list of more than 50,000 tags or 500
// pages is refused as a whole. The other errors are those of [Client.Resolve].
func (c *Client) Tags(ctx context.Context, r image.Ref) ([]string, error) {
	t, err := c.hosts.target(r)
	var tags []string
	if err == nil {
		tags, err = c.lists.do(ctx, t.repo.String(), func(ctx context.Context) ([]string, error) {
			return c.list(ctx, t)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("list tags of %s: %w", r.Name, err)
	}
	return slices.Clone(tags), nil
}

// list reads page after page
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags).
func (c *Client) list(ctx context.Context, t target) ([]string, error) {
	var tags []string
	seen := map[string]bool{}
	query := fmt.Sprint("n=", pageSize)
	asked := map[string]bool{}
	for query != "" {
		if asked[query] {
			return nil, refuse("refused the tag list: its next page is one that was read")
		}
		if asked[query] = true; len(asked) > maxPages {
			return nil, refuse("refused a tag list of more than %d pages", maxPages)
		}
		r, err := c.query(ctx, http.MethodGet, t, "tags", "list", query)
		if err != nil {
			return nil, err
		}
		if r.StatusCode != http.StatusOK {
			return nil, r.failure(t)
		}
		var page struct {
			Tags []string `json:"tags"`
		}
		if err := json.Unmarshal(r.body, &page); err != nil {
			return nil, refuse("refused the tag list: it is not JSON of tags")
		}
		for _, tag := range page.Tags {
			if seen[tag] || !written(tag) {
				continue
			}
			if seen[tag] = true; len(seen) > maxTags {
				return nil, refuse("refused a list of more than %d tags", maxTags)
			}
			tags = append(tags, tag)
		}
		if query, err = next(t, r.Header.Values("Link")); err != nil {
			return nil, err
		}
	}
	slices.Sort(tags) // registries have orders of their own
	return tags, nil
}

// written reports whether a reference can be written with the tag.
func written(tag string) bool {
	r, err := image.Parse("x:" + tag)
	return err == nil && r.Tag == tag
}

// links matches the links of a header: their targets and parameters
// (https://www.rfc-editor.org/rfc/rfc8288#section-3).
var (
	links    = regexp.MustCompile(`<([^<>]*)>((?:[^,"<]|"[^"]*")*)`)
	nextLink = regexp.MustCompile(`(?i);\s*rel\s*=\s*("([^"]*\s)?next(\s[^"]*)?"|next\s*(;|$))`)
)

// next returns the query of the next page, or "" where there is none. Of the link nothing
// else is followed: registries behind a proxy often state the wrong scheme or path.
func next(t target, header []string) (string, error) {
	for _, link := range links.FindAllStringSubmatch(strings.Join(header, ", "), -1) {
		if !nextLink.MatchString(link[2]) {
			continue
		}
		u, err := url.Parse(link[1])
		switch {
		case err != nil:
			return "", refuse("refused the tag list: the link to its next page is no address")
		case u.Host != "" && !strings.EqualFold(u.Hostname(), hostname(t)):
			return "", refuse("refused the tag list: its next page is at %s, which is another host", clean(u.Host))
		case u.User != nil, u.Opaque != "", u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http":
			return "", refuse("refused the tag list: the link to its next page is no plain address")
		case u.RawQuery == "" || len(u.RawQuery) > maxQuery || strings.ContainsFunc(u.RawQuery, func(r rune) bool { return r <= ' ' || r > '~' }):
			return "", refuse("refused the tag list: the link to its next page names no page")
		}
		return u.RawQuery, nil
	}
	return "", nil
}
