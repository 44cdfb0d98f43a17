package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/event"
	"github.com/pinnace-dev/pinnace/internal/image"
)

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// A tag that means something else than before is looked at wherever it stands.
func TestMove(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		old := w.push("ghcr.io/acme/shop:1.4.2", "old")
		w.push("ghcr.io/acme/shop:main", "old")
		w.push("nginx:latest", "old")
		w.stand(1, 11, "ghcr.io/acme/shop:1.4.2@"+old, "nginx")
		w.stand(1, 12, "ghcr.io/acme/shop:main@"+old)
		w.stand(1, 13, "ghcr.io/acme/shop:1.4.2")
		w.stand(2, 21, "ghcr.io/acme/shop:1.4.2@"+digestOf("another"))
		w.pass(10 * time.Minute)
		same(t, "looks after the first sight", w.looks(), nil)
		same(t, "alerts after the first sight", w.alarms(), nil)

		w.push("nginx:latest", "new")
		w.push("ghcr.io/acme/shop:main", "new")
		w.pass(6 * time.Minute)
		same(t, "looks", w.looks(), []string{"1/11 docker.io/library/nginx:latest", "1/12 ghcr.io/acme/shop:main"})
		same(t, "alerts for tags that are meant to move", w.alarms(), nil)

		w.push("ghcr.io/acme/shop:1.4.2", "new")
		w.pass(6 * time.Minute)
		same(t, "looks", w.looks(), []string{"1/11 ghcr.io/acme/shop:1.4.2", "1/13 ghcr.io/acme/shop:1.4.2", "2/21 ghcr.io/acme/shop:1.4.2"})
		same(t, "alerts: installation 2 pins another digest", w.alarms(), []string{"tag_moved"})
		if w.moves != 4 {
			t.Errorf("%d moves were counted, want 4", w.moves)
		}
		if !strings.Contains(w.said(), "a tag moved without us") {
			t.Error("the log does not tell the alert")
		}
		w.pass(time.Hour)
		same(t, "looks where nothing moved", w.looks(), nil)
	})
}

// New tags are looked at where a rule follows them.
func TestNewTags(t *testing.T) {
	w := lite(t, Options{})
	w.push("ghcr.io/acme/shop:1.4.2", "a")
	w.stand(1, 11, "+ghcr.io/acme/shop:1.4.2")
	w.stand(1, 12, "ghcr.io/acme/shop:1.4.2")
	w.pass(20 * time.Minute)
	same(t, "looks after the first sight", w.looks(), nil)
	w.push("ghcr.io/acme/shop:1.5.0", "b")
	w.pass(20 * time.Minute)
	same(t, "looks", w.looks(), []string{"1/11 ghcr.io/acme/shop"})
	w.stand(1, 11, "ghcr.io/acme/shop:1.4.2")
	w.questions()
	w.push("ghcr.io/acme/shop:1.6.0", "c")
	w.pass(time.Hour)
	same(t, "looks where no rule follows", w.looks(), nil)
	if slices.Contains(w.questions(), "ghcr.io/acme/shop") {
		t.Error("tags are listed that no rule follows")
	}
}

// With the ledger lost, everything is seen for the first time, and nothing has moved.
func TestLostLedger(t *testing.T) {
	w := lite(t, Options{})
	old := w.push("ghcr.io/acme/shop:1.4.2", "old")
	w.push("ghcr.io/acme/tool:main", "old")
	standing := func() {
		w.stand(1, 11, "+ghcr.io/acme/shop:1.4.2@"+old, "ghcr.io/acme/tool:main", "ghcr.io/acme/gone:1.0.0@"+digestOf("gone"))
	}
	standing()
	w.pass(25 * time.Hour)
	w.looks()
	w.open(newFile(t))
	w.Watcher = w.watcher(Options{})
	w.push("ghcr.io/acme/shop:1.4.2", "new")
	w.push("ghcr.io/acme/shop:1.5.0", "new")
	w.push("ghcr.io/acme/tool:main", "new")
	w.remove("ghcr.io/acme/shop@" + old)
	standing()
	w.pass(50 * time.Hour)
	same(t, "looks", w.looks(), nil)
	same(t, "alerts", w.alarms(), nil)
	same(t, "writes on GitHub", w.desk.writes(), nil)
	w.push("ghcr.io/acme/tool:main", "newer")
	w.pass(6 * time.Minute)
	same(t, "looks at what moves from then on", w.looks(), []string{"1/11 ghcr.io/acme/tool:main"})
}

