package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
)

// Hint makes things due before all others, for every installation that watches them, but
// nothing earlier than a gap after it was asked for.
func (s *Store) Hint(ctx context.Context, things []event.Watched, now time.Time, gap time.Duration) error {
	err := s.inTagTx(ctx, func(tx *sql.Tx) error {
		const due = "CASE WHEN asked > $1 AND asked <= $2 THEN asked + $3 ELSE $4 END"
		put, err := tx.PrepareContext(ctx, "UPDATE watched SET due = "+due+" WHERE name = $5 AND tag = $6 AND digest = $7 AND idle = 0 AND due > "+due)
		if err != nil {
			return err
		}
		defer put.Close()
		for _, t := range things {
			if _, err := put.ExecContext(ctx, micro(now.Add(-gap)), micro(now), gap.Microseconds(), micro(now.Add(-hinted)), t.Name, t.Tag, t.Digest); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note what was pushed: %w", Explain(err))
	}
	return nil
}

// Hosts returns the hosts of which something is due, in order.
func (s *Store) Hosts(ctx context.Context, now time.Time) ([]string, error) {
	// Each step of the recursion finds the next host in the index, without reading what is
	// between.
	rows, err := s.db.QueryContext(ctx, `
		WITH RECURSIVE h (host) AS (
			SELECT MIN(host) FROM watched
			UNION ALL
			SELECT (SELECT MIN(w.host) FROM watched w WHERE w.host > h.host) FROM h WHERE h.host IS NOT NULL
		)
		SELECT host FROM h WHERE host IS NOT NULL AND EXISTS (SELECT 1 FROM watched w WHERE w.host = h.host AND w.due <= $1)
		ORDER BY host`, micro(now))
	if err != nil {
		return nil, fmt.Errorf("find registries: %w", Explain(err))
	}
	all, err := scan(rows, func(r *sql.Rows) (host string, err error) { return host, r.Scan(&host) })
	if err != nil {
		return nil, fmt.Errorf("find registries: %w", Explain(err))
	}
	return all, nil
}

// Due returns at most so many things of a host that are due: of each installation its share, the
// most overdue first, and what one does not need goes to the others.
func (s *Store) Due(ctx context.Context, host string, now time.Time, most int) ([]event.Watched, error) {
	all, err := s.due(ctx, host, now, most)
	if err != nil {
		return nil, fmt.Errorf("find what is due at %s: %w", host, Explain(err))
	}
	return all, nil
}

func (s *Store) due(ctx context.Context, host string, now time.Time, most int) ([]event.Watched, error) {
	// As in Hosts, each step finds the next installation in the index.
	rows, err := s.db.QueryContext(ctx, `
		WITH RECURSIVE i (installation) AS (
			SELECT MIN(installation) FROM watched WHERE host = $1
			UNION ALL
			SELECT (SELECT MIN(w.installation) FROM watched w WHERE w.host = $1 AND w.installation > i.installation) FROM i WHERE i.installation IS NOT NULL
		)
		SELECT installation FROM (
			SELECT installation, (SELECT MIN(w.due) FROM watched w WHERE w.host = $1 AND w.installation = i.installation) AS due FROM i WHERE installation IS NOT NULL
		) earliest WHERE due <= $2 ORDER BY due, installation LIMIT $3`, host, micro(now), most)
	if err != nil {
		return nil, err
	}
	installations, err := scan(rows, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
	if err != nil || len(installations) == 0 {
		return nil, err
	}
	of := func(installation int64, limit, offset int) ([]event.Watched, error) {
		rows, err := s.db.QueryContext(ctx, `
			SELECT installation, host, name, tag, digest, seen, first_seen, last_seen, gone, gaps, failures, asked, due
			FROM watched WHERE host = $1 AND installation = $2 AND due <= $3 ORDER BY due LIMIT $4 OFFSET $5`, host, installation, micro(now), limit, offset)
		if err != nil {
			return nil, err
		}
		return scan(rows, scanWatched)
	}
	share := most / len(installations)
	var all []event.Watched
	var more []int64
	for _, i := range installations {
		things, err := of(i, share, 0)
		if err != nil {
			return nil, err
		}
		if all = append(all, things...); len(things) == share {
			more = append(more, i)
		}
	}
	for _, i := range more {
		if len(all) == most {
			break
		}
		things, err := of(i, most-len(all), share)
		if err != nil {
			return nil, err
		}
		all = append(all, things...)
	}
	return all, nil
}

func scanWatched(r *sql.Rows) (t event.Watched, err error) {
	var first, last, gone, asked, due int64
	err = r.Scan(&t.Installation, &t.Host, &t.Name, &t.Tag, &t.Digest, &t.Seen, &first, &last, &gone, &t.Gaps, &t.Failures, &asked, &due)
	t.First, t.Last, t.Gone, t.Asked, t.Due = instant(first), instant(last), instant(gone), instant(asked), instant(due)
	return t, err
}

// Saw keeps what was seen: a sight only where Seen is still what it was, the time that it is
// due only where nobody changed that meanwhile. A move goes to the tag's history, the digest that
// a tag is seen to mean for the first time counts as seen itself, and the reports of the sight's
// Reports are due.
func (s *Store) Saw(ctx context.Context, all []event.Sight) error {
	if len(all) == 0 {
		return nil
	}
	err := s.inTagTx(ctx, func(tx *sql.Tx) error {
		put, err := tx.PrepareContext(ctx, `
			UPDATE watched SET seen = $1, first_seen = $2, last_seen = $3, gone = $4, gaps = $5, failures = $6, asked = $7, due = CASE WHEN due = $8 THEN $9 ELSE due END
			WHERE installation = $10 AND name = $11 AND tag = $12 AND digest = $13 AND seen = $14`)
		if err != nil {
			return err
		}
		defer put.Close()
		for _, i := range all {
			n := i.Now
			r, err := put.ExecContext(ctx, n.Seen, micro(n.First), micro(n.Last), micro(n.Gone), n.Gaps, n.Failures, micro(n.Asked), micro(i.Due), micro(n.Due),
				n.Installation, n.Name, n.Tag, n.Digest, i.Was)
			if err != nil {
				return err
			}
			kept, err := r.RowsAffected()
			if err != nil {
				return err
			}
			if kept != 1 {
				continue
			}
			if n.Tag != "" && i.Was != n.Seen {
				if err := newDigest(ctx, tx, i); err != nil {
					return err
				}
			}
			if err := hasten(ctx, tx, i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep what registries said: %w", Explain(err))
	}
	return nil
}

// newDigest keeps that a tag means a digest that it did not mean before.
func newDigest(ctx context.Context, tx *sql.Tx, i event.Sight) error {
	n := i.Now
	if _, err := tx.ExecContext(ctx, `
		UPDATE watched SET seen = $1, first_seen = CASE WHEN first_seen = 0 THEN $2 ELSE first_seen END, last_seen = $3, gone = 0, gaps = 0, failures = 0, asked = $4
		WHERE installation = $5 AND name = $6 AND tag = '' AND digest = $7`,
		n.Seen, micro(n.Last), micro(n.Last), micro(n.Asked), n.Installation, n.Name, n.Seen); err != nil {
		return err
	}
	if !i.Moved() {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO moves (installation, name, tag, noticed, was, became) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (installation, name, tag, noticed) DO NOTHING`, n.Installation, n.Name, n.Tag, micro(n.First), i.Was, n.Seen); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		DELETE FROM moves WHERE installation = $1 AND name = $2 AND tag = $3 AND noticed < (
			SELECT MIN(noticed) FROM (SELECT noticed FROM moves WHERE installation = $1 AND name = $2 AND tag = $3 ORDER BY noticed DESC LIMIT $4) newest)`,
		n.Installation, n.Name, n.Tag, maxMoves)
	return err
}

// hasten makes reports due. One that is being written is due earlier than it was, so that whoever
// writes it sees that it is to be written again.
func hasten(ctx context.Context, tx *sql.Tx, i event.Sight) error {
	for _, id := range i.Reports {
		if _, err := tx.ExecContext(ctx, "UPDATE reports SET due = CASE WHEN due > $1 THEN $1 ELSE due - 1 END WHERE installation = $2 AND repository = $3",
			micro(i.Now.Asked), i.Now.Installation, id); err != nil {
			return err
		}
	}
	return nil
}

// Vanished counts the digests that stand somewhere, were seen once, and then gaps times in a
// row were not there.
func (s *Store) Vanished(ctx context.Context, gaps int) (int, error) {
	var n int
	err := s.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM watched WHERE gone > 0 AND gaps >= $1 AND digest <> '' AND seen <> '' AND idle = 0", gaps).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count digests: %w", Explain(err))
	}
	return n, nil
}

// Upkeep drops what nothing names since a time, and makes due what is due later than latest.
func (s *Store) Upkeep(ctx context.Context, before, now, latest time.Time) error {
	err := s.inTagTx(ctx, func(tx *sql.Tx) error {
		var failed error
		do := func(query string, args ...any) {
			if failed == nil {
				_, failed = tx.ExecContext(ctx, query, args...)
			}
		}
		do("UPDATE watched SET idle = 0, due = $1 WHERE idle > 0 AND NOT ("+unnamed+")", micro(now))
		do("UPDATE watched SET due = $1 WHERE due > $2 AND idle = 0", micro(now), micro(latest))
		do("UPDATE reports SET due = $1 WHERE due > $2", micro(now), micro(latest))
		do(`DELETE FROM moves WHERE EXISTS (
			SELECT 1 FROM watched w WHERE w.installation = moves.installation AND w.name = moves.name AND w.tag = moves.tag AND w.idle > 0 AND w.idle < $1)`, micro(before))
		do("DELETE FROM watched WHERE idle > 0 AND idle < $1", micro(before))
		return failed
	})
	if err != nil {
		return fmt.Errorf("tidy what is watched: %w", Explain(err))
	}
	return nil
}

// Reports returns at most so many that are due.
func (s *Store) Reports(ctx context.Context, now time.Time, most int) ([]event.Report, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT installation, repository, text, written, due FROM reports WHERE due <= $1 ORDER BY due LIMIT $2", micro(now), most)
	if err != nil {
		return nil, fmt.Errorf("find reports: %w", Explain(err))
	}
	all, err := scan(rows, func(r *sql.Rows) (x event.Report, err error) {
		var written, due int64
		err = r.Scan(&x.Installation, &x.Repository, &x.Text, &written, &due)
		x.Written, x.Due = instant(written), instant(due)
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("find reports: %w", Explain(err))
	}
	return all, nil
}

// Reported keeps a report: the time that it is due only where that is still what it was. Nothing
// happens where its repository is no longer known.
func (s *Store) Reported(ctx context.Context, r event.Report, was time.Time) error {
	if _, err := s.writer.ExecContext(ctx, "UPDATE reports SET text = $1, written = $2, due = CASE WHEN due = $3 THEN $4 ELSE due END WHERE installation = $5 AND repository = $6",
		r.Text, micro(r.Written), micro(was), micro(r.Due), r.Installation, r.Repository); err != nil {
		return fmt.Errorf("keep a report: %w", Explain(err))
	}
	return nil
}

// Findings returns what is known of the images that stand with a digest in a repository.
func (s *Store) Findings(ctx context.Context, x event.Subject) ([]event.Finding, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT s.name, s.tag, s.digest, s.tracked, s.place, s.more, COALESCE(t.seen, ''), COALESCE(t.asked, 0),
			COALESCE(p.last_seen, 0), COALESCE(p.gone, 0), COALESCE(p.gaps, 0), COALESCE(p.asked, 0),
			COALESCE((SELECT MAX(m.noticed) FROM moves m WHERE m.installation = s.installation AND m.name = s.name AND m.tag = s.tag AND m.was = s.digest), 0)
		FROM stands s
		LEFT JOIN watched t ON s.tag <> '' AND t.installation = s.installation AND t.name = s.name AND t.tag = s.tag AND t.digest = ''
		LEFT JOIN watched p ON p.installation = s.installation AND p.name = s.name AND p.tag = '' AND p.digest = s.digest
		WHERE s.installation = $1 AND s.repository = $2 AND s.digest <> ''
		ORDER BY s.name, s.tag, s.digest`, x.Installation, x.Repository)
	if err != nil {
		return nil, fmt.Errorf("find what is known of images: %w", Explain(err))
	}
	all, err := scan(rows, func(r *sql.Rows) (f event.Finding, err error) {
		var tracked, tagAsked, digested, gone, digestAsked, moved int64
		err = r.Scan(&f.Name, &f.Tag, &f.Digest, &tracked, &f.Place, &f.More, &f.Meant, &tagAsked, &digested, &gone, &f.Gaps, &digestAsked, &moved)
		f.Tracked, f.Digested, f.Gone, f.Moved = tracked == 1, instant(digested), instant(gone), instant(moved)
		f.Unasked = f.Tag != "" && tagAsked == 0 || digestAsked == 0
		return f, err
	})
	if err != nil {
		return nil, fmt.Errorf("find what is known of images: %w", Explain(err))
	}
	return all, nil
}
