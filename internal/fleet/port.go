package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// A berth is what is kept of a repository between visits.
type berth struct {
	git     *git.Repository
	indexes map[string]*reconcile.Index
	reads   []string        // what the last visit asked GitHub for
	told    map[string]bool // what the last visit found worth a line in the log
	out     bool            // it is in use, or was given up
	lent    bool            // another process has the mirror: git is in memory, for one visit
}

// A port keeps the berths of the repositories that were visited last; the mirrors of the others
// wait on disk.
type port struct {
	dir  string
	now  func() time.Time
	log  *slog.Logger
	told func(bytes int64, evicted int) // what the mirrors take, and how many were removed for room

	trimming sync.Mutex
	mu       sync.Mutex // what is in use is not evicted between the steps of take
	warm     *lru.Cache[event.Subject, *berth]
	// reads are what visits asked GitHub for last, kept for longer: they are small.
	reads *lru.Cache[event.Subject, []string]
	yard  yard
}

const maxReads = 2048 // repositories

// newPort returns the port of a directory, whose mirrors are to take so many bytes at most, 0 =
// any number, and of which so many are kept open.
func newPort(dir string, most int64, warm int, now func() time.Time, log *slog.Logger, told func(bytes int64, evicted int)) (*port, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the directory of the mirrors: %w", err)
	}
	p := &port{dir: dir, now: now, log: log, told: told, yard: newYard(most)}
	var err error
	p.warm, err = lru.NewWithEvict(warm, func(_ event.Subject, b *berth) {
		if !b.out {
			b.git.Close()
		}
	})
	if err != nil {
		return nil, err
	}
	if p.reads, err = lru.New[event.Subject, []string](maxReads); err != nil {
		return nil, err
	}
	var ctx context.Context
	ctx, p.yard.stop = context.WithCancel(context.Background())
	go p.find(ctx)
	return p, nil
}

// take gives the berth of a repository to a visit, which gives it back with leave or scrap
// where there is no error.
func (p *port) take(s event.Subject) (*berth, error) {
	p.mu.Lock()
	p.yard.out[s]++
	b, ok := p.warm.Get(s)
	if ok {
		b.out = true
		p.warm.Remove(s)
	}
	p.mu.Unlock()
	if ok {
		return b, nil
	}
	b = &berth{indexes: map[string]*reconcile.Index{}, out: true}
	b.reads, _ = p.reads.Get(s)
	var err error
	b.git, err = git.OpenMirror(p.mirror(s), git.Limits{})
	if errors.Is(err, git.ErrLocked) {
		b.git, b.lent, err = git.NewMemory(git.Limits{PackSize: 32 << 20, TotalSize: 128 << 20}), true, nil // fetched anew
	}
	if err != nil {
		p.gone(s, nil)
		return nil, err
	}
	return b, nil
}

// gone says that a visit has a mirror no longer in use. Kept is what is kept of it, nil =
// nothing.
func (p *port) gone(s event.Subject, kept *berth) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.yard.out[s]--; p.yard.out[s] == 0 {
		delete(p.yard.out, s)
	}
	if kept != nil {
		kept.out = false
		p.warm.Add(s, kept)
	}
}

// leave takes it back.
func (p *port) leave(s event.Subject, b *berth) {
	p.reads.Add(s, b.reads)
	if b.lent {
		b.git.Close()
		p.gone(s, nil)
		return
	}
	p.visited(s, b.git, p.now())
	p.gone(s, b)
	p.trim(p.yard.most)
}

// scrap gives up what is kept of a repository, as when a mirror is damaged. One that another
// process has is that one's to scrap.
func (p *port) scrap(s event.Subject, b *berth) error {
	b.git.Close()
	defer p.gone(s, nil)
	if b.lent {
		return nil
	}
	return p.remove(s)
}

// remove removes the mirror of a repository, unless somebody has it open.
func (p *port) remove(s event.Subject) error {
	gone, err := git.RetireMirror(p.mirror(s))
	if errors.Is(err, git.ErrLocked) {
		return nil
	}
	if err == nil && gone != "" {
		err = os.RemoveAll(gone)
	}
	p.measure(s)
	return err
}

// drop removes what is kept of a repository, or with Repository 0 of an installation, that is
// gone. What a visit has in use goes with that visit's end.
func (p *port) drop(s event.Subject) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	of := func(k event.Subject) bool {
		return k == s || s.Repository == 0 && k.Installation == s.Installation
	}
	for _, k := range p.warm.Keys() {
		if of(k) {
			p.warm.Remove(k) // and closes it
		}
	}
	dir := p.mirror(s)
	if s.Repository == 0 {
		dir = filepath.Dir(dir)
	}
	err := os.RemoveAll(dir)
	for k := range p.yard.lying {
		if err == nil && of(k) {
			p.yard.note(k, git.MirrorStat{})
		}
	}
	return err
}

func (p *port) mirror(s event.Subject) string {
	return filepath.Join(p.dir, fmt.Sprint(s.Installation), fmt.Sprintf("%d.git", s.Repository))
}

func (p *port) close() {
	p.yard.stop()
	<-p.yard.known
	p.warm.Purge()
}
