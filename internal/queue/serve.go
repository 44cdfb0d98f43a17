package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// serveMost is how long one turn is served on before it is handed over to a new one, so that
// River does not take it for stuck.
const serveMost = 20 * time.Minute

// suspect is how many visits to a subject must have killed their process, or seem to have,
// until it is visited while no other such subject is by the same process: so those that only
// happened to be there are told from the one that did it.
const suspect = 2

// A stay is one visit to a subject: what its row said when it was chosen.
type stay struct {
	event.Repository
	noted, fence, since, asked, everywhere, streak, attempts, failures, turn, quarantined int64

	brisk int64 // of its installation: see isBrisk

	began  time.Time // by the store's clock
	chosen time.Time // by this process's clocks
	term   *store.Term
}

// serve visits subjects as long as one waits whose turn it may be.
func (q *Queue) serve(ctx context.Context) error {
	for began := time.Now(); ; {
		if time.Since(began) > serveMost {
			return q.inTx(ctx, func(tx *sql.Tx, _ time.Time) error { return q.turns(ctx, tx, 1) })
		}
		v, ok, err := q.choose(ctx)
		if err != nil {
			return fmt.Errorf("choose a subject: %w", err)
		}
		if !ok {
			return nil
		}
		q.stay(v)
	}
}

// choose takes the lease of the subject whose turn is next.
func (q *Queue) choose(ctx context.Context) (*stay, bool, error) {
	q.claiming.Lock()
	defer q.claiming.Unlock()
	except, open := q.except()
	if !open {
		return nil, false, nil
	}
	v := &stay{chosen: q.moment()}
	err := q.inTx(ctx, func(tx *sql.Tx, now time.Time) error {
		v.began = now
		err := tx.QueryRowContext(ctx, `
			UPDATE subjects SET
				queued = 0, due = 0, noted = raised, fence = fence + 1, ends = $1, begun = $2, attempts = attempts + 1,
				visit_since = CASE WHEN since > 0 AND (visit_since = 0 OR since < visit_since) THEN since ELSE visit_since END,
				since = 0,
				streak = CASE WHEN ended > $3 THEN streak + 1 ELSE 0 END
			WHERE (installation, repository) = (
				SELECT installation, repository FROM subjects WHERE queued > 0 AND ends = 0`+except+`
				ORDER BY turn, installation, repository LIMIT 1`+q.skip()+`)
			RETURNING installation, repository, owner, name, noted, fence, visit_since, asked, everywhere, streak, attempts, failures, turn, quarantined`,
			now.Add(q.o.Lease).UnixMicro(), now.UnixMicro(), now.Add(-calm).UnixMicro()).Scan(
			&v.Installation, &v.Repository.Repository, &v.Owner, &v.Name, &v.noted, &v.fence, &v.since, &v.asked, &v.everywhere, &v.streak, &v.attempts, &v.failures, &v.turn, &v.quarantined)
		if err != nil {
			return err
		}
		if _, err = tx.ExecContext(ctx, "UPDATE shares SET served = $1 WHERE installation = $2 AND served < $1", v.turn, v.Installation); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(brisk), 0) FROM shares WHERE installation = $1", v.Installation).Scan(&v.brisk)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	v.term = store.NewTerm(q.o.Now, v.chosen, q.o.Lease)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running[v] = true
	q.load[v.Installation]++
	return v, true, nil
}

// except is the condition that leaves out installations that have their most of this process's
// workers, by themselves or together, and what this process still visits though it should not;
// open is false where nothing is to be begun at all.
func (q *Queue) except() (condition string, open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopping {
		return "", false
	}
	var b strings.Builder
	b.WriteString(q.keep())
	most := q.o.Workers - max(1, q.o.Workers/4)
	for i, n := range q.load {
		if n >= max(1, most) {
			fmt.Fprintf(&b, " AND installation <> %d", i)
		}
	}
	for v := range q.running {
		if v.attempts > suspect {
			fmt.Fprintf(&b, " AND attempts < %d", suspect)
		}
		if v.term.Check() != nil {
			// Its lease is lost, and yet it goes on here.
			fmt.Fprintf(&b, " AND NOT (installation = %d AND repository = %d)", v.Installation, v.Repository.Repository)
		}
	}
	return b.String(), true
}

// stay visits a chosen subject and writes down what came of it.
func (q *Queue) stay(v *stay) {
	defer q.left(v)
	var waited time.Duration
	if v.since > 0 {
		waited = max(0, v.began.Sub(time.UnixMicro(v.since)))
	}
	q.see.Begun(waited)
	began := time.Now()

	ctx, cancel := context.WithTimeoutCause(q.visits, q.o.Patience, errSlow)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	held := make(chan struct{})
	go func() {
		defer close(held)
		q.hold(ctx, v, end)
	}()
	visited, err := q.attend(ctx, v)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	end(nil)
	<-held
	// What the visit left behind may write no more.
	if v.term.Check() == nil {
		defer v.term.End(errOver)
	}

	outcome, ended := q.end(v, visited, err)
	log := q.log.With("installation", v.Installation, "repository", v.Repository.Repository, "repo", nameOf(v), "outcome", outcome, "duration_ms", time.Since(began).Milliseconds(), "attempt", v.attempts)
	switch {
	case ended != nil:
		log.Error("write down what came of a visit: its lease will run out, and it is made again", "error", ended)
	case err != nil:
		log.Warn("visit failed", "error", err)
	case outcome == Expired:
		log.Warn("visited, but the lease ran out meanwhile: another visit has begun or will", "writes", visited.Writes)
	default:
		log.Debug("visited", "writes", visited.Writes)
	}
	q.see.Ended(outcome, time.Since(began), visited.Writes)
}

// left forgets a visit that is over.
func (q *Queue) left(v *stay) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.running, v)
	if q.load[v.Installation]--; q.load[v.Installation] == 0 {
		delete(q.load, v.Installation)
	}
}