// A look is raised before the move is written down, so that none is lost.
func TestRaiseFails(t *testing.T) {
	w := lite(t, Options{})
	w.push("ghcr.io/acme/shop:main", "a")
	w.stand(1, 11, "ghcr.io/acme/shop:main")
	w.pass(time.Minute)
	w.push("ghcr.io/acme/shop:main", "b")
	w.raiseErr = errors.New("the queue is full")
	w.pass(10 * time.Minute)
	if w.moves != 0 || !strings.Contains(w.said(), "the queue is full") {
		t.Errorf("%d moves were counted although nobody was told; the log: %s", w.moves, w.said())
	}
	w.raiseErr = nil
	w.pass(time.Minute)
	same(t, "looks", w.looks(), []string{"1/11 ghcr.io/acme/shop:main"})
	if w.moves != 1 {
		t.Errorf("%d moves were counted, want 1", w.moves)
	}
}

// broken fails to write what was seen, once, as a process does that dies before.
type broken struct {
	Ledger
	left int
}

func (b *broken) Saw(ctx context.Context, all []event.Sight) error {
	if b.left > 0 && slices.ContainsFunc(all, event.Sight.Moved) {
		b.left--
		return errors.New("killed")
	}
	return b.Ledger.Saw(ctx, all)
}

func TestKilledBeforeWriting(t *testing.T) {
	w := lite(t, Options{})
	w.Watcher = w.watcher(Options{Ledger: &broken{Ledger: w.ledger, left: 1}})
	w.push("ghcr.io/acme/shop:main", "a")
	w.stand(1, 11, "ghcr.io/acme/shop:main")
	w.pass(time.Minute)
	w.push("ghcr.io/acme/shop:main", "b")
	w.pass(6 * time.Minute)
	same(t, "looks, raised again", w.looks(), []string{"1/11 ghcr.io/acme/shop:main", "1/11 ghcr.io/acme/shop:main"})
	if w.moves != 1 {
		t.Errorf("%d moves were counted, want 1", w.moves)
	}
}

// dying writes what was seen, and the process dies right after.
type dying struct{ Ledger }

func (d dying) Saw(ctx context.Context, all []event.Sight) error {
	return errors.Join(d.Ledger.Saw(ctx, all), errors.New("killed"))
}

// What is to be reported is so from the moment on in which it was written down.
func TestKilledAfterWriting(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		old, tool := w.push("ghcr.io/acme/shop:1.4.2", "old"), w.push("ghcr.io/acme/tool:main", "old")
		w.stand(1, 11, "ghcr.io/acme/shop:1.4.2@"+old)
		w.stand(1, 12, "ghcr.io/acme/tool:main@"+tool)
		w.pass(25 * time.Hour)
		w.push("ghcr.io/acme/shop:1.4.2", "new")
		w.remove("ghcr.io/acme/tool@" + tool)
		if _, err := w.store.DB().Exec("UPDATE reports SET due = $1", w.now().Add(24*time.Hour).UnixMicro()); err != nil {
			t.Fatal(err)
		}
		w.Watcher = w.watcher(Options{Ledger: dying{w.ledger}})
		for range 2 {
			if err := w.Pushed(t.Context(), "ghcr.io/acme/tool@"+tool); err != nil {
				t.Fatal(err)
			}
			w.skip(firstGap + 10*time.Minute)
			w.tick()
		}
		w.Watcher = w.watcher(Options{})
		w.pass(time.Minute)
		writes := w.desk.writes()
		slices.Sort(writes)
		same(t, "writes of the next process", writes, []string{"open 1/11#1", "open 1/12#1"})
	})
}

