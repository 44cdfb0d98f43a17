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

// fact is what a question gave.
func fact[T any](v T, err error) Fact[T] {
	if err != nil {
		return Unanswered[T](err)
	}
	return Seen(v)
}

// unknown is why a fact is not known, as another fact.
func unknown[T, U any](f Fact[U]) Fact[T] { return Fact[T]{why: f.why, err: f.err} }

// get returns the value, or the finding that there is none.
func (f Fact[T]) get() (T, *Finding) {
	if f.known {
		return f.value, nil
	}
	why := f.why
	if f.err != nil {
		why = f.err.Error()
	}
	if why == "" {
		why = "it was not asked for"
	}
	return f.value, &Finding{Status: Skipped, Seen: why}
}

// refused says whether the answer was that we are nobody.
func (f Fact[T]) refused() bool { return errors.Is(f.err, promotion.ErrUnauthenticated) }
