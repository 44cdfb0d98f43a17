package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// An Outcome says what came of a visit, as a metric's label does.
type Outcome string

// The outcomes of a visit; Retries says what follows from each.
const (
	Done            Outcome = "done"
	Gone            Outcome = "gone"
	NotFound        Outcome = "not_found"
	Conflict        Outcome = "conflict"
	Forbidden       Outcome = "forbidden"
	Unauthenticated Outcome = "unauthenticated"
	RateLimited     Outcome = "rate_limited"
	Invalid         Outcome = "invalid"
	Transient       Outcome = "transient"
	Blocked         Outcome = "blocked"
	Slow            Outcome = "slow"
	Panicked        Outcome = "panicked"
	Stopped         Outcome = "stopped"
	Expired         Outcome = "expired"
	Unknown         Outcome = "unknown"
)

// A Retry is what follows from an outcome.
type Retry struct {
	// After is the pause before the subject is visited again; it doubles with each failure in
	// a row up to Most. An error that says how long to wait is believed where that is longer,
	// up to a resync. No event shortens the pause.
	After, Most time.Duration
	// Resync leaves it at the pause for events: if none comes, the next resync tries again.
	Resync bool
	// Survey has the installation's list of repositories read, which forgets what is gone.
	Survey bool
	// Counts says that it counts as a death of the visit: see Options.Attempts.
	Counts bool
	// Innocent says that it does not count as a failure of the subject.
	Innocent bool
}

// Retries is the one table from what came of a visit to what follows.
//
//	outcome          of                                   what follows
//	done             no error                             the next look again, or resync
//	gone             Visited.Gone                         forgotten
//	not_found        promotion.ErrNotFound                the installation's list is read; next event or resync
//	conflict         promotion.ErrConflict                again after 1 s, 2 s, ... 1 min
//	forbidden        promotion.ErrForbidden               next event (10 s apart) or resync
//	unauthenticated  promotion.ErrUnauthenticated         again after 1 min, 2 min, ... 1 h
//	rate_limited     promotion.ErrRateLimited             again when the answer says, or after 1 min
//	invalid          promotion.ErrInvalid                 next event (10 s apart) or resync
//	transient        promotion.ErrTransient               again after 2 s, 4 s, ... 10 min
//	blocked          promotion.ErrBlocked                 next event (10 s apart) or resync
//	slow             longer than Options.Patience         again after 1 min, 2 min, ... 1 h
//	panicked         a panic                              again after 10 s, 20 s, ... 10 min; the 5th: quarantine
//	(none)           its process died                     again when the lease ran out, from the 2nd 5 s, 10 s, ... after; the 5th: quarantine
//	stopped          Run's context ended                  again at once, by whoever runs
//	expired          store.ErrExpired                     nothing: another visit has begun or will
//	unknown          any other error                      again after 5 s, 10 s, ... 1 h
var Retries = map[Outcome]Retry{
	NotFound:        {After: 10 * time.Second, Most: time.Hour, Resync: true, Survey: true},
	Conflict:        {After: time.Second, Most: time.Minute},
	Forbidden:       {After: 10 * time.Second, Most: 10 * time.Second, Resync: true},
	Unauthenticated: {After: time.Minute, Most: time.Hour},
	RateLimited:     {After: time.Minute, Most: time.Minute, Innocent: true},
	Invalid:         {After: 10 * time.Second, Most: 10 * time.Second, Resync: true},
	Transient:       {After: 2 * time.Second, Most: 10 * time.Minute},
	Blocked:         {After: 10 * time.Second, Most: 10 * time.Second, Resync: true},
	Slow:            {After: time.Minute, Most: time.Hour},
	Panicked:        {After: 10 * time.Second, Most: 10 * time.Minute, Counts: true},
	Unknown:         {After: 5 * time.Second, Most: time.Hour},
}

var (
	errSlow    = errors.New("the visit took too long")
	errOver    = errors.New("the visit is over")
	errStopped = errors.New("the process stops")
)

// panicked is what a visit panicked with.
type panicked struct{ value any }

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// outcomeOf sorts an error into its row of Retries.
func outcomeOf(err error) Outcome {
	if err == nil {
		return Done
	}
	var p *panicked
	if errors.As(err, &p) {
		return Panicked
	}
	for _, c := range []struct {
		is error
		o  Outcome
	}{
		{store.ErrExpired, Expired},
		{errStopped, Stopped},
		{errSlow, Slow},
		{promotion.ErrRateLimited, RateLimited},
		{promotion.ErrNotFound, NotFound},
		{promotion.ErrConflict, Conflict},
		{promotion.ErrForbidden, Forbidden},
		{promotion.ErrUnauthenticated, Unauthenticated},
		{promotion.ErrInvalid, Invalid},
		{promotion.ErrBlocked, Blocked},
		{promotion.ErrTransient, Transient},
		{context.DeadlineExceeded, Transient},
	} {
		if errors.Is(err, c.is) {
			return c.o
		}
	}
	return Unknown
}

// pause is how long a subject is left alone after its n-th failure in a row, n from 1.
func (r Retry) pause(err error, n int64, resync time.Duration) time.Duration {
	d := r.After
	for i := int64(1); i < n && d < r.Most; i++ {
		d *= 2
	}
	d = min(d, cmp.Or(r.Most, d))
	var delay promotion.Delay
	if errors.As(err, &delay) {
		d = max(d, min(delay.RetryAfter(), resync))
	}
	return d
}
