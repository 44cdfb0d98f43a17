package reconcile_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

func pod(images ...string) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n")
	for _, i := range images {
		b.WriteString("    - {name: c, image: \"" + i + "\"}\n")
	}
	return b.String()
}

// ledger reads main with all of its history.
func (w *world) ledger() *reconcile.Ledger {
	w.Helper()
	p := w.proposer()
	r := git.NewMemory(git.Limits{})
	fetched, err := r.Fetch(context.Background(), p.Remote(promotion.Repository{Owner: "acme", Name: "config"}), git.Fetch{Refs: []string{"refs/heads/main"}})
	if err != nil {
		w.Fatal(err)
	}
	l := &reconcile.Ledger{Git: r, Commit: fetched.Refs["refs/heads/main"]}
	if err := l.Open(context.Background()); err != nil {
		w.Fatal(err)
	}
	return l
}

func (w *world) history(environment, app string) []string {
	w.Helper()
	var out []string
	_, err := w.ledger().History(context.Background(), environment, app, func(a reconcile.Arrival) bool {
		line := a.Subject + ": " + a.Old.String() + " -> " + a.Standing.Image.String()
		if a.Gone {
			line = a.Subject + ": gone " + a.Standing.Image.String()
		}
		out = append(out, line)
		return true
	})
	if err != nil {
		w.Fatal(err)
	}
	return out
}

func TestHistory(t *testing.T) {
	const config = "apiVersion: pinnace.dev/v1alpha1\nkind: Config\nenvironments:\n  - {name: dev, paths: [\"envs/dev/**\"]}\n  - {name: prod, paths: [\"envs/prod/**\"]}\n"
	type commit struct {
		message string
		edits   map[string]string
	}
	for name, test := range map[string]struct {
		commits []commit
		app     string
		want    []string
	}{
		"the newest comes first, and other apps do not come": {
			[]commit{{"one", map[string]string{"envs/dev/p.yaml": pod("acme/shop:1", "redis:7")}}, {"two", map[string]string{"envs/dev/p.yaml": pod("acme/shop:2", "redis:7")}}, {"redis", map[string]string{"envs/dev/p.yaml": pod("acme/shop:2", "redis:8")}}},
			"shop",
			[]string{"two: acme/shop:1 -> acme/shop:2", "one:  -> acme/shop:1"},
		},
		"a container that is put before it changes nothing": {
			[]commit{{"one", map[string]string{"envs/dev/p.yaml": pod("acme/shop:1")}}, {"two", map[string]string{"envs/dev/p.yaml": pod("acme/proxy:3", "acme/shop:1")}}},
			"shop",
			[]string{"one:  -> acme/shop:1"},
		},
		"and is told from a new version in the same commit": {
			[]commit{{"one", map[string]string{"envs/dev/p.yaml": pod("acme/shop:1")}}, {"two", map[string]string{"envs/dev/p.yaml": pod("acme/proxy:3", "acme/shop:2")}}},
			"shop",
			[]string{"two: acme/shop:1 -> acme/shop:2", "one:  -> acme/shop:1"},
		},
		"a file that was moved keeps its history": {
			[]commit{{"one", map[string]string{"old/p.yaml": pod("acme/shop:1")}}, {"two", map[string]string{"old/p.yaml": sandbox.Removed, "envs/dev/p.yaml": pod("acme/shop:1")}}},
			"shop", nil,
		},
		"a removal is told": {
			[]commit{{"one", map[string]string{"envs/dev/p.yaml": pod("acme/shop:1", "redis:7")}}, {"two", map[string]string{"envs/dev/p.yaml": pod("redis:7")}}},
			"shop",
			[]string{"two: gone acme/shop:1", "one:  -> acme/shop:1"},
		},
		"an app has the name that it has among all images, whatever a commit touches": {
			[]commit{
				{"one", map[string]string{"envs/dev/a.yaml": pod("acme/redis:1"), "envs/dev/b.yaml": pod("other/redis:1")}},
				{"two", map[string]string{"envs/dev/a.yaml": pod("acme/redis:2")}},
			},
			"acme/redis",
			[]string{"two: acme/redis:1 -> acme/redis:2", "one:  -> acme/redis:1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{".pinnace/config.yaml": config})
			for _, c := range test.commits {
				w.repo.Commit("main", "bob", c.message, c.edits)
			}
			if diff := cmp.Diff(test.want, w.history("dev", test.app)); diff != "" {
				t.Errorf("history differs (-want +got):\n%s", diff)
			}
		})
	}
}

// What an entry of a kustomization sets is what stands there; the base that it overrides is
// still found, as what it is.
func TestInventoryOfOverlays(t *testing.T) {
	w := newWorld(t, map[string]string{
		".pinnace/config.yaml":         "apiVersion: pinnace.dev/v1alpha1\nkind: Config\nenvironments:\n  - {name: dev, paths: [\"envs/dev/**\"]}\n",
		"base/pod.yaml":                pod("acme/shop:1", "redis:7"),
		"base/kustomization.yaml":      "resources: [pod.yaml]\n",
		"envs/dev/kustomization.yaml":  "resources: [../../base]\nimages:\n  - name: acme/shop\n    newTag: \"2\"\n",
		"envs/dev/unreadable/pod.yaml": "kind: Pod\nspec: {containers: [\n  image: x\n",
	})
	var got []string
	l := w.ledger()
	for _, s := range l.Inventory() {
		line := s.Environment + " " + s.Image.String() + " " + s.Path
		if s.Overridden {
			line += " overridden"
		}
		got = append(got, line)
	}
	want := []string{"dev redis:7 base/pod.yaml", "dev acme/shop:1 base/pod.yaml overridden", "dev acme/shop:2 envs/dev/kustomization.yaml"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("inventory differs (-want +got):\n%s", diff)
	}
	if skipped := l.Skipped(); len(skipped) != 1 || skipped[0].Path != "envs/dev/unreadable/pod.yaml" {
		t.Errorf("skipped %v", skipped)
	}
}
