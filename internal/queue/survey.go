package queue

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// surveyAll reads which installations there are: new ones are surveyed, gone ones forgotten.
// Where everything is asked for, each is surveyed and each repository visited.
func (q *Queue) surveyAll(ctx context.Context, v *stay) error {
	there, err := q.work.Installations(ctx)
	if err != nil {
		return fmt.Errorf("list installations: %w", err)
	}
	known, err := q.known(ctx, "SELECT DISTINCT installation FROM subjects WHERE installation > $1", 0)
	if err != nil {
		return fmt.Errorf("list known installations: %w", err)
	}
	var rs []raise
	for _, i := range there {
		if i > 0 && (v.everywhere > 0 || !known[i]) {
			rs = append(rs, raise{Subject: event.Subject{Installation: i}, everywhere: v.everywhere > 0})
		}
		delete(known, i)
	}
	for i := range known {
		if err := v.term.Check(); err != nil {
			return err
		}
		err := q.inTx(ctx, func(tx *sql.Tx, _ time.Time) error {
			for _, table := range []string{"looks", "subjects", "shares"} {
				if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE installation = $1", i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("forget installation %d: %w", i, err)
		}
		q.log.Info("installation is gone", "installation", i)
	}
	return q.raiseAll(ctx, v, rs)
}

// surveyInstallation reads which repositories an installation sees: new ones are visited,
// gone ones forgotten. Where all are asked for, each is visited.
func (q *Queue) surveyInstallation(ctx context.Context, v *stay) error {
	there, err := q.work.Repositories(ctx, v.Installation)
	if err != nil {
		return fmt.Errorf("list repositories: %w", err)
	}
	known, err := q.known(ctx, "SELECT repository FROM subjects WHERE installation = $1 AND repository > 0", v.Installation)
	if err != nil {
		return fmt.Errorf("list known repositories: %w", err)
	}
	var rs []raise
	for _, r := range there {
		if r.Repository > 0 && (v.everywhere > 0 || !known[r.Repository]) {
			rs = append(rs, raise{Subject: event.Subject{Installation: v.Installation, Repository: r.Repository}, owner: clip(r.Owner), name: clip(r.Name)})
		}
		delete(known, r.Repository)
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(known)), 100) {
		if err := v.term.Check(); err != nil {
			return err
		}
		err := q.inTx(ctx, func(tx *sql.Tx, _ time.Time) error {
			for _, r := range part {
				// One that an event came for since is visited, and says itself that it is gone.
				res, err := tx.ExecContext(ctx, "DELETE FROM subjects WHERE installation = $1 AND repository = $2 AND since = 0 AND ends = 0", v.Installation, r)
				if err != nil {
					return err
				}
				if n, err := res.RowsAffected(); err != nil || n == 0 {
					continue
				}
				if _, err := tx.ExecContext(ctx, "DELETE FROM looks WHERE installation = $1 AND repository = $2", v.Installation, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("forget repositories: %w", err)
		}
		q.log.Info("repositories are gone", "installation", v.Installation, "count", len(part))
	}
	return q.raiseAll(ctx, v, rs)
}

// raiseAll raises in several transactions, so that none keeps others waiting for long.
func (q *Queue) raiseAll(ctx context.Context, v *stay, rs []raise) error {
	for part := range slices.Chunk(merge(rs), 256) {
		if err := v.term.Check(); err != nil {
			return err
		}
		if err := q.inTx(ctx, func(tx *sql.Tx, now time.Time) error { return q.raise(ctx, tx, now, part) }); err != nil {
			return fmt.Errorf("raise what was found: %w", err)
		}
	}
	return nil
}

// known returns the numbers that a query finds.
func (q *Queue) known(ctx context.Context, query string, arg int64) (map[int64]bool, error) {
	rows, err := q.store.DB().QueryContext(ctx, query, arg)
	if err != nil {
		return nil, store.Explain(err)
	}
	defer rows.Close()
	all := map[int64]bool{}
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, store.Explain(err)
		}
		all[n] = true
	}
	return all, store.Explain(rows.Err())
}
