package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	wakeEvery  = 500 * time.Millisecond
	sweepEvery = 5 * time.Second
	pruneEvery = time.Hour

	// stopTime is how long visits may take to end that were told to, and leaveTime how long what
	// comes after them may: with Options.Grace these fit into the 30 s that Kubernetes gives.
	stopTime  = 7 * time.Second
	leaveTime = 2 * time.Second
)

// Run visits until ctx ends, then begins no further visit, gives those under way Options.Grace,
// has them end, and gives their leases back. It returns nil after that, and an error where it
// could not begin.
func (q *Queue) Run(ctx context.Context) error {
	if err := q.begin(ctx); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it ended before it began
		}
		return err
	}
	if err := q.river.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start River: %w", err)
	}
	var chores sync.WaitGroup
	for _, c := range []struct {
		every time.Duration
		do    func(context.Context) error
	}{
		{wakeEvery, q.wakeAll},
		{wakeEvery, q.mind},
		{sweepEvery, q.collect},
		{sweepEvery, q.refill},
		{min(q.o.Sweep, time.Minute), q.redeliver},
		{pruneEvery, q.prune},
	} {
		chores.Go(func() { q.repeat(ctx, c.every, c.do) })
	}
	<-ctx.Done()
	q.mu.Lock()
	q.stopping = true
	q.mu.Unlock()
	chores.Wait()
	return q.stop(context.WithoutCancel(ctx))
}

// repeat does a chore now and then every while, until ctx ends. A chore that failed is done
// again the next time.
func (q *Queue) repeat(ctx context.Context, every time.Duration, do func(context.Context) error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			q.log.Warn("a chore of the queue failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (q *Queue) wakeAll(ctx context.Context) error {
	for {
		more, err := q.wake(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// stop lets visits end, has them end, and leaves the rest to other processes.
func (q *Queue) stop(ctx context.Context) error {
	grace, cancel := context.WithTimeout(ctx, q.o.Grace)
	defer cancel()
	err := q.river.Stop(grace)
	if err != nil {
		q.cancel(errStopped)
		last, cancel := context.WithTimeout(ctx, stopTime)
		defer cancel()
		err = q.river.Stop(last)
	}
	q.cancel(errStopped)
	if err != nil {
		return errors.New("stop: visits go on though they were told to end; their leases run out by themselves")
	}
	// Other processes need turns for what this one leaves.
	ctx, cancel = context.WithTimeout(ctx, leaveTime)
	defer cancel()
	if err := q.refill(ctx); err != nil {
		q.log.Warn("leave turns to other processes", "error", err)
	}
	return nil
}

// prune forgets deliveries that GitHub can make no more: it can for 3 days on github.com, and
// for 7 on GitHub Enterprise Server.
func (q *Queue) prune(ctx context.Context) error {
	for _, table := range []struct{ name, at string }{{"inbox", "received"}, {"chased", "at"}} {
		for {
			var n int64
			err := q.inTx(ctx, func(tx *sql.Tx, now time.Time) error {
				r, err := tx.ExecContext(ctx, "DELETE FROM "+table.name+" WHERE guid IN (SELECT guid FROM "+table.name+" WHERE "+table.at+" < $1 LIMIT 500)", now.Add(-keepFor).UnixMicro())
				if err != nil {
					return err
				}
				n, err = r.RowsAffected()
				return err
			})
			if err != nil {
				return fmt.Errorf("prune %s: %w", table.name, err)
			}
			if n < 500 {
				break
			}
		}
	}
	return nil
}
