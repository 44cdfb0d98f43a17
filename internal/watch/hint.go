package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/image"
)

// maxHints is how many hints may wait to be written down.
const maxHints = 1000

// errHints says that a push is not looked at now. Whatever was pushed is found at the next
// look that is due.
var errHints = errors.New("too many pushes wait to be looked at")

// Pushed says that a registry announced an image, by tag, by digest or by both. What is watched
// of it, by whatever installation, is due before everything else at its host. It does not wait
// for that. The error says that the text is no image, or that too many wait.
func (w *Watcher) Pushed(_ context.Context, pushed string) error {
	ref, err := image.Parse(pushed)
	if err != nil {
		return fmt.Errorf("look at what was pushed: %w", err)
	}
	things := []event.Watched{{Name: ref.Repository()}}
	if ref.Tag != "" || ref.Digest == "" {
		things = append(things, event.Watched{Name: ref.Repository(), Tag: ref.TagOrLatest()})
	}
	if ref.Digest != "" {
		things = append(things, event.Watched{Name: ref.Repository(), Digest: string(ref.Digest)})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, thing := range things {
		if !w.hints[thing] && len(w.hints) >= maxHints {
			return errHints
		}
		w.hints[thing] = true
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return nil
}

// hint writes down the hints that wait.
func (w *Watcher) hint(ctx context.Context, now time.Time) error {
	w.mu.Lock()
	var things []event.Watched
	for thing := range w.hints {
		things = append(things, thing)
	}
	clear(w.hints)
	w.mu.Unlock()
	if len(things) == 0 {
		return nil
	}
	if err := w.Ledger.Hint(ctx, things, now, hintGap); err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, thing := range things[:min(len(things), maxHints-len(w.hints))] {
			w.hints[thing] = true
		}
		return fmt.Errorf("write down what was pushed: %w", err)
	}
	return nil
}
