package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// layered has shop in a base that dev and staging use, and in a base of its own in prod.
func layered() map[string]string {
	return map[string]string{
		".pinnace/config.yaml":            configuration,
		".pinnace/policies/prod.yaml":     twoPeople,
		"base/shop/deployment.yaml":       deployment("{shop:1.1}"),
		"base/shop/kustomization.yaml":    "resources: [deployment.yaml]\n",
		"base/worker/deployment.yaml":     strings.ReplaceAll(deployment("{worker:1.0}"), "shop", "worker"),
		"base/worker/kustomization.yaml":  "resources: [deployment.yaml]\n",
		"envs/dev/kustomization.yaml":     "resources: [../../base/shop, ../../base/worker]\n",
		"envs/staging/kustomization.yaml": "resources: [../../base/shop]\n",
		"envs/prod/kustomization.yaml":    "resources: [shop.yaml]\n",
		"envs/prod/shop.yaml":             deployment("{shop:1.0}"),
	}
}

// What can bring images to an environment with a bound policy, and cannot be read, needs the
// approvals on the whole diff.
func TestOpaque(t *testing.T) {
	for _, test := range []struct {
		name  string
		edits map[string]string
		says  string // of the check
	}{
		{"an inline patch", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml]\npatches:\n  - target: {kind: Deployment}\n    patch: |\n      - {op: replace, path: /spec/template/spec/containers/0/image, value: evil}\n"}, "a patch in envs/prod/kustomization.yaml"},
		{"a JSON patch in a file", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml]\npatchesJson6902:\n  - {target: {kind: Deployment, name: shop, version: v1}, path: p.yaml}\n", "envs/prod/p.yaml": "- {op: replace, path: /spec/template/spec/containers/0/image, value: evil}\n"}, "JSON patch in"},
		{"a generator", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml]\nconfigMapGenerator:\n  - {name: x, literals: [image=evil]}\n"}, "a generator of a ConfigMap in"},
		{"a remote resource", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml, \"https://example.com/evil.yaml\"]\n"}, "a remote entry of resources in"},
		{"a Helm chart", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml]\nhelmCharts:\n  - {name: shop, repo: \"https://charts.example.com\", version: 1.2.3}\n"}, "a Helm chart in"},
		{"a templated file", map[string]string{"envs/prod/other.yaml": "apiVersion: apps/v1\nkind: Deployment\nspec:\n  {{- if .x }}\n  image: {{ .image }}\n"}, "envs/prod/other.yaml"},
		{"an encrypted file", map[string]string{"envs/prod/secret.enc.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: ENC[AES256_GCM,data:abc,type:str]\nsops: {mac: \"ENC[AES256_GCM,data:abc]\"}\n"}, "envs/prod/secret.enc.yaml"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, layered(), "shop:1.0", "shop:1.1", "worker:1.0")
			w.opens("bob", "patch", test.edits)
			w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
			if got := w.checked(1, "pinnace/promotion"); !strings.Contains(got.Summary+got.Text, test.says) || !strings.Contains(got.Text, "cannot be read for images") {
				t.Errorf("the check does not say %q:\n%s\n%s", test.says, got.Summary, got.Text)
			}
			w.rests()
			w.pass(time.Minute)
			w.review(1, "carol", promotion.Approved)
			w.pass(time.Minute)
			w.repo.Comment(1, "bob", "/deploy")
			w.sees("#1 merged")
			w.rests()
		})
	}
}

// A kustomization that names a path that is not there fails, however many approve it.
func TestOpaqueMissing(t *testing.T) {
	w := newWorld(t, layered(), "shop:1.0", "shop:1.1", "worker:1.0")
	w.opens("bob", "gone", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml, later.yaml]\n"})
	w.sees("#1 denied: envs/prod/kustomization.yaml names envs/prod/later.yaml, which is not there")
	if got := w.conclusion(1, "pinnace/promotion"); got != "failure" {
		t.Errorf("the check is %s", got)
	}
	w.rests()
}

// A file that several environments reach is judged under all of them.
func TestKustomizeShared(t *testing.T) {
	files := layered()
	files["envs/prod/kustomization.yaml"] = "resources: [../../base/shop]\n"
	delete(files, "envs/prod/shop.yaml")
	w := newWorld(t, files, "shop:1.1", "shop:2.0", "worker:1.0")
	w.opens("bob", "base", map[string]string{"base/shop/deployment.yaml": deployment("{shop:2.0}")})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	got := w.checked(1, "pinnace/promotion").Text
	for _, env := range []string{"dev: all rules hold", "staging: all rules hold", "prod: waiting: 0 of 1 approval"} {
		if !strings.Contains(got, env) {
			t.Errorf("the check does not say %q:\n%s", env, got)
		}
	}
	w.rests()
}

