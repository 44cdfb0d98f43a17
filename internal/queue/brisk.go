package queue

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// long is how long a visit may last before its installation is no longer taken to be brisk. A
// visit takes a few seconds; one of more than a minute waits for somebody, as for a registry
// that answers late or never, and that somebody may be who was visited.
const long = time.Minute

// isBrisk says whether an installation's visits are taken to be short: one was, and none was long
// for two resyncs, in which each of its repositories is visited. Nobody is before the first
// visit: a new installation costs nothing, and a thousand of them could each be slow once.
//
// All installations that are not share all workers of a process but one, which is kept for
// those that are. What is known is in the database, so that it holds for all processes and
// after a restart.
func (v *stay) isBrisk() bool { return v.brisk > 0 && v.brisk <= v.began.UnixMicro() }

// isLong says whether the visit has lasted for long.
func (v *stay) isLong(now time.Time) bool { return now.Sub(v.chosen) > long }

// keep is the condition that leaves the last worker to brisk installations, "" while others may
// have one more. q.mu is held; $2 is now. Surveys ask GitHub alone, and are always let through.
func (q *Queue) keep() string {
	if q.o.Workers == 1 {
		return ""
	}
	now, others := q.moment(), 0
	var late strings.Builder
	for v := range q.running {
		switch {
		case v.isLong(now):
			others++
			fmt.Fprintf(&late, " AND installation <> %d", v.Installation)
		case !v.isBrisk() && v.Repository.Repository != 0:
			others++
		}
	}
	if others < q.o.Workers-1 {
		return ""
	}
	return " AND (repository = 0 OR installation IN (SELECT installation FROM shares WHERE brisk > 0 AND brisk <= $2)" + late.String() + ")"
}

// paced notes of an installation how long a visit lasted, or lasts already.
func (q *Queue) paced(ctx context.Context, tx *sql.Tx, now time.Time, v *stay, over bool) error {
	statement, from := "UPDATE shares SET brisk = $1 WHERE installation = $2", now
	switch {
	case v.isLong(q.moment()):
		from = now.Add(2 * q.o.Resync)
	case over && v.brisk == 0 && v.Repository.Repository != 0:
		statement += " AND brisk = 0"
	default:
		return nil
	}
	if _, err := tx.ExecContext(ctx, statement, from.UnixMicro(), v.Installation); err != nil {
		return fmt.Errorf("note how long a visit lasted: %w", err)
	}
	return nil
}
