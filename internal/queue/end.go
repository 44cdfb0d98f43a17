package queue

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
)

const (
	// calm is how long a subject must have been left alone for its next visit to begin a new
	// streak.
	calm = 10 * time.Second
	// few is how many events since the visit before are no burst, and unhurried how long a
	// subject is left alone after a visit for fewer.
	few       = 8
	patient   = 10 // visits of a streak, after which even few are paced
	unhurried = 500 * time.Millisecond
	// endTime bounds the writing down of what came of a visit.
	endTime = 20 * time.Second
	// problemMost bounds the text of an error that is kept.
	problemMost = 2000
)

// pace is how long a subject is left alone after the n-th visit of a streak, n from 0: three
// events in a row are each seen at once, and ten thousand within ten seconds are a handful of
// visits.
func pace(n int64) time.Duration {
	switch {
	case n < 2:
		return 0
	case n < 5:
		return time.Second << (n - 2)
	default:
		return 5 * time.Second
	}
}

// errLost says that a visit's lease passed on before what came of it was written down.
var errLost = errors.New("the lease had run out, and another visit has begun or will")

// end writes down what came of a visit and gives its lease back.
func (q *Queue) end(v *stay, visited event.Visited, failure error) (Outcome, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.visits), endTime)
	defer cancel()
	outcome := outcomeOf(failure)
	if outcome == Done && visited.Gone {
		outcome = Gone
	}
	if outcome == Expired {
		return outcome, nil
	}
	// Again and again for a while, as during a failover; then the lease is left to run out.
	err := q.writeEnd(ctx, v, outcome, visited, failure)
	for pause := 100 * time.Millisecond; err != nil && !errors.Is(err, errLost) && ctx.Err() == nil; pause *= 2 {
		select {
		case <-time.After(pause):
			err = q.writeEnd(ctx, v, outcome, visited, failure)
		case <-ctx.Done():
		}
	}
	if errors.Is(err, errLost) {
		return Expired, nil
	}
	if err == nil && Retries[outcome].Survey && v.Installation != 0 {
		above := event.Subject{Installation: v.Installation} // whose list says whether it is gone
		if v.Repository.Repository == 0 {
			above.Installation = 0
		}
		err = q.inTx(ctx, func(tx *sql.Tx, now time.Time) error {
			return q.raise(ctx, tx, now, []raise{{Subject: above}})
		})
	}
	return outcome, err
}

// An after is what a subject's row is to say after a visit; times are microseconds.
type after struct {
	standing
	asked, done, attempts, failures, everywhere, visitSince int64
	problem                                                 string
}