// What many repositories name is asked for once; what several installations name is asked for
// in one round, and told to each as its own.
func TestOnce(t *testing.T) {
	w := lite(t, Options{})
	w.push("ghcr.io/acme/shop:main", "a")
	for repo := range int64(30) {
		w.stand(1, 100+repo, "ghcr.io/acme/shop:main")
	}
	w.stand(2, 21, "ghcr.io/acme/shop:main", "ghcr.io/acme/secret:1.0.0")
	w.push("ghcr.io/acme/secret:1.0.0", "a")
	w.tick()
	same(t, "questions", w.questions(), []string{"ghcr.io/acme/secret:1.0.0", "ghcr.io/acme/shop:main", "ghcr.io/acme/shop:main"})
	if w.rounds != 1 {
		t.Errorf("%d rounds, want 1", w.rounds)
	}
	w.push("ghcr.io/acme/secret:1.0.0", "b")
	w.pass(6 * time.Minute)
	same(t, "looks at what one installation names", w.looks(), []string{"2/21 ghcr.io/acme/secret:1.0.0"})
	if err := w.Forget(t.Context(), event.Subject{Installation: 2}); err != nil {
		t.Fatal(err)
	}
	w.questions()
	w.push("ghcr.io/acme/shop:main", "b")
	w.push("ghcr.io/acme/secret:1.0.0", "c")
	w.pass(6 * time.Minute)
	if n := len(w.looks()); n != 30 {
		t.Errorf("%d looks, want one at each of the 30 repositories of the other installation", n)
	}
	if slices.Contains(w.questions(), "ghcr.io/acme/secret:1.0.0") {
		t.Error("an installation that was forgotten is still watched for")
	}
}

// A host is asked no more than its budget, evenly over the interval.
func TestBudget(t *testing.T) {
	w := lite(t, Options{Budgets: map[string]int{"docker.io": 60}, Tags: 10 * time.Minute, Every: 10 * time.Second})
	var refs []string
	for i := range 300 {
		refs = append(refs, fmt.Sprintf("acme/app-%d:main", i))
		w.push(refs[i], "a")
	}
	w.stand(1, 11, refs...)
	var perTick []int
	for range 180 {
		w.skip(10 * time.Second)
		w.tick()
		perTick = append(perTick, len(w.questions()))
	}
	if most := slices.Max(perTick); most > 10 {
		t.Errorf("%d looks in one tick of 10 s, want at most 10: 60 each minute", most)
	}
	total := 0
	for _, n := range perTick[60:120] {
		total += n
	}
	if total < 270 || total > 330 || slices.Max(perTick[60:]) > 10 {
		t.Errorf("%d looks in an interval of 10 minutes, want each of the 300 once: %v", total, perTick)
	}
}

// What one installation has does not keep another one waiting.
func TestFair(t *testing.T) {
	w := lite(t, Options{})
	var refs []string
	for i := range 1500 {
		refs = append(refs, fmt.Sprintf("ghcr.io/big/app-%d:main", i))
	}
	w.stand(1, 11, refs...)
	w.skip(time.Second)
	w.stand(2, 21, "ghcr.io/small/app:main", "ghcr.io/small/app:1.0.0")
	w.tick()
	asked := w.questions()
	if !slices.Contains(asked, "ghcr.io/small/app:main") || !slices.Contains(asked, "ghcr.io/small/app:1.0.0") {
		t.Errorf("the small installation waits behind the big one: %q", asked)
	}
}

