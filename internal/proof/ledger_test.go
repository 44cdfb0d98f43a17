package proof

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/queue"
	"github.com/pinnace-dev/pinnace/internal/store"
	"github.com/pinnace-dev/pinnace/internal/watch"
)

// A shop is two installations with a repository each, and after a while only one, with none.
type shop struct {
	mu    sync.Mutex
	there bool
	w     *watch.Watcher
}

func (k *shop) has() bool { k.mu.Lock(); defer k.mu.Unlock(); return k.there }
func (k *shop) Installations(context.Context) ([]int64, error) {
	if k.has() {
		return []int64{7, 8}, nil
	}
	return []int64{8}, nil
}

func (k *shop) Repositories(_ context.Context, i int64) ([]event.Repository, error) {
	if i == 7 {
		return []event.Repository{{Subject: event.Subject{Installation: 7, Repository: 70}, Owner: "acme", Name: "secret-config"}}, nil
	}
	if k.has() {
		return []event.Repository{{Subject: event.Subject{Installation: 8, Repository: 80}, Owner: "bob", Name: "secret"}}, nil
	}
	return nil, nil
}

// Visit is as the fleet's: what stands is told, and what is gone is forgotten.
func (k *shop) Visit(ctx context.Context, v event.Visit) (event.Visited, error) {
	if !k.has() {
		return event.Visited{Gone: true}, k.w.Forget(ctx, v.Subject)
	}
	return event.Visited{}, k.w.Standing(ctx, v.Subject, []event.Stands{{Name: "ghcr.io/acme/private-shop", Tag: "1.4.2", Digest: "sha256:" + strings.Repeat("a", 64), Place: "envs/prod/a.yaml:3"}})
}

func (k *shop) Forget(ctx context.Context, s event.Subject) error            { return k.w.Forget(ctx, s) }
func (k *shop) Attempts(context.Context, time.Time) ([]event.Attempt, error) { return nil, nil }
func (k *shop) Redeliver(context.Context, int64) error                       { return nil }

// What an installation that is gone, or a repository that is off its list, had in the ledger of
// images is forgotten with it: nobody asks registries on its behalf any more.
func TestLedgerForgets(t *testing.T) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "p.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	k := &shop{there: true}
	k.w, err = watch.New(watch.Options{Log: log, Ledger: s, Open: func() (watch.Registry, error) { return nil, errors.New("no") }, Raise: func(context.Context, ...event.Look) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	q, err := queue.New(queue.Options{Store: s, Work: k, Log: log, Again: []time.Duration{}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- q.Run(ctx) }()
	count := func(query string) (n int) {
		if err := s.DB().QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	await(t, "both to be looked at", func() bool { return count("SELECT COUNT(*) FROM stands") == 2 })
	await(t, "the looks to end", func() bool { return count("SELECT COUNT(*) FROM subjects WHERE ends > 0 OR queued > 0") == 0 })
	k.mu.Lock()
	k.there = false
	k.mu.Unlock()
	// installation.deleted of 7, and installation_repositories.removed of 8/80
	_, err = q.Accept(ctx, event.Delivery{GUID: "1", Event: "installation", Looks: []event.Look{{Subject: event.Subject{Installation: 7}, Gone: true}, {Subject: event.Subject{Installation: 8}}, {Subject: event.Subject{Installation: 8, Repository: 80}, Gone: true}}})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the queue to forget", func() bool {
		return count("SELECT COUNT(*) FROM subjects WHERE installation = 7 OR repository = 80") == 0
	})
	cancel()
	<-ended
	for _, table := range []string{"stands", "watched", "reports"} {
		if n := count("SELECT COUNT(*) FROM " + table + map[bool]string{true: " WHERE idle = 0"}[table == "watched"]); n != 0 {
			t.Errorf("%d rows of %s stay, of subjects that the queue has forgotten", n, table)
		}
	}
	if err := s.Upkeep(t.Context(), time.Now().Add(200*24*time.Hour), time.Now(), time.Now().Add(48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	all, err := s.Due(t.Context(), "ghcr.io", time.Now().Add(time.Hour), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		t.Errorf("still asked for, of installation %d: %s:%s", d.Installation, d.Name, d.Tag)
	}
}
