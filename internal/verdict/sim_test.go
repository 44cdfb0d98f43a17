package verdict_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

var (
	simSeed  = flag.Uint64("sim-seed", 1, "the seed of the first schedule of the simulation")
	simCount = flag.Int("sim-count", 20, "how many schedules the simulation runs, one seed after the other; 0: until stopped")
	simLog   = flag.Bool("sim-log", false, "print the log of each schedule")
)

// A schedule is what people, other tools, time and failures do to a repository that Pinnace
// looks after; its seed alone decides it. After each of its steps the invariants of
// SPEC.md section 6 hold. `make sim SEED=n` replays.
func TestSimulation(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	start := time.Now()
	s := simulation{next: *simSeed}
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() { s.work(t) })
	}
	all.Wait()
	if s.failed != nil {
		steps, p := shrink(t, s.seed, draw(s.seed), s.failed, nil)
		t.Errorf("seed %d, shrunk to %d steps (make sim SEED=%d COUNT=1): %s\n%s", s.seed, len(steps), s.seed, p.faults[0], story(p, steps))
	}
	t.Logf("%d schedules from seed %d, with %d merges by Pinnace, %d of them with approvals, and %d changes of the rules, in %s", s.n, *simSeed, s.merges, s.approved, s.ruled, time.Since(start).Round(time.Millisecond))
	if s.n >= 20 && s.approved == 0 {
		t.Error("nothing was ever merged, so that nothing was tested")
	}
}

// A simulation hands out seeds in their order, until a schedule fails: then the lowest seed
// that fails is among those that were handed out.
type simulation struct {
	mu                         sync.Mutex
	next                       uint64
	n, merges, approved, ruled int
	seed                       uint64 // the lowest that fails
	failed                     *play
}

// work runs one schedule after the other.
func (s *simulation) work(t *testing.T) {
	for {
		s.mu.Lock()
		seed := s.next
		if s.failed != nil || *simCount != 0 && seed-*simSeed >= uint64(*simCount) {
			s.mu.Unlock()
			return
		}
		s.next++
		s.mu.Unlock()
		steps := draw(seed)
		p := runSchedule(t, seed, steps, nil)
		if *simLog {
			t.Logf("seed %d: %s", seed, story(p, steps))
		}
		s.mu.Lock()
		s.n, s.merges, s.approved, s.ruled = s.n+1, s.merges+p.merges, s.approved+p.approved, s.ruled+p.ruled
		if len(p.faults) > 0 && (s.failed == nil || seed < s.seed) {
			s.seed, s.failed = seed, p
		}
		if *simCount == 0 && s.n%1000 == 0 {
			fmt.Printf("%d schedules, up to seed %d\n", s.n, seed)
		}
		s.mu.Unlock()
	}
}

// story is a schedule, readable.
func story(p *play, steps []step) string {
	return fmt.Sprintf("%+v\n%v\n%s", p.v, steps, strings.Join(p.log, "\n"))
}

// shrink leaves out steps, one after the other, as long as the same thing is broken.
func shrink(t *testing.T, seed uint64, steps []step, failed *play, wrap forge) ([]step, *play) {
	kind := func(p *play) string { return firstWords(p.faults[0]) }
	want := kind(failed)
	for size := max(len(steps)/2, 1); size > 0; size /= 2 {
		for i := 0; i+size <= len(steps); {
			fewer := slices.Delete(slices.Clone(steps), i, i+size)
			p := runSchedule(t, seed, fewer, wrap)
			if len(p.faults) > 0 && kind(p) == want {
				steps, failed = fewer, p
			} else {
				i += size
			}
		}
	}
	return steps, failed
}

// firstWords tells faults apart, without what they name.
func firstWords(s string) string {
	var out []string
	for _, w := range strings.Fields(s) {
		if !strings.ContainsAny(w, "#0123456789/") {
			out = append(out, w)
		}
	}
	return strings.Join(out[:min(len(out), 6)], " ")
}

