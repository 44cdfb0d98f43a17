package registry

import (
	"context"
	"errors"
	"sync"
	"testing"
)

func TestMemo(t *testing.T) {
	var m memo[int]
	runs := 0
	one := func(context.Context) (int, error) { runs++; return runs, errors.New("kept") }
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if v, err := m.do(t.Context(), "k", one); v != 1 || err == nil {
				t.Errorf("got %d, %v", v, err)
			}
		})
	}
	wg.Wait()

	m.put("k", 7)
	m.forget("k", func(v int) bool { return v == 8 })
	if v, err := m.do(t.Context(), "k", one); v != 7 || err != nil {
		t.Errorf("after put: got %d, %v", v, err)
	}
	m.forget("k", func(v int) bool { return v == 7 })
	m.forget("none", func(int) bool { return true })
	if v, _ := m.do(t.Context(), "k", one); v != 2 {
		t.Errorf("after forget: got %d, want another run", v)
	}
}

// One caller that leaves does not take the result from another; the last one does.
func TestMemoCancel(t *testing.T) {
	var m memo[int]
	started, finish := make(chan struct{}, 2), make(chan struct{})
	work := func(ctx context.Context) (int, error) {
		started <- struct{}{}
		select {
		case <-finish:
			return 1, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	impatient, cancel := context.WithCancel(t.Context())
	left, stayed := make(chan error), make(chan int)
	go func() { _, err := m.do(impatient, "k", work); left <- err }()
	<-started
	joined := make(chan struct{})
	go func() {
		close(joined)
		v, _ := m.do(t.Context(), "k", work)
		stayed <- v
	}()
	<-joined
	for waiting := 0; waiting < 2; {
		m.mu.Lock()
		waiting = m.calls["k"].waiting
		m.mu.Unlock()
	}
	cancel()
	is(t, <-left, context.Canceled)
	close(finish)
	if v := <-stayed; v != 1 || len(started) != 0 {
		t.Errorf("the caller that stayed got %d, after %d more runs", v, len(started))
	}
	_, err := m.do(impatient, "other", work)
	is(t, err, context.Canceled)
}
