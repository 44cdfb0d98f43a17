package queue

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrFull says that too many calls wait for the database already: nothing was accepted.
var ErrFull = errors.New("too many deliveries wait for the database: try again later")

// commitTime bounds one commit of many entries.
const commitTime = 30 * time.Second

// batchMost is how many entries one commit holds at most.
const batchMost = 256

// An entry is what one caller wants committed.
type entry struct {
	guid, event, action string // none for a raise alone
	received            time.Time
	raises              []raise

	fresh bool // guid was not there before
	err   error
	done  chan struct{} // closed after the commit
}

// A line is where callers wait for a commit that takes all who came while the one before was
// under way: durable writes cost one flush of the disk for many.
type line struct {
	commit func(context.Context, []*entry) error
	most   int

	mu      sync.Mutex
	waiting []*entry
	count   int // waiting and being committed
	busy    bool
}

// join waits until e is committed. Where ctx ends first, whether it will be is not known.
func (l *line) join(ctx context.Context, e *entry) error {
	e.done = make(chan struct{})
	l.mu.Lock()
	if l.count >= l.most {
		l.mu.Unlock()
		return ErrFull
	}
	l.count++
	l.waiting = append(l.waiting, e)
	if !l.busy {
		l.busy = true
		go l.drain()
	}
	l.mu.Unlock()
	select {
	case <-e.done:
		return e.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// drain commits until nobody waits.
func (l *line) drain() {
	for {
		l.mu.Lock()
		n := min(len(l.waiting), batchMost)
		if n == 0 {
			l.waiting, l.busy = nil, false
			l.mu.Unlock()
			return
		}
		batch := l.waiting[:n:n]
		l.waiting = l.waiting[n:]
		l.mu.Unlock()

		l.settle(batch)

		l.mu.Lock()
		l.count -= n
		l.mu.Unlock()
		for _, e := range batch {
			close(e.done)
		}
	}
}

// settle commits a batch or says of each entry why not. Where the batch fails, each entry is
// tried by itself, so that nobody fails for a neighbour's sake.
func (l *line) settle(batch []*entry) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	err := l.commit(ctx, batch)
	if err == nil {
		return
	}
	failed := 0
	for _, e := range batch {
		e.fresh = false
		if e.err = err; len(batch) == 1 || failed > 2 || ctx.Err() != nil {
			// It is not the neighbours: the database takes nothing now.
			continue
		}
		if e.err = l.commit(ctx, []*entry{e}); e.err != nil {
			failed++
			e.fresh = false
		}
	}
}
