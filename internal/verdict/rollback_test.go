package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// promoted has shop 1.1 in every environment, which came to prod by #1.
func promoted(t *testing.T, pairs ...string) *tale {
	t.Helper()
	w := newTale(t, with(standing(), pairs...))
	w.did(w.asks("bob", "shop", "prod"), "opened promote/prod/shop #1", "#1 "+waits)
	w.approves(1, "carol")
	w.does("#1 merged")
	w.holds(prodFile, "{shop:1.1}")
	w.pass(time.Minute)
	return w
}

// Promoted, rolled back, and the same digest promoted again: each time it is approved anew.
func TestRollbackReplay(t *testing.T) {
	w := promoted(t)
	w.did(w.asks("bob", "shop", "prod", back("")), "opened rollback/prod/shop #2", "#2 "+waits)
	w.tells("the pull request", w.pr(2).Title+w.pr(2).Body, "Roll shop back to 1.0 in prod")
	w.rests("#2 " + waits)
	w.approves(2, "carol")
	w.does("#2 merged")
	w.holds(prodFile, "{shop:1.0}")
	w.did(w.asks("bob", "shop", "prod"), "opened promote/prod/shop #3", "#3 "+waits)
	if a, b := w.pr(1).Head.SHA, w.pr(3).Head.SHA; a == b {
		t.Error("the head is the one that was approved in #1")
	}
	w.rests("#3 " + waits)
	w.approves(3, "dave")
	w.does("#3 merged")
	w.holds(prodFile, "{shop:1.1}")
	w.rests()
}

// What is brought back is what stood there before, or a digest that is named and stood there.
func TestRollbackTo(t *testing.T) {
	w := promoted(t)
	w.commits("main", "erin", map[string]string{"envs/staging/shop.yaml": deployment("{shop:1.2}")})
	w.did(w.asks("bob", "shop", "prod"), "opened promote/prod/shop #2", "#2 "+waits)
	w.approves(2, "carol")
	w.does("#2 merged")
	w.push("shop:2.0")

	w.did(w.asks("bob", "shop", "prod", back(w.digests["shop:2.0"])),
		"refused: "+w.digests["shop:2.0"]+" never stood in prod for shop: promote it with image REF")
	w.did(w.asks("bob", "shop", "dev", back("")), "refused: nothing else with a digest ever stood in dev for shop: promote an image with image REF")
	w.did(w.asks("bob", "shop", "prod", back(w.digests["shop:1.2"])))
	w.rests()
	w.did(w.asks("bob", "shop", "prod", back(w.digests["shop:1.0"])), "opened rollback/prod/shop #3", "#3 "+waits)
	w.tells("the pull request", w.pr(3).Title, "Roll shop back to 1.0 in prod")
	w.did(w.asks("bob", "shop", "prod", back("")), "updated rollback/prod/shop #3", "#3 "+waits)
	w.tells("the pull request", w.pr(3).Title, "Roll shop back to 1.1 in prod")
	w.rests("#3 " + waits)
}

// The counts of a policy's rollback block hold for what a verified promotion had brought;
// anything else that stood there needs as many approvals as a promotion.
func TestRollbackBlock(t *testing.T) {
	eased := strings.Replace(twoPeople, "applyTo", "rollback: {approverCount: 0}\napplyTo", 1)
	w := promoted(t, ".pinnace/policies/prod.yaml", eased)
	w.commits("main", "erin", map[string]string{"envs/staging/shop.yaml": deployment("{shop:1.2}")})
	w.did(w.asks("bob", "shop", "prod"), "opened promote/prod/shop #2", "#2 "+waits)
	w.approves(2, "carol")
	w.does("#2 merged")
	w.did(w.asks("bob", "shop", "prod", back("")), "opened rollback/prod/shop #3", "#3 merged")
	w.holds(prodFile, "{shop:1.1}")
	w.did(w.asks("bob", "shop", "prod", back(w.digests["shop:1.0"])), "opened rollback/prod/shop #4", "#4 "+waits)
	w.rests("#4 " + waits)
}

