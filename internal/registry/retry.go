package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxRetries  = 2
	waitBudget  = 30 * time.Second // all waits of one request together
	limitPause  = time.Minute      // where a host limits us and does not say for how long
	longestHold = 24 * time.Hour
)

// retryAfter reads a Retry-After of seconds or of a date
// (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after).
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	s := strings.TrimSpace(h.Get("Retry-After"))
	if d, ok := seconds(s); ok {
		return d, true
	}
	at, err := http.ParseTime(s)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), longestHold), true
}

// asked returns for how long an answer asks us to stay away.
func asked(resp *http.Response, now time.Time) (time.Duration, bool) {
	if d, ok := retryAfter(resp.Header, now); ok {
		return d, true
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		return exhausted(resp.Header, now)
	}
	return 0, false
}

// exhausted reads Docker Hub's "ratelimit-remaining: 0;w=21600" and returns how long
// to hold off: what ratelimit-reset says (seconds, or a Unix time), else the window
// (https://docs.docker.com/docker-hub/usage/pulls/#view-pull-rate-and-limit).
func exhausted(h http.Header, now time.Time) (time.Duration, bool) {
	left, window, _ := strings.Cut(h.Get("Ratelimit-Remaining"), ";")
	if n, err := strconv.ParseInt(strings.TrimSpace(left), 10, 64); err != nil || n > 0 {
		return 0, false
	}
	if n, err := strconv.ParseInt(strings.TrimSpace(h.Get("Ratelimit-Reset")), 10, 64); err == nil && n > 1e9 && n < 1e11 {
		return min(max(time.Unix(n, 0).Sub(now), 0), longestHold), true
	}
	if d, ok := seconds(h.Get("Ratelimit-Reset")); ok {
		return d, true
	}
	for param := range strings.SplitSeq(window, ";") {
		if w, ok := strings.CutPrefix(strings.TrimSpace(param), "w="); ok {
			if d, ok := seconds(w); ok {
				return d, true
			}
		}
	}
	return limitPause, true
}

func seconds(s string) (time.Duration, bool) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 63)
	if err != nil {
		return 0, false
	}
	return min(time.Duration(min(n, 1e8))*time.Second, longestHold), true
}

// backoff returns the wait before the next attempt: about half a second, then about
// two.
func backoff(attempt int) time.Duration {
	base := 500 * time.Millisecond << (2 * attempt)
	return base/2 + rand.N(base)
}

// failing reports the status codes that a later attempt may not meet.
func failing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// passing reports whether an error of the transport may be gone at the next attempt.
func passing(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		lookup      *net.DNSError
	)
	switch {
	case errors.Is(err, ErrRefused), errors.Is(err, context.Canceled), errors.Is(err, http.ErrSchemeMismatch):
		return false
	case errors.As(err, &certificate), errors.As(err, &authority), errors.As(err, &record), errors.As(err, &alert):
		return false
	case errors.As(err, &lookup):
		return !lookup.IsNotFound
	}
	return true
}
