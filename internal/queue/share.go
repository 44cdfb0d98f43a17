package queue

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
)

// A share is where an installation stands among the others.
type share struct{ urgent, idle int64 }

// lineUp gives each subject its turn and returns how many did not wait before.
//
// It is start-time fair queueing (Goyal, Vin, Cheng: SIGCOMM 1996): a turn is one above the
// last given to the installation, or above the last served of all where that is higher. One
// installation's thousand subjects thus stand one behind the other, and another's first
// subject stands right at the front.
func (q *Queue) lineUp(ctx context.Context, tx *sql.Tx, now int64, all []standing) (added int, err error) {
	if len(all) == 0 {
		return 0, nil
	}
	var served int64
	if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(served), 0) FROM shares").Scan(&served); err != nil {
		return 0, fmt.Errorf("read shares: %w", err)
	}
	shares := map[int64]*share{}
	for _, s := range all {
		sh := shares[s.Installation]
		if sh == nil {
			sh = &share{}
			err := tx.QueryRowContext(ctx, "SELECT urgent, idle FROM shares WHERE installation = $1", s.Installation).Scan(&sh.urgent, &sh.idle)
			if err != nil && err != sql.ErrNoRows {
				return 0, fmt.Errorf("read share: %w", err)
			}
			shares[s.Installation] = sh
		}
		var turn int64
		if s.urgent || s.since > 0 {
			turn = max(served, sh.urgent) + 1
		} else {
			turn = max(served, sh.idle) + idleWeight
		}
		if s.queued > 0 && s.turn <= turn {
			continue
		}
		if s.urgent || s.since > 0 {
			sh.urgent = turn
		} else {
			sh.idle = turn
		}
		if s.queued == 0 {
			added++
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE subjects SET queued = CASE WHEN queued = 0 THEN $1 ELSE queued END, turn = $2, due = 0
			WHERE installation = $3 AND repository = $4`, now, turn, s.Installation, s.Repository); err != nil {
			return 0, fmt.Errorf("line a subject up: %w", err)
		}
	}
	for _, i := range slices.Sorted(maps.Keys(shares)) {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO shares (installation, urgent, idle) VALUES ($1, $2, $3)
			ON CONFLICT (installation) DO UPDATE SET
				urgent = CASE WHEN excluded.urgent > shares.urgent THEN excluded.urgent ELSE shares.urgent END,
				idle = CASE WHEN excluded.idle > shares.idle THEN excluded.idle ELSE shares.idle END`,
			i, shares[i].urgent, shares[i].idle); err != nil {
			return 0, fmt.Errorf("note share: %w", err)
		}
	}
	return added, nil
}
