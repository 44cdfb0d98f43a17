package registry

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// A document is the part of a manifest or an index that we read
// (https://github.com/opencontainers/image-spec/blob/main/image-index.md).
type document struct {
	SchemaVersion int             `json:"schemaVersion"`
	MediaType     string          `json:"mediaType"`
	Manifests     []descriptor    `json:"manifests"`
	Config        *descriptor     `json:"config"`
	Layers        json.RawMessage `json:"layers"`
	Annotations   words           `json:"annotations"`
}

type descriptor struct {
	MediaType   string   `json:"mediaType"`
	Digest      string   `json:"digest"`
	Size        int64    `json:"size"`
	Platform    platform `json:"platform"`
	Annotations words    `json:"annotations"`
}

// A platform is spelled alike in an index and in an image's configuration.
type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

// inspect reads the bytes of a manifest that a registry says is of a media type. It
// refuses what two clients could read as two things
// (https://github.com/opencontainers/distribution-spec/security/advisories/GHSA-mc8v-mgrf-8f4m).
func inspect(media string, body []byte) (answer, error) {
	if schema1(media) {
		return answer{}, ErrSchema1
	}
	if !known(media) && !vague(media) {
		return answer{}, refuse("refused media type %q: want an image manifest or index", clean(media))
	}
	var d document
	if err := json.Unmarshal(body, &d); err != nil {
		return answer{}, refuse("refused the manifest: it is not JSON of an image manifest or index")
	}
	if d.SchemaVersion == 1 {
		return answer{}, ErrSchema1
	}
	isIndex, isManifest := d.Manifests != nil, d.Config != nil || d.Layers != nil
	if d.SchemaVersion != 2 || isIndex == isManifest {
		return answer{}, refuse("refused the manifest: it is neither an image manifest nor an index")
	}
	if vague(media) {
		media = d.guess(isIndex)
	}
	a := answer{res: image.Resolution{MediaType: media, Size: int64(len(body))}}
	if !known(media) || a.res.IsIndex() != isIndex || d.MediaType != "" && d.MediaType != media {
		return answer{}, refuse("refused the manifest: it is served as %q and says of itself %q", clean(media), clean(d.MediaType))
	}
	a.annotations = d.Annotations
	if !isIndex {
		if d.Config != nil {
			a.config = *d.Config
		}
		return a, nil
	}
	a.entries = d.Manifests
	return a, a.fill()
}

// guess returns the media type of a document that was served without one.
func (d document) guess(isIndex bool) string {
	switch {
	case d.MediaType != "":
		return d.MediaType
	case isIndex:
		return image.OCIIndex
	}
	return image.OCIManifest
}

// fill lists the children, but for the attestations that BuildKit stores beside them
// (https://docs.docker.com/build/metadata/attestations/attestation-storage/).
func (a *answer) fill() error {
	a.res.Children = []image.Child{}
	for _, e := range a.entries {
		digest, err := image.ParseDigest(e.Digest)
		if err != nil {
			return refuse("refused the index: %s", clean(err.Error()))
		}
		if e.attestation() {
			continue
		}
		a.res.Children = append(a.res.Children, image.Child{Digest: digest, Platform: e.Platform.image()})
	}
	return nil
}

func (d descriptor) attestation() bool {
	return d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown"
}

// image returns the platform with its words cleaned: they are foreign text.
func (p platform) image() image.Platform {
	return image.Platform{OS: clean(p.OS), Architecture: clean(p.Architecture), Variant: clean(p.Variant)}
}

func known(media string) bool {
	return slices.Contains([]string{image.OCIIndex, image.OCIManifest, image.DockerIndex, image.DockerManifest}, media)
}

func schema1(media string) bool {
	return media == image.DockerSchema1 || media == image.DockerSchema1Sign
}

// vague reports the media types that plain file servers use for any JSON.
func vague(media string) bool {
	return slices.Contains([]string{"", "application/json", "application/octet-stream", "text/plain"}, media)
}

func mediaType(h http.Header) string {
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return strings.ToLower(strings.TrimSpace(h.Get("Content-Type")))
	}
	return media
}

// headerDigest returns the digest that a registry states, if it states one that is
// well formed.
func headerDigest(h http.Header) (image.Digest, bool) {
	values := h.Values("Docker-Content-Digest")
	if len(values) != 1 {
		return "", false
	}
	d, err := image.ParseDigest(values[0])
	return d, err == nil
}

func algorithm(d image.Digest) string {
	name, _, _ := strings.Cut(string(d), ":")
	return name
}

// hash names bytes by sha512 where that is asked for, else by sha256.
func hash(algorithm string, b []byte) image.Digest {
	if algorithm == "sha512" {
		sum := sha512.Sum512(b)
		return image.Digest("sha512:" + hex.EncodeToString(sum[:]))
	}
	sum := sha256.Sum256(b)
	return image.Digest("sha256:" + hex.EncodeToString(sum[:]))
}
