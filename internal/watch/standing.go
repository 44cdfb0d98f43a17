package watch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/image"
)

const (
	maxStands = 2000 // images of one repository that are watched
	maxPlace  = 200  // bytes
)

// Standing says what stands in a repository now, in place of what was said before. What is no
// image is left out, and of more than 2,000 images those that come first by name are watched.
// It costs one read where nothing changed.
func (w *Watcher) Standing(ctx context.Context, s event.Subject, all []event.Stands) error {
	stands := w.merged(s, all)
	sum := sha256.New()
	for _, x := range stands {
		fmt.Fprintf(sum, "%q %q %q %v %q %d\n", x.Name, x.Tag, x.Digest, x.Tracked, x.Place, x.More)
	}
	now := w.Now()
	first := now.Add(time.Duration(fraction(event.Watched{Installation: s.Installation}, s.Repository) * float64(w.Pins)))
	_, err := w.Ledger.Stand(ctx, event.Standing{
		Subject: s, Print: hex.EncodeToString(sum.Sum(nil)), Images: stands, Watched: w.watched(s, stands, now), Report: first,
	}, now)
	if err != nil {
		return fmt.Errorf("write down which images stand in repository %d: %w", s.Repository, err)
	}
	return nil
}

// Forget drops what is known of a repository or, with Repository 0, of an installation.
func (w *Watcher) Forget(ctx context.Context, s event.Subject) error {
	if err := w.Ledger.Forget(ctx, s, w.Now()); err != nil {
		return fmt.Errorf("forget which images stand in repository %d: %w", s.Repository, err)
	}
	return nil
}

// merged makes one entry of each image that stands somewhere, in order.
func (w *Watcher) merged(s event.Subject, all []event.Stands) []event.Stands {
	type key struct{ name, tag, digest string }
	found := map[key]event.Stands{}
	for _, x := range all {
		ref, err := image.Parse(image.Ref{Name: x.Name, Tag: x.Tag, Digest: image.Digest(x.Digest)}.String())
		if err != nil {
			continue
		}
		x.Name = ref.Repository()
		if x.Digest == "" {
			x.Tag = ref.TagOrLatest()
		}
		x.Place = strings.ToValidUTF8(x.Place[:min(len(x.Place), maxPlace)], "")
		k := key{x.Name, x.Tag, x.Digest}
		if before, ok := found[k]; ok {
			x.Tracked = x.Tracked || before.Tracked
			x.Place, x.More = min(x.Place, before.Place), x.More+before.More+1
		}
		found[k] = x
	}
	stands := slices.SortedFunc(maps.Values(found), func(a, b event.Stands) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Digest, b.Digest))
	})
	if len(stands) > maxStands {
		w.Log.Warn("a repository has more images than are watched", "installation", s.Installation, "repository", s.Repository, "images", len(stands), "watched", maxStands)
		stands = stands[:maxStands]
	}
	return stands
}

// watched lists what is to be asked for, each once, as it begins. A tag is due at once, since
// it cannot move before it was seen; digests are spread over the time between two looks.
func (w *Watcher) watched(s event.Subject, stands []event.Stands, now time.Time) []event.Watched {
	seen := map[event.Watched]bool{}
	var all []event.Watched
	add := func(thing event.Watched) {
		if seen[thing] {
			return
		}
		seen[thing] = true
		ref := image.Ref{Name: thing.Name}
		thing.Installation, thing.Host, thing.Due = s.Installation, ref.Registry(), now
		if thing.Digest != "" {
			thing.Due = now.Add(time.Duration(fraction(thing, 0) * float64(w.Pins)))
		}
		all = append(all, thing)
	}
	for _, x := range stands {
		if x.Tag != "" {
			add(event.Watched{Name: x.Name, Tag: x.Tag})
		}
		if x.Digest != "" {
			add(event.Watched{Name: x.Name, Digest: x.Digest})
		}
		if x.Tracked {
			add(event.Watched{Name: x.Name})
		}
	}
	return all
}
