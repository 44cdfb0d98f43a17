package queue

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// driftMost is how far the wall clock may be set back before the queue minds.
const driftMost = 2 * time.Second

// A drift tells when the wall clock was set back, from a clock that never is.
type drift struct {
	wall   time.Time
	steady time.Duration
}

// since returns by how much the wall clock was set back since it was last asked, 0 where it
// was not, or hardly.
func (d *drift) since(wall time.Time, steady time.Duration) time.Duration {
	before := *d
	d.wall, d.steady = wall.Round(0), steady
	if before.wall.IsZero() {
		return 0
	}
	if back := before.wall.Add(steady - before.steady).Sub(d.wall); back > driftMost {
		return back
	}
	return 0
}

// mind looks after a machine's wall clock that is set back: what was to be in a minute would
// else be in a minute and however much that was. With PostgreSQL the server's clock counts,
// which one replica of many does not correct for.
func (q *Queue) mind(ctx context.Context) error {
	if !q.store.SQLite() || q.o.Now != nil {
		return nil
	}
	back := q.drift.since(time.Now(), time.Since(q.made))
	if back == 0 {
		return nil
	}
	q.log.Warn("the clock was set back", "by", back.String())
	return q.setBack(ctx, back)
}

// setBack moves every time to come by as much as the clock was set back. Leases end when they
// would have: their holders' terms are shorter by then.
func (q *Queue) setBack(ctx context.Context, by time.Duration) error {
	err := q.inTx(ctx, func(tx *sql.Tx, now time.Time) error {
		for _, column := range []string{"due", "held", "ends"} {
			// A time to come, by the clock as it was, stays one; another is in the past by now as well.
			if _, err := tx.ExecContext(ctx, "UPDATE subjects SET "+column+" = "+column+" - $1 WHERE "+column+" > $2", by.Microseconds(), now.UnixMicro()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("follow the clock that was set back: %w", err)
	}
	return nil
}
