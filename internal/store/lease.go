package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A Lease on a name is held by one holder at a time, for a while. Each next holder has a
// greater Fence.
type Lease struct {
	Name  string
	Fence int64

	store *Store
	key   string
	ttl   time.Duration
	term  *Term
}

// Lease takes a name for ttl; ok is false while another holder has it.
func (s *Store) Lease(ctx context.Context, name string, ttl time.Duration) (l *Lease, ok bool, err error) {
	l = &Lease{Name: name, store: s, key: rand.Text(), ttl: ttl}
	asked := s.moment()
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		now, err := s.Now(ctx, tx)
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `
			INSERT INTO leases (name, fence, holder, ends) VALUES ($1, 1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET fence = leases.fence + 1, holder = excluded.holder, ends = excluded.ends
			WHERE leases.ends <= $4
			RETURNING fence`, name, l.key, now.Add(ttl).UnixMicro(), now.UnixMicro()).Scan(&l.Fence)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("take lease %s: %w", name, Explain(err))
	}
	l.term = NewTerm(s.now, asked, ttl)
	return l, true, nil
}

// Renew holds on to a lease for another ttl from now. It returns ErrExpired where the lease
// is not the holder's any more, even if nobody else took it.
func (l *Lease) Renew(ctx context.Context) error {
	if err := l.Check(); err != nil {
		return fmt.Errorf("renew lease %s: %w", l.Name, err)
	}
	asked := l.store.moment()
	var held bool
	err := l.store.inTx(ctx, func(tx *sql.Tx) error {
		now, err := l.store.Now(ctx, tx)
		if err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, "UPDATE leases SET ends = $1 WHERE name = $2 AND fence = $3 AND holder = $4 AND ends > $5",
			now.Add(l.ttl).UnixMicro(), l.Name, l.Fence, l.key, now.UnixMicro())
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		held = n == 1
		return err
	})
	if err != nil {
		return fmt.Errorf("renew lease %s: %w", l.Name, Explain(err))
	}
	if !held {
		l.term.End(errors.New("another holder may have it"))
		return fmt.Errorf("renew lease %s: %w", l.Name, l.Check())
	}
	l.term.Extend(asked, l.ttl)
	return nil
}

// Check returns ErrExpired once another holder may have the lease. It is asked right before
// each effect, and asks no database.
func (l *Lease) Check() error { return l.term.Check() }

// Release lets the next holder in. A lease that was lost is left to who has it.
func (l *Lease) Release(ctx context.Context) error {
	l.term.End(errors.New("it was released"))
	if _, err := l.store.writer.ExecContext(ctx, "UPDATE leases SET ends = 0 WHERE name = $1 AND fence = $2 AND holder = $3", l.Name, l.Fence, l.key); err != nil {
		return fmt.Errorf("release lease %s: %w", l.Name, Explain(err))
	}
	return nil
}

// moment is now by this process's clocks.
func (s *Store) moment() time.Time {
	if s.now != nil {
		return s.now()
	}
	return time.Now()
}

// inTx runs f in a transaction of the writer.
func (s *Store) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to undo
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
