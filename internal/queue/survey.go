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
	// Before GitHub is asked: what comes up meanwhile is not taken for gone.
	known, err := q.known(ctx, "SELECT DISTINCT installation FROM subjects WHERE installation > $1", 0)
	if err != nil {
		return fmt.Errorf("list known installations: %w", err)
	}
	there, err := q.work.Installations(ctx)
	if err != nil {
		return fmt.Errorf("list installations: %w", err)
	}
	var rs []raise
	for _, i := range there {
		if i > 0 && (v.everywhere > 0 || !known[i]) {
			rs = append(rs, raise{Subject: event.Subject{Installation: i}, everywhere: v.everywhere > 0})
		}
		delete(known, i)
	}
	for _, i := range slices.Sorted(maps.Keys(known)) {
		repositories, err := q.known(ctx, "SELECT repository FROM subjects WHERE installation = $1", i)
		if err != nil {
			return fmt.Errorf("list known repositories: %w", err)
		}
		if err := q.forgetAll(ctx, v, i, repositories); err != nil {
			return err
		}
		if _, err := q.store.DB().ExecContext(ctx, "DELETE FROM shares WHERE installation = $1 AND NOT EXISTS (SELECT 1 FROM subjects WHERE subjects.installation = $1)", i); err != nil {
			return fmt.Errorf("forget installation %d: %w", i, err)
		}
	}
	return q.raiseAll(ctx, v, rs)
}

// surveyInstallation reads which repositories an installation sees: new ones are visited,
// gone ones forgotten. Where all are asked for, each is visited.
func (q *Queue) surveyInstallation(ctx context.Context, v *stay) error {
	known, err := q.known(ctx, "SELECT repository FROM subjects WHERE installation = $1 AND repository > 0", v.Installation)
	if err != nil {
		return fmt.Errorf("list known repositories: %w", err)
	}
	there, err := q.work.Repositories(ctx, v.Installation)
	if err != nil {
		return fmt.Errorf("list repositories: %w", err)
	}
	var rs []raise
	for _, r := range there {
		if r.Repository > 0 && (v.everywhere > 0 || !known[r.Repository]) {
			rs = append(rs, raise{Subject: event.Subject{Installation: v.Installation, Repository: r.Repository}, owner: clip(r.Owner), name: clip(r.Name)})
		}
		delete(known, r.Repository)
	}
	if err := q.forgetAll(ctx, v, v.Installation, known); err != nil {
		return err
	}
	return q.raiseAll(ctx, v, rs)
}

// forgetAll removes subjects that a list of GitHub's does not have. One that an event came for
// since the list was asked for stays, as does one that is being visited: its visit, or the next
// survey, says whether it is gone.
func (q *Queue) forgetAll(ctx context.Context, v *stay, installation int64, gone map[int64]bool) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(gone)), 100) {
		if err := v.term.Check(); err != nil {
			return err
		}
		for _, r := range part {
			if err := q.forgotten(ctx, event.Subject{Installation: installation, Repository: r}); err != nil {
				return fmt.Errorf("forget repository %d: %w", r, err)
			}
		}
		forgotten := 0
		err := q.inTx(ctx, func(tx *sql.Tx, _ time.Time) error {
			forgotten = 0
			for _, r := range part {
				res, err := tx.ExecContext(ctx, "DELETE FROM subjects WHERE installation = $1 AND repository = $2 AND since = 0 AND asked <= $3 AND ends = 0", installation, r, v.began.UnixMicro())
				if err != nil {
					return err
				}
				n, err := res.RowsAffected()
				if err != nil {
					return err
				}
				if n == 0 {
					continue
				}
				forgotten++
				if _, err := tx.ExecContext(ctx, "DELETE FROM looks WHERE installation = $1 AND repository = $2", installation, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("forget what is gone: %w", err)
		}
		if forgotten > 0 {
			q.log.Info("repositories are gone", "installation", installation, "count", forgotten)
		}
	}
	return nil
}

// raiseAll raises in several transactions, so that none keeps others waiting for long.
func (q *Queue) raiseAll(ctx context.Context, v *stay, rs []raise) error {
	for part := range slices.Chunk(merge(rs), 64) {
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
