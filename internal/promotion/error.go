package promotion

import (
	"errors"
	"time"
)

// The classes of an outside answer that is not the one asked for. Exactly one of them
// matches, by errors.Is, each error that an adapter of GitHub returns.
var (
	ErrNotFound        = errors.New("not found")          // it is not there, or the token may not see it
	ErrConflict        = errors.New("conflict")           // it changed meanwhile: read again, judge again
	ErrForbidden       = errors.New("not permitted")      // the token lacks a permission; asking again is in vain
	ErrUnauthenticated = errors.New("not authenticated")  // no token, or one that is refused
	ErrRateLimited     = errors.New("rate limited")       // asking again is right, later
	ErrInvalid         = errors.New("refused as invalid") // the request itself is wrong
	ErrTransient       = errors.New("temporary failure")  // the outcome is unknown: read again
	ErrBlocked         = errors.New("blocked by a rule")  // a rule of the repository refuses it
)

// A Delay is an error that knows how long to wait before asking again.
type Delay interface {
	error
	RetryAfter() time.Duration
}