// A push is a reason to ask now, once.
func TestPushed(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		var refs []string
		for i := range 200 {
			refs = append(refs, fmt.Sprintf("ghcr.io/acme/other-%d:main", i))
		}
		w.push("ghcr.io/acme/shop:main", "a")
		w.stand(1, 11, "+ghcr.io/acme/shop:main")
		w.stand(2, 21, "ghcr.io/acme/shop:main")
		w.pass(time.Minute)
		w.stand(1, 12, refs...) // a backlog
		w.tick()
		w.questions()
		pushed := func(images ...string) {
			t.Helper()
			for _, i := range images {
				if err := w.Pushed(t.Context(), i); err != nil {
					t.Fatal(err)
				}
			}
		}
		w.push("ghcr.io/acme/shop:main", "b")
		for range 100 {
			pushed("ghcr.io/acme/shop:main@"+digestOf("b"), "ghcr.io/nobody/watches:main")
		}
		w.skip(w.Every)
		w.tick()
		asked := w.questions()
		for ref, want := range map[string]int{"ghcr.io/acme/shop:main": 2, "ghcr.io/acme/shop": 1, "ghcr.io/nobody/watches:main": 0} {
			if got := strings.Count(strings.Join(asked, " ")+" ", ref+" "); got != want {
				t.Errorf("%s was asked for %d times, want %d", ref, got, want)
			}
		}
		same(t, "looks", w.looks(), []string{"1/11 ghcr.io/acme/shop:main", "2/21 ghcr.io/acme/shop:main"})

		pushed("ghcr.io/acme/shop:main")
		w.skip(w.Every)
		w.tick()
		if slices.Contains(w.questions(), "ghcr.io/acme/shop:main") {
			t.Error("it was asked for twice within the gap")
		}
		w.skip(hintGap)
		w.tick()
		if !slices.Contains(w.questions(), "ghcr.io/acme/shop:main") {
			t.Error("the push within the gap was forgotten")
		}
		if err := w.Pushed(t.Context(), "not an image"); err == nil {
			t.Error("what is no image was taken")
		}
		var err error
		for i := range maxHints + 1 {
			err = errors.Join(err, w.Pushed(t.Context(), fmt.Sprintf("ghcr.io/acme/flood:%d", i)))
		}
		if !errors.Is(err, errHints) {
			t.Errorf("got %v for a flood, want %v", err, errHints)
		}
		w.tick()
		pushed("ghcr.io/acme/shop:main")
	})
}

// Of several replicas one asks; the others write down what stands and what was pushed.
func TestLead(t *testing.T) {
	w := lite(t, Options{})
	follower := w.watcher(Options{Lead: func(context.Context) bool { return false }})
	w.push("ghcr.io/acme/shop:main", "a")
	if err := follower.Standing(t.Context(), event.Subject{Installation: 1, Repository: 11}, []event.Stands{{Name: "ghcr.io/acme/shop", Tag: "main"}}); err != nil {
		t.Fatal(err)
	}
	if err := follower.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "questions of one that does not lead", w.questions(), nil)
	w.tick()
	w.questions()
	w.push("ghcr.io/acme/shop:main", "b")
	w.skip(time.Minute)
	if err := follower.Pushed(t.Context(), "ghcr.io/acme/shop:main"); err != nil {
		t.Fatal(err)
	}
	if err := follower.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.tick()
	same(t, "looks", w.looks(), []string{"1/11 ghcr.io/acme/shop:main"})
}

// Two that believe to lead write one move.
func TestTwoLeaders(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		old := w.push("ghcr.io/acme/shop:1.0.0", "a")
		w.stand(1, 11, "ghcr.io/acme/shop:1.0.0@"+old)
		w.tick()
		w.push("ghcr.io/acme/shop:1.0.0", "b")
		w.skip(6 * time.Minute)
		due, err := w.ledger.Due(t.Context(), "ghcr.io", w.now(), 10)
		if err != nil || len(due) != 1 {
			t.Fatalf("%d things are due, %v", len(due), err)
		}
		s := w.sight(due[0], digestOf("b"), nil, w.now())
		later := s
		w.skip(time.Second)
		later.Now.First = w.now()
		for _, s := range []event.Sight{s, later} {
			if err := w.ledger.Saw(t.Context(), []event.Sight{s}); err != nil {
				t.Fatal(err)
			}
		}
		var n int
		if err := w.store.DB().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM moves").Scan(&n); err != nil || n != 1 {
			t.Errorf("%d moves are kept, want 1 (%v)", n, err)
		}
	})
}

