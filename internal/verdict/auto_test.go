package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

const automatic = `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: ["envs/dev/**"]}
  - {name: staging, paths: ["envs/staging/**"], after: [dev], promote: auto, deploy: auto}
roles:
  promoter: {users: [carol, dave]}
`

const onePerson = `apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: staging
approverCount: 1
unknownBuilder: ignore
applyTo: [{env: staging}]
`

// following has shop 1.0 in dev and staging, which follows dev by itself.
func following(t *testing.T, pairs ...string) *tale {
	t.Helper()
	return newTale(t, with(map[string]string{
		".pinnace/config.yaml": automatic, "envs/dev/shop.yaml": deployment("{shop:1.0}"), "envs/staging/shop.yaml": deployment("{shop:1.0}"),
	}, pairs...))
}

// changes brings an image to dev by a pull request of a person, which a person merges.
func (w *tale) changes(author, merger, image string) int {
	w.Helper()
	name := "change-" + w.now.Format("150405")
	w.commits(name, author, map[string]string{"envs/dev/shop.yaml": deployment("{" + image + "}")})
	n, err := w.repo.OpenPullRequest(author, "shop", "", name, "main")
	if err != nil {
		w.Fatal(err)
	}
	w.pass(time.Minute)
	if _, err := w.repo.Merge(n, merger, "squash"); err != nil {
		w.Fatal(err)
	}
	w.repo.DeleteBranch(name, author)
	w.pass(time.Minute)
	return n
}

// An environment with promote: auto follows the one before. Soak counts from the merge that
// brought the image there.
func TestAutoSoak(t *testing.T) {
	w := following(t, ".pinnace/config.yaml", strings.Replace(automatic, "promote: auto", "promote: auto, soak: 1h", 1))
	w.does()
	w.changes("bob", "erin", "shop:1.1")
	w.does("opened promote/staging/shop #2", "#2 waiting: shop in dev has run for less than 1h")
	w.tells("the pull request", w.pr(2).Body, "Asked for automatically, on behalf of `"+w.User("bob").String()+"`")
	w.tells("the check", w.verdictOf(2).Summary, "Changes by itself: 2026-11-21 10:02 UTC", "Judged again by itself on 2026-11-21 10:02 UTC.")
	w.rests("#2 waiting: shop in dev has run for less than 1h")
	w.pass(58 * time.Minute)
	w.rests("#2 waiting: shop in dev has run for less than 1h")
	w.pass(time.Minute)
	w.does("#2 merged")
	w.holds("envs/staging/shop.yaml", "{shop:1.1}")
	w.rests()
}

// What was pushed without a pull request soaks from when Pinnace saw it first, or anything that
// came after it.
func TestAutoSoakOfAPush(t *testing.T) {
	w := following(t, ".pinnace/config.yaml", strings.Replace(automatic, "promote: auto", "promote: auto, soak: 1h", 1))
	w.commits("main", "bob", map[string]string{"envs/dev/shop.yaml": deployment("{shop:1.1}")})
	w.commits("main", "bob", map[string]string{"README.md": "hello\n"})
	w.pass(time.Hour)
	w.does("opened promote/staging/shop #1", "#1 waiting: shop in dev has run for less than 1h")
	w.pass(59 * time.Minute)
	w.commits("main", "bob", map[string]string{"README.md": "hello again\n"})
	w.does("#1 merged")
	w.rests()
}

