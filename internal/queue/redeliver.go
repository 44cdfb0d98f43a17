package queue

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/store"
)

const (
	// keepFor is how long a delivery's GUID is known.
	keepFor = 8 * 24 * time.Hour
	// reach is how far back GitHub makes deliveries again:
	// https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks
	reach = 3 * 24 * time.Hour
	// overlap is how much of the time before the last sweep is looked at once more, for
	// attempts that were under way then.
	overlap = 15 * time.Minute
	// pauseMost is how long at most until one that failed again is asked for again.
	pauseMost = 6 * time.Hour
	// redeliverMost bounds one sweep's requests; the next goes on.
	redeliverMost = 500
	// sweepLease is how long a sweep whose process died keeps others from sweeping.
	sweepLease = time.Minute
)

// Names of marks.
const (
	markSwept = "swept" // when the last sweep began
	markLost  = "lost"  // how many deliveries were lost for good
)

// redeliver looks, once in each Options.Sweep among all processes, for deliveries that GitHub
// could not make, and asks for them again: those of which no attempt was answered with 2xx,
// and that the inbox does not have.
func (q *Queue) redeliver(ctx context.Context) error {
	last, now, err := q.mark(ctx, markSwept)
	if err != nil || (!last.IsZero() && now.Sub(last) < q.o.Sweep-q.o.Sweep/10) {
		return err
	}
	lease, ok, err := q.store.Lease(ctx, "queue/sweep", sweepLease)
	if err != nil || !ok {
		return err
	}
	defer func() {
		if err := lease.Release(context.WithoutCancel(ctx)); err != nil {
			q.log.Warn("release the lease of the sweep", "error", err)
		}
	}()
	// Another process may have swept between the two.
	if last, now, err = q.mark(ctx, markSwept); err != nil || (!last.IsZero() && now.Sub(last) < q.o.Sweep-q.o.Sweep/10) {
		return err
	}
	old, err := q.giveUp(ctx)
	if err != nil {
		return err
	}
	since := now.Add(-reach)
	if from := last.Add(-overlap); from.After(since) {
		since = from
	}
	// What was asked for again and has not come is looked at until it is lost.
	oldest, err := q.oldestChased(ctx, now)
	if err != nil {
		return err
	}
	if !oldest.IsZero() && oldest.Before(since) {
		since = oldest
	}
	// A list of three days takes many minutes; the lease is held meanwhile.
	ctx, end := context.WithCancel(ctx)
	defer end()
	go func(lease *store.Lease) {
		tick := time.NewTicker(sweepLease / 4)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = lease.Renew(ctx) // where it was lost, what follows says so
			}
		}
	}(lease)
	attempts, err := q.work.Attempts(ctx, since)
	if err != nil {
		return fmt.Errorf("list deliveries: %w", err)
	}
	failed, err := q.failed(ctx, attempts, now)
	if err != nil {
		return err
	}
	if lease.Check() != nil { // this process stood still; another one sweeps, or nobody does
		again, ok, err := q.store.Lease(ctx, "queue/sweep", sweepLease)
		if err != nil || !ok {
			return err
		}
		lease = again
	}
	asked, lost, inRow := 0, old, 0
	for _, a := range failed {
		if asked == redeliverMost {
			break
		}
		if err := lease.Check(); err != nil {
			return err
		}
		gone, err := q.chase(ctx, a, now)
		if err != nil {
			// One that GitHub makes an error of keeps nobody else waiting; it has its pause.
			inRow++
			if inRow == 3 || ctx.Err() != nil || errors.Is(err, promotion.ErrRateLimited) || errors.Is(err, promotion.ErrUnauthenticated) {
				return err
			}
			q.log.Warn("ask for a delivery again", "delivery", a.GUID, "error", err)
			continue
		}
		inRow = 0
		if gone {
			lost++
		} else {
			asked++
		}
	}
	q.see.Swept(asked, lost)
	if asked+lost > 0 {
		q.log.Warn("deliveries did not come", "redelivered", asked, "lost", lost)
	}
	if asked == redeliverMost {
		return nil
	}
	return q.inTx(ctx, func(tx *sql.Tx, _ time.Time) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO marks (name, at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET at = excluded.at", markSwept, now.UnixMicro())
		return err
	})
}

