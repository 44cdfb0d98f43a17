package reconcile

import (
	"context"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// Files is a set of files under slash-separated paths.
type Files interface {
	// Walk calls visit for every file, always in the same order, until visit returns an
	// error, and returns it. unreadable says why a path is not to be read: a directory,
	// with a slash at its end, is not entered, or the path is a link. A link's error
	// has a method Names that returns the path it names, or "" outside of the set.
	Walk(ctx context.Context, visit func(path string, unreadable error) error) error
	// Read returns the bytes of a file, or an error where there are more than limit.
	Read(path string, limit int64) ([]byte, error)
	// Replace puts data in the place of old at once: a reader, or the next run after a
	// crash, sees either all of the one or all of the other. It fails, and changes
	// nothing, where the file does not hold old.
	Replace(path string, old, data []byte) error
}

// Resolver asks registries. An image.ErrUnknown is an answer: there is no such thing. Any
// other error is no answer. Repeating a question costs nothing.
type Resolver interface {
	// Resolve says what the tag means now.
	Resolve(ctx context.Context, r image.Ref) (image.Resolution, error)
	// Platform says which manifest of the tag's index is for the platform.
	Platform(ctx context.Context, r image.Ref, p image.Platform) (image.Resolution, error)
	// Stat says whether the digest exists, and of which media type it is.
	Stat(ctx context.Context, r image.Ref) (image.Resolution, error)
	// Index returns the digest's, or without one the tag's, manifest with the children of
	// an index.
	Index(ctx context.Context, r image.Ref) (image.Resolution, error)
}