// Who asked for the change of the source asked for what follows it, and cannot approve that.
// Nobody asked for a tracked update. Of a push nobody knows who asked.
func TestAutoRequesters(t *testing.T) {
	t.Run("a pull request of a person", func(t *testing.T) {
		w := following(t, ".pinnace/policies/staging.yaml", onePerson)
		w.changes("carol", "erin", "shop:1.1")
		w.does("opened promote/staging/shop #2", "#2 "+waits)
		w.approves(2, "carol")
		w.does("#2 " + waits)
		w.ignored(2, "carol", "carol asked for this change")
		w.rests("#2 " + waits)
		w.approves(2, "dave")
		w.does("#2 merged")
		w.tells("the merge", w.repo.Log("main")[0].Message, "\nRequested-by: carol#", "\nApproved-by: dave#")
		w.rests()
	})
	t.Run("a request", func(t *testing.T) {
		w := following(t, ".pinnace/policies/staging.yaml", onePerson)
		w.did(w.asks("dave", "shop", "dev", fromRegistry("ghcr.io/acme/shop:1.1")), "opened promote/dev/shop #1", "#1 all rules hold")
		if _, err := w.repo.Merge(1, "erin", "squash"); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		w.does("opened promote/staging/shop #2", "#2 "+waits)
		w.approves(2, "dave")
		w.does("#2 " + waits)
		w.approves(2, "carol")
		w.does("#2 merged")
		w.rests()
	})
	t.Run("an update", func(t *testing.T) {
		w := following(t, ".pinnace/policies/staging.yaml", onePerson,
			".pinnace/config.yaml", strings.Replace(automatic, `"envs/dev/**"]`, `"envs/dev/**"], deploy: auto, track: [{images: ["ghcr.io/acme/*"], semver: "*"}]`, 1))
		w.does("opened promote/staging/shop #2", "opened update/dev/shop #1", "#1 merged", "#2 "+waits)
		w.approves(2, "carol")
		w.does("#2 merged")
		w.rests()
	})
	t.Run("a push", func(t *testing.T) {
		w := following(t, ".pinnace/policies/staging.yaml", onePerson)
		w.commits("main", "carol", map[string]string{"envs/dev/shop.yaml": deployment("{shop:1.1}")})
		w.rests("refused promote/staging/shop: denied: 1 approval asked, and nobody can give them: who asked is unknown, and policy staging lets nobody approve their own request")
		w.did(w.asks("erin", "shop", "staging"), "opened promote/staging/shop #1", "#1 "+waits)
		w.rests("#1 " + waits)
	})
	t.Run("a pin", func(t *testing.T) {
		w := following(t, ".pinnace/policies/staging.yaml", onePerson,
			".pinnace/config.yaml", strings.Replace(automatic, `"envs/dev/**"]`, `"envs/dev/**"], deploy: auto`, 1))
		w.commits("change", "carol", map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.1")})
		n, err := w.repo.OpenPullRequest("carol", "shop", "", "change", "main")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.repo.Merge(n, "erin", "squash"); err != nil {
			t.Fatal(err)
		}
		w.repo.DeleteBranch("change", "carol")
		w.pass(time.Minute)
		w.does("opened promote/staging/shop #3", "opened pin/dev #2", "#2 merged", "#3 "+waits)
		w.approves(3, "carol")
		w.does("#3 " + waits)
		w.ignored(3, "carol", "carol asked for this change")
		w.rests("#3 " + waits)
	})
}

// Closing what was proposed by itself is a no to this candidate, until somebody asks, or it
// comes to the source once more.
func TestAutoDeclined(t *testing.T) {
	w := following(t, ".pinnace/policies/staging.yaml", onePerson)
	w.changes("bob", "erin", "shop:1.1")
	w.does("opened promote/staging/shop #2", "#2 "+waits)
	w.repo.Close(2, "dave")
	declined := "declined promote/staging/shop #2: #2 was closed without merging: ask anew to propose it again"
	w.rests(declined)
	w.did(w.asks("erin", "shop", "staging"), "opened promote/staging/shop #3", "#3 "+waits)
	w.rests("#3 " + waits)
	w.repo.Close(3, "dave")
	w.rests(declined)
	w.changes("bob", "erin", "shop:1.0")
	w.rests()
	w.changes("bob", "erin", "shop:1.1")
	w.does("opened promote/staging/shop #6", "#6 "+waits)
	w.rests("#6 " + waits)
}

// The source is rolled back before the merge: what was approved is merged no more.
func TestAutoSourceRolledBack(t *testing.T) {
	w := following(t, ".pinnace/policies/staging.yaml", onePerson)
	w.changes("bob", "erin", "shop:1.1")
	w.does("opened promote/staging/shop #2", "#2 "+waits)
	w.did(w.asks("erin", "shop", "dev", back("")), "opened rollback/dev/shop #3", "#2 "+waits, "#3 all rules hold")
	if _, err := w.repo.Merge(3, "erin", "squash"); err != nil {
		t.Fatal(err)
	}
	w.approves(2, "carol")
	denied := "#2 denied: dev no longer runs ghcr.io/acme/shop:1.1@" + image.Digest(w.digests["shop:1.1"]).Short()
	w.does(denied)
	w.tells("the check", w.verdictOf(2).Summary, "Seen: it stands in no environment · Wanted: it stands in dev", "close this pull request, or ask again: pinnace promote shop --to staging")
	w.rests(denied)
}

const gated = `
    gates:
      - {deployment: dev, app: argo-cd}
      - {checkRun: smoke, app: ci}
      - {commitStatus: load, app: ci}
`

// Gates are verdicts of the named app on the commit that brought the image, or on a later one.
// The newest counts, and those of nobody else.
func TestAutoGates(t *testing.T) {
	w := following(t, ".pinnace/config.yaml", strings.Replace(automatic, `{name: dev, paths: ["envs/dev/**"]}`, `name: dev
    paths: ["envs/dev/**"]`+strings.TrimSuffix(gated, "\n"), 1))
	apps := map[string]*sandbox.App{}
	for _, name := range []string{"Argo CD", "CI", "Other"} {
		apps[name] = w.App(sandbox.AppOptions{Name: name, Permissions: map[string]string{"checks": "write", "statuses": "write", "deployments": "write"}})
		apps[name].Install("acme")
	}
	check := func(app, sha, conclusion string) {
		t.Helper()
		w.pass(time.Minute)
		if err := apps[app].Check(w.repo, sha, "smoke", conclusion); err != nil {
			t.Fatal(err)
		}
	}
	w.changes("bob", "erin", "shop:1.1")
	brought := w.repo.Tip("main")
	w.does("opened promote/staging/shop #2", "#2 waiting: argo-cd has said nothing of deployment dev yet; ci has said nothing of check run smoke yet; ci has said nothing of commit status load yet")

	w.pass(time.Minute)
	apps["Other"].Deploy(w.repo, brought, "dev", "success")
	check("Other", brought, "success")
	w.repo.Status(brought, "erin", "load", "success")
	w.does("#2 waiting: argo-cd has said nothing of deployment dev yet; that of other is not believed; ci has said nothing of check run smoke yet; that of other is not believed; ci has said nothing of commit status load yet; that of @erin is not believed")
	w.pass(time.Minute)
	apps["Argo CD"].Deploy(w.repo, brought, "dev", "success")
	check("CI", brought, "failure")
	w.does("#2 denied: ci says failure of check run smoke")
	w.commits("main", "erin", map[string]string{"README.md": "hello\n"})
	check("CI", w.repo.Tip("main"), "success")
	w.does("#2 waiting: ci has said nothing of commit status load yet; that of @erin is not believed")
	w.repo.Status(brought, apps["CI"].Bot().Login, "load", "success")
	w.does("#2 merged")
	w.rests()
}
