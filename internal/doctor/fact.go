package doctor

import (
	"errors"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Fact is something that was seen, or why it was not.
type Fact[T any] struct {
	value T
	known bool
	why   string // not known: why nobody asked
	err   error  // not known: what came instead of an answer
}

// Seen is a fact that is known.
func Seen[T any](v T) Fact[T] { return Fact[T]{value: v, known: true} }

// Unasked is a fact that nobody asked for.
func Unasked[T any](why string) Fact[T] { return Fact[T]{why: why} }

// Unanswered is a fact that could not be had.
func Unanswered[T any](err error) Fact[T] { return Fact[T]{err: err} }

// A Skip is the answer of a port that a question does not make sense as things are.
type Skip string

// Error returns why.
func (s Skip) Error() string { return string(s) }

// fact is what a question gave.
func fact[T any](v T, err error) Fact[T] {
	var s Skip
	switch {
	case errors.As(err, &s):
		return Unasked[T](string(s))
	case err != nil:
		return Unanswered[T](err)
	}
	return Seen(v)
}

// lacking is a fact that hangs on another one, which is not known.
func lacking[T, U any](f Fact[U], what string) Fact[T] {
	if f.err != nil {
		return Unasked[T](what + " could not be read")
	}
	return Unasked[T](f.why)
}

// get returns the value, or the finding that there is none.
func (f Fact[T]) get() (T, *Finding) {
	if f.known {
		return f.value, nil
	}
	why := f.why
	switch {
	case f.err != nil:
		why = "what this looks at could not be read"
	case why == "":
		why = "it was not asked for"
	}
	return f.value, &Finding{Status: Skipped, Seen: why}
}

// first is get for the check that a fact is the first matter of: that it could not be had is a
// problem there, and in others a reason to skip.
func (f Fact[T]) first() (T, *Finding) {
	v, no := f.get()
	if no != nil && f.err != nil {
		no.Status, no.Seen, no.Fix = Problem, f.err.Error(), "see what the answer says; if it is the network or GitHub's state (www.githubstatus.com), run this again later"
	}
	return v, no
}

// refused says whether the answer was that we are nobody.
func (f Fact[T]) refused() bool { return errors.Is(f.err, promotion.ErrUnauthenticated) }