func (q *Queue) writeEnd(ctx context.Context, v *stay, outcome Outcome, visited event.Visited, failure error) error {
	return q.inTx(ctx, func(tx *sql.Tx, now time.Time) error {
		a := after{standing: standing{Subject: v.Subject, turn: v.turn}}
		err := tx.QueryRowContext(ctx, `
			UPDATE subjects SET ends = 0 WHERE installation = $1 AND repository = $2 AND fence = $3 AND ends > 0
			RETURNING raised, done, since, asked, everywhere, problem`, v.Installation, v.Repository.Repository, v.fence).Scan(&a.raised, &a.done, &a.since, &a.asked, &a.everywhere, &a.problem)
		if errors.Is(err, sql.ErrNoRows) {
			return errLost
		}
		if err != nil {
			return err
		}
		if err := q.paced(ctx, tx, now, v, outcome != Stopped); err != nil {
			return err
		}
		again := a.raised > v.noted
		// What an event was about, and is not there yet, may be there at the next look.
		if outcome == Gone && !again && q.recheck(v, &a) == 0 {
			return forget(ctx, tx, v.Subject)
		}
		next := q.follows(v, &a, now, outcome, visited, failure)
		if outcome == Done || outcome == Gone {
			if _, err := tx.ExecContext(ctx, "DELETE FROM looks WHERE installation = $1 AND repository = $2 AND raised <= $3", v.Installation, v.Repository.Repository, v.noted); err != nil {
				return err
			}
		}
		if a.everywhere <= a.done {
			a.everywhere = 0
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE subjects SET done = $1, visit_since = $2, ended = $3, attempts = $4, failures = $5, problem = $6, quarantined = $7, held = $8, due = $9, everywhere = $10
			WHERE installation = $11 AND repository = $12`,
			a.done, a.visitSince, now.UnixMicro(), a.attempts, a.failures, a.problem, a.quarantined, a.held, a.due, a.everywhere, v.Installation, v.Repository.Repository); err != nil {
			return err
		}
		if !next {
			return nil
		}
		return q.wait(ctx, tx, now, []standing{a.standing})
	})
}

// follows fills in what the row is to say, and says whether the subject waits at once.
func (q *Queue) follows(v *stay, a *after, now time.Time, outcome Outcome, visited event.Visited, failure error) (next bool) {
	at := func(d time.Duration) int64 { return now.Add(d).UnixMicro() }
	resync := at(jitter(q.o.Resync))
	// sooner is when time alone asks for a look before that: as the visit said, or since an event
	// was. What failed knows both as well.
	sooner := func(t int64) int64 {
		if visited.Again > 0 {
			t = min(t, at(max(visited.Again, time.Second)))
		}
		if again := q.recheck(v, a); again > 0 {
			t = min(t, again)
		}
		return t
	}
	a.attempts, a.failures, a.visitSince, a.quarantined = v.attempts, v.failures, v.since, v.quarantined
	switch outcome {
	case Done, Gone:
		before := a.done
		a.done, a.attempts, a.failures, a.visitSince, a.quarantined, a.problem = v.noted, 0, 0, 0, 0, ""
		p := pace(v.streak)
		if v.noted-before < few && v.streak < patient {
			p = min(p, unhurried) // people at work, and what we did ourselves; no burst
		}
		if p > 0 {
			a.held = at(p)
		}
		if a.raised > v.noted {
			if a.held == 0 {
				return true
			}
			a.due = a.held
			return false
		}
		a.due = max(sooner(resync), a.held)
		return false
	case Stopped:
		a.attempts, a.since = max(0, v.attempts-1), cmp.Or(a.since, v.since)
		if v.quarantined > 0 { // wait leaves it alone, and so time has to ask
			a.due = resync
			return false
		}
		return true
	}
	r := Retries[outcome]
	a.problem = fmt.Sprintf("%s: %s", outcome, problem(failure))
	if !r.Innocent {
		a.failures++
	}
	if !r.Counts {
		a.attempts = 0
	}
	p := r.pause(failure, max(1, a.failures), q.o.Resync)
	a.held, a.due = at(p), at(p)
	if r.Resync {
		// The events were seen to: the answer is no.
		a.visitSince = 0
		a.due = max(a.held, sooner(resync))
		if a.raised > v.noted {
			a.due = a.held
		}
	}
	if v.quarantined > 0 || a.attempts >= int64(q.o.Attempts) {
		if v.quarantined == 0 {
			a.quarantined = now.UnixMicro()
			q.log.Error("subject quarantined", "installation", v.Installation, "repository", v.Repository.Repository, "repo", v.Owner+"/"+v.Name, "attempts", a.attempts, "problem", a.problem)
		}
		a.held, a.due = 0, resync
	}
	return false
}

// recheck is when to look once more after the last event, 0 where that is over: see
// Options.Again.
func (q *Queue) recheck(v *stay, a *after) (next int64) {
	for _, d := range q.o.Again {
		if again := a.asked + d.Microseconds(); a.asked > 0 && again > v.began.UnixMicro() && (next == 0 || again < next) {
			next = again
		}
	}
	return next
}

func problem(err error) string {
	s := err.Error()
	if len(s) > problemMost {
		s = s[:problemMost]
	}
	return clipText(s)
}

// forget removes a subject and what was asked of it.
func forget(ctx context.Context, tx *sql.Tx, s event.Subject) error {
	for _, statement := range []string{
		"DELETE FROM subjects WHERE installation = $1 AND repository = $2",
		"DELETE FROM looks WHERE installation = $1 AND repository = $2",
	} {
		if _, err := tx.ExecContext(ctx, statement, s.Installation, s.Repository); err != nil {
			return fmt.Errorf("forget a subject: %w", err)
		}
	}
	return nil
}