// A pull request that lets prod reach a file brings the images of the file there, though the
// file is the same.
func TestKustomizeNamesABase(t *testing.T) {
	w := newWorld(t, layered(), "shop:1.0", "shop:1.1", "worker:1.0", "worker:2.0")
	w.opens("bob", "name", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml, ../../base/worker]\n"})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	if got := w.checked(1, "pinnace/promotion"); !strings.Contains(got.Summary, "change by hand in prod: worker:1.0") {
		t.Errorf("the check does not say what comes to prod:\n%s", got.Summary)
	}
	w.pass(time.Minute)
	w.review(1, "carol", promotion.Approved)
	w.sees("#1 waiting: nobody said /deploy yet")
	w.rests()

	// What the base holds meanwhile is what would come, so that the approval is void.
	w.pass(time.Minute)
	w.repo.Commit("main", "erin", "worker 2.0 for dev", map[string]string{"base/worker/deployment.yaml": w.expand(strings.ReplaceAll(deployment("{worker:2.0}"), "shop", "worker"))})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	if got := w.checked(1, "pinnace/promotion"); !strings.Contains(got.Summary, "worker:2.0") {
		t.Errorf("the check does not say what comes to prod now:\n%s", got.Summary)
	}
	w.rests()
}

// A change of a base that prod does not reach on this branch, and does on main since, is
// judged as what it will be.
func TestKustomizeNamedMeanwhile(t *testing.T) {
	w := newWorld(t, layered(), "shop:1.0", "shop:1.1", "worker:1.0", "worker:2.0")
	w.opens("bob", "worker", map[string]string{"base/worker/deployment.yaml": strings.ReplaceAll(deployment("{worker:2.0}"), "shop", "worker")})
	w.sees("#1 all rules hold")
	w.pass(time.Minute)
	w.opens("erin", "name", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml, ../../base/worker]\n"})
	w.review(2, "carol", promotion.Approved)
	w.pass(time.Minute)
	w.sees("#1 all rules hold", "#2 waiting: nobody said /deploy yet")
	w.pass(time.Minute)
	w.repo.Comment(2, "bob", "/deploy")
	w.sees("#2 merged", "#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	w.rests()
}

// An overlay that renames an image is judged under the policies of both.
func TestKustomizeNewName(t *testing.T) {
	files := layered()
	files[".pinnace/policies/prod.yaml"] = strings.Replace(twoPeople, "{env: prod}", "{app: shop, env: prod}", 1)
	w := newWorld(t, files, "shop:1.0", "shop:1.1", "worker:1.0", "evil:1.0")
	w.opens("bob", "rename", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml]\nimages:\n  - {name: ghcr.io/acme/shop, newName: ghcr.io/acme/evil, digest: \"" + w.digests["evil:1.0"] + "\"}\n"})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	w.rests()
}

// A sidecar of another app beside a governed one is judged under its policies.
func TestOpaqueForeignSidecar(t *testing.T) {
	files := layered()
	files[".pinnace/policies/prod.yaml"] = strings.Replace(twoPeople, "{env: prod}", "{app: shop, env: prod}", 1)
	w := newWorld(t, files, "shop:1.0", "shop:1.1", "worker:1.0", "evil:1.0")
	w.opens("bob", "beside", map[string]string{"envs/prod/shop.yaml": deployment("{shop:1.0}") + w.expand("        - name: side\n          image: {evil:1.0}\n")})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	w.rests()
}

// A file that moves from one environment to another goes from one and comes to the other.
func TestKustomizeMovedFile(t *testing.T) {
	w := newWorld(t, standing(), "shop:1.0", "shop:1.1")
	w.opens("bob", "move", map[string]string{"envs/staging/shop.yaml": "\x00removed", "envs/prod/extra.yaml": deployment("{shop:1.1}")})
	w.sees("#1 waiting: 0 of 1 approval; nobody said /deploy yet")
	got := w.checked(1, "pinnace/promotion")
	for _, text := range []string{"staging: all rules hold", "no promotion policy is bound in staging", "change by hand in staging, prod: shop:1.1, without shop:1.1"} {
		if !strings.Contains(got.Summary+got.Text, text) {
			t.Errorf("the check does not say %q:\n%s\n%s", text, got.Summary, got.Text)
		}
	}
	w.rests()
}
