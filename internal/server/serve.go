package server

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
)

// maxHeader bounds a request's header in bytes; net/http adds 4 KiB.
const maxHeader = 16 << 10

// Handler returns what answers requests. What bounds connections and their pace is [Server.Serve]'s.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve answers requests until ctx ends. Then /readyz says so, Drain passes, and what is under
// way has 15 seconds to end. It is called once. The listener is closed.
//
// A header must come within 5 seconds, a body within 10 and, after the first 2, with at least
// 32 KiB/s. There are at most 2,048 connections, 32 MiB of what are the first 256 KiB of
// bodies, and 64 MiB of the rest.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	connections := newConns(s.limits.connections)
	server := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: s.limits.header,
		ReadTimeout:       s.limits.header + s.limits.bodyTime,
		WriteTimeout:      s.limits.write,
		IdleTimeout:       s.limits.idle,
		MaxHeaderBytes:    maxHeader,
		ConnState:         connections.changed,
		ConnContext:       connections.with,
		ErrorLog:          slog.NewLogLogger(s.o.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(connections.over(l)) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	close(s.stopping)
	server.SetKeepAlivesEnabled(false)
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-s.after(s.o.Drain):
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.shutdown)
	defer cancel()
	err := server.Shutdown(grace)
	if err != nil {
		_ = server.Close()
		err = fmt.Errorf("end what is under way: %w", err)
	}
	<-ended
	return err
}
