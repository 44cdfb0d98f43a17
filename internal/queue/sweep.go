package queue

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/pinnace-dev/pinnace/internal/event"
)

// suspectPause is how long a subject is left alone after the second visit in a row that died;
// it doubles with each further one.
const suspectPause = 5 * time.Second

// dueMost is how many subjects one transaction wakes whose time has come.
const dueMost = 64

// skip is the end of a query in whose way rows that another process works on are not to be.
func (q *Queue) skip() string {
	if q.store.SQLite() {
		return ""
	}
	return " FOR UPDATE SKIP LOCKED"
}

// wake raises the subjects whose time has come, and returns whether more may be left.
func (q *Queue) wake(ctx context.Context) (more bool, err error) {
	err = q.inTx(ctx, func(tx *sql.Tx, now time.Time) error {
		// Nothing is due later than a resync and a tenth from now, or the longest pause of Retries, but
		// where the clock was ahead.
		if _, err := tx.ExecContext(ctx, "UPDATE subjects SET due = $1, held = 0 WHERE due > $2", now.UnixMicro(), now.Add(max(q.o.Resync, time.Hour)*5/4+time.Minute).UnixMicro()); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, "SELECT installation, repository FROM subjects WHERE due > 0 AND due <= $1 ORDER BY due LIMIT $2"+q.skip(), now.UnixMicro(), dueMost)
		if err != nil {
			return err
		}
		defer rows.Close()
		var rs []raise
		for rows.Next() {
			r := raise{forced: true}
			if err := rows.Scan(&r.Installation, &r.Repository); err != nil {
				return err
			}
			rs = append(rs, r)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		rows.Close()
		if len(rs) == 0 {
			return nil
		}
		more = len(rs) == dueMost
		for _, r := range rs {
			if _, err := tx.ExecContext(ctx, "UPDATE subjects SET due = 0, held = 0 WHERE installation = $1 AND repository = $2", r.Installation, r.Repository); err != nil {
				return err
			}
		}
		return q.raise(ctx, tx, now, merge(rs))
	})
	if err != nil {
		return false, fmt.Errorf("wake what is due: %w", err)
	}
	return more, nil
}

// collect takes up the visits whose lease ran out, which is those whose process died, and
// quarantines the subjects that had it happen too often.
func (q *Queue) collect(ctx context.Context) error {
	err := q.inTx(ctx, func(tx *sql.Tx, now time.Time) error {
		rows, err := tx.QueryContext(ctx, `
			UPDATE subjects SET ends = 0 WHERE (installation, repository) IN (
				SELECT installation, repository FROM subjects WHERE ends > 0 AND ends <= $1 LIMIT $2`+q.skip()+`)
			RETURNING installation, repository, raised, queued, turn, since, visit_since, attempts, quarantined, owner, name`, now.UnixMicro(), dueMost)
		if err != nil {
			return err
		}
		defer rows.Close()
		var again, suspects []standing
		var poison []event.Subject
		for rows.Next() {
			var (
				s               standing
				since, attempts int64
				owner, name     string
			)
			if err := rows.Scan(&s.Installation, &s.Repository, &s.raised, &s.queued, &s.turn, &s.since, &since, &attempts, &s.quarantined, &owner, &name); err != nil {
				return err
			}
			s.since = max(s.since, since)
			s.queued = 0
			if s.quarantined == 0 && attempts < int64(q.o.Attempts) {
				if attempts >= suspect {
					// Not right again: a process that is started and killed over and over is not this
					// subject's doing.
					s.held = now.Add(suspectPause << (attempts - suspect)).UnixMicro()
					suspects = append(suspects, s)
				}
				again = append(again, s)
				continue
			}
			poison = append(poison, s.Subject)
			if s.quarantined == 0 {
				q.log.Error("subject quarantined", "installation", s.Installation, "repository", s.Repository, "repo", owner+"/"+name, "attempts", attempts, "problem", died)
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		rows.Close()
		for _, s := range poison {
			if _, err := tx.ExecContext(ctx, `
				UPDATE subjects SET quarantined = CASE WHEN quarantined = 0 THEN $1 ELSE quarantined END, queued = 0, problem = $2, due = $3
				WHERE installation = $4 AND repository = $5`, now.UnixMicro(), died, now.Add(jitter(q.o.Resync)).UnixMicro(), s.Installation, s.Repository); err != nil {
				return err
			}
		}
		for _, s := range suspects {
			if _, err := tx.ExecContext(ctx, "UPDATE subjects SET held = $1, queued = 0 WHERE installation = $2 AND repository = $3", s.held, s.Installation, s.Repository); err != nil {
				return err
			}
		}
		return q.wait(ctx, tx, now, again)
	})
	if err != nil {
		return fmt.Errorf("take up what was left: %w", err)
	}
	return nil
}

// died is the problem of a subject whose visits ended with their process.
const died = "the process died, or was cut off from the database, during each of its last visits"

// refill adds turns where fewer wait in River's tables than subjects do.
func (q *Queue) refill(ctx context.Context) error {
	err := q.inTx(ctx, func(tx *sql.Tx, _ time.Time) error {
		var waiting int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM subjects WHERE queued > 0 AND ends = 0 LIMIT $1) AS w", turnsMost).Scan(&waiting); err != nil {
			return err
		}
		if waiting == 0 {
			return nil
		}
		jobs, err := q.river.JobListTx(ctx, tx, river.NewJobListParams().Kinds(turn{}.Kind()).States(rivertype.JobStateAvailable).First(waiting))
		if err != nil {
			return err
		}
		return q.turns(ctx, tx, waiting-len(jobs.Jobs))
	})
	if err != nil {
		return fmt.Errorf("add missing turns: %w", err)
	}
	return nil
}

// begin takes up what a process before left, and asks for a look at everything.
func (q *Queue) begin(ctx context.Context) error {
	err := q.inTx(ctx, func(tx *sql.Tx, now time.Time) error {
		if q.store.SQLite() {
			// One process alone opens the file: who held a lease is gone.
			if _, err := tx.ExecContext(ctx, "UPDATE subjects SET ends = 1 WHERE ends > 0"); err != nil {
				return err
			}
		}
		// What is dirty and neither waits nor is visited nor has its time is due now, however
		// that came about.
		if _, err := tx.ExecContext(ctx, `
			UPDATE subjects SET due = $1 WHERE (installation, repository) IN (
				SELECT installation, repository FROM subjects WHERE raised > done AND queued = 0 AND ends = 0 AND due = 0`+q.skip()+`)`, now.UnixMicro()); err != nil {
			return err
		}
		return q.raise(ctx, tx, now, []raise{{everywhere: true}})
	})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return q.collect(ctx)
}
