package fleet

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/git"
)

const mebi = 1 << 20

// A process has a port on a directory, and a clock.
type process struct {
	*testing.T
	*port
	at time.Time

	mu      sync.Mutex
	bytes   int64 // as it was told
	evicted int
}

// begin starts a process whose mirrors may take so many bytes, and which keeps so many open.
func begin(t *testing.T, dir string, most int64, warm int, at time.Time) *process {
	t.Helper()
	p := &process{T: t, at: at}
	var err error
	p.port, err = newPort(dir, most, warm, func() time.Time { return p.at }, slog.New(slog.DiscardHandler), func(bytes int64, evicted int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.bytes = bytes
		p.evicted += evicted
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	<-p.yard.known
	return p
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func mine(n int64) event.Subject { return event.Subject{Installation: 1 + n%3, Repository: n} }

// visit has a mirror take so many bytes more, a minute after the visit before.
func (p *process) visit(s event.Subject, bytes int64) {
	p.Helper()
	p.at = p.at.Add(time.Minute)
	b, err := p.take(s)
	if err != nil {
		p.Fatal(err)
	}
	p.swell(s, bytes)
	p.leave(s, b)
}

// swell writes a file without contents into a mirror, in whose way nobody is.
func (p *process) swell(s event.Subject, bytes int64) {
	p.Helper()
	f, err := os.CreateTemp(filepath.Join(p.mirror(s), "objects"), "swell")
	if err != nil {
		p.Fatal(err)
	}
	if err := errors.Join(f.Truncate(bytes), f.Close()); err != nil {
		p.Fatal(err)
	}
}

// there lists the repositories that have a mirror.
func (p *process) there() (all []int64) {
	found, _ := filepath.Glob(filepath.Join(p.dir, "*", "*.git"))
	for _, f := range found {
		var n int64
		if _, err := fmt.Sscanf(filepath.Base(f), "%d.git", &n); err == nil {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// want fails the test where other repositories have mirrors, or the port was told wrong.
func (p *process) want(what string, numbers ...int64) {
	p.Helper()
	if diff := cmp.Diff(numbers, p.there()); diff != "" {
		p.Errorf("%s: mirrors -want +got\n%s", what, diff)
	}
	var sum int64
	for _, n := range p.there() {
		s, err := git.StatMirror(p.mirror(mine(n)))
		if err != nil {
			p.Error(err)
		}
		sum += s.Size
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bytes != sum {
		p.Errorf("%s: told of %d bytes, want %d", what, p.bytes, sum)
	}
}

// TestYard: the mirrors that were visited longest ago go first, and only as many as it takes,
// whether they are open or not.
func TestYard(t *testing.T) {
	for name, warm := range map[string]int{"open": 32, "closed": 1} {
		t.Run(name, func(t *testing.T) {
			p := begin(t, t.TempDir(), 5*mebi, warm, noon)
			for n := range int64(40) {
				p.visit(mine(n), mebi*9/10)
			}
			p.want("after many", 35, 36, 37, 38, 39)
			p.visit(mine(35), 0)
			p.visit(mine(50), mebi*9/10)
			p.want("after an old one was visited again", 35, 37, 38, 39, 50)
			p.visit(mine(51), 4*mebi)
			p.want("after a large one", 50, 51)
			p.visit(mine(52), 9*mebi)
			p.want("after one that is larger than all may be")
			if p.evicted != 43 {
				t.Errorf("told of %d that were removed, want 43", p.evicted)
			}
			p.visit(mine(52), mebi)
			p.want("after a small one", 52)
		})
	}
}

func TestYardUnbounded(t *testing.T) {
	p := begin(t, t.TempDir(), 0, 1, noon)
	for n := range int64(5) {
		p.visit(mine(n), 100<<30)
	}
	p.want("without a bound", 0, 1, 2, 3, 4)
}

// TestYardRestart: a new process knows what lies there and when it was visited, and ends what
// the one before had begun.
func TestYardRestart(t *testing.T) {
	dir := t.TempDir()
	p := begin(t, dir, 0, 1, noon)
	for _, n := range []int64{4, 3, 2, 1, 4} {
		p.visit(mine(n), mebi)
	}
	p.close()
	// It was killed while it removed one, and when it had taken the packs away but not the rest.
	for _, left := range []string{p.mirror(mine(9)) + git.Retired, filepath.Join(p.mirror(mine(8)), "objects")} {
		if err := errors.Join(os.MkdirAll(left, 0o700), os.WriteFile(filepath.Join(left, "x"), []byte("x"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	p = begin(t, dir, 7*mebi/2, 1, noon.Add(time.Hour))
	p.want("at the start", 1, 4) // 4 takes two
	if _, err := os.Stat(p.mirror(mine(9)) + git.Retired); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was being removed is still there: %v", err)
	}
	p.visit(mine(1), mebi/2)
	p.visit(mine(5), mebi)
	p.want("later", 1, 5)
}

// TestYardInUse: what a visit has in use stays, in this process and in another one on the same
// directory; so does what the other one visited since.
func TestYardInUse(t *testing.T) {
	dir := t.TempDir()
	a := begin(t, dir, 0, 1, noon)
	a.visit(mine(1), mebi)
	a.visit(mine(2), mebi/2) // which stays open
	b := begin(t, dir, 2*mebi, 8, noon.Add(time.Hour))
	held, err := a.take(mine(1))
	if err != nil {
		t.Fatal(err)
	}
	b.visit(mine(3), mebi)
	b.want("1 is in use, and 2 is open, in another process", 1, 2)
	a.at = noon.Add(2 * time.Hour)
	a.leave(mine(1), held)
	b.visit(mine(4), mebi*6/10)
	b.want("now 1 is open, and 2 is not", 1, 4)
	a.close()

	b.at = noon.Add(3 * time.Hour)
	b.visit(mine(5), mebi*9/10)
	b.want("1 was visited after 4, by the other process", 1, 5)
	b.visit(mine(6), mebi/2)
	b.want("then it is its turn", 5, 6)
}

// TestYardLent: a visit that did without the mirror, since another process has it open, keeps
// nothing, and where it goes wrong the other one's mirror stays.
func TestYardLent(t *testing.T) {
	dir := t.TempDir()
	a, b := begin(t, dir, 0, 8, noon), begin(t, dir, 0, 8, noon)
	a.visit(mine(1), mebi)
	for range 2 {
		lent, err := b.take(mine(1))
		if err != nil || !lent.lent {
			t.Fatalf("took %+v, %v, want one in memory", lent, err)
		}
		if err := b.scrap(mine(1), lent); err != nil {
			t.Error(err)
		}
		if lent, err = b.take(mine(1)); err != nil {
			t.Fatal(err)
		}
		b.leave(mine(1), lent)
	}
	a.want("another process had trouble", 1)
	a.close()
	own, err := b.take(mine(1))
	if err != nil || own.lent {
		t.Fatalf("took %+v, %v, want the mirror, which is free", own, err)
	}
	b.leave(mine(1), own)
}

// TestYardLinks: links are neither followed nor counted.
func TestYardLinks(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	precious := filepath.Join(outside, "1.git", "objects", "pack", "precious")
	if err := errors.Join(os.MkdirAll(filepath.Dir(precious), 0o700), os.WriteFile(precious, make([]byte, mebi), 0o600)); err != nil {
		t.Fatal(err)
	}
	p := begin(t, dir, 0, 1, noon)
	p.visit(mine(3), mebi)
	p.close()
	for from, to := range map[string]string{
		filepath.Join(dir, "7"):                                  outside,                         // an installation
		filepath.Join(dir, "1", "6.git"):                         filepath.Join(outside, "1.git"), // a mirror
		filepath.Join(dir, "1", "9.git"+git.Retired):             outside,                         // one that is going
		filepath.Join(p.mirror(mine(3)), "objects", "pack", "l"): precious,                        // a pack
		filepath.Join(p.mirror(mine(3)), "deep"):                 outside,                         // and whatever
		filepath.Join(dir, "1", "12"):                            "/",                             // no mirror's name
	} {
		if err := os.Symlink(to, from); err != nil {
			t.Fatal(err)
		}
	}
	p = begin(t, dir, mebi/2, 1, noon)
	if p.bytes != 0 || p.evicted != 1 {
		t.Errorf("told of %d bytes and %d that were removed, want 0 and 1", p.bytes, p.evicted)
	}
	if err := p.remove(event.Subject{Installation: 1, Repository: 6}); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "1", "6.git")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link in a mirror's place is still there: %v", err)
	}
	if info, err := os.Stat(precious); err != nil || info.Size() != mebi {
		t.Errorf("what a link led to: %v, %v", info, err)
	}
}

// TestYardRemoved: mirrors that somebody removes are not counted any more, and come again.
func TestYardRemoved(t *testing.T) {
	p := begin(t, t.TempDir(), 2*mebi, 8, noon)
	p.visit(mine(1), mebi)
	b, err := p.take(mine(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(p.dir); err != nil {
		t.Fatal(err)
	}
	if err := p.scrap(mine(1), b); err != nil {
		t.Error(err)
	}
	p.visit(mine(2), 3*mebi/2)
	p.want("all was removed", 2)
	if err := os.RemoveAll(p.mirror(mine(2))); err != nil {
		t.Fatal(err)
	}
	if b, err = p.take(mine(2)); err != nil {
		t.Fatal(err)
	}
	p.leave(mine(2), b)
	p.visit(mine(3), mebi)
	p.want("an open one was removed", 3)
	if err := p.drop(event.Subject{Installation: mine(3).Installation}); err != nil {
		t.Error(err)
	}
	p.visit(mine(4), mebi)
	p.want("an installation is gone", 4)
}

// TestYardAtOnce: no mirror goes while a visit has it in use, however many visits there are in
// two processes.
func TestYardAtOnce(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 2 {
		p := begin(t, dir, 3*mebi, 2, noon)
		p.now = time.Now
		for i := range int64(4) {
			all.Go(func() {
				for n := range int64(15) {
					s := event.Subject{Installation: 1 + i, Repository: n % 5} // one visit to each at a time
					b, err := p.take(s)
					if err != nil {
						t.Error(err)
						return
					}
					if !b.lent {
						used := filepath.Join(p.mirror(s), "objects", "pack", "used")
						if err := os.WriteFile(used, make([]byte, mebi/2), 0o600); err != nil {
							t.Error("during a visit:", err)
						}
						if _, err := os.Stat(used); err != nil {
							t.Error("during a visit:", err)
						}
					}
					p.leave(s, b)
				}
			})
		}
	}
	all.Wait()
}
