package fleet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

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
}

// A port keeps the berths of the repositories that were visited last; the mirrors of the others
// wait on disk.
type port struct {
	dir  string
	mu   sync.Mutex // what is in use is not evicted between the steps of take
	warm *lru.Cache[event.Subject, *berth]
	// reads are what visits asked GitHub for last, kept for longer: they are small.
	reads *lru.Cache[event.Subject, []string]
}

const maxReads = 2048 // repositories

func newPort(dir string, warm int) (*port, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the directory of the mirrors: %w", err)
	}
	p := &port{dir: dir}
	var err error
	p.warm, err = lru.NewWithEvict(warm, func(_ event.Subject, b *berth) {
		if !b.out {
			b.git.Close()
		}
	})
	if err != nil {
		return nil, err
	}
	p.reads, err = lru.New[event.Subject, []string](maxReads)
	return p, err
}

// take gives the berth of a repository to a visit.
func (p *port) take(s event.Subject) (*berth, error) {
	p.mu.Lock()
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
		b.git, err = git.NewMemory(git.Limits{PackSize: 32 << 20, TotalSize: 128 << 20}), nil // another process has it: fetched anew
	}
	return b, err
}

// leave takes it back.
func (p *port) leave(s event.Subject, b *berth) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b.out = false
	p.reads.Add(s, b.reads)
	p.warm.Add(s, b)
}

// scrap gives up what is kept of a repository, as when a mirror is damaged.
func (p *port) scrap(s event.Subject, b *berth) error {
	b.git.Close()
	return os.RemoveAll(p.mirror(s))
}

// drop removes what is kept of a repository, or with Repository 0 of an installation, that is
// gone. What a visit has in use goes with that visit's end.
func (p *port) drop(s event.Subject) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.warm.Keys() {
		if k == s || s.Repository == 0 && k.Installation == s.Installation {
			p.warm.Remove(k) // and closes it
		}
	}
	dir := p.mirror(s)
	if s.Repository == 0 {
		dir = filepath.Dir(dir)
	}
	return os.RemoveAll(dir)
}

func (p *port) mirror(s event.Subject) string {
	return filepath.Join(p.dir, fmt.Sprint(s.Installation), fmt.Sprintf("%d.git", s.Repository))
}

func (p *port) close() { p.warm.Purge() }
