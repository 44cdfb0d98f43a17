package registry

import (
	"context"
	"sync"
)

// A memo runs the work for each key once and gives everyone its result, errors
// included. The zero value is ready.
type memo[V any] struct {
	mu    sync.Mutex
	calls map[string]*call[V]
}

type call[V any] struct {
	done    chan struct{} // closed when value and err are set
	value   V
	err     error
	waiting int // owned by memo.mu
	cancel  context.CancelFunc
}

// do waits for the key's result. The work outlives a caller that gives up while
// others wait; once nobody waits it is cancelled and forgotten.
func (m *memo[V]) do(ctx context.Context, key string, work func(context.Context) (V, error)) (V, error) {
	var none V
	if err := ctx.Err(); err != nil {
		return none, err
	}
	m.mu.Lock()
	c := m.calls[key]
	if c == nil {
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		c = &call[V]{done: make(chan struct{}), cancel: cancel}
		if m.calls == nil {
			m.calls = map[string]*call[V]{}
		}
		m.calls[key] = c
		go func() {
			defer cancel()
			c.value, c.err = work(own)
			close(c.done)
		}()
	}
	c.waiting++
	m.mu.Unlock()

	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		m.leave(key, c)
		return none, ctx.Err()
	}
}

func (m *memo[V]) leave(key string, c *call[V]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c.waiting--
	select {
	case <-c.done:
		return
	default:
	}
	if c.waiting == 0 {
		c.cancel()
		if m.calls[key] == c {
			delete(m.calls, key)
		}
	}
}

// forget drops the key's result if old says that it is the one to drop.
func (m *memo[V]) forget(key string, old func(V) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.calls[key]
	if c == nil {
		return
	}
	select {
	case <-c.done:
		if c.err == nil && old(c.value) {
			delete(m.calls, key)
		}
	default:
	}
}

// put sets the key's result.
func (m *memo[V]) put(key string, v V) {
	c := &call[V]{done: make(chan struct{}), value: v, cancel: func() {}}
	close(c.done)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls == nil {
		m.calls = map[string]*call[V]{}
	}
	m.calls[key] = c
}
