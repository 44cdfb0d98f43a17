package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
)

// An answer is how a request ended. Its text is one of ours, whatever was sent.
type answer struct {
	status int
	// outcome is the observer's word: accepted, duplicate, ignored, refused or failed.
	outcome string
	text    string
	retry   int  // seconds for Retry-After, 0 = none
	shut    bool // the connection is of no further use
}

var (
	accepted   = answer{status: http.StatusAccepted, outcome: "accepted", text: "accepted"}
	ignored    = answer{status: http.StatusAccepted, outcome: "ignored", text: "accepted; there is nothing to look at"}
	duplicate  = answer{status: http.StatusOK, outcome: "duplicate", text: "known already"}
	unsigned   = answer{status: http.StatusUnauthorized, outcome: "refused", text: "the signature or the secret is missing or wrong", shut: true}
	unmarked   = answer{status: http.StatusBadRequest, outcome: "refused", text: "X-GitHub-Event and X-GitHub-Delivery must stand there once each", shut: true}
	unreadable = answer{status: http.StatusBadRequest, outcome: "refused", text: "the body is not what it should be"}
	notJSON    = answer{status: http.StatusUnsupportedMediaType, outcome: "refused", text: "the body must be JSON, uncompressed: set the webhook's content type to application/json", shut: true}
	tooLarge   = answer{status: http.StatusRequestEntityTooLarge, outcome: "refused", text: "the body is too large", shut: true}
	tooSlow    = answer{status: http.StatusRequestTimeout, outcome: "refused", text: "the body came too slowly", shut: true}
	cutShort   = answer{status: http.StatusBadRequest, outcome: "refused", text: "the body ended early", shut: true}
	tooMany    = answer{status: http.StatusTooManyRequests, outcome: "refused", text: "too many notifications", retry: 5, shut: true}
	noRoom     = answer{status: http.StatusServiceUnavailable, outcome: "failed", text: "busy: send it again later", retry: 2, shut: true}
	notKept    = answer{status: http.StatusServiceUnavailable, outcome: "failed", text: "it could not be kept: send it again later", retry: 5}
	notSetUp   = answer{status: http.StatusServiceUnavailable, outcome: "failed", text: "this server is not set up yet", retry: 60, shut: true}
	brokeDown  = answer{status: http.StatusInternalServerError, outcome: "failed", text: "something went wrong here", shut: true}
)

// ofBody returns the answer to a body that was not read.
func ofBody(err error) answer {
	switch err {
	case errTooLarge:
		return tooLarge
	case errTooSlow:
		return tooSlow
	case errNoRoom:
		return noRoom
	default:
		return cutShort
	}
}

func (a answer) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if a.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(a.retry))
	}
	if a.shut {
		h.Set("Connection", "close")
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.text+"\n")
}

// A note is what is logged of a request: checked words and numbers, no foreign text.
type note struct {
	door     string // github, or a registry's kind
	delivery string
	event    string
	action   string
	looks    []event.Look
	size     int
	err      error
	began    time.Time
	trusted  bool // the signature or secret was right
}

// tell logs and counts how a request ended.
func (s *Server) tell(ctx context.Context, n note, a answer) {
	took := s.now().Sub(n.began)
	name := n.event
	if n.door != "github" {
		name = "registry"
	} else if name == "" {
		name = "other"
	}
	s.o.Observer.Event(name, a.outcome)
	if a.status < 300 {
		s.o.Observer.Accepted(took)
	}
	level := slog.LevelInfo
	switch a.outcome {
	case "failed":
		level = slog.LevelError
	case "refused":
		level = slog.LevelWarn
	}
	// Strangers write no log, but for a line now and then.
	if !s.o.Log.Enabled(ctx, level) || !n.trusted && !s.noise.ok() {
		return
	}
	line := []slog.Attr{
		slog.String("door", n.door), slog.String("delivery", n.delivery), slog.String("event", n.event), slog.String("action", n.action),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000), slog.String("outcome", a.outcome), slog.Int("status", a.status), slog.Int("bytes", n.size),
	}
	if len(n.looks) > 0 {
		l := n.looks[0]
		line = append(line, slog.Int64("installation", l.Installation))
		if l.Owner != "" {
			line = append(line, slog.String("repo", l.Owner+"/"+l.Name))
		}
	}
	if n.err != nil {
		line = append(line, slog.String("error", clip(n.err)))
	}
	s.o.Log.LogAttrs(ctx, level, a.text, line...)
}

// clip returns an error's text, of which senders may have made a part.
func clip(err error) string {
	text := strings.ToValidUTF8(err.Error(), "?")
	if len(text) > 500 {
		text = strings.ToValidUTF8(text[:500], "") + "..."
	}
	return text
}
