package watch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash/fnv"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/image"
)

const (
	longestWait = 6 * time.Hour // until something that cannot be asked for is asked for again
	// gaps is how many looks in a row must miss a digest that was seen before it counts as gone.
	gaps     = 2
	firstGap = time.Hour // until the second of these looks
	pageSize = 1000      // tags that one look at a list of tags is worth
)

// ask looks at one thing: it returns what it is now, and how many looks that was worth.
func (w *Watcher) ask(ctx context.Context, registries Registry, thing event.Watched) (seen string, cost int, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	ref := image.Ref{Name: thing.Name, Tag: thing.Tag, Digest: image.Digest(thing.Digest)}
	switch {
	case thing.Tag != "":
		r, err := registries.Resolve(ctx, ref)
		if err == nil && thing.Seen != "" && string(r.Digest) != thing.Seen {
			// A HEAD's digest is a claim, and it has consequences now.
			r, err = registries.Index(ctx, ref)
			return string(r.Digest), 2, err
		}
		return string(r.Digest), 1, err
	case thing.Digest != "":
		_, err := registries.Stat(ctx, ref)
		return thing.Digest, 1, err
	}
	tags, err := registries.Tags(ctx, ref)
	sum := sha256.New()
	for _, t := range tags {
		sum.Write([]byte(t + "\n"))
	}
	return "tags:" + hex.EncodeToString(sum.Sum(nil)), 1 + len(tags)/pageSize, err
}

// sight is what becomes of a thing after a look at it.
func (w *Watcher) sight(thing event.Watched, seen string, err error, now time.Time) event.Sight {
	s := event.Sight{Now: thing, Was: thing.Seen, Gaps: thing.Gaps, Due: thing.Due}
	next := &s.Now
	next.Asked = now
	every := w.every(thing)
	switch {
	case err == nil:
		if thing.Seen != seen {
			next.Seen, next.First = seen, now
		}
		next.Last, next.Gone, next.Gaps, next.Failures = now, time.Time{}, 0, 0
		next.Due = now.Add(jittered(thing, every))
		return s
	case errors.Is(err, image.ErrUnknown):
		if next.Gaps++; next.Gone.IsZero() {
			next.Gone = now
		}
	}
	next.Failures++
	wait := min(every<<min(next.Failures, 10), max(longestWait, every))
	if next.Digest != "" && next.Failures == 1 {
		wait = min(firstGap, every)
	}
	next.Due = now.Add(jittered(thing, wait))
	return s
}

func (w *Watcher) every(thing event.Watched) time.Duration {
	switch {
	case thing.Tag != "":
		return w.Tags
	case thing.Digest != "":
		return w.Pins
	}
	return w.Lists
}

// jittered spreads what was due at one time over a fifth of the interval: the same for the same
// thing at the same time, so that a run can be repeated.
func jittered(thing event.Watched, d time.Duration) time.Duration {
	return d - d/10 + time.Duration(fraction(thing, thing.Due.UnixNano())*float64(d)/5)
}

// fraction is a number from 0 to 1 that looks random.
func fraction(thing event.Watched, salt int64) float64 {
	h := fnv.New64a()
	for _, part := range []string{thing.Name, thing.Tag, thing.Digest} {
		h.Write([]byte(part + "\x00"))
	}
	var b [16]byte
	for i := range 8 {
		b[i], b[8+i] = byte(thing.Installation>>(8*i)), byte(salt>>(8*i))
	}
	h.Write(b[:])
	sum := h.Sum64()
	sum ^= sum >> 33 // the last bytes alone do not reach the upper bits
	sum *= 0xff51afd7ed558ccd
	sum ^= sum >> 33
	return float64(sum>>11) / (1 << 53)
}
