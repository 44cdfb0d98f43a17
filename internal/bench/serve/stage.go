package main

import (
	"context"
	"errors"

	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// A stage is a GitHub, and a pinnace serve that is the server of its App.
type stage struct {
	*world
	*child
}

// stage makes a GitHub, has set fill it and install the App, and starts the server. See is told of
// each request to GitHub; it may be nil. Whoever calls it closes it.
func (b *bench) stage(ctx context.Context, name string, see func(sandbox.Exchange), set func(*world), flags ...string) (*stage, error) {
	at, err := address()
	if err != nil {
		return nil, err
	}
	w, err := newWorld("http://"+at+"/webhooks/github", see)
	if err != nil {
		return nil, err
	}
	set(w)
	c, err := b.serve(ctx, w, at, name, flags...)
	if err != nil {
		w.Close()
		return nil, err
	}
	return &stage{w, c}, nil
}

// close ends the server and then GitHub, and adds to err what went wrong with them.
func (s *stage) close(err *error) {
	*err = errors.Join(*err, s.stop(), s.broken())
	s.Close()
}
