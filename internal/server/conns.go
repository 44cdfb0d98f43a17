package server

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
)

// conns bounds the connections of a server. One more than there is room for takes the place
// of the one that has been of no use for the longest time: that waits for a request, or of
// which nobody knows yet whether it may ask for anything.
type conns struct {
	most int

	mu    sync.Mutex
	order *list.List // of *conn, the one that changed its state least recently first
	place map[net.Conn]*list.Element
}

type conn struct {
	net.Conn
	held bool // it may ask for what it asks for
}

func newConns(most int) *conns {
	return &conns{most: most, order: list.New(), place: map[net.Conn]*list.Element{}}
}

// over returns a listener whose connections are bounded.
func (c *conns) over(l net.Listener) net.Listener { return bounded{l, c} }

type bounded struct {
	net.Listener
	conns *conns
}

// Accept returns the next connection that there is room for.
func (b bounded) Accept() (net.Conn, error) {
	for {
		raw, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if b.conns.admit(raw) {
			return raw, nil
		}
		_ = raw.Close()
	}
}

func (c *conns) admit(raw net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.place) >= c.most {
		e := c.order.Front()
		for e != nil && e.Value.(*conn).held {
			e = e.Next()
		}
		if e == nil {
			return false
		}
		c.remove(e)
	}
	c.place[raw] = c.order.PushBack(&conn{Conn: raw})
	return true
}

func (c *conns) remove(e *list.Element) {
	old := e.Value.(*conn)
	c.order.Remove(e)
	delete(c.place, old.Conn)
	_ = old.Close()
}

// changed is for http.Server's ConnState.
func (c *conns) changed(raw net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.place[raw]
	if e == nil {
		return
	}
	switch state {
	case http.StateClosed, http.StateHijacked:
		c.order.Remove(e)
		delete(c.place, raw)
	default:
		e.Value.(*conn).held = false
		c.order.MoveToBack(e)
	}
}

type connKey struct{}

// with is for http.Server's ConnContext.
func (c *conns) with(ctx context.Context, raw net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if e := c.place[raw]; e != nil {
			e.Value.(*conn).held = true
		}
	})
}

// hold keeps the connection of a request that may ask for what it asks for, until it is
// answered.
func hold(ctx context.Context) {
	if f, ok := ctx.Value(connKey{}).(func()); ok {
		f()
	}
}