// /rollback in a comment, and a rollback that was approved is never queued behind another.
func TestRollbackComments(t *testing.T) {
	w := promoted(t, ".pinnace/config.yaml", strings.Replace(configuration, "production: true", "production: true, onNewer: queue", 1))
	issue := w.repo.Issue("bob", "Down", "")
	w.says(issue, "bob", "/rollback shop in prod because of errors")
	w.does("opened rollback/prod/shop #3", "#3 "+waits)
	w.answered(issue, 0, "✅ Opened #3 to roll `shop` back to `1.0` in `prod`.")
	w.says(issue, "erin", "/rollback shop in prod to "+w.digests["shop:1.2"])
	w.does("#3 " + waits)
	w.answered(issue, 1, "❌ Refused to roll `shop` back in `prod`.\n- `"+w.digests["shop:1.2"]+"` never stood in prod for shop: promote it with image REF")
	w.rests("#3 " + waits)
}

const tracking = `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - name: dev
    paths: ["envs/dev/**"]
    deploy: auto
    track: [{images: ["ghcr.io/acme/*"], semver: "*"}]
  - {name: staging, paths: ["envs/staging/**"], after: [dev], promote: auto, deploy: auto}
  - {name: prod, paths: ["envs/prod/**"], after: [staging], production: true, deploy: auto}
roles:
  promoter: {users: [carol, dave]}
`

// A rollback keeps away what nobody asked for since: updates and automatic promotions. Once
// somebody promotes again they go on.
func TestRollbackHoldsAutomatic(t *testing.T) {
	w := newTale(t, with(standing(), ".pinnace/config.yaml", tracking))
	w.does("opened promote/staging/shop #2", "opened update/dev/shop #1", "#1 merged", "#2 merged")
	w.holds("envs/staging/shop.yaml", "{shop:1.2}")

	w.did(w.asks("bob", "shop", "dev", back("")),
		"waiting update/dev/shop: held by the rollback #3", "opened promote/staging/shop #4", "opened rollback/dev/shop #3", "#3 merged", "#4 merged")
	held := "waiting update/dev/shop: held by the rollback #3"
	w.did(w.asks("bob", "shop", "staging", back("")), held, "opened rollback/staging/shop #5", "#5 merged")
	w.push("shop:1.3")
	w.rests(held)
	w.holds("envs/dev/shop.yaml", "{shop:1.1}")
	w.holds("envs/staging/shop.yaml", "{shop:1.2}")

	w.did(w.asks("bob", "shop", "dev", fromRegistry("ghcr.io/acme/shop:1.2")), "opened update/dev/shop #7", "opened promote/dev/shop #6", "#6 merged", "#7 merged")
	w.rests()
	w.holds("envs/dev/shop.yaml", "{shop:1.3}")
	w.holds("envs/staging/shop.yaml", "{shop:1.2}")
	w.did(w.asks("bob", "shop", "staging"), "opened promote/staging/shop #8", "#8 merged")
	w.pass(time.Minute)
	w.push("shop:1.4")
	w.does("opened promote/staging/shop #10", "opened update/dev/shop #9", "#9 merged", "#10 merged")
	w.rests()
}

// An open rollback goes before everything else of its app; what was asked for before it waits
// until somebody asks again.
func TestRollbackHoldsRequests(t *testing.T) {
	w := promoted(t)
	w.commits("main", "erin", map[string]string{"envs/staging/shop.yaml": deployment("{shop:1.2}")})
	w.did(w.asks("bob", "shop", "prod"), "opened promote/prod/shop #2", "#2 "+waits)
	w.approves(2, "carol")
	w.pass(time.Minute)
	w.did(w.asks("erin", "shop", "prod", back("")), "opened rollback/prod/shop #3", "#2 waiting: held by the open rollback #3", "#3 "+waits)
	w.rests("#2 waiting: held by the open rollback #3", "#3 "+waits)
	w.approves(3, "dave")
	stuck := []string{
		"waiting promote/prod/shop #2: what #2 was sealed on has changed in main: comment /reseal on it, and have it reviewed again",
		"#2 denied: the seal is broken at envs/prod/shop.yaml:9, where main no longer holds ghcr.io/acme/shop:1.1@" + image.Digest(w.digests["shop:1.1"]).Short(),
	}
	w.does(stuck[0], "#3 merged", stuck[1])
	w.rests(stuck...)
	w.says(2, "bob", "/reseal")
	w.does("updated promote/prod/shop #2", "#2 waiting: held by the rollback #3 of 2026-11-21 09:09 UTC; 0 of 1 approval")
	w.did(w.asks("bob", "shop", "prod"), "updated promote/prod/shop #2: #2 already asks for it", "#2 "+waits)
	w.approves(2, "carol")
	w.does("#2 merged")
	w.holds(prodFile, "{shop:1.2}")
	w.rests()
}
