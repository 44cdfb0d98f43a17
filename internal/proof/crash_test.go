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
)

var (
	everyCrash = flag.Bool("every-crash", false, "kill at every moment of every effect of the story, instead of at a spread of them")
	crashSeed  = flag.Uint64("crash-seed", 1, "chooses the spread")
	crashRuns  = flag.Int("crash-runs", 3, "how often the story is told with a kill in each step")
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

// tell tells the story with a kill in each step, as the strikes say.
func tell(t *testing.T, strikes []strike, want *telling) (out *telling, kills int) {
	t.Helper()
	s := newStory(t)
	h := s.host(onDisk(t))
	h.revives, h.env = true, []string{tellCommits + "=1"}
	out = &telling{}
	var now string
	defer func() {
		if t.Failed() {
			t.Logf("in %s:\n%s", now, h.said())
		}
	}()
	for i, step := range steps {
		var x strike
		if strikes != nil {
			x = strikes[i]
		}
		now = fmt.Sprintf("step %d, %q, with %s", i, step.name, x)
		s.trap.set(x.at, x.when)
		if step.do(s); len(h.slots) == 0 {
			await(t, "deliveries to fail, since nobody is there", s.quiet)
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

var (
	first     sync.Mutex
	firstTold *telling // owned by first
)

// undisturbed is the story without a fault, which is told once for all tests.
func undisturbed(t *testing.T) *telling {
	t.Helper()
	first.Lock()
	defer first.Unlock()
	if firstTold == nil {
		told, _ := tell(t, nil, nil)
		if t.Failed() {
			t.FailNow()
		}
		firstTold = told
	}
	return firstTold
}

// A crash at any effect, before it happens, before its answer arrives or right after, leaves
// nothing behind that the next process does not put right: after each step things stand as they
// do without a crash, and nothing was written twice.
func TestCrash(t *testing.T) {
	t.Parallel()
	clean := undisturbed(t)
	all := strikesOf(clean)
	most, sum := 0, 0
	for _, list := range all {
		most, sum = max(most, len(list)), sum+len(list)
	}
	t.Logf("%d steps with %d effects: %d moments to be killed at, in %d stories", len(steps), sum/len(moments), sum, most)
	runs := *crashRuns
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
		strikes := make([]strike, len(steps))
		for i, list := range all {
			if n < len(list) {
				strikes[i] = list[n]
			}
		}
		t.Run(fmt.Sprintf("run %d of seed %d", n, *crashSeed), func(t *testing.T) {
			t.Parallel()
			_, kills := tell(t, strikes, clean)
			t.Logf("%d kills", kills)
		})
	}
}

// strikesOf are all moments of all effects of a step, for each step.
func strikesOf(clean *telling) [][]strike {
	var out [][]strike
	for _, effects := range clean.effects {
		var list []strike
		for _, e := range effects {
			if strings.HasPrefix(e.name, "commit ") && e.nth > 2 {
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

// unreached are the effects that the story does not have, or has by chance, and why.
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
	"commit internal/store.(*Store).Hasten":    "a hint about a tag that is only asked for earlier",
	"commit internal/store.(*Store).Hint":      "a registry told of a push: a hint, which the next round makes up for",
	"commit internal/store.(*Store).Reported":  "a report was written: the next round writes it again, into the same issue",
	"commit internal/store.(*Store).Saw":       "what a tag is now: the next round sees it again",
	"commit internal/store.(*Store).Upkeep":    "it forgets what stands nowhere any more",
}

// Each change that the server can ask GitHub for is an effect of the story, so that there is a
// crash at it.
func TestEveryEffectIsInTheStory(t *testing.T) {
	t.Parallel()
	clean := undisturbed(t)
	had := map[string]int{}
	for _, effects := range clean.effects {
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
			t.Errorf("%s, of %s, is no effect of the story: tell of it, so that there is a crash at it", name, strings.Join(source[name], ", "))
		case had[name] > 0 && known && !strings.HasPrefix(name, "commit "):
			t.Errorf("%s is an effect of the story, although %q", name, why)
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