// A host that limits us is not asked until it says; one that fails rests longer and longer; and
// neither keeps the others waiting.
func TestRest(t *testing.T) {
	w := lite(t, Options{})
	for n, host := range []string{"limits.test", "fails.test", "works.test"} {
		var refs []string
		for i := range 40 {
			refs = append(refs, fmt.Sprintf("%s/acme/app-%d:main", host, i))
			w.push(refs[i], "a")
		}
		w.stand(1, int64(n+1), refs...)
	}
	count := func(host string) int {
		n := 0
		for _, ref := range w.questions() {
			if strings.HasPrefix(ref, host) {
				n++
			}
		}
		return n
	}
	until := w.now().Add(30 * time.Minute)
	w.fail("limits.test", limit{until})
	w.pass(29 * time.Minute)
	if n := count("limits.test"); n > perHost {
		t.Errorf("a host that limits us was asked %d times, want at most the %d looks in flight", n, perHost)
	}
	w.fail("limits.test", nil)
	w.pass(3 * time.Minute)
	if n := count("limits.test"); n != 40 {
		t.Errorf("%d looks after the limit ended, want 40", n)
	}

	w.fail("fails.test", fmt.Errorf("answered 502: %w", image.ErrTransient))
	for range 6 {
		w.pass(time.Hour)
	}
	asked := w.questions()
	failing := 0
	for _, ref := range asked {
		if strings.HasPrefix(ref, "fails.test") {
			failing++
		}
	}
	// It rests 1, 2, 4, 8, 16, 32 and then 60 minutes at a time, with a batch of 4 between.
	if failing == 0 || failing > 16*perHost {
		t.Errorf("a host that fails was asked %d times in 6 hours", failing)
	}
	if len(asked)-failing < 4000 {
		t.Errorf("the other hosts were asked %d times in 6 hours, want about 80 every 5 minutes", len(asked)-failing)
	}
	w.fail("fails.test", nil)
	w.pass(8 * time.Hour)
	w.questions()
	w.pass(10 * time.Minute)
	if n := count("fails.test"); n < 60 {
		t.Errorf("%d looks in 10 minutes long after the host works again, want about 80", n)
	}
	same(t, "looks", w.looks(), nil)
}

// One image that is denied is asked for ever less often, and its host does not suffer for it.
func TestDenied(t *testing.T) {
	w := lite(t, Options{})
	var refs []string
	for i := range 20 {
		refs = append(refs, fmt.Sprintf("ghcr.io/acme/private-%d:main", i))
		w.fail(refs[i], errors.New("denied"))
	}
	w.push("ghcr.io/acme/shop:main", "a")
	w.stand(1, 11, append(refs, "ghcr.io/acme/shop:main")...)
	for range 24 {
		w.pass(time.Hour)
	}
	asked := strings.Join(w.questions(), " ")
	if n := strings.Count(asked, "private-7:"); n < 5 || n > 15 {
		t.Errorf("an image that is denied was asked for %d times in a day", n)
	}
	if n := strings.Count(asked, "shop:"); n < 180 {
		t.Errorf("its neighbour was asked for %d times in a day", n)
	}
}

// What nothing names any more is not asked for, and is not forgotten at once.
func TestIdle(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		old := w.push("ghcr.io/acme/shop:1.0.0", "a")
		w.stand(1, 11, "ghcr.io/acme/shop:1.0.0@"+old)
		w.stand(1, 12, "ghcr.io/acme/shop:1.0.0@"+old)
		w.pass(time.Minute)
		w.stand(1, 11, "ghcr.io/acme/shop:2.0.0")
		w.questions()
		w.pass(6 * time.Minute)
		if !slices.Contains(w.questions(), "ghcr.io/acme/shop:1.0.0") {
			t.Error("what stands in another repository is not asked for")
		}
		if err := w.Forget(t.Context(), event.Subject{Installation: 1, Repository: 12}); err != nil {
			t.Fatal(err)
		}
		w.questions()
		w.pass(30 * time.Minute)
		if slices.Contains(w.questions(), "ghcr.io/acme/shop:1.0.0") {
			t.Error("what stands nowhere is asked for")
		}
		w.push("ghcr.io/acme/shop:1.0.0", "b")
		w.stand(1, 12, "ghcr.io/acme/shop:1.0.0@"+old)
		w.pass(time.Minute)
		same(t, "looks at what moved meanwhile", w.looks(), []string{"1/12 ghcr.io/acme/shop:1.0.0"})
		same(t, "alerts", w.alarms(), []string{"tag_moved"})

		w.stand(1, 12)
		w.skip(forgotten + time.Hour)
		w.tick()
		w.skip(2 * upkeep)
		w.tick()
		var n int
		if err := w.store.DB().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM watched WHERE tag = '1.0.0' OR digest <> ''").Scan(&n); err != nil || n != 0 {
			t.Errorf("%d things are kept of what nothing names for long, want none (%v)", n, err)
		}
	})
}