// Two runs of one schedule are alike to the letter, also at the same time.
func TestSimulationIsReplayed(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		steps := draw(seed)
		var a, b *play
		var both sync.WaitGroup
		both.Go(func() { a = runSchedule(t, seed, steps, nil) })
		both.Go(func() { b = runSchedule(t, seed, steps, nil) })
		both.Wait()
		if x, y := story(a, steps), story(b, steps); x != y {
			t.Errorf("seed %d: two runs differ:\n%s\n\n%s", seed, x, y)
		}
	}
}

// careless merges whatever the head is by now.
type careless struct{ verdict.Forge }

func (f careless) Merge(ctx context.Context, r promotion.Repository, m promotion.MergeRequest) (string, error) {
	sha, err := f.Forge.Merge(ctx, r, m)
	for errors.Is(err, promotion.ErrConflict) {
		q, _, failure := f.PullRequest(ctx, r, m.Number)
		if failure != nil || q.State != promotion.Open || q.Head.SHA == m.SHA {
			break
		}
		m.SHA = q.Head.SHA
		sha, err = f.Forge.Merge(ctx, r, m)
	}
	return sha, err
}

// forgetful answers with the reviews that it saw first.
type forgetful struct {
	verdict.Forge
	seen map[int][]promotion.Review
}

func (f forgetful) Reviews(ctx context.Context, r promotion.Repository, number int) ([]promotion.Review, error) {
	all, err := f.Forge.Reviews(ctx, r, number)
	if old := f.seen[number]; len(old) > 0 {
		return old, err
	}
	if err == nil {
		f.seen[number] = all
	}
	return all, err
}

// mostSchedules is within how many schedules a defect that matters shows.
const mostSchedules = 4

// tilted is a schedule in which there is often something new to promote, and one thing happens
// then.
func tilted(seed uint64, verb string) []step {
	r := rand.New(rand.NewPCG(seed, 3))
	var out []step
	for i, s := range draw(seed)[:15] {
		if out = append(out, s); i%3 != 0 {
			continue
		}
		for _, v := range []string{"release", "run", "run", verb} {
			out = append(out, step{v, r.IntN(1 << 20), r.IntN(1 << 20), r.IntN(1 << 20)})
		}
	}
	return out
}

// The simulation finds a Pinnace that does not name the head that it judged when it merges, and
// one that reads reviews from a cache.
func TestSimulationFindsDefects(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	for name, c := range map[string]struct {
		wrap   func() forge
		deploy string // where it shows
		verb   string // what shows it
		from   uint64
		want   string
	}{
		"a merge without the expected head": {func() forge {
			return func(f verdict.Forge) verdict.Forge { return careless{f} }
		}, "auto", "snatch", 1, "merge"},
		"reviews from a cache": {func() forge {
			seen := map[int][]promotion.Review{}
			return func(f verdict.Forge) verdict.Forge { return forgetful{f, seen} }
		}, "button", "withdraw", 1, "against"},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := c.from; seed < c.from+mostSchedules; seed++ {
				steps := tilted(seed, c.verb)
				v := newVariant(seed)
				v.queue, v.current, v.freeze, v.team, v.soak = false, false, false, false, nil
				v.required, v.stale, v.method, v.track, v.deploy[v.envs[0]] = false, false, "squash", true, "auto"
				for _, e := range v.envs {
					if e != v.envs[0] {
						v.deploy[e], v.count[e] = c.deploy, 1
					}
				}
				p := runIn(t, v, steps, c.wrap())
				if i := slices.IndexFunc(p.faults, func(f string) bool { return strings.Contains(f, c.want) }); i >= 0 {
					t.Logf("seed %d: %s", seed, p.faults[i])
					if sound := runIn(t, v, steps, nil); len(sound.faults) > 0 {
						t.Errorf("without the defect it is broken as well: %s\n%s", sound.faults[0], story(sound, steps))
					}
					return
				}
			}
			t.Errorf("%d schedules show nothing", mostSchedules)
		})
	}
}
