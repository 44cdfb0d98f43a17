package verdict_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A source that moves on to something newer takes nothing from what was asked for before: the
// approved digest was tested there. One that is rolled back does.
func TestSourceMovesOn(t *testing.T) {
	for name, c := range map[string]struct {
		next string   // what staging runs next
		want []string // once the second approval is there
	}{
		"to something newer":         {"shop:1.2", []string{"#1 merged"}},
		"back to what stood before":  {"shop:1.0", []string{"#1 denied: staging no longer runs ghcr.io/acme/shop:1.1@"}},
		"to newer, and back to that": {"shop:1.2 shop:1.1", []string{"#1 merged"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := standing()
			files[".pinnace/policies/prod.yaml"] = strings.Replace(twoPeople, "approverCount: 1", "approverCount: 2", 1)
			files["envs/staging/shop.yaml"] = deployment("{shop:1.0}")
			w := newWorld(t, files, "shop:1.0", "shop:1.1", "shop:1.2")
			w.pass(time.Minute)
			w.repo.Commit("main", "erin", "staging: 1.1", map[string]string{"envs/staging/shop.yaml": w.expand(deployment("{shop:1.1}"))})
			if got, want := w.run(w.promote("bob", "prod")), []string{"opened promote/prod/shop #1", "#1 waiting: 0 of 2 approvals"}; !slices.Equal(got, want) {
				t.Fatalf("got %q, want %q", got, want)
			}
			w.pass(time.Minute)
			w.review(1, "carol", promotion.Approved)
			w.run()
			for next := range strings.FieldsSeq(c.next) {
				w.pass(time.Minute)
				w.repo.Commit("main", "erin", "staging: "+next, map[string]string{"envs/staging/shop.yaml": w.expand(deployment("{" + next + "}"))})
				w.run()
			}
			w.pass(time.Minute)
			w.review(1, "dave", promotion.Approved)
			got := w.run()
			for i := range got {
				if i < len(c.want) && strings.HasPrefix(got[i], c.want[i]) {
					got[i] = c.want[i]
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
