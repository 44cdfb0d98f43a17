package proof

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	everyCrash = flag.Bool("every-crash", false, "kill at every moment of every effect of the stories, instead of at a spread of them")
	crashSeed  = flag.Uint64("crash-seed", 1, "chooses the spread")
	crashRuns  = flag.Int("crash-runs", 3, "how often a story is told with a kill in each step")
)

// A strike kills the process at a moment of an effect. The zero value does not.
type strike struct {
	at   effect
	when moment
}

func (x strike) String() string {
	if x.when == "" {
		return "no kill"
	}
	return fmt.Sprintf("kill %s %s", x.when, x.at)
}

// A telling is what a story without kills was: the effects of each step, and how things stood
// after it.
type telling struct {
	effects [][]effect
	endings []string
}

// tell tells a story on a fresh database with a kill in each step, as the strikes say; without
// strikes there is no kill.
func (x tale) tell(t *testing.T, in place, strikes []strike, want *telling) (out *telling, kills int) {
	t.Helper()
	s := x.begin(t)
	h := in(t, s)
	s.h, h.revives = h, true
	if s.images {
		h.settled = s.settled
	}
	out = &telling{}
	var now string
	defer func() {
		if t.Failed() {
			t.Logf("in %s:\n%s", now, s.said())
		}
	}()
	for i, step := range x.steps {
		var at strike
		if strikes != nil {
			at = strikes[i]
		}
		now = fmt.Sprintf("step %d, %q, with %s", i, step.name, at)
		s.told = time.Time{}
		s.trap.set(at.at, at.when)
		if step.do(s); len(h.slots) == 0 {
			s.await("deliveries to fail, since nobody is there", s.quiet)
			h.start()
		}
		h.rest()
		sprung, ripe := s.trap.has()
		if ripe && !sprung { // nothing came after the answer: it is killed at rest
			s.trap.set(effect{}, "")
			s.killAll()
			h.rest()
			sprung = true
		}
		if sprung {
			kills++
			if !s.told.IsZero() { // what a registry told may be lost: the next round makes up for it
				s.later(afterRound)
				h.rest()
			}
		}
		out.effects = append(out.effects, s.trap.effects())
		s.trap.set(effect{}, "")
		if step.then != nil {
			step.then(s)
		}
		out.endings = append(out.endings, s.ending())
		if want != nil && out.endings[i] != want.endings[i] {
			t.Fatalf("%s: another end (-without +got):\n%s", now, difference(want.endings[i], out.endings[i]))
		}
		if v := s.Violations(); len(v) > 0 {
			t.Fatalf("%s:\n%s", now, strings.Join(v, "\n"))
		}
	}
	h.isAtRest()
	return out, kills
}

// A place is where a story's processes keep what they know. It notes, and strikes at, commits.
type place func(*testing.T, *story) *host

// inFile is SQLite on disk.
func inFile(t *testing.T, s *story) *host {
	h := s.host(onDisk(t), s.flags...)
	h.env = []string{tellCommits + "=1"}
	return h
}

// A calm is a telling without a fault, made once for all tests.
type calm struct {
	sync.Mutex
	told *telling
}

var ofPromotions, ofImages calm

func (c *calm) of(t *testing.T, x tale) *telling {
	t.Helper()
	c.Lock()
	defer c.Unlock()
	if c.told == nil {
		told, _ := x.tell(t, inFile, nil, nil)
		if t.Failed() {
			t.FailNow()
		}
		c.told = told
	}
	return c.told
}

// undisturbed is the story of promotions without a fault.
func undisturbed(t *testing.T) *telling {
	t.Helper()
	return ofPromotions.of(t, promotions)
}

// unmoved is the story of images without a fault.
func unmoved(t *testing.T) *telling {
	t.Helper()
	return ofImages.of(t, watching)
}

// A crash at any effect, before it happens, before its answer arrives or right after, leaves
// nothing behind that the next process does not put right: after each step things stand as they
// do without a crash, and nothing was written twice.
func TestCrash(t *testing.T) {
	t.Parallel()
	promotions.crash(t, inFile, undisturbed(t), *crashRuns, "")
}

// As it is with promotions, so it is with what is known of registries: no move and no digest that
// is gone is forgotten, and one issue tells of them.
func TestCrashWhileWatching(t *testing.T) {
	t.Parallel()
	watching.crash(t, inFile, unmoved(t), (*crashRuns+1)/2, "")
}

// PostgreSQL has committed, or has not, and the process is gone.
func TestCrashOnPostgreSQL(t *testing.T) {
	t.Parallel()
	x, want := promotions, undisturbed(t)
	if !*everyCrash {
		x.steps = x.steps[:9]
	}
	clean, _ := x.tell(t, onServer, nil, want)
	x.crash(t, onServer, clean, 1, "commit ")
}

// Nor is anything of registries lost there.
func TestCrashOnPostgreSQLWhileWatching(t *testing.T) {
	t.Parallel()
	clean, _ := watching.tell(t, onServer, nil, unmoved(t))
	watching.crash(t, onServer, clean, 1, "commit ")
}

