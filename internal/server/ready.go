package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// readiness remembers for a second what the checks said: strangers may ask as often as they
// like.
type readiness struct {
	mu    sync.Mutex
	asked time.Time
	found []finding
}

type finding struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	found := s.findings(r.Context())
	ready := true
	for _, f := range found {
		ready = ready && f.OK
	}
	status := http.StatusOK
	if !ready {
		status = http.StatusServiceUnavailable
	}
	if !s.trusts(r) {
		found = nil
	}
	h := w.Header()
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		h.Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(struct {
			Ready  bool      `json:"ready"`
			Checks []finding `json:"checks,omitempty"`
		}{ready, found})
		return
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if ready {
		_, _ = fmt.Fprintln(w, "ready")
	} else {
		_, _ = fmt.Fprintln(w, "not ready")
	}
	for _, f := range found {
		if f.OK {
			_, _ = fmt.Fprintf(w, "ok    %s\n", f.Name)
		} else {
			_, _ = fmt.Fprintf(w, "wrong %s: %s\n", f.Name, f.Reason)
		}
	}
}

// findings runs the checks, all at once, or returns what they said within the last second.
func (s *Server) findings(ctx context.Context) []finding {
	select {
	case <-s.stopping:
		return []finding{{Name: "server", Reason: "it stops"}}
	default:
	}
	s.ready.mu.Lock()
	defer s.ready.mu.Unlock()
	if now := s.now(); s.ready.asked.IsZero() || now.Sub(s.ready.asked) >= time.Second {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.check)
		defer cancel()
		s.ready.found = check(ctx, s.o.Ready)
		s.ready.asked = s.now()
	}
	return s.ready.found
}

// check asks all at once, and waits for none beyond the end of ctx.
func check(ctx context.Context, checks []Check) []finding {
	found, answers := make([]finding, len(checks)), make([]chan error, len(checks))
	for i, c := range checks {
		answers[i] = make(chan error, 1)
		go func() {
			defer func() {
				if p := recover(); p != nil {
					answers[i] <- fmt.Errorf("the check panicked: %v", p)
				}
			}()
			answers[i] <- c.Run(ctx)
		}()
	}
	for i, c := range checks {
		var err error
		select {
		case err = <-answers[i]:
		case <-ctx.Done():
			err = fmt.Errorf("no answer in time: %w", ctx.Err())
		}
		if found[i] = (finding{Name: c.Name, OK: err == nil}); err != nil {
			found[i].Reason = strings.Join(strings.Fields(clip(err)), " ")
		}
	}
	return found
}
