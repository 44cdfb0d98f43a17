package github

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// An Error is an answer of GitHub, or of the way to it, that is not the one asked for.
type Error struct {
	Op            string        // what was being done, such as "open a pull request in acme/config"
	Class         error         // exactly one of package promotion's
	Status        int           // of HTTP; 0 where there was no answer
	Message       string        // GitHub's words, or ours where it has none; one line
	Permission    string        // what the token may lack, such as "pull_requests=write"; "" = unknown
	Remedy        string        // what to do next
	Documentation string        // a page of GitHub's; "" = none
	After         time.Duration // how long to wait before asking again; 0 = GitHub does not say

	cause   error // context.Canceled or context.DeadlineExceeded, where the caller's context ended
	primary bool  // the limit is the one that is renewed each hour, of one resource

	blocked  []*promotion.Blocked // each rule that refuses, of promotion.ErrBlocked
	conflict *promotion.Conflict  // what changed, of promotion.ErrConflict, where GitHub says
}

// Error says what was done, what GitHub said, and what to do next.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v", e.Op, e.Class)
	if e.Message != "" {
		b.WriteString(": " + strings.TrimSuffix(e.Message, "."))
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.Remedy != "" {
		b.WriteString(": " + e.Remedy)
	}
	return b.String()
}

// Unwrap returns the class, the rules that refuse as *promotion.Blocked, what changed as
// *promotion.Conflict and, where the caller's context ended, its error.
func (e *Error) Unwrap() []error {
	all := []error{e.Class}
	for _, b := range e.blocked {
		all = append(all, b)
	}
	if e.conflict != nil {
		all = append(all, e.conflict)
	}
	if e.cause != nil {
		all = append(all, e.cause)
	}
	return all
}

// RetryAfter returns how long to wait before asking again.
func (e *Error) RetryAfter() time.Duration { return e.After }

// invalid is a request that we do not send.
func invalid(op, format string, args ...any) error {
	return &Error{Op: clean(op, ""), Class: promotion.ErrInvalid, Message: clean(fmt.Sprintf(format, args...), "")}
}

// absent says whether the answer is that it is not there.
func absent(err error) bool { return errors.Is(err, promotion.ErrNotFound) }

// found turns "it is not there" from an error into an answer.
func found(err error) (bool, error) {
	if absent(err) {
		return false, nil
	}
	return err == nil, err
}

// said says whether GitHub's message holds one of the phrases, given in small letters.
func said(err error, phrases ...string) bool {
	var e *Error
	return errors.As(err, &e) && holds(strings.ToLower(e.Message), phrases...)
}

func holds(text string, phrases ...string) bool {
	for _, p := range phrases {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// forbade says whether a permission is lacking.
func forbade(err error) bool { return errors.Is(err, promotion.ErrForbidden) }
