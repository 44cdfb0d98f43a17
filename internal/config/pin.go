package config

import "github.com/pinnace-dev/pinnace/internal/image"

// Pin says how images are pinned.
type Pin struct {
	Style    Style    `json:"style"`
	Platform string   `json:"platform"` // PlatformIndex or os/architecture[/variant]
	Exclude  []string `json:"exclude"`  // globs of files left alone
	Ignore   []string `json:"ignore"`   // globs of images left alone
	Extra    []Extra  `json:"extra"`
}

// A Style is how a pin is written.
type Style string

// The styles.
const (
	StyleTagAndDigest Style = "tag-and-digest" // name:tag@sha256:...
	StyleDigestOnly   Style = "digest-only"    // name@sha256:... # tag
)

// PlatformIndex pins an image for all its platforms.
const PlatformIndex = "index"

// OnePlatform returns the platform whose manifest is pinned; false where the index
// is.
func (p Pin) OnePlatform() (image.Platform, bool) {
	if p.Platform == PlatformIndex {
		return image.Platform{}, false
	}
	return image.ParsePlatform(p.Platform)
}

// An Extra names places of images that Pinnace does not know.
type Extra struct {
	Paths    []string `json:"paths"`    // globs of files
	Kind     string   `json:"kind"`     // only objects of this kind; empty: any
	Pointers []string `json:"pointers"` // JSON pointers; * is every item or key
}

// ExtraOf returns the extra places that are configured for a file.
func (c *Config) ExtraOf(path string) []Extra {
	var found []Extra
	for _, x := range c.Pin.Extra {
		if matchesAny(x.Paths, path) {
			found = append(found, x)
		}
	}
	return found
}