// nameOf is owner/name of a repository, "" of what is none or has none yet.
func nameOf(v *stay) string {
	if v.Owner == "" {
		return ""
	}
	return v.Owner + "/" + v.Name
}

// attend makes the visit; a panic is an error.
func (q *Queue) attend(ctx context.Context, v *stay) (_ event.Visited, err error) {
	defer func() {
		if p := recover(); p != nil {
			q.log.Error("visit panicked", "installation", v.Installation, "repository", v.Repository.Repository, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = &panicked{p}
		}
	}()
	switch {
	case v.Repository.Repository != 0:
		pulls, err := q.pulls(ctx, v)
		if err != nil {
			return event.Visited{}, err
		}
		visit := event.Visit{Repository: v.Repository, Pulls: pulls, Fence: v.term.Check}
		if v.since > 0 {
			visit.Since = time.UnixMicro(v.since)
		}
		return q.work.Visit(ctx, visit)
	case v.Installation != 0:
		return event.Visited{}, q.surveyInstallation(ctx, v)
	default:
		return event.Visited{}, q.surveyAll(ctx, v)
	}
}

// pulls lists the pull requests to judge first, those asked for last at the front.
func (q *Queue) pulls(ctx context.Context, v *stay) (all []int, err error) {
	rows, err := q.db.QueryContext(ctx, `
		SELECT pull FROM looks WHERE installation = $1 AND repository = $2 AND raised <= $3
		ORDER BY raised DESC, pull DESC LIMIT $4`, v.Installation, v.Repository.Repository, v.noted, pullsMost)
	if err != nil {
		return nil, fmt.Errorf("read which pull requests come first: %w", store.Explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		var p int
		if err := rows.Scan(&p); err != nil {
			return nil, fmt.Errorf("read which pull requests come first: %w", err)
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// hold renews the lease of a visit until ctx ends, and ends the visit where it cannot.
func (q *Queue) hold(ctx context.Context, v *stay, end context.CancelCauseFunc) {
	tick := time.NewTicker(q.o.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		held, err := q.renew(ctx, v)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			q.log.Warn("renew the lease of a visit", "installation", v.Installation, "repository", v.Repository.Repository, "error", err)
		case !held:
			v.term.End(errors.New("another holder may have it"))
		}
		if err := v.term.Check(); err != nil {
			end(err)
			return
		}
	}
}

func (q *Queue) renew(ctx context.Context, v *stay) (held bool, err error) {
	if err := v.term.Check(); err != nil {
		return false, nil //nolint:nilerr // what ran out is not held
	}
	asked := q.moment()
	ctx, cancel := context.WithTimeout(ctx, q.o.Lease/3)
	defer cancel()
	err = q.inTx(ctx, func(tx *sql.Tx, now time.Time) error {
		r, err := tx.ExecContext(ctx, "UPDATE subjects SET ends = $1 WHERE installation = $2 AND repository = $3 AND fence = $4 AND ends > $5",
			now.Add(q.o.Lease).UnixMicro(), v.Installation, v.Repository.Repository, v.fence, now.UnixMicro())
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		if held = n == 1; err != nil || !held {
			return err
		}
		return q.paced(ctx, tx, now, v, false)
	})
	if err == nil && held {
		v.term.Extend(asked, q.o.Lease)
	}
	return held, err
}

// moment is now by this process's clocks.
func (q *Queue) moment() time.Time {
	if q.o.Now != nil {
		return q.o.Now()
	}
	return time.Now()
}
