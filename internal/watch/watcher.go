package watch

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
)

// Options say what a Watcher watches with. Ledger, Open, Raise and Log must be given.
type Options struct {
	Log    *slog.Logger
	Ledger Ledger
	// Open returns a view of the registries for one round: it remembers its answers, so that
	// what several installations name is asked for once, and has none of an earlier round.
	Open func() (Registry, error)
	// Raise makes looks at repositories happen.
	Raise func(ctx context.Context, looks ...event.Look) error
	// Reporter writes the daily report; nil writes none.
	Reporter Reporter
	// Lead says whether this replica asks registries now; nil says always.
	Lead     func(ctx context.Context) bool
	Observer Observer // may be nil

	Every time.Duration // between rounds; 0 means 5 s
	Tags  time.Duration // between two looks at a tag; 0 means 5 min
	Lists time.Duration // between two looks at which tags there are; 0 means 15 min
	Pins  time.Duration // between two looks at a pinned digest, and between two reports; 0 means a day
	// Budgets are look-ups for each minute by registry host, "" for those not named. Of those
	// that are missing, docker.io has 100 and every other host 300. A HEAD is no pull at Docker
	// Hub, but its limit against abuse counts all requests of an address
	// (https://docs.docker.com/docker-hub/usage/#abuse-rate-limit).
	Budgets map[string]int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

const (
	lookTime  = 30 * time.Second // for one look
	batchTime = 20 * time.Second // after which a host's batch begins no further look
	hintGap   = 10 * time.Second // between two looks at one thing, however often it is pushed
	forgotten = 90 * 24 * time.Hour
	upkeep    = time.Hour
)

var budgets = map[string]int{"docker.io": 100, "": 300}

// A Watcher asks registries. It is safe for use by several goroutines.
type Watcher struct {
	Options
	wake  chan struct{} // a hint waits
	slots chan struct{} // looks in flight

	mu       sync.Mutex
	hosts    map[string]*host
	hints    map[event.Watched]bool
	leading  bool      // as this replica was told last
	writing  bool      // reports are being written
	upkept   time.Time // when the ledger was last kept up
	vanished bool      // the number of digests that are gone may have changed
}

// New returns a Watcher, or an error that names the option that is wrong.
func New(o Options) (*Watcher, error) {
	switch {
	case o.Log == nil:
		return nil, errors.New("watch: no log is given")
	case o.Ledger == nil:
		return nil, errors.New("watch: no ledger is given")
	case o.Open == nil:
		return nil, errors.New("watch: no registries are given")
	case o.Raise == nil:
		return nil, errors.New("watch: nothing is given that raises looks")
	case min(o.Every, o.Tags, o.Lists, o.Pins) < 0:
		return nil, errors.New("watch: an interval is negative")
	}
	all := maps.Clone(budgets)
	for h, n := range o.Budgets {
		if n < 1 {
			return nil, errors.New("watch: the budget of registry " + cmp.Or(h, "*") + " is not at least 1 for each minute")
		}
		all[h] = n
	}
	o.Budgets = all
	o.Every, o.Tags = cmp.Or(o.Every, 5*time.Second), cmp.Or(o.Tags, 5*time.Minute)
	o.Lists, o.Pins = cmp.Or(o.Lists, 15*time.Minute), cmp.Or(o.Pins, 24*time.Hour)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lead == nil {
		o.Lead = func(context.Context) bool { return true }
	}
	if o.Observer == nil {
		o.Observer = silent{}
	}
	return &Watcher{
		Options: o, wake: make(chan struct{}, 1), slots: make(chan struct{}, 64),
		hosts: map[string]*host{}, hints: map[event.Watched]bool{}, vanished: true,
	}, nil
}

type silent struct{}

func (silent) TagMoved()    {}
func (silent) Alert(string) {}
func (silent) Vanished(int) {}