// failed returns the newest attempt of each delivery that never came and may be asked for,
// oldest first.
func (q *Queue) failed(ctx context.Context, attempts []event.Attempt, now time.Time) ([]event.Attempt, error) {
	newest := map[string]event.Attempt{}
	came := map[string]bool{}
	for _, a := range attempts {
		if a.GUID == "" || len(a.GUID) > guidMost {
			continue
		}
		came[a.GUID] = came[a.GUID] || a.OK
		if n, ok := newest[a.GUID]; !ok || a.At.After(n.At) || (a.At.Equal(n.At) && a.ID > n.ID) {
			newest[a.GUID] = a
		}
	}
	maps.DeleteFunc(newest, func(g string, _ event.Attempt) bool { return came[g] })
	for part := range slices.Chunk(slices.Sorted(maps.Keys(newest)), 64) {
		var b statement
		b.text("SELECT guid FROM inbox WHERE guid IN (")
		for i, g := range part {
			if i > 0 {
				b.text(", ")
			}
			b.arg(g)
		}
		b.text(") UNION SELECT guid FROM chased WHERE (lost > 0 OR next > ")
		b.arg(now.UnixMicro())
		b.text(") AND guid IN (")
		for i, g := range part {
			if i > 0 {
				b.text(", ")
			}
			b.arg(g)
		}
		b.text(")")
		rows, err := q.store.DB().QueryContext(ctx, b.b.String(), b.args...)
		if err != nil {
			return nil, fmt.Errorf("read the inbox: %w", store.Explain(err))
		}
		for rows.Next() {
			var g string
			if err := rows.Scan(&g); err != nil {
				rows.Close()
				return nil, fmt.Errorf("read the inbox: %w", err)
			}
			delete(newest, g)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, fmt.Errorf("read the inbox: %w", store.Explain(err))
		}
	}
	return slices.SortedFunc(maps.Values(newest), func(a, b event.Attempt) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) }), nil
}

// chase asks for a delivery once more; gone says that GitHub can make it no more.
func (q *Queue) chase(ctx context.Context, a event.Attempt, now time.Time) (gone bool, err error) {
	refused := q.work.Redeliver(ctx, a.ID)
	switch {
	case refused == nil:
	case errors.Is(refused, promotion.ErrNotFound), errors.Is(refused, promotion.ErrInvalid):
		gone, refused = true, nil
	case ctx.Err() != nil, errors.Is(refused, promotion.ErrRateLimited), errors.Is(refused, promotion.ErrUnauthenticated):
		return false, fmt.Errorf("ask for a delivery again: %w", refused)
	}
	err = q.inTx(ctx, func(tx *sql.Tx, _ time.Time) error {
		var tries, lost int64
		err := tx.QueryRowContext(ctx, "SELECT tries FROM chased WHERE guid = $1", a.GUID).Scan(&tries)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if gone {
			lost = 1
			if err := count(ctx, tx, markLost, 1); err != nil {
				return err
			}
		}
		// One that fails each time, as with a wrong secret, is not asked for at each sweep.
		pause := min(q.o.Sweep<<min(tries, 10), pauseMost) - q.o.Sweep/10
		_, err = tx.ExecContext(ctx, `
			INSERT INTO chased (guid, at, lost, tries, next) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (guid) DO UPDATE SET lost = excluded.lost, tries = excluded.tries, next = excluded.next`,
			a.GUID, min(a.At.UnixMicro(), now.UnixMicro()), lost, tries+1, now.Add(pause).UnixMicro())
		return err
	})
	if err == nil && refused != nil {
		err = fmt.Errorf("ask for a delivery again: %w", refused)
	}
	return gone, err
}

// giveUp counts as lost what was asked for again, did not come, and is out of GitHub's reach.
func (q *Queue) giveUp(ctx context.Context) (lost int, err error) {
	err = q.inTx(ctx, func(tx *sql.Tx, now time.Time) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM chased WHERE lost = 0 AND guid IN (SELECT guid FROM inbox)"); err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, "UPDATE chased SET lost = 1 WHERE lost = 0 AND at < $1", now.Add(-reach).UnixMicro())
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		lost = int(n)
		return count(ctx, tx, markLost, n)
	})
	return lost, err
}

// oldestChased is when the oldest was that may be asked for again now.
func (q *Queue) oldestChased(ctx context.Context, now time.Time) (time.Time, error) {
	var at int64
	if err := q.store.DB().QueryRowContext(ctx, "SELECT COALESCE(MIN(at), 0) FROM chased WHERE lost = 0 AND next <= $1", now.UnixMicro()).Scan(&at); err != nil {
		return time.Time{}, fmt.Errorf("read what is asked for again: %w", store.Explain(err))
	}
	if at == 0 {
		return time.Time{}, nil
	}
	return time.UnixMicro(at), nil
}

// mark returns when something was last done, zero for never, and the time now.
func (q *Queue) mark(ctx context.Context, name string) (at, now time.Time, err error) {
	if now, err = q.store.Now(ctx, q.store.DB()); err != nil {
		return at, now, err
	}
	var micro int64
	err = q.store.DB().QueryRowContext(ctx, "SELECT at FROM marks WHERE name = $1", name).Scan(&micro)
	if errors.Is(err, sql.ErrNoRows) {
		return at, now, nil
	}
	if err != nil {
		return at, now, fmt.Errorf("read mark %s: %w", name, store.Explain(err))
	}
	if at = time.UnixMicro(micro); at.After(now.Add(time.Minute)) {
		return time.Time{}, now, nil // the clock was ahead then
	}
	return at, now, nil
}

func count(ctx context.Context, tx *sql.Tx, name string, n int64) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO marks (name, count) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET count = marks.count + excluded.count", name, n)
	return err
}
