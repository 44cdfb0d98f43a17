package proof

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// A process that is killed over and over while it begins, works and ends comes to the same end.
// No visit is quarantined for it, as long as some of them come to their end in between.
func TestRestartStorm(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	s := newStory(t)
	h := s.host(onDisk(t))
	h.revives = true
	r := rand.New(rand.NewPCG(*crashSeed, 13))
	kills, storm := 0, 1
	if *everyCrash {
		storm = 5
	}
	for i, step := range steps {
		if step.do(s); i == 0 {
			h.start()
		}
		for range storm {
			// Between two and sixty requests of its own after the last death.
			more := total(s.asked()) + 2 + r.IntN(58)
			within(time.Duration(20+r.IntN(180))*time.Millisecond, func() bool { return total(s.asked()) >= more })
			s.killAll()
			kills++
			h.startAt(0)
		}
		h.rest()
		if step.then != nil {
			step.then(s)
		}
		if got := s.ending(); got != want.endings[i] {
			t.Fatalf("step %d, %q, ends otherwise (-without +got):\n%s", i, step.name, difference(want.endings[i], got))
		}
	}
	t.Logf("%d kills", kills)
	h.isAtRest()
	s.holds(t)
}

func total(a asked) int {
	n := 0
	for _, x := range a {
		n += x
	}
	return n
}

// What the ground does while Pinnace is in the middle of a visit: the process stays, and what
// is there again later is looked after again.
func TestGroundMoves(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct{ away, back func(*story) }{
		"uninstalled": {
			func(s *story) { s.app.Uninstall("acme") },
			func(s *story) { s.app.Install("acme", "config", "line") },
		},
		"suspended": {
			func(s *story) { s.app.Suspend("acme", true) },
			func(s *story) { s.app.Suspend("acme", false) },
		},
		"taken off the list": {
			func(s *story) { s.app.Select("acme", "line") },
			func(s *story) { s.app.Select("acme", "config", "line") },
		},
		"renamed": {
			func(s *story) { s.config.Rename("clusters"); s.installed[0] = "acme/clusters" },
			func(s *story) { s.config.Rename("config"); s.installed[0] = "acme/config" },
		},
		"archived": {
			func(s *story) { s.config.Archive(true) },
			func(s *story) { s.config.Archive(false) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStory(t)
			h := s.host(onDisk(t))
			h.start()
			h.rest()
			for _, at := range []struct{ method, route string }{
				{"POST", "/repos/{owner}/{repo}/pulls"}, {"POST", "/repos/{owner}/{repo}/check-runs"}, {"PUT", "/repos/{owner}/{repo}/pulls/{pull_number}/merge"},
			} {
				hold := newStop(at.method, at.route, 0)
				s.Inject(func(c sandbox.Call) sandbox.Fault { s.count(c); return hold.fault(c) })
				if s.issue == 0 {
					s.issue = s.config.Issue("bob", "Requests", "")
					s.says(s.issue, "bob", "/promote shop to staging")
				}
				s.await(at.method+" "+at.route+", or the end", func() bool { return hold.hasCome() || s.has(stagingFile, "shop:1.1") })
				s.Inject(func(c sandbox.Call) sandbox.Fault { s.count(c); return sandbox.Fault{} })
				x.away(s)
				hold.release()
				x.back(s)
			}
			p := h.replace(h.running()[0]) // the look at everything
			s.await("the promotion", func() bool { return s.has(stagingFile, "shop:1.1") })
			h.rest()
			if p.isGone() {
				t.Errorf("it ended:\n%s", p.out)
			}
			h.isAtRest()
			s.holds(t)
		})
	}
}

// has says whether a file of main names an image.
func (s *story) has(path, image string) bool {
	text, _ := s.config.File("main", path)
	return strings.Contains(text, s.digests[image])
}

// release lets the call go, if it came.
func (x *stop) release() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.let {
		x.let = true
		x.held = true // the next one is not for us
		close(x.free)
	}
}

// A clock that is ten minutes wrong, in either direction, brings nothing that the rules do not
// allow, and once it is right everything comes to the same end.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	for _, minutes := range []int{-10, 10} {
		t.Run(fmt.Sprintf("GitHub is %d minutes ahead", minutes), func(t *testing.T) {
			t.Parallel()
			s := newStory(t)
			h := s.host(onDisk(t))
			h.start()
			h.rest()
			s.ahead.Store(int64(time.Duration(minutes) * time.Minute))
			s.issue = s.config.Issue("bob", "Requests", "")
			s.says(s.issue, "bob", "/promote shop to prod from dev")
			h.rest()
			for _, q := range s.config.PullRequests() {
				if q.State == promotion.Open && strings.HasPrefix(q.Head.Ref, "pinnace/promote/prod/") {
					s.pass()
					if _, err := s.config.Review(q.Number, "bob", promotion.Approved, ""); err != nil { // his own
						t.Fatal(err)
					}
					s.says(q.Number, "bob", "/deploy")
				}
			}
			h.rest()
			if !s.has(prodFile, "shop:1.0") {
				t.Errorf("prod moved without an approval")
			}
			s.holds(t)
		})
	}
}

