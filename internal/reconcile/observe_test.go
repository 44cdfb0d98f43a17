package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// TestObserveWritesNothing: with mode: observe what would be done is told, and nothing is
// written, whatever is open when the mode begins. With mode: act each story ends in a write.
func TestObserveWritesNothing(t *testing.T) {
	observe := func(text string) string {
		return strings.Replace(text, "kind: Config\n", "kind: Config\nmode: observe\n", 1)
	}
	superseding := strings.Replace(environments, "    track:", "    onNewer: supersede\n    track:", 1)
	file := func(w *world, path, text string) {
		w.repo.Commit("main", "bob", path, map[string]string{path: text})
	}
	for name, story := range map[string]struct {
		config string
		before []func(*world) // each followed by a run with mode: act
		last   func(*world)
		want   string
	}{
		"an image that is not pinned": {last: func(*world) {}, want: "opened pinnace/pin/dev"},
		"a tag that moved": {before: []func(*world){func(*world) {}}, last: func(w *world) {
			w.push("ghcr.io/acme/shop:1.4", sandbox.Image{Seed: "next"})
		}, want: "updated pinnace/pin/dev #1"},
		"nothing is left": {before: []func(*world){func(*world) {}}, last: func(w *world) {
			file(w, "envs/dev/shop.yaml", w.file("pinnace/pin/dev", "envs/dev/shop.yaml"))
		}, want: "finished pinnace/pin/dev #1"},
		"a branch that somebody pushed to": {before: []func(*world){func(*world) {}}, last: func(w *world) {
			w.repo.Commit("pinnace/pin/dev", "bob", "mine", map[string]string{"notes.txt": "mine\n"})
		}, want: "diverged pinnace/pin/dev #1"},
		"a label that somebody took": {before: []func(*world){func(*world) {}}, last: func(w *world) {
			w.repo.RemoveLabel(1, "bob", "pinnace")
		}, want: "updated pinnace/pin/dev #1"},
		"a newer version, superseding": {config: superseding, before: []func(*world){func(w *world) {
			old := w.push("ghcr.io/acme/shop:1.4.0", sandbox.Image{})
			w.push("ghcr.io/acme/shop:1.5.0", sandbox.Image{})
			file(w, "envs/dev/shop.yaml", deployment("ghcr.io/acme/shop:1.4.0@"+old))
		}}, last: func(w *world) {
			if _, err := w.repo.Review(1, "ada", promotion.Approved, ""); err != nil {
				w.Fatal(err)
			}
			w.push("ghcr.io/acme/shop:1.6.0", sandbox.Image{})
		}, want: "opened pinnace/update/dev/shop"},
		"a question that is moot": {before: []func(*world){func(w *world) {
			w.repo.Commit("main", "ada", "none", map[string]string{configPath: sandbox.Removed})
			w.asks("opened #1")
			file(w, "envs/dev/shop.yaml", deployment("ghcr.io/acme/shop:1.4 # pinnace:ignore"))
		}}, last: func(w *world) { file(w, configPath, environments) }, want: "finished pinnace/configure #1"},
		"another branch": {config: environments + "branches: [release]\n", last: func(w *world) {
			w.repo.Commit("release", "bob", "release", map[string]string{configPath: environments})
		}, want: "opened pinnace/base/release/pin/dev"},
	} {
		t.Run(name, func(t *testing.T) {
			text := story.config
			if text == "" {
				text = environments
			}
			arrange := func(mode func(string) string) *world {
				w := newWorld(t, map[string]string{configPath: text, "envs/dev/shop.yaml": deployment("ghcr.io/acme/shop:1.4")})
				w.push("ghcr.io/acme/shop:1.4", sandbox.Image{})
				for _, step := range story.before {
					step(w)
					if _, configured := w.repo.File("main", configPath); configured {
						w.reconcile()
					}
				}
				story.last(w)
				file(w, configPath, mode(text))
				w.ForgetRequests()
				return w
			}
			w := arrange(func(s string) string { return s })
			if w.reconcile(); w.Writes() == 0 {
				t.Fatal("mode: act writes nothing either: the story shows nothing")
			}
			w = arrange(observe)
			if got := w.reconcile(); w.Writes() > 0 || !slices.Contains(got, story.want) {
				t.Errorf("%d writes, and told %q, want %q", w.Writes(), got, story.want)
			}
		})
	}
}
