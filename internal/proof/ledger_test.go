package proof

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/queue"
	"github.com/pinnace-dev/pinnace/internal/store"
	"github.com/pinnace-dev/pinnace/internal/watch"
)

type work struct {
	mu    sync.Mutex
	there bool
	w     *watch.Watcher
	seen  chan event.Subject
}

func (k *work) has() bool { k.mu.Lock(); defer k.mu.Unlock(); return k.there }
func (k *work) Installations(context.Context) ([]int64, error) {
	if k.has() {
		return []int64{7, 8}, nil
	}
	return []int64{8}, nil
}

func (k *work) Repositories(_ context.Context, i int64) ([]event.Repository, error) {
	if i == 7 {
		return []event.Repository{{Subject: event.Subject{Installation: 7, Repository: 70}, Owner: "acme", Name: "secret-config"}}, nil
	}
	if k.has() {
		return []event.Repository{{Subject: event.Subject{Installation: 8, Repository: 80}, Owner: "bob", Name: "secret"}}, nil
	}
	return nil, nil
}

// Visit is as the fleet's: what stands is told, and what is gone is forgotten.
func (k *work) Visit(ctx context.Context, v event.Visit) (event.Visited, error) {
	if !k.has() {
		return event.Visited{Gone: true}, k.w.Forget(ctx, v.Subject)
	}
	err := k.w.Standing(ctx, v.Subject, []event.Stands{{Name: "ghcr.io/acme/private-shop", Tag: "1.4.2", Digest: "sha256:" + string(make64()), Place: "envs/prod/a.yaml:3"}})
	k.seen <- v.Subject
	return event.Visited{}, err
}

func make64() []byte {
	b := make([]byte, 64)
	for i := range b {
		b[i] = 'a'
	}
	return b
}

func (k *work) Forget(ctx context.Context, s event.Subject) error            { return k.w.Forget(ctx, s) }
func (k *work) Attempts(context.Context, time.Time) ([]event.Attempt, error) { return nil, nil }
func (k *work) Redeliver(context.Context, int64) error                       { return nil }

// an installation that is gone, or a repository that is off the list, is forgotten by the
// queue's survey, which tells nobody: the ledger keeps what stood there, and asks registries on
// its behalf every five minutes, for ever.
func TestHostileLedgerKeepsWhatIsGone(t *testing.T) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "p.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	k := &work{there: true, seen: make(chan event.Subject, 100)}
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
	<-k.seen
	<-k.seen
	time.Sleep(300 * time.Millisecond)
	k.mu.Lock()
	k.there = false
	k.mu.Unlock()
	// installation.deleted of 7, and installation_repositories.removed of 8/80
	_, err = q.Accept(ctx, event.Delivery{GUID: "1", Event: "installation", Looks: []event.Look{{Subject: event.Subject{Installation: 7}, Gone: true}, {Subject: event.Subject{Installation: 8}}, {Subject: event.Subject{Installation: 8, Repository: 80}, Gone: true}}})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(4 * time.Second)
	cancel()
	<-ended
	count := func(q string) (n int) {
		if err := s.DB().QueryRow(q).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count("SELECT COUNT(*) FROM subjects WHERE installation = 7 OR repository = 80"); n != 0 {
		t.Fatalf("the queue still knows %d", n)
	}
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