// A process with 128 descriptors, whose garbage collector is told to keep to 64 MiB, tells the
// story to its end.
func TestLittle(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	s := newStory(t)
	h := s.host(onDisk(t))
	h.before = `ulimit -n 128; exec "$0" "$@"`
	h.env = []string{"GOMEMLIMIT=64MiB"}
	for i, step := range steps {
		if step.do(s); i == 0 {
			h.start()
		}
		h.rest()
		if got := s.ending(); got != want.endings[i] {
			t.Fatalf("step %d, %q, ends otherwise (-without +got):\n%s\n%s", i, step.name, difference(want.endings[i], got), s.said())
		}
	}
	t.Logf("at its most it held %s", h.running()[0].peak())
	s.holds(t)
}

// peak is the most memory that the process has held.
func (p *process) peak() string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "nobody knows what"
}

// The mirrors vanish, or turn into rubbish, while the process runs.
func TestMirrorsVanish(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"removed": func(t *testing.T, dir string) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		},
		"emptied files": func(t *testing.T, dir string) {
			err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
				if err != nil || !e.Type().IsRegular() {
					return err
				}
				return os.Truncate(path, 0)
			})
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStory(t)
			h := s.host(onDisk(t))
			h.start()
			h.rest()
			spoil(t, filepath.Join(s.home, "cache0"))
			s.issue = s.config.Issue("bob", "Requests", "")
			s.says(s.issue, "bob", "/promote shop to staging")
			s.await("the promotion", func() bool { return s.has(stagingFile, "shop:1.1") })
			h.rest()
			h.isAtRest()
			s.holds(t)
		})
	}
}

// SIGTERM at each effect: the process ends by itself and in order, and the next one goes on.
func TestToldToStop(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	s := newStory(t)
	h := s.host(onDisk(t))
	told := 0
	for i, step := range steps {
		var p *process
		effects := slices.DeleteFunc(slices.Clone(want.effects[i]), func(e effect) bool { return strings.HasPrefix(e.name, "commit ") })
		var hold *stop
		if len(effects) > 0 && i > 0 {
			e := effects[len(effects)/2]
			method, route, _ := strings.Cut(e.name, " ")
			hold = newStop(method, route, e.nth-1)
			s.Inject(func(c sandbox.Call) sandbox.Fault { s.count(c); return hold.fault(c) })
		}
		if step.do(s); i == 0 {
			h.start()
		}
		p = h.running()[0]
		// How often a check is changed is chance: where the step has come to its end, it does not come.
		came := hold != nil && h.restOr(hold.hasCome)
		s.Inject(func(c sandbox.Call) sandbox.Fault { s.count(c); return sandbox.Fault{} })
		if hold != nil && !came {
			hold.release()
		}
		if came {
			s.door.bar(p.at())
			p.signal(syscall.SIGTERM)
			hold.release()
			s.await("the process to end", p.isGone)
			if code := p.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("step %d: after SIGTERM it ended with %d:\n%s", i, code, p.out)
			}
			h.startAt(0)
			told++
		}
		h.rest()
		if got := s.ending(); got != want.endings[i] {
			t.Fatalf("step %d, %q, ends otherwise (-without +got):\n%s", i, step.name, difference(want.endings[i], got))
		}
	}
	t.Logf("told to stop %d times in the middle of an effect", told)
	if told < len(steps)/2 {
		t.Errorf("it was told to stop in the middle of %d steps only, of %d", told, len(steps))
	}
	s.holds(t)
}

// Ten thousand deliveries about one repository within seconds are a few looks at it.
func TestBurst(t *testing.T) {
	t.Parallel()
	const deliveries = 10000
	s := newStory(t)
	h := s.unposted(onDisk(t))
	h.paced = true
	p := h.start()
	h.rest()
	s.issue = s.config.Issue("bob", "Requests", "")
	s.says(s.issue, "bob", "/promote shop to staging")
	pending := s.Pending()
	d := pending[len(pending)-1]
	before := s.asked()["acme/config"]
	one := func(guid string) int { return p.post(d, guid) }
	begin := time.Now()
	bad := flood(deliveries, 16, one)
	took := time.Since(begin)
	if bad > 0 {
		t.Errorf("%d of %d deliveries were refused", bad, deliveries)
	}
	h.rest()
	s.runs(stagingFile, "shop:1.1")
	calls := s.asked()["acme/config"] - before
	t.Logf("%d deliveries in %s: %d calls about the repository", deliveries, took.Round(time.Millisecond), calls)
	if calls > 1500 {
		t.Errorf("%d deliveries led to %d calls: that is no handful of looks", deliveries, calls)
	}
	s.holds(t)
}
