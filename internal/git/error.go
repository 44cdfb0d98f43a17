package git

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

var (
	// ErrNoRef: the remote, or the store, has no such ref. The error is a *RefError.
	ErrNoRef = errors.New("no such ref")
	// ErrMissing: an object is not in the store. A mirror that says so of a fetched ref is
	// damaged: close it, remove its directory, fetch anew.
	ErrMissing = errors.New("object is not in the store")
	// ErrShallow: history ends here only because no more of it was fetched.
	ErrShallow = errors.New("history is shallow here: fetch deeper to see more")
	// ErrCorrupt: bytes are not what git's formats say they should be.
	ErrCorrupt = errors.New("malformed data")
	// ErrLimit: something is larger than Limits allow. The error is a *LimitError.
	ErrLimit = errors.New("over a limit")
	// ErrLease: the ref is no longer where the push expected it. The error is a *LeaseError.
	ErrLease = errors.New("the ref has moved")
	// ErrRefused: the remote does not want the push. The error is a *RefusedError.
	ErrRefused = errors.New("the remote refused")
	// ErrAuth: credentials are missing, wrong or too weak. The error is an *AuthError.
	ErrAuth = errors.New("access denied")
	// ErrNotFound: the remote has no such repository, or none for these credentials.
	ErrNotFound = errors.New("repository not found")
	// ErrTransient: the remote or the way to it failed. After a push the outcome is unknown:
	// list the refs again.
	ErrTransient = errors.New("remote failed")
	// ErrLocked: another process has the mirror open.
	ErrLocked = errors.New("the mirror is in use by another process")

	// errMoved: the lock is on a file that no longer has its name.
	errMoved = errors.New("the mirror was taken away meanwhile")
)

// A RefError names a ref that is not there, or an object id that the remote does not give
// out.
type RefError struct{ Ref string }

func (e *RefError) Error() string { return fmt.Sprintf("no such ref: %s", e.Ref) }

// Is reports whether target is ErrNoRef.
func (e *RefError) Is(target error) bool { return target == ErrNoRef }

// A LeaseError says that a push met the ref elsewhere than it expected.
type LeaseError struct {
	Ref      string
	Expected Hash // zero: it should not exist
	Actual   Hash // where it is; zero: it does not exist, if Known
	Known    bool // Actual was read
}

func (e *LeaseError) Error() string {
	at := func(h Hash) string {
		if h.IsZero() {
			return "absent"
		}
		return "at " + h.String()
	}
	if !e.Known {
		return fmt.Sprintf("%s has moved: expected it %s", e.Ref, at(e.Expected))
	}
	return fmt.Sprintf("%s has moved: expected it %s, found it %s", e.Ref, at(e.Expected), at(e.Actual))
}

// Is reports whether target is ErrLease.
func (e *LeaseError) Is(target error) bool { return target == ErrLease }

// A RefusedError is a remote's no to a push: a hook's, a protected branch's, a rule's.
type RefusedError struct {
	Ref     string
	Message string // the remote's words, cleaned, at most 1,000 characters
}

func (e *RefusedError) Error() string { return fmt.Sprintf("push of %s refused: %s", e.Ref, e.Message) }

// Is reports whether target is ErrRefused.
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

// An AuthError says that a host denied access.
type AuthError struct {
	Host   string
	Status int  // 401: no credentials, or wrong ones; 403: known, and not permitted
	Sent   bool // credentials were sent
}

func (e *AuthError) Error() string {
	switch {
	case e.Status == 403:
		return fmt.Sprintf("%s forbids this (403): the token lacks the permission, or a limit was hit", e.Host)
	case e.Sent:
		return fmt.Sprintf("%s refused the credentials (%d): renew the token", e.Host, e.Status)
	}
	return fmt.Sprintf("%s asks for credentials (%d): none were given", e.Host, e.Status)
}

// Is reports whether target is ErrAuth.
func (e *AuthError) Is(target error) bool { return target == ErrAuth }

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

var secrets = regexp.MustCompile(`(?i)([a-z][a-z0-9+.-]*://)[^\s/@]*@`)

// clean makes foreign text fit for a message: one line of at most n characters, without
// control characters and without what stands before the @ of an address.
func clean(s string, n int) string {
	if len(s) > 8*n {
		s = s[:8*n]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = secrets.ReplaceAllString(strings.Join(strings.Fields(s), " "), "$1")
	if r := []rune(s); len(r) > n {
		s = string(r[:n]) + "..."
	}
	return s
}
