package cli

import (
	"context"
	"sync"
	"time"

	"github.com/pinnace-dev/pinnace/internal/store"
	"github.com/pinnace-dev/pinnace/internal/telemetry"
)

// A leader does what one of several processes is to do.
type leader struct {
	store  *store.Store
	name   string
	ttl    time.Duration
	counts *telemetry.Telemetry

	mu    sync.Mutex
	lease *store.Lease
}

// leads says whether this process is the one, and has it be so for a while longer.
func (l *leader) leads(ctx context.Context) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lease != nil && l.lease.Renew(ctx) != nil {
		l.lease = nil
	}
	if l.lease == nil {
		l.lease, _, _ = l.store.Lease(ctx, l.name, l.ttl)
	}
	l.counts.Leading(l.lease != nil)
	return l.lease != nil
}

// leave lets another process in.
func (l *leader) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lease == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = l.lease.Release(ctx)
	l.lease = nil
	l.counts.Leading(false)
}
