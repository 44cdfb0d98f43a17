package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
)

// maxMoves is how many moves of a tag are kept.
const maxMoves = 50

// hinted is how long before now something is due that a registry announced, so that it comes
// before what is due by the clock.
const hinted = 24 * time.Hour

const never = math.MaxInt64

// unnamed holds of what is watched while no repository names it.
const unnamed = `NOT EXISTS (
	SELECT 1 FROM stands s WHERE s.installation = watched.installation AND s.name = watched.name AND (
		watched.tag <> '' AND s.tag = watched.tag
		OR watched.digest <> '' AND s.digest = watched.digest
		OR watched.tag = '' AND watched.digest = '' AND s.tracked = 1))`

// tagging is the key of PostgreSQL's advisory lock of those who write what is watched.
const tagging = 0x70696e6e616367 // "pinnacg"

// inTagTx runs f in a transaction of the writer. One at a time writes what is watched, on
// PostgreSQL as on SQLite: these transactions are short, and touch rows of each other in no
// order that would rule out a deadlock.
func (s *Store) inTagTx(ctx context.Context, f func(*sql.Tx) error) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		if !s.lite {
			if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(tagging)); err != nil {
				return err
			}
		}
		return f(tx)
	})
}

// Stand replaces what stands in a repository, and returns false without a write where Print is
// the one that was given last.
func (s *Store) Stand(ctx context.Context, x event.Standing, now time.Time) (changed bool, err error) {
	var print string
	err = s.db.QueryRowContext(ctx, "SELECT print FROM reports WHERE installation = $1 AND repository = $2", x.Installation, x.Repository).Scan(&print)
	switch {
	case err == nil && print == x.Print:
		return false, nil
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return false, fmt.Errorf("read what stands in repository %d: %w", x.Repository, Explain(err))
	}
	err = s.inTagTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO reports (installation, repository, print, due) VALUES ($1, $2, $3, $4)
			ON CONFLICT (installation, repository) DO UPDATE SET print = excluded.print`,
			x.Installation, x.Repository, x.Print, micro(x.Report)); err != nil {
			return err
		}
		dropped, err := replaceStands(ctx, tx, x)
		if err != nil {
			return err
		}
		if err := begin(ctx, tx, x.Watched); err != nil {
			return err
		}
		return rest(ctx, tx, x.Installation, dropped, now)
	})
	if err != nil {
		return false, fmt.Errorf("write what stands in repository %d: %w", x.Repository, Explain(err))
	}
	return true, nil
}

// replaceStands writes what differs, and returns the names of which something was dropped.
func replaceStands(ctx context.Context, tx *sql.Tx, x event.Standing) (dropped []string, err error) {
	type key struct{ name, tag, digest string }
	has := map[key]event.Stands{}
	rows, err := tx.QueryContext(ctx, "SELECT name, tag, digest, tracked, place, more FROM stands WHERE installation = $1 AND repository = $2", x.Installation, x.Repository)
	if err != nil {
		return nil, err
	}
	all, err := scan(rows, scanStands)
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		has[key{i.Name, i.Tag, i.Digest}] = i
	}
	put, err := tx.PrepareContext(ctx, `
		INSERT INTO stands (installation, repository, name, tag, digest, tracked, place, more) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (installation, repository, name, tag, digest) DO UPDATE SET tracked = excluded.tracked, place = excluded.place, more = excluded.more`)
	if err != nil {
		return nil, err
	}
	defer put.Close()
	for _, i := range x.Images {
		k := key{i.Name, i.Tag, i.Digest}
		before, ok := has[k]
		delete(has, k)
		if ok && before == i {
			continue
		}
		if before.Tracked && !i.Tracked {
			dropped = append(dropped, i.Name)
		}
		if _, err := put.ExecContext(ctx, x.Installation, x.Repository, i.Name, i.Tag, i.Digest, bit(i.Tracked), i.Place, i.More); err != nil {
			return nil, err
		}
	}
	for k := range has {
		dropped = append(dropped, k.name)
		if _, err := tx.ExecContext(ctx, "DELETE FROM stands WHERE installation = $1 AND repository = $2 AND name = $3 AND tag = $4 AND digest = $5",
			x.Installation, x.Repository, k.name, k.tag, k.digest); err != nil {
			return nil, err
		}
	}
	return dropped, nil
}

// begin sees to it that things are watched.
func begin(ctx context.Context, tx *sql.Tx, things []event.Watched) error {
	put, err := tx.PrepareContext(ctx, `
		INSERT INTO watched (installation, name, tag, digest, host, due) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (installation, name, tag, digest) DO UPDATE SET idle = 0, due = excluded.due WHERE watched.idle > 0`)
	if err != nil {
		return err
	}
	defer put.Close()
	for _, t := range things {
		if _, err := put.ExecContext(ctx, t.Installation, t.Name, t.Tag, t.Digest, t.Host, micro(t.Due)); err != nil {
			return err
		}
	}
	return nil
}

// rest no longer asks for what nothing names any more.
func rest(ctx context.Context, tx *sql.Tx, installation int64, names []string, now time.Time) error {
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if _, err := tx.ExecContext(ctx, "UPDATE watched SET idle = $1, due = $2 WHERE installation = $3 AND name = $4 AND idle = 0 AND "+unnamed,
			micro(now), int64(never), installation, name); err != nil {
			return err
		}
	}
	return nil
}

// Forget drops a repository or, with Repository 0, all that an installation has.
func (s *Store) Forget(ctx context.Context, x event.Subject, now time.Time) error {
	var known int64
	if err := s.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM reports WHERE installation = $1 AND (repository = $2 OR $2 = 0)", x.Installation, x.Repository).Scan(&known); err == nil && known == 0 {
		return nil
	}
	err := s.inTagTx(ctx, func(tx *sql.Tx) error {
		if x.Repository == 0 {
			for _, table := range []string{"stands", "watched", "moves", "reports"} {
				if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE installation = $1", x.Installation); err != nil {
					return err
				}
			}
			return nil
		}
		dropped, err := replaceStands(ctx, tx, event.Standing{Subject: x})
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM reports WHERE installation = $1 AND repository = $2", x.Installation, x.Repository); err != nil {
			return err
		}
		return rest(ctx, tx, x.Installation, dropped, now)
	})
	if err != nil {
		return fmt.Errorf("forget what stands in repository %d: %w", x.Repository, Explain(err))
	}
	return nil
}

// Where returns the repositories, in order and behind the one given, in which a tag stands or,
// with tag "", a rule follows the tags of a name.
func (s *Store) Where(ctx context.Context, installation int64, name, tag string, after int64, most int) ([]int64, error) {
	which := "tag = $3"
	if tag == "" {
		which = "$3 = '' AND tracked = 1"
	}
	return s.numbers(ctx, "SELECT DISTINCT repository FROM stands WHERE installation = $1 AND name = $2 AND "+which+" AND repository > $4 ORDER BY repository LIMIT $5",
		installation, name, tag, after, most)
}

// Pinned returns the repositories in which a tag, or with "" any or none, stands with a digest.
func (s *Store) Pinned(ctx context.Context, installation int64, name, tag, digest string, most int) ([]int64, error) {
	return s.numbers(ctx, "SELECT DISTINCT repository FROM stands WHERE installation = $1 AND name = $2 AND ($3 = '' OR tag = $3) AND digest = $4 ORDER BY repository LIMIT $5",
		installation, name, tag, digest, most)
}

func (s *Store) numbers(ctx context.Context, query string, args ...any) ([]int64, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("find repositories: %w", Explain(err))
	}
	all, err := scan(rows, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
	if err != nil {
		return nil, fmt.Errorf("find repositories: %w", Explain(err))
	}
	return all, nil
}

func scanStands(r *sql.Rows) (i event.Stands, err error) {
	var tracked int64
	err = r.Scan(&i.Name, &i.Tag, &i.Digest, &tracked, &i.Place, &i.More)
	i.Tracked = tracked == 1
	return i, err
}

// scan reads and closes rows.
func scan[T any](rows *sql.Rows, one func(*sql.Rows) (T, error)) ([]T, error) {
	defer rows.Close()
	var all []T
	for rows.Next() {
		x, err := one(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, rows.Err()
}

func bit(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// micro is a time as it is kept, 0 where it is none.
func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant is micro's inverse.
func instant(micro int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}
