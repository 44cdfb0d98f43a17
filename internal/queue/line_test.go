package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
)

// Who comes while a commit is under way shares the next one.
func TestLineGathers(t *testing.T) {
	synctest.Test(t, gathers)
}

func gathers(t *testing.T) {
	begun, gate := make(chan int, 10), make(chan struct{})
	l := line{most: 100, commit: func(_ context.Context, batch []*entry) error {
		begun <- len(batch)
		<-gate
		return nil
	}}
	var all sync.WaitGroup
	join := func() {
		all.Go(func() {
			if err := l.join(t.Context(), &entry{}); err != nil {
				t.Error(err)
			}
		})
	}
	join()
	if n := <-begun; n != 1 {
		t.Fatalf("the first commit is of %d", n)
	}
	for range 7 {
		join()
	}
	synctest.Wait()
	close(gate)
	if n := <-begun; n != 7 {
		t.Errorf("the second commit is of %d, want 7", n)
	}
	all.Wait()
}

// Beyond its bound a line refuses at once, and takes more when there is room.
func TestLineFull(t *testing.T) {
	synctest.Test(t, full)
}

func full(t *testing.T) {
	begun, gate := make(chan struct{}, 10), make(chan struct{})
	l := line{most: 2, commit: func(context.Context, []*entry) error { begun <- struct{}{}; <-gate; return nil }}
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if err := l.join(context.Background(), &entry{}); err != nil {
				t.Error(err)
			}
		})
	}
	<-begun
	synctest.Wait()
	if err := l.join(t.Context(), &entry{}); !errors.Is(err, ErrFull) {
		t.Errorf("%v, want ErrFull", err)
	}
	close(gate)
	all.Wait()
	if err := l.join(t.Context(), &entry{}); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// One entry that the database refuses does not make its neighbours fail, and when the database
// takes nothing each is told so, without a long wait for all.
func TestLineSettles(t *testing.T) {
	bad := errors.New("a row that does not fit")
	for _, c := range []struct {
		name   string
		refuse func(e *entry) bool
		failed int
		most   int // commits
	}{
		{"none", func(*entry) bool { return false }, 0, 1},
		{"one", func(e *entry) bool { return e.guid == "3" }, 1, 21},
		{"all", func(*entry) bool { return true }, 20, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			commits := 0
			l := line{commit: func(_ context.Context, batch []*entry) error {
				commits++
				for _, e := range batch {
					e.fresh = true
					if c.refuse(e) {
						return fmt.Errorf("insert: %w", bad)
					}
				}
				return nil
			}}
			var batch []*entry
			for n := range 20 {
				batch = append(batch, &entry{guid: fmt.Sprint(n)})
			}
			l.settle(batch)
			failed := 0
			for _, e := range batch {
				if e.err != nil {
					failed++
					if e.fresh {
						t.Errorf("entry %s failed and is fresh", e.guid)
					}
				}
			}
			if failed != c.failed || commits > c.most {
				t.Errorf("%d failed in %d commits, want %d in at most %d", failed, commits, c.failed, c.most)
			}
		})
	}
}

// Who gives up waiting is told so.
func TestLineGivesUp(t *testing.T) {
	gate := make(chan struct{})
	l := line{most: 2, commit: func(context.Context, []*entry) error { <-gate; return nil }}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the client went away")
	cancel(why)
	if err := l.join(ctx, &entry{}); !errors.Is(err, why) {
		t.Errorf("%v, want %v", err, why)
	}
	close(gate)
}
