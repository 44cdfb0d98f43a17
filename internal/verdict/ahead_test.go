package verdict_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// visitor looks at one pull request, each time with what the visit before read.
type visitor struct {
	hub   *github.Client
	judge *verdict.Judge
	reads []string
}

// look judges pull request 1 in a visit of its own.
func (v *visitor) look(t testing.TB, ahead bool) (*verdict.Outcome, int) {
	t.Helper()
	o := github.VisitOptions{}
	if ahead {
		o.Ahead = v.reads
	}
	hub := v.hub.Visit(context.Background(), o)
	defer hub.Close()
	v.judge.Forge = hub
	out, err := v.judge.Run(context.Background(), 1)
	if err != nil || len(out.Cases) != 1 || out.Cases[0].Err != nil {
		t.Fatalf("got %+v, %v", out, err)
	}
	v.reads = hub.Reads()
	return out, hub.Writes()
}

// calls counts the reads of GitHub's API: all, and those that somebody waited for from their
// beginning.
type calls struct{ all, waited int }

func (c *calls) count(x github.Call) {
	if x.Method != http.MethodGet {
		return
	}
	if c.all++; !x.Ahead {
		c.waited++
	}
}

// A second look at a pull request reads as much as without asking ahead, waits for none of it
// one after the other, and comes to the same verdict; a review that came in between is seen.
func TestLookingAhead(t *testing.T) {
	w, j := reviewed(t, 30)
	made := make(chan github.Call, 1000)
	hub, err := github.New(github.Options{
		URL: w.URL(), Tokens: github.StaticToken(github.Secret(w.app.InstallationToken("acme"))), Spacing: -1, MaxWait: -1,
		Now: func() time.Time { return w.now }, Observe: func(c github.Call) { made <- c },
	})
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{hub: hub, judge: j}
	counted := func() (c calls) {
		for len(made) > 0 {
			c.count(<-made)
		}
		return c
	}
	v.look(t, false) // writes what is new
	v.look(t, false)
	counted()
	slow, _ := v.look(t, false)
	plain := counted()
	fast, writes := v.look(t, true)
	ahead := counted()
	if diff := cmp.Diff(slow.Cases[0].Decision, fast.Cases[0].Decision); diff != "" || writes != 0 {
		t.Errorf("%d writes, decision (-without +with):\n%s", writes, diff)
	}
	if ahead.all != plain.all || ahead.waited > 1 { // the absence of acme/.github, if at all
		t.Errorf("%d reads, %d of them waited for from the beginning; without asking ahead %d", ahead.all, ahead.waited, plain.all)
	}

	w.pass(time.Minute)
	w.repo.Permission("erin", promotion.PermissionAdmin)
	w.review(1, "carol", promotion.Approved)
	w.review(1, "dave", promotion.Approved)
	out, writes := v.look(t, true)
	if got := out.Cases[0].Action; got != verdict.Merged || writes < 2 {
		t.Errorf("%s after %d writes: %s", got, writes, out.Cases[0].Unmerged())
	}
}

// GitHub's reads lag behind its writes, Pinnace's own among them: each third one is of before the
// last write, in turn with different ones. One process that asks with one client does nothing
// twice for that, and comes to the same end.
func TestStaleReads(t *testing.T) {
	story := func(t *testing.T, stale func(sandbox.Call) bool) string {
		w := newTale(t, standing())
		hub := w.steward().Judge.Forge.(*github.Client)
		lagging := func() {
			w.Inject(func(c sandbox.Call) sandbox.Fault {
				return sandbox.Fault{Stale: c.Method == http.MethodGet && strings.HasPrefix(c.Route, "/repos/") && stale(c)}
			})
			for range 2 {
				s := w.steward()
				s.Proposer.Forge, s.Judge.Forge = hub, hub
				if _, err := s.Run(t.Context()); err != nil {
					t.Logf("a run among stale reads: %v", err)
				}
			}
			w.Inject(nil)
			w.settles()
			w.pass(time.Minute)
		}
		w.says(w.repo.Issue("bob", "Requests", ""), "bob", "/promote shop to prod")
		lagging()
		w.approves(2, "carol")
		lagging()
		w.settles()
		return w.result()
	}
	want := story(t, func(sandbox.Call) bool { return false })
	if !strings.Contains(want, "#2 merged") {
		t.Fatalf("the story comes to no merge:\n%s", want)
	}
	for seed := range uint64(25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			if got := story(t, func(sandbox.Call) bool { return r.IntN(3) == 0 }); got != want {
				t.Errorf("another end (-fresh +stale):\n%s", cmp.Diff(want, got))
			}
		})
	}
}

// BenchmarkReviewFromAfar is the time from a review to its verdict where each answer of GitHub
// takes a tenth of a second.
func BenchmarkReviewFromAfar(b *testing.B) {
	for _, ahead := range []bool{false, true} {
		name := "one after the other"
		if ahead {
			name = "ahead"
		}
		b.Run(name, func(b *testing.B) {
			w, j := reviewed(b, 1000)
			v := &visitor{hub: j.Forge.(*github.Client), judge: j}
			v.look(b, false)
			v.look(b, false)
			w.Inject(func(c sandbox.Call) sandbox.Fault {
				if strings.HasPrefix(c.Route, "/v2/") {
					return sandbox.Fault{}
				}
				return sandbox.Fault{Delay: func() { time.Sleep(100 * time.Millisecond) }}
			})
			for b.Loop() {
				v.look(b, ahead)
			}
		})
	}
}
