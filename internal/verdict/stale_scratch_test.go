package verdict_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

func TestScratchStale(t *testing.T) {
	if os.Getenv("SCRATCH") == "" {
		t.Skip()
	}
	act := func(w *tale, run func()) {
		issue := w.repo.Issue("bob", "Requests", "")
		w.says(issue, "bob", "/promote shop to prod")
		run()
		w.settles()
		w.pass(time.Minute)
		w.approves(2, "carol")
		run()
		w.settles()
		w.pass(time.Minute)
		w.settles()
	}
	clean := newTale(t, standing())
	act(clean, func() {})
	want := clean.result()
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newTale(t, standing())
			r := rand.New(rand.NewPCG(seed, 1))
			act(w, func() {
				for range 2 {
					w.Inject(func(c sandbox.Call) sandbox.Fault {
						return sandbox.Fault{Stale: c.Method == "GET" && strings.HasPrefix(c.Route, "/repos") && r.IntN(3) == 0}
					})
					w.run()
					w.Inject(nil)
				}
			})
			if got := w.result(); got != want {
				t.Errorf("(-want +got)\n%s", cmp.Diff(want, got))
			}
		})
	}
}
