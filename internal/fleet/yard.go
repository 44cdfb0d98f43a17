package fleet

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/git"
)

// A yard is what the mirrors on disk take, together. Its mutex is the port's.
type yard struct {
	most    int64 // bytes of all mirrors, 0 = as many as there come
	lying   map[event.Subject]git.MirrorStat
	bytes   int64
	out     map[event.Subject]int // visits under way
	evicted int                   // since it was last told
	known   chan struct{}         // closed once what lay there at the start is known
	stop    context.CancelFunc    // of the looking for it
}

func newYard(most int64) yard {
	return yard{most: most, lying: map[event.Subject]git.MirrorStat{}, out: map[event.Subject]int{}, known: make(chan struct{})}
}

// note says what a mirror takes; nothing where it is gone.
func (y *yard) note(s event.Subject, now git.MirrorStat) {
	y.bytes += now.Size - y.lying[s].Size
	if y.lying[s] = now; now == (git.MirrorStat{}) {
		delete(y.lying, s)
	}
}

// measure looks at one mirror.
func (p *port) measure(s event.Subject) {
	now, err := git.StatMirror(p.mirror(s))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.log.Warn("measure a mirror", "installation", s.Installation, "repository", s.Repository, "error", err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.yard.note(s, now)
}

// find learns what lay there when the process began, and what one before had begun to remove.
// Links are not followed.
func (p *port) find(ctx context.Context) {
	defer close(p.yard.known)
	for _, at := range directories(p.dir) {
		installation, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			continue
		}
		for _, name := range directories(filepath.Join(p.dir, at)) {
			if ctx.Err() != nil {
				return
			}
			if strings.HasSuffix(name, ".git"+git.Retired) {
				_ = os.RemoveAll(filepath.Join(p.dir, at, name))
				continue
			}
			number, ok := strings.CutSuffix(name, ".git")
			repository, err := strconv.ParseInt(number, 10, 64)
			if s := (event.Subject{Installation: installation, Repository: repository}); ok && err == nil && p.mirror(s) == filepath.Join(p.dir, at, name) {
				p.measure(s)
			}
		}
	}
	p.trim(p.yard.most)
}

// directories are the names of those in a directory.
func directories(dir string) (names []string) {
	all, _ := os.ReadDir(dir)
	for _, e := range all {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// trim removes mirrors until all together take no more than so many bytes, those first that
// were visited longest ago. One that a visit has in use stays, here or in another process that
// has the directory as well; so does one that another process visited since.
func (p *port) trim(most int64) {
	p.trimming.Lock() // one at a time: two would remove twice as much as there is too much
	defer p.trimming.Unlock()
	if most > 0 {
		for _, s := range p.oldest(most) {
			p.mu.Lock()
			enough := p.yard.bytes <= most
			p.mu.Unlock()
			if enough {
				break
			}
			if err := p.evict(s); err != nil {
				p.log.Warn("remove a mirror for room", "installation", s.Installation, "repository", s.Repository, "error", err)
			}
		}
	}
	p.mu.Lock()
	bytes, evicted := p.yard.bytes, p.yard.evicted
	p.yard.evicted = 0
	p.mu.Unlock()
	p.told(bytes, evicted)
}

// oldest lists the mirrors that nobody here has in use, those that were visited longest ago
// first; none where there is room.
func (p *port) oldest(most int64) (all []event.Subject) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.yard.bytes <= most {
		return nil
	}
	for s := range p.yard.lying {
		if p.yard.out[s] == 0 {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b event.Subject) int { return p.yard.lying[a].Used.Compare(p.yard.lying[b].Used) })
	return all
}

// evict removes a mirror that nobody has in use.
func (p *port) evict(s event.Subject) error {
	dir := p.mirror(s)
	now, err := git.StatMirror(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	p.mu.Lock()
	if p.yard.out[s] > 0 {
		p.mu.Unlock()
		return nil
	}
	if now.Used.After(p.yard.lying[s].Used) {
		p.yard.note(s, now)
		p.mu.Unlock()
		return nil
	}
	p.warm.Remove(s) // and closes it
	gone, err := git.RetireMirror(dir)
	if err == nil {
		p.yard.note(s, git.MirrorStat{})
		if gone != "" {
			p.yard.evicted++
		}
	}
	p.mu.Unlock()
	if errors.Is(err, git.ErrLocked) {
		return nil
	}
	if err != nil || gone == "" {
		return err
	}
	p.log.Debug("removed a mirror for room", "installation", s.Installation, "repository", s.Repository)
	return os.RemoveAll(gone)
}

// room removes a quarter of what the mirrors take: the disk is full before they reach their
// bound.
func (p *port) room() {
	p.mu.Lock()
	most := p.yard.bytes * 3 / 4
	p.mu.Unlock()
	p.trim(max(1, most))
}

// visited marks a mirror as used now, and sees that all have room.
func (p *port) visited(s event.Subject, r *git.Repository, now time.Time) {
	if err := r.Use(now); err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.log.Warn("mark a mirror as used", "installation", s.Installation, "repository", s.Repository, "error", err)
	}
	p.measure(s)
}
