package queue

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/store"
)

// Work is what the queue has done, and asks GitHub for it. Its errors are of promotion's
// classes; see Retries.
type Work interface {
	// Installations lists those of the App that are not suspended.
	Installations(ctx context.Context) ([]int64, error)
	// Repositories lists those that an installation sees.
	Repositories(ctx context.Context, installation int64) ([]event.Repository, error)
	// Visit looks at one repository and does what is to be done. It returns soon after ctx
	// ends, and writes nothing once the visit's Fence returned an error.
	Visit(ctx context.Context, v event.Visit) (event.Visited, error)
	// Attempts lists GitHub's tries to deliver webhooks, those before since left out.
	Attempts(ctx context.Context, since time.Time) ([]event.Attempt, error)
	// Redeliver asks GitHub to make an attempt's delivery once more.
	Redeliver(ctx context.Context, id int64) error
}

// A Forgetter is Work that keeps something of its own of what is visited.
type Forgetter interface {
	// Forget is told of a repository, or with Repository 0 an installation, that surveys found to
	// be gone, before the queue forgets it. It may be told several times.
	Forget(ctx context.Context, s event.Subject) error
}

// forgotten tells Work that something is gone.
func (q *Queue) forgotten(ctx context.Context, s event.Subject) error {
	if w, ok := q.work.(Forgetter); ok {
		return w.Forget(ctx, s)
	}
	return nil
}

// Options are what New needs; those with a default may be left zero.
type Options struct {
	Store *store.Store
	Work  Work
	Log   *slog.Logger // nil = none
	// Observer is told what happens, nil = nobody.
	Observer Observer

	Workers  int             // visits at a time, 0 = 8
	Lease    time.Duration   // how long a visit whose process died blocks its subject, 0 = 30 s
	Patience time.Duration   // how long a visit may take, 0 = 15 min
	Grace    time.Duration   // how long visits may go on after Run's context ended, 0 = 20 s
	Resync   time.Duration   // between visits to a subject that nothing happened to, 0 = 1 h; a tenth more or less
	Again    []time.Duration // after an event, when to look once more: GitHub's API lags its webhooks; nil = 5 s, 30 s, 5 min
	Attempts int             // visits that kill their process or panic, before a subject is quarantined, 0 = 5
	Sweep    time.Duration   // between looks for deliveries that GitHub could not make, 0 = 5 min
	Backlog  int             // calls of Accept and Raise that may wait for their commit, 0 = 8192

	// Now is the store's clock where that is not the database's.
	Now func() time.Time
}

// A Queue accepts deliveries and has subjects visited. Its methods may be called concurrently.
type Queue struct {
	o     Options
	store *store.Store
	db    *sql.DB
	work  Work
	log   *slog.Logger
	see   Observer
	river *river.Client[*sql.Tx]
	line  line
	made  time.Time
	drift drift // used by one chore of Run

	claiming sync.Mutex // held while a subject is chosen, so that running is true meanwhile
	mu       sync.Mutex // guards what follows
	running  map[*stay]bool
	load     map[int64]int // visits under way by installation
	stopping bool

	visits context.Context // of all visits
	cancel context.CancelCauseFunc
}

// New returns a queue on a store. It accepts at once, and visits while Run runs. On SQLite a
// store has one queue.
func New(o Options) (*Queue, error) {
	if o.Store == nil || o.Work == nil {
		return nil, errors.New("new queue: needs a Store and a Work")
	}
	o.Workers = cmp.Or(o.Workers, 8)
	o.Lease = cmp.Or(o.Lease, 30*time.Second)
	o.Patience = cmp.Or(o.Patience, 15*time.Minute)
	o.Grace = cmp.Or(o.Grace, 20*time.Second)
	o.Resync = cmp.Or(o.Resync, time.Hour)
	if o.Again == nil {
		o.Again = []time.Duration{5 * time.Second, 30 * time.Second, 5 * time.Minute}
	}
	o.Attempts = cmp.Or(o.Attempts, maxAttempts)
	o.Sweep = cmp.Or(o.Sweep, 5*time.Minute)
	o.Backlog = cmp.Or(o.Backlog, 8192)
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	q := &Queue{
		o: o, store: o.Store, db: o.Store.Writer(), work: o.Work, log: o.Log, see: o.Observer,
		running: map[*stay]bool{}, load: map[int64]int{}, made: time.Now(),
	}
	q.visits, q.cancel = context.WithCancelCause(context.Background())
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[turn]) error { return q.serve(ctx) }))
	c := &river.Config{
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: o.Workers}},
		Workers: workers,
		Logger:  slog.New(quiet{o.Log.Handler()}),
		// Neither database tells of new jobs through database/sql; asking costs some 0.1 ms.
		FetchCooldown:     50 * time.Millisecond,
		FetchPollInterval: 100 * time.Millisecond,
		JobTimeout:        -1,
		// A turn says nothing once it is over, and one too many does no harm.
		CompletedJobRetentionPeriod: time.Minute,
		CancelledJobRetentionPeriod: time.Minute,
		DiscardedJobRetentionPeriod: time.Hour,
		RescueStuckJobsAfter:        time.Hour,
		MaxAttempts:                 3,
	}
	var err error
	if o.Store.SQLite() {
		q.river, err = river.NewClient(riversqlite.New(q.db), c)
	} else {
		q.river, err = river.NewClient(riverdatabasesql.New(q.db), c)
	}
	if err != nil {
		return nil, fmt.Errorf("new queue: %w", err)
	}
	q.line.commit = q.commit
	q.line.most = o.Backlog
	return q, nil
}

// jitter is d, a tenth more or less, so that what began together does not stay together.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}

// quiet lets warnings and errors through.
type quiet struct{ slog.Handler }

func (h quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

func (h quiet) WithAttrs(as []slog.Attr) slog.Handler { return quiet{h.Handler.WithAttrs(as)} }

func (h quiet) WithGroup(name string) slog.Handler { return quiet{h.Handler.WithGroup(name)} }

// inTx runs f in a transaction, with the time that all replicas agree on.
func (q *Queue) inTx(ctx context.Context, f func(tx *sql.Tx, now time.Time) error) error {
	tx, err := q.db.BeginTx(ctx, nil)
	if err != nil {
		return store.Explain(err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to undo
	now, err := q.store.Now(ctx, tx)
	if err != nil {
		return store.Explain(err)
	}
	if err := f(tx, now); err != nil {
		return store.Explain(err)
	}
	return store.Explain(tx.Commit())
}
