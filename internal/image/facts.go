package image

import "time"

// The annotations, and labels, that say where an image comes from
// (https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys).
const (
	AnnotationCreated  = "org.opencontainers.image.created"
	AnnotationSource   = "org.opencontainers.image.source"
	AnnotationRevision = "org.opencontainers.image.revision"
	AnnotationVersion  = "org.opencontainers.image.version"
)

// Facts are what an image says of itself. Its makers wrote them, and nobody checked;
// what it does not say is zero. Labels and Annotations are foreign text as it stands.
type Facts struct {
	Digest      Digest
	MediaType   string
	Size        int64      // bytes of the manifest itself
	Platforms   []Platform // those of an index, without attestations, or the one of an image
	Created     time.Time
	Labels      map[string]string // of the configuration; org.opencontainers.image.* also from Annotations
	Annotations map[string]string // of the index, then of the manifest
}

// Source returns the address that the image says its source code is at.
func (f Facts) Source() string { return f.Labels[AnnotationSource] }

// Revision returns the commit that the image says it was built from.
func (f Facts) Revision() string { return f.Labels[AnnotationRevision] }

// Version returns the version that the image says it has.
func (f Facts) Version() string { return f.Labels[AnnotationVersion] }