// A clock that was wrong for a while does not stop anything.
func TestClock(t *testing.T) {
	w := lite(t, Options{})
	w.push("ghcr.io/acme/shop:main", "a")
	w.skip(1000 * time.Hour)
	w.stand(1, 11, "ghcr.io/acme/shop:main")
	w.tick()
	w.skip(-1000 * time.Hour)
	w.questions()
	w.push("ghcr.io/acme/shop:main", "b")
	w.pass(10 * time.Minute)
	same(t, "looks", w.looks(), []string{"1/11 ghcr.io/acme/shop:main"})
}

// Standing says the same again at the cost of one read, and takes only what is an image.
func TestStanding(t *testing.T) {
	w := lite(t, Options{})
	s := event.Subject{Installation: 1, Repository: 11}
	all := []event.Stands{
		{Name: "nginx", Place: "b.yaml:2"},
		{Name: "docker.io/library/nginx", Tag: "latest", Place: "a.yaml:1", More: 2, Tracked: true},
		{Name: "not an image", Tag: "1"},
		{Name: "ghcr.io/acme/shop", Digest: digestOf("a"), Place: strings.Repeat("é", 150)},
	}
	if err := w.Standing(t.Context(), s, all); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(all)
	merged := w.merged(s, all)
	same(t, "merged", merged, []event.Stands{
		{Name: "docker.io/library/nginx", Tag: "latest", Tracked: true, Place: "a.yaml:1", More: 3},
		{Name: "ghcr.io/acme/shop", Digest: digestOf("a"), Place: strings.Repeat("é", 100)},
	})
	frozen := w.watcher(Options{Ledger: &unchanged{Ledger: w.ledger, t: t}})
	if err := frozen.Standing(t.Context(), s, all); err != nil {
		t.Fatal(err)
	}
	var many []event.Stands
	for i := range maxStands + 10 {
		many = append(many, event.Stands{Name: fmt.Sprintf("ghcr.io/acme/app-%04d", i), Tag: "1"})
	}
	if n := len(w.merged(s, many)); n != maxStands || !strings.Contains(w.said(), "more images than are watched") {
		t.Errorf("%d images are watched, want %d and a warning", n, maxStands)
	}
}

type unchanged struct {
	Ledger
	t *testing.T
}

func (u *unchanged) Stand(ctx context.Context, s event.Standing, now time.Time) (bool, error) {
	changed, err := u.Ledger.Stand(ctx, s, now)
	if changed {
		u.t.Error("the same images were written again")
	}
	return changed, err
}

func TestOptions(t *testing.T) {
	w := lite(t, Options{})
	good := w.Options
	for want, spoil := range map[string]func(*Options){
		"no log":       func(o *Options) { o.Log = nil },
		"no ledger":    func(o *Options) { o.Ledger = nil },
		"no regist":    func(o *Options) { o.Open = nil },
		"raises looks": func(o *Options) { o.Raise = nil },
		"negative":     func(o *Options) { o.Tags = -1 },
		"registry *":   func(o *Options) { o.Budgets = map[string]int{"": 0} },
	} {
		o := good
		spoil(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that says %q", err, want)
		}
	}
	x, err := New(Options{Log: good.Log, Ledger: good.Ledger, Open: good.Open, Raise: good.Raise})
	if err != nil || !x.Lead(t.Context()) || x.budget("docker.io") != 100 || x.budget("ghcr.io") != 300 {
		t.Errorf("got %v, and budgets %d and %d", err, x.budget("docker.io"), x.budget("ghcr.io"))
	}
}
