package verdict_test

import (
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// kustomized is prod as a kustomization of one deployment, beside a place of no environment.
// The policy names shop alone.
func kustomized() map[string]string {
	return map[string]string{
		".pinnace/policies/prod.yaml":  shopOnly,
		"envs/prod/kustomization.yaml": "resources:\n  - shop.yaml\n",
	}
}

// A sidecar of an app that no policy names comes into the pod of one that a policy names: it
// is judged under that policy.
func TestBypassForeignSidecar(t *testing.T) {
	w := attacked(t, map[string]string{".pinnace/policies/prod.yaml": shopOnly})
	n := w.hand("bob", "metrics", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.0}") + "        - name: metrics\n          image: {miner:6.6}\n"})
	w.refuses(n, "miner:6.6", "0 of 1 approval", "policy `prod`")
	w.harmless()
}

// A kustomization calls shop by another name: what comes is judged under the app that it
// comes instead of.
func TestBypassNewName(t *testing.T) {
	w := attacked(t, kustomized())
	n := w.hand("bob", "mirror", map[string]string{
		"envs/prod/kustomization.yaml": "resources:\n  - shop.yaml\nimages:\n  - name: ghcr.io/acme/shop\n    newName: ghcr.io/acme/miner\n    newTag: \"6.6\"\n    digest: " + w.digests["miner:6.6"] + "\n",
	})
	w.refuses(n, "miner:6.6", "0 of 1 approval", "policy `prod`")
	w.harmless()
}

// A patch that stands as text in a kustomization may set any image: it needs the approvals
// of the whole environment's policies.
func TestBypassInlinePatch(t *testing.T) {
	w := attacked(t, kustomized())
	n := w.hand("bob", "replicas", map[string]string{
		"envs/prod/kustomization.yaml": "resources:\n  - shop.yaml\npatches:\n  - target: {kind: Deployment}\n    patch: |-\n      - op: replace\n        path: /spec/template/spec/containers/0/image\n        value: evil.example/miner\n",
	})
	w.refuses(n, "cannot be read for images", "it needs the approvals of prod", "0 of 1 approval")
	w.harmless()
}

// What a kustomization fetches from elsewhere may hold any image, today or tomorrow.
func TestBypassRemoteResource(t *testing.T) {
	w := attacked(t, kustomized())
	n := w.hand("bob", "upstream", map[string]string{
		"envs/prod/kustomization.yaml": "resources:\n  - shop.yaml\n  - https://github.com/evil/miner//deploy?ref=main\n",
	})
	w.refuses(n, "cannot be read for images", "it needs the approvals of prod", "0 of 1 approval")
	w.harmless()
}

// A file outside of every environment's paths, which prod's kustomization names, is of prod.
// So is one that several environments share.
func TestBypassSharedBase(t *testing.T) {
	files := kustomized()
	files["envs/prod/kustomization.yaml"] = "resources:\n  - shop.yaml\n  - ../../base\n"
	files["envs/dev/kustomization.yaml"] = "resources:\n  - shop.yaml\n  - ../../base\n"
	files["base/kustomization.yaml"] = "resources:\n  - worker.yaml\n"
	files["base/worker.yaml"] = deployment("{shop:1.0}")
	w := attacked(t, files)
	n := w.hand("bob", "dev-first", map[string]string{"base/worker.yaml": deployment("{shop:6.6}")})
	w.refuses(n, "in dev, prod: shop:6.6", "prod: ", "0 of 1 approval")
	w.harmless()
}

// A file moves to where another environment's glob finds it: it comes to that environment.
func TestBypassMovedFile(t *testing.T) {
	w := attacked(t, map[string]string{"examples/worker.yaml": deployment("{shop:6.6}")})
	n := w.hand("bob", "tidy", map[string]string{"examples/worker.yaml": sandbox.Removed, "envs/prod/worker.yaml": deployment("{shop:6.6}")})
	w.refuses(n, "in prod: shop:6.6", "0 of 1 approval")
	w.harmless()
}

// composed is a directory that nothing names, in front of prod.
func composed(t *testing.T) *siege {
	files := kustomized()
	files["extra/kustomization.yaml"] = "resources: []\n"
	return attacked(t, files)
}

// halves opens two pull requests of which each is harmless: one fills a directory that nothing
// names, the other lets prod name it while it is empty.
func (w *siege) halves() (fill, name int) {
	fill = w.hand("bob", "fill", map[string]string{"extra/kustomization.yaml": "resources:\n  - worker.yaml\n", "extra/worker.yaml": deployment("{shop:6.6}")})
	name = w.hand("bob", "name", map[string]string{"envs/prod/kustomization.yaml": "resources:\n  - shop.yaml\n  - ../../extra\n"})
	return fill, name
}

// Two harmless pull requests compose into one that is not. Where branches have to be up to
// date GitHub refuses the second until it holds the first, and then it is judged with it.
func TestBypassTwoThatCompose(t *testing.T) {
	w := composed(t)
	w.demand(promotion.Rules{UpToDate: true})
	fill, name := w.halves()
	w.lines(w.run(), "#1 all rules hold", "#2 all rules hold")
	w.pass(time.Minute)
	if _, err := w.repo.Merge(fill, "bob", "squash"); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	if err := w.repo.UpdateBranch(name, "bob"); err != nil {
		t.Fatal(err)
	}
	w.refuses(name, "in prod: shop:6.6", "0 of 1 approval")
	w.harmless()
}

// Where branches need not be up to date GitHub merges both: what came of it is reported.
func TestBypassTwoThatComposeUnseen(t *testing.T) {
	w := composed(t)
	fill, name := w.halves()
	w.lines(w.run(), "#1 all rules hold", "#2 all rules hold")
	for _, n := range []int{fill, name} {
		w.pass(time.Minute)
		if _, err := w.repo.Merge(n, "bob", "squash"); err != nil {
			t.Fatal(err)
		}
	}
	w.reports("#2", "shop", "prod")
	w.still()
	w.reports()
}
