package server

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// A budget is what is left of a number of bytes.
type budget struct{ left atomic.Int64 }

func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

func (b *budget) give(n int64) { b.left.Add(n) }

// What is wrong with a body.
var (
	errTooLarge = errors.New("the body is too large")
	errTooSlow  = errors.New("the body came too slowly")
	errNoRoom   = errors.New("too many bodies are being read")
	errCutShort = errors.New("the body ended early")
)

// firstRead is how many bytes a body has room for before any came.
const firstRead = 8 << 10

// read returns a body of at most most bytes, and what gives its room back, which must be
// called in any case. Room is taken as bytes come, whatever length the header claims, and each
// further part must come in time.
func (s *Server) read(w http.ResponseWriter, r *http.Request, most int64) (body []byte, release func(), err error) {
	var small, large int64
	release = func() {
		s.small.give(small)
		s.large.give(large)
		small, large = 0, 0
	}
	room := func(size int64) bool {
		more := min(size, s.limits.lane) - small
		if more > 0 {
			if !s.small.take(more) {
				return false
			}
			small += more
		}
		if more = size - s.limits.lane - large; more > 0 {
			if !s.large.take(more) {
				return false
			}
			large += more
		}
		return true
	}
	if r.ContentLength > most {
		return nil, release, errTooLarge
	}
	// One byte more shows where the body ends, or that it does not.
	full := most + 1
	if r.ContentLength >= 0 {
		full = r.ContentLength + 1
	}
	size := min(full, firstRead)
	if !room(size) {
		return nil, release, errNoRoom
	}
	control := http.NewResponseController(w)
	start := s.now()
	end := start.Add(s.limits.bodyTime)
	body = make([]byte, 0, size)
	for {
		due := start.Add(s.limits.grace + time.Duration(int64(len(body))*int64(time.Second)/s.limits.rate))
		if due.After(end) {
			due = end
		}
		_ = control.SetReadDeadline(due) // a writer without deadlines is a test's
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > most:
			return nil, release, errTooLarge
		case err == io.EOF:
			// Where a body was refused the deadline stays, for what net/http reads of the rest. From
			// here on it only looks whether the client left.
			_ = control.SetReadDeadline(time.Time{})
			return body, release, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, release, errTooSlow
		case err != nil:
			return nil, release, errCutShort
		}
		if len(body) < cap(body) {
			continue
		}
		size = min(2*size, full)
		if !room(size) {
			return nil, release, errNoRoom
		}
		grown := make([]byte, len(body), size)
		copy(grown, body)
		body = grown
	}
}
