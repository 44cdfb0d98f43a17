package verdict_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// observed is a configuration that only reports.
func observed(text string) string {
	return strings.Replace(text, "kind: Config\n", "kind: Config\nmode: observe\n", 1)
}

// proposes opens a pull request of a person.
func (w *world) proposes(by, head, base string) {
	w.Helper()
	if _, err := w.repo.OpenPullRequest(by, "By hand", "", head, base); err != nil {
		w.Fatal(err)
	}
}

// TestObserveWritesNothing: with mode: observe Pinnace writes nothing at all, whatever was open,
// asked for, approved or broken when the mode began. Each story runs up to there with mode: act,
// which writes: that the story is one of Pinnace's writes is part of the test.
func TestObserveWritesNothing(t *testing.T) {
	const act = configuration
	files := func() map[string]string {
		return map[string]string{
			".pinnace/config.yaml":        act,
			".pinnace/policies/prod.yaml": twoPeople,
			"envs/dev/shop.yaml":          deployment("{shop:1.1}"),
			"envs/staging/shop.yaml":      deployment("{shop:1.1}"),
			"envs/prod/shop.yaml":         deployment("{shop:1.0}"),
		}
	}
	commit := func(w *world, on, by, message string, edits map[string]string) string {
		for name, text := range edits {
			edits[name] = w.expand(text)
		}
		return w.repo.Commit(on, by, message, edits)
	}
	for name, story := range map[string]struct {
		before []func(*world) // each followed by a look, with mode: act
		last   func(*world)   // what the mode is held to
	}{
		"an image that is not pinned": {last: func(w *world) {
			commit(w, "main", "bob", "unpinned", map[string]string{"envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.1")})
		}},
		"a pull request by hand": {last: func(w *world) {
			commit(w, "theirs", "bob", "by hand", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
			w.proposes("bob", "theirs", "main")
		}},
		"an unpinned image in a locked environment": {last: func(w *world) {
			commit(w, "main", "bob", "lock", map[string]string{".pinnace/policies/pins.yaml": "apiVersion: pinnace.dev/v1alpha1\nkind: PullImageDigestPolicy\nname: pins\nallEnvironments: true\n"})
			commit(w, "theirs", "bob", "by hand", map[string]string{"envs/prod/shop.yaml": deployment("ghcr.io/acme/shop:1.1")})
			w.proposes("bob", "theirs", "main")
		}},
		"a change of the rules": {last: func(w *world) {
			commit(w, "theirs", "bob", "rules", map[string]string{".pinnace/policies/prod.yaml": strings.Replace(twoPeople, "approverCount: 1", "approverCount: 0", 1)})
			w.proposes("bob", "theirs", "main")
		}},
		"a command in a comment": {last: func(w *world) {
			w.repo.Issue("bob", "Please", "")
			w.repo.Comment(1, "bob", "/promote shop to prod")
			w.repo.Comment(1, "bob", "/promote nothing")
		}},
		"a promotion that is approved": {before: []func(*world){func(w *world) {
			w.repo.Issue("bob", "Please", "")
			w.repo.Comment(1, "bob", "/promote shop to prod")
		}}, last: func(w *world) { w.review(2, "carol", promotion.Approved) }},
		"a promotion that is cancelled": {before: []func(*world){func(w *world) {
			w.repo.Issue("bob", "Please", "")
			w.repo.Comment(1, "bob", "/promote shop to prod")
		}}, last: func(w *world) { w.repo.Comment(2, "bob", "/cancel") }},
		"a promotion that somebody pushed to": {before: []func(*world){func(w *world) {
			w.repo.Issue("bob", "Please", "")
			w.repo.Comment(1, "bob", "/promote shop to prod")
		}}, last: func(w *world) {
			commit(w, "pinnace/promote/prod/shop", "bob", "mine", map[string]string{"notes.txt": "mine\n"})
			w.repo.Comment(2, "bob", "/reseal")
		}},
		"a promotion that has nothing left to do": {before: []func(*world){func(w *world) {
			w.repo.Issue("bob", "Please", "")
			w.repo.Comment(1, "bob", "/promote shop to prod")
		}}, last: func(w *world) {
			commit(w, "main", "bob", "by hand", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
		}},
		"a promotion whose source has moved on": {before: []func(*world){func(w *world) {
			w.repo.Issue("bob", "Please", "")
			w.repo.Comment(1, "bob", "/promote shop to prod")
		}}, last: func(w *world) {
			commit(w, "main", "bob", "on", map[string]string{"envs/staging/shop.yaml": deployment("{shop:1.2}")})
			w.repo.Comment(1, "bob", "/promote shop to prod")
		}},
		"a break-glass": {before: []func(*world){func(w *world) {
			w.repo.Issue("bob", "Please", "")
			w.repo.Comment(1, "bob", "/promote shop to prod")
		}}, last: func(w *world) { w.repo.Comment(2, "ada", `/break-glass "the shop is down"`) }},
		"a break-glass that was not followed up": {before: []func(*world){func(w *world) {
			w.repo.Issue("bob", "Please", "")
			w.repo.Comment(1, "bob", "/promote shop to prod")
		}, func(w *world) { w.repo.Comment(2, "ada", `/break-glass "the shop is down"`) }}, last: func(w *world) {
			i := slices.IndexFunc(w.repo.Issues(), func(i promotion.Issue) bool { return strings.Contains(strings.ToLower(i.Title), "break") })
			if i < 0 {
				w.Fatalf("no issue tells of the break-glass: %v", w.repo.Issues())
			}
			w.repo.Close(w.repo.Issues()[i].Number, "ada")
		}},
		"a push past the rules": {last: func(w *world) {
			commit(w, "main", "bob", "past the rules", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
		}},
		"a merge past the rules": {before: []func(*world){func(w *world) {
			commit(w, "theirs", "bob", "by hand", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.1}")})
			w.proposes("bob", "theirs", "main")
		}}, last: func(w *world) {
			if _, err := w.repo.MergeByForce(1, "ada", "squash"); err != nil {
				w.Fatal(err)
			}
		}},
		"a group of the merge queue": {before: []func(*world){func(w *world) {
			w.repo.Protect("main", sandbox.Protection{Rules: promotion.Rules{
				PullRequest: true, MergeQueue: true, Checks: []promotion.RequiredCheck{{Context: "pinnace/promotion", App: w.app.ID()}},
			}})
			w.repo.Issue("bob", "Please", "")
			w.repo.Comment(1, "bob", "/promote shop to prod")
		}, func(w *world) { w.review(2, "carol", promotion.Approved) }}, last: func(w *world) {
			if len(w.repo.FormGroups()) == 0 {
				w.Fatal("nothing is in the queue")
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			arrange := func(mode func(string) string) *world {
				w := newWorld(t, files(), "shop:1.0", "shop:1.1", "shop:1.2")
				w.run()
				for _, step := range story.before {
					step(w)
					w.pass(time.Minute)
					w.run()
				}
				if text := mode(act); text != act {
					w.repo.Commit("main", "ada", "mode", map[string]string{".pinnace/config.yaml": text})
				}
				story.last(w)
				w.pass(time.Minute)
				w.ForgetRequests()
				return w
			}
			w := arrange(func(s string) string { return s })
			w.run()
			if w.Writes() == 0 {
				t.Fatal("mode: act writes nothing either: the story shows nothing")
			}
			w = arrange(observed)
			for range 2 {
				told := w.run()
				if n := w.Writes(); n > 0 {
					var writes []string
					for _, q := range w.Requests() {
						if q.Write() {
							writes = append(writes, q.Method+" "+q.Route)
						}
					}
					t.Fatalf("mode: observe made %d writes: %s\nand told %q", n, strings.Join(writes, ", "), told)
				}
			}
			if _, err := w.steward().Judge.Run(context.Background(), 0); err != nil {
				t.Fatal(err)
			}
			if n := w.Writes(); n > 0 {
				t.Errorf("a Judge alone made %d writes", n)
			}
		})
	}
}

// A wish of the command line is judged and told of, and opens nothing.
func TestObserveRefusesNoWish(t *testing.T) {
	w := newWorld(t, map[string]string{
		".pinnace/config.yaml": observed(configuration), "envs/staging/shop.yaml": deployment("{shop:1.1}"), "envs/prod/shop.yaml": deployment("{shop:1.0}"),
	}, "shop:1.0", "shop:1.1")
	w.ForgetRequests()
	got := w.run(w.promote("bob", "prod"))
	if n := w.Writes(); n > 0 || !slices.Contains(got, "opened promote/prod/shop") {
		t.Errorf("%d writes, and told %q", n, got)
	}
}

// A managed branch has a mode of its own, and that of the default branch holds for all.
func TestObserveOfBranches(t *testing.T) {
	for name, test := range map[string]struct {
		main, release string
		writes        bool
	}{
		"the default branch observes": {observed(configuration), configuration, false},
		"the other branch observes":   {configuration, observed(configuration), false},
		"none observes":               {configuration, configuration, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{
				".pinnace/config.yaml": test.main + "branches: [release]\n", "envs/staging/shop.yaml": deployment("{shop:1.1}"), "envs/prod/shop.yaml": deployment("{shop:1.0}"),
			}, "shop:1.0", "shop:1.1")
			w.repo.Commit("release", "bob", "release", map[string]string{".pinnace/config.yaml": test.release})
			w.repo.ForcePush("theirs", "bob", "by hand", w.repo.Tip("release"), map[string]string{"envs/prod/shop.yaml": w.expand(deployment("{shop:1.1}"))})
			w.run()
			w.proposes("bob", "theirs", "release")
			w.repo.Comment(1, "bob", "/promote shop to prod")
			w.ForgetRequests()
			w.run()
			if n := w.Writes(); n > 0 != test.writes {
				t.Errorf("%d writes for a pull request to release", n)
			}
		})
	}
}

// The mode that is set while a merge is under way stops it.
func TestObserveBeginsBeforeTheMerge(t *testing.T) {
	w := newWorld(t, map[string]string{
		".pinnace/config.yaml": configuration, ".pinnace/policies/prod.yaml": twoPeople,
		"envs/staging/shop.yaml": deployment("{shop:1.1}"), "envs/prod/shop.yaml": deployment("{shop:1.0}"),
	}, "shop:1.0", "shop:1.1")
	w.run(w.promote("bob", "prod"))
	w.review(1, "carol", promotion.Approved)
	w.pass(time.Minute)
	reads, writes := 0, 0
	w.Inject(func(c sandbox.Call) sandbox.Fault {
		if c.Method == "GET" && c.Route == "/repos/{owner}/{repo}/pulls/{pull_number}" {
			if reads++; reads == 1 { // right before the merge it is read alone
				w.repo.Commit("main", "ada", "stop", map[string]string{".pinnace/config.yaml": observed(configuration)})
			}
		}
		if reads > 0 && asksToWrite(c) {
			writes++
		}
		return sandbox.Fault{}
	})
	got := w.run()
	if reads == 0 {
		t.Fatalf("the pull request was never read alone: %q", got)
	}
	if q := w.repo.PullRequests()[0]; q.State != promotion.Open || writes > 0 {
		t.Errorf("#1 is %s after %d writes: %q", q.State, writes, got)
	}
}
