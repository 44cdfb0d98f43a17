package image

import (
	"errors"
	"strings"
)

// ErrUnknown is a registry's answer that it has no such image. Every other error of a
// look-up is no answer.
var ErrUnknown = errors.New("manifest unknown")

// ErrTransient says that a registry, or the way to it, failed: a later look-up may succeed.
var ErrTransient = errors.New("registry failed")

// The manifest media types that a reference may resolve to
// (https://github.com/opencontainers/image-spec/blob/main/media-types.md).
const (
	OCIIndex          = "application/vnd.oci.image.index.v1+json"
	OCIManifest       = "application/vnd.oci.image.manifest.v1+json"
	DockerIndex       = "application/vnd.docker.distribution.manifest.list.v2+json"
	DockerManifest    = "application/vnd.docker.distribution.manifest.v2+json"
	DockerSchema1     = "application/vnd.docker.distribution.manifest.v1+json"
	DockerSchema1Sign = "application/vnd.docker.distribution.manifest.v1+prettyjws"
)

// A Resolution is what a registry said about one reference. Size counts the bytes of
// the manifest itself. Children is set only where the index was read.
type Resolution struct {
	Digest    Digest
	MediaType string
	Size      int64
	Children  []Child
}

// IsIndex reports whether the digest names an index (a manifest list) rather than
// the manifest of one platform.
func (r Resolution) IsIndex() bool {
	return r.MediaType == OCIIndex || r.MediaType == DockerIndex
}

// A Child is one entry of an index.
type Child struct {
	Digest   Digest
	Platform Platform
}

// A Platform is what an image runs on, spelled os/architecture[/variant].
type Platform struct {
	OS           string
	Architecture string
	Variant      string
}

func (p Platform) String() string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}

// ParsePlatform reads os/architecture[/variant].
func ParsePlatform(s string) (Platform, bool) {
	parts := strings.Split(s, "/")
	if len(parts) < 2 || len(parts) > 3 {
		return Platform{}, false
	}
	for _, part := range parts {
		if part == "" || strings.ContainsAny(part, " \t\r\n") {
			return Platform{}, false
		}
	}
	p := Platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
	}
	return p, true
}

// Matches reports whether an image for q runs where p is asked for: the same
// operating system and architecture, and the same variant, where the variant v8 of
// arm64 is its default.
func (p Platform) Matches(q Platform) bool {
	return p.OS == q.OS && p.Architecture == q.Architecture && variant(p) == variant(q)
}

func variant(p Platform) string {
	if p.Architecture == "arm64" && p.Variant == "v8" {
		return ""
	}
	return p.Variant
}