// crash tells a story with kills at the effects whose names begin with prefix: so many times, or as
// often as it takes to strike at each moment of each of them.
func (x tale) crash(t *testing.T, in place, clean *telling, runs int, prefix string) {
	all := strikesOf(clean, prefix)
	most, sum := 0, 0
	for _, list := range all {
		most, sum = max(most, len(list)), sum+len(list)
	}
	t.Logf("%d steps with %d effects: %d moments to be killed at, in %d stories", len(x.steps), sum/len(moments), sum, most)
	if *everyCrash {
		runs = most
	}
	r := rand.New(rand.NewPCG(*crashSeed, 7))
	for i := range all {
		r.Shuffle(len(all[i]), func(a, b int) { all[i][a], all[i][b] = all[i][b], all[i][a] })
	}
	if !*everyCrash {
		bringForward(all)
	}
	for n := range runs {
		strikes := make([]strike, len(x.steps))
		y := x // ends with its last kill
		for i, list := range all {
			if n < len(list) {
				strikes[i], y.steps = list[n], x.steps[:i+1]
			}
		}
		t.Run(fmt.Sprintf("run %d of seed %d", n, *crashSeed), func(t *testing.T) {
			t.Parallel()
			_, kills := y.tell(t, in, strikes, clean)
			t.Logf("%d kills", kills)
		})
	}
}

// strikesOf are all moments of the effects of a step whose names begin with prefix, for each step.
func strikesOf(clean *telling, prefix string) [][]strike {
	var out [][]strike
	for _, effects := range clean.effects {
		var list []strike
		for _, e := range effects {
			if !strings.HasPrefix(e.name, prefix) || strings.HasPrefix(e.name, "commit ") && e.nth > 2 {
				continue // how many visits there are, and so how many commits, is chance
			}
			for _, m := range moments {
				list = append(list, strike{e, m})
			}
		}
		out = append(out, list)
	}
	return out
}

// bringForward moves to the front, in each step, what no step has had there yet, so that a few
// runs reach each name at each moment.
func bringForward(all [][]strike) {
	had := map[string]bool{}
	key := func(x strike) string { return string(x.when) + " " + x.at.name }
	for again := true; again; {
		again = false
		for n := 0; !again; n++ {
			left := false
			for i := range all {
				if n >= len(all[i]) {
					continue
				}
				left = true
				k := slices.IndexFunc(all[i][n:], func(x strike) bool { return !had[key(x)] })
				if k >= 0 {
					all[i][n], all[i][n+k] = all[i][n+k], all[i][n]
					had[key(all[i][n])] = true
				}
			}
			if !left {
				break
			}
		}
	}
}

// unreached are the effects that neither story has, or has by chance, and why.
var unreached = map[string]string{
	"POST /app/installations/{}/access_tokens": "a token changes nothing, and one more does no harm",
	"POST /repos/{}/{}/git/blobs":              "it is for files that are no UTF-8, and such a manifest is never edited",

	"commit internal/queue.(*Queue).Release":   "a person's way out of quarantine by POST /release, one transaction",
	"commit internal/queue.(*Queue).collect":   "it takes up what a crash left: each run with a kill in a visit has it",
	"commit internal/queue.(*Queue).end":       "it asks for a survey after a repository was not found: TestGroundMoves",
	"commit internal/queue.(*Queue).giveUp":    "by chance: it forgets what was asked for again and came",
	"commit internal/queue.(*Queue).prune":     "it forgets deliveries of eight days ago",
	"commit internal/queue.(*Queue).refill":    "by chance: it adds turns that a crash took",
	"commit internal/queue.(*Queue).renew":     "visits here are shorter than a third of a lease: TestStoppedBeyondItsLease has it",
	"commit internal/queue.(*Queue).serve":     "it hands a turn on after twenty minutes",
	"commit internal/queue.(*Queue).forgetAll": "repositories or installations are gone: TestGroundMoves",
	"commit internal/queue.(*Queue).setBack":   "the clock was set back",
	"commit internal/queue.(*Queue).wake":      "by chance: it begins what is due",
	"commit internal/store.(*Lease).Renew":     "a list of deliveries takes longer than 15 s: queue.TestHostileSweepOutlivesItsLease",
	"commit internal/store.(*ETags).shrink":    "a cache has become too large: nothing hangs on it",
	"commit internal/store.(*Store).Forget":    "a repository is gone: TestGroundMoves",
}

// Each change that the server can ask GitHub for, and each commit, is an effect of a story, so that
// there is a crash at it.
func TestEveryEffectIsInTheStory(t *testing.T) {
	t.Parallel()
	had := map[string]int{}
	for _, effects := range slices.Concat(undisturbed(t).effects, unmoved(t).effects) {
		for _, e := range effects {
			had[template(e.name)]++
		}
	}
	source := changesOfGitHub(t)
	for _, room := range []string{"queue", "store", "watch"} {
		for _, name := range commits(t, room) {
			source[name] = append(source[name], "internal/"+room)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(source)) {
		switch why, known := unreached[name]; {
		case had[name] == 0 && !known:
			t.Errorf("%s, of %s, is no effect of a story: tell of it, so that there is a crash at it", name, strings.Join(source[name], ", "))
		case had[name] > 0 && known && !strings.HasPrefix(name, "commit "):
			t.Errorf("%s is an effect of a story, although %q", name, why)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unreached)) {
		if source[name] == nil {
			t.Errorf("%s is nothing that the server can ask for: take it off the list", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(had)) {
		t.Logf("%3d %s", had[name], name)
		if !strings.HasPrefix(name, "commit river") && !strings.HasPrefix(name, "commit goose") && !strings.HasPrefix(name, "commit internal/store.(*Store).migrate") && name != "POST git-receive-pack" && source[name] == nil {
			t.Errorf("%s is an effect that the source is not known to have", name)
		}
	}
}
