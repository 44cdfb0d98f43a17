package verdict_test

import (
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// rolledBack is an attack after shop 1.1 came to prod as #1 and was taken back as #2.
func rolledBack(t *testing.T) *siege {
	w := attacked(t, nil)
	w.run(w.promote("bob", "prod"))
	w.approve(1, "carol")
	w.lines(w.run(), "#1 merged")
	w.pass(time.Hour)
	w.run(verdict.Wish{ID: "cli-back", Kind: promotion.Rollback, App: "shop", Env: "prod", By: []promotion.Identity{w.User("bob")}})
	w.approve(2, "carol")
	w.lines(w.run(), "#2 merged")
	w.pass(time.Hour)
	return w
}

// After a rollback the same digest is asked for again: the approvals of the first time are
// for the first time.
func TestBypassReplay(t *testing.T) {
	w := rolledBack(t)
	w.lines(w.run(w.promote("bob", "prod")), "opened promote/prod/shop #3", "#3 waiting: 0 of 1 approval")
	w.refuses(3, "0 of 1 approval")
	w.harmless()
}

// The very commit that was approved then is put under the old name again. Its record is
// another pull request's, so that nothing of it counts.
func TestBypassReplayedHead(t *testing.T) {
	w := rolledBack(t)
	w.repo.Branch("pinnace/promote/prod/shop", "bob", w.pullOf(1).Head.SHA)
	n, err := w.repo.OpenPullRequest("bob", "Promote shop to prod", w.pullOf(1).Body, "pinnace/promote/prod/shop", "main")
	if err != nil {
		t.Fatal(err)
	}
	w.refuses(n, "change by hand in prod: shop:1.1", "1 approval asked")
	w.harmless()
}

// The check of that commit is still green until Pinnace looks. Who is quicker than that is
// reported: the record there speaks of another pull request.
func TestBypassReplayedHeadAtOnce(t *testing.T) {
	w := rolledBack(t)
	w.repo.Branch("again", "bob", w.pullOf(1).Head.SHA)
	n, err := w.repo.OpenPullRequest("bob", "Promote shop to prod", "", "again", "main")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.repo.Merge(n, "bob", "squash"); err != nil {
		t.Fatal(err)
	}
	w.reports("`#3` was merged, and no verdict of it is on record")
	w.still()
	w.reports()
}

// A freeze begins after the check turned green: it is turned back, and the button is locked.
func TestBypassFreezeAfterGreen(t *testing.T) {
	w := attacked(t, map[string]string{
		".pinnace/config.yaml": swap(t, configuration, "deploy: auto", "deploy: button"),
		".pinnace/freeze.yaml": "apiVersion: pinnace.dev/v1alpha1\nkind: Freeze\nname: launch\nproduction: true\nwindow: {from: \"2026-11-21T12:00:00Z\", to: \"2026-11-21T18:00:00Z\"}\nreason: Launch day\nowner: ada\n",
	})
	w.run(w.promote("bob", "prod"))
	w.approve(1, "carol")
	w.lines(w.run(), "#1 all rules hold")
	w.pass(4 * time.Hour)
	w.refuses(1, "freeze launch holds: Launch day", "wait until Sat 2026-11-21 18:00 UTC")
	w.harmless()
}

// What was asked for turned out bad, and the environment that it comes from went back: so does
// the leave that it had.
func TestBypassSourceRolledBack(t *testing.T) {
	w := attacked(t, nil)
	w.edit("bob", "main", map[string]string{"envs/staging/shop.yaml": deployment("{shop:6.6}")})
	w.run(w.promote("bob", "prod"))
	w.approve(1, "carol")
	w.edit("erin", "main", map[string]string{"envs/staging/shop.yaml": deployment("{shop:1.1}")})
	w.refuses(1, "staging no longer runs", "ask again")
	w.harmless()
}

// Soak counts from when GitHub or Pinnace saw the change: a commit may say that it is a year
// old.
func TestBypassForgedDate(t *testing.T) {
	w := attacked(t, map[string]string{".pinnace/config.yaml": swap(t, configuration, "production: true", "production: true, soak: 24h")})
	w.pass(-365 * 24 * time.Hour)
	w.edit("bob", "main", map[string]string{"envs/staging/shop.yaml": deployment("{shop:6.6}"), "envs/dev/shop.yaml": deployment("{shop:6.6}")})
	w.pass(365 * 24 * time.Hour)
	w.run()
	w.run(w.promote("bob", "prod"))
	w.approve(1, "carol")
	w.refuses(1, "shop in staging has run for less than 1d", "wait until")
	w.harmless()
}
