package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/pinnace-dev/pinnace/internal/image"
)

var (
	// ErrNotFound: the registry knows no such manifest, or no such repository.
	ErrNotFound = image.ErrUnknown
	// ErrSchema1: the manifest is of Docker's schema 1, which has no stable digest
	// and which current runtimes do not pull.
	ErrSchema1 = errors.New("docker schema 1 manifest: push the image again with a current client")
	// ErrRefused: we would not ask there, or would not believe the answer.
	ErrRefused = errors.New("refused")
	// ErrTransient: the registry or the way to it failed; a later pass may succeed.
	ErrTransient = image.ErrTransient
)

// An AuthError says that a registry denied a repository. Registry and Repository
// name what was asked, which is the mirror where one is set; Status is 401 or 403.
type AuthError struct {
	Registry   string
	Repository string
	Status     int
	Known      bool   // credentials for the registry were found
	Withheld   string // host of the token server that credentials were kept from
	Detail     string // the registry's own words, cleaned
}

func (e *AuthError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s denies %s", e.Registry, cmp.Or(e.Repository, "access"))
	if e.Detail != "" {
		fmt.Fprintf(&b, " (%s)", e.Detail)
	}
	switch {
	case e.Withheld != "":
		fmt.Fprintf(&b, ": its credentials were withheld from token server %s, which is not of its domain", e.Withheld)
	case e.Known:
		fmt.Fprintf(&b, ": its credentials do not allow this; renew them with: docker login %s", e.Registry)
	default:
		fmt.Fprintf(&b, ": the image is private or does not exist; log in with: docker login %s", e.Registry)
	}
	return b.String()
}

// A RateLimitError says that a host wants no more requests until a time. It is
// returned for the answer that said so and, without a request, for every other
// look-up at the host until then. Registry is docker.io for Docker Hub.
type RateLimitError struct {
	Registry   string
	RetryAfter time.Duration // from the moment of the error
	Until      time.Time
}

func (e *RateLimitError) Error() string {
	return fmt.Sprintf("%s limits requests until %s", e.Registry, e.Until.UTC().Format(time.RFC3339))
}

// Resumes returns Until.
func (e *RateLimitError) Resumes() time.Time { return e.Until }

// A fault has a message of our own, and a kind and a cause to find with errors.Is.
type fault struct {
	text  string
	kind  error
	cause error
}

func (f *fault) Error() string { return f.text }

func (f *fault) Unwrap() []error {
	var errs []error
	for _, err := range []error{f.kind, f.cause} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

func refuse(format string, args ...any) error {
	return &fault{text: fmt.Sprintf(format, args...), kind: ErrRefused}
}

// unwrapped returns the error of ours inside what net/http or go-containerregistry
// made of it; their messages repeat URLs and answers.
func unwrapped(host string, err error) error {
	if own := ours(err); own != nil {
		return own
	}
	var answered *transport.Error
	if errors.As(err, &answered) {
		return statusFault(host, answered.StatusCode, "")
	}
	text := err
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		text = wrapped.Err
	}
	return &fault{text: host + ": " + clean(text.Error()), cause: err}
}

// ours returns the error inside err that needs no further words, or nil.
func ours(err error) error {
	var limited *RateLimitError
	var f *fault
	switch {
	case errors.As(err, &limited):
		return limited
	case errors.As(err, &f):
		return f
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return nil
}

func statusFault(host string, status int, detail string) error {
	f := &fault{text: fmt.Sprintf("%s answered %s", host, statusText(status))}
	if detail != "" {
		f.text += ": " + detail
	}
	if failing(status) {
		f.kind = ErrTransient
	}
	return f
}

func statusText(status int) string {
	if s := http.StatusText(status); s != "" {
		return fmt.Sprintf("%d %s", status, s)
	}
	return fmt.Sprint(status)
}

var addresses = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://[^\s"'<>]+`)

// clean makes foreign text fit for a message: one line without control characters,
// at most 200 characters, addresses without user, query and fragment.
func clean(s string) string {
	const most = 200
	if len(s) > 8*most {
		s = s[:8*most]
	}
	s = addresses.ReplaceAllStringFunc(s, func(a string) string {
		u, err := url.Parse(a)
		if err != nil {
			return "[address]"
		}
		return u.Scheme + "://" + u.Host + u.EscapedPath()
	})
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "..."
	}
	return s
}
