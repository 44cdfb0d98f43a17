package plan

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/manifest"
)

// treeOf scans the files of a txtar archive; config.yaml among them is the configuration,
// without its header.
func treeOf(t testing.TB, archive string) (*config.Config, []File, func(string) bool) {
	t.Helper()
	c := config.Default()
	var files []File
	there := map[string]bool{}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		if f.Name == "config.yaml" {
			parsed, ps := config.Parse(f.Name, append([]byte("apiVersion: pinnace.dev/v1alpha1\nkind: Config\n"), f.Data...))
			if ps.HasErrors() {
				t.Fatal(ps)
			}
			c = parsed
			continue
		}
		there[f.Name] = true
		if r := manifest.Scan(f.Data, manifest.FormatOf(f.Name)); len(r.Findings) > 0 || len(r.Local) > 0 {
			files = append(files, File{Path: f.Name, Result: r})
		}
	}
	return c, files, func(p string) bool { return there[p] }
}

func reachOf(t testing.TB, archive string) *Reach {
	t.Helper()
	return NewReach(treeOf(t, archive))
}

const environments = `
-- config.yaml --
environments:
- {name: prod, paths: [envs/prod/**]}
- {name: dev, paths: [envs/dev/**]}
`

func TestEnvironments(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: a/b:1}]}\n"
	kustomize := func(resources string) string { return "resources: [" + resources + "]\n" }
	application := func(spec string) string {
		return "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: x}\nspec: " + spec + "\n"
	}
	flux := func(p string) string {
		return "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: x}\nspec: {path: " + p + "}\n"
	}
	type tree map[string]string
	for _, tc := range []struct {
		name   string
		config string // instead of environments
		files  tree
		want   map[string]string // path to environments
		why    map[string]string // path and environment to the chain
	}{
		{
			name:  "paths",
			files: tree{"envs/prod/a.yaml": pod, "b.yaml": pod},
			want:  map[string]string{"envs/prod/a.yaml": "prod", "envs/dev/not-there": "dev", "b.yaml": "", "": ""},
			why:   map[string]string{"envs/prod/a.yaml prod": "envs/prod/a.yaml", "envs/prod/a.yaml dev": "", "b.yaml prod": ""},
		},
		{
			name: "a shared base",
			files: tree{
				"envs/prod/kustomization.yaml": kustomize("../../base"), "envs/dev/kustomization.yml": kustomize("../../base, own.yaml"),
				"base/kustomization.yaml": kustomize("deployment.yaml, ../more"), "more/Kustomization": kustomize("deep.yaml"),
				"base/deployment.yaml": pod, "more/deep.yaml": pod, "base/other.yaml": pod, "envs/dev/own.yaml": pod,
			},
			want: map[string]string{
				"base/deployment.yaml": "prod dev", "more/deep.yaml": "prod dev", "base/kustomization.yaml": "prod dev",
				"base/other.yaml": "", "envs/dev/own.yaml": "dev",
			},
			why: map[string]string{
				"base/deployment.yaml prod": "envs/prod/kustomization.yaml base/kustomization.yaml base/deployment.yaml",
				"more/deep.yaml dev":        "envs/dev/kustomization.yml base/kustomization.yaml more/Kustomization more/deep.yaml",
			},
		},
		{
			name: "everything that a kustomization names",
			files: tree{
				"envs/prod/kustomization.yaml": `resources: [../../x/resource.yaml]
bases: [../../x/base]
components: [../../x/component]
patches: [{path: ../../x/patch.yaml}]
patchesStrategicMerge: [../../x/merge.yaml]
patchesJson6902: [{path: ../../x/json.yaml, target: {kind: Pod}}]
configMapGenerator: [{name: a, files: [k=../../x/map.yaml], envs: [../../x/map.env]}]
generators: [../../x/generator.yaml]
transformers: [../../x/transformer.yaml]
replacements: [{path: ../../x/replacement.yaml}]
helmGlobals: {chartHome: ../../x/charts}
helmCharts: [{name: shop, valuesFile: ../../x/values.yaml, additionalValuesFiles: [../../x/values-more.yaml]}]
`,
				"x/resource.yaml": pod, "x/base/kustomization.yaml": kustomize(""), "x/component/kustomization.yaml": kustomize(""), "x/patch.yaml": pod,
				"x/merge.yaml": pod, "x/json.yaml": "- {op: replace, path: /spec/containers/0/image, value: 'a/b:1'}\n", "x/map.yaml": pod, "x/map.env": "a=b\n", "x/generator.yaml": "a: b\n",
				"x/transformer.yaml": "a: b\n", "x/replacement.yaml": "a: b\n", "x/values.yaml": "image: a/b:1\n", "x/values-more.yaml": "image: a/b:1\n",
				"x/charts/shop/values.yaml": "image: a/b:1\n", "x/charts/shop/Chart.yaml": "name: shop\n", "x/charts/other/values.yaml": "image: a/b:1\n",
			},
			want: map[string]string{
				"x/resource.yaml": "prod", "x/base/kustomization.yaml": "prod", "x/component/kustomization.yaml": "prod", "x/patch.yaml": "prod",
				"x/merge.yaml": "prod", "x/json.yaml": "prod", "x/map.yaml": "prod", "x/map.env": "prod", "x/generator.yaml": "prod",
				"x/transformer.yaml": "prod", "x/replacement.yaml": "prod", "x/values.yaml": "prod", "x/values-more.yaml": "prod",
				"x/charts/shop/values.yaml": "prod", "x/charts/shop/templates/deployment.yaml": "prod", "x/charts/other/values.yaml": "", "x/charts/shopping": "",
			},
			why: map[string]string{"x/charts/shop/values.yaml prod": "envs/prod/kustomization.yaml x/charts/shop x/charts/shop/values.yaml"},
		},
		{
			name:  "one environment names another's overlay",
			files: tree{"envs/prod/kustomization.yaml": kustomize("../dev"), "envs/dev/kustomization.yaml": kustomize("a.yaml"), "envs/dev/a.yaml": pod},
			want:  map[string]string{"envs/dev/a.yaml": "prod dev", "envs/dev/kustomization.yaml": "prod dev", "envs/prod/kustomization.yaml": "prod"},
		},
		{
			name:  "circles",
			files: tree{"envs/prod/kustomization.yaml": kustomize("../../a"), "a/kustomization.yaml": kustomize("../b, ."), "b/kustomization.yaml": kustomize("../a, x.yaml"), "b/x.yaml": pod},
			want:  map[string]string{"b/x.yaml": "prod", "a/kustomization.yaml": "prod"},
		},
		{
			name: "an Application beside its environment",
			files: tree{
				"apps/prod.yaml":               application("{source: {path: envs/prod, helm: {valueFiles: [../../values/prod.yaml, /values/common.yaml]}}}"),
				"apps/dev.yaml":                application("{sources: [{chart: shop, helm: {valueFiles: [$v/envs/dev/values.yaml, $v/values/common.yaml]}}, {ref: v}]}"),
				"apps/other.yaml":              application("{source: {path: elsewhere, kustomize: {images: ['a/b:1']}}}"),
				"envs/prod/kustomization.yaml": kustomize("a.yaml"), "envs/prod/a.yaml": pod, "envs/dev/values.yaml": "image: a/b:1\n",
				"values/prod.yaml": "image: a/b:1\n", "values/common.yaml": "image: a/b:1\n",
			},
			want: map[string]string{"apps/prod.yaml": "prod", "apps/dev.yaml": "dev", "apps/other.yaml": "", "values/prod.yaml": "prod", "values/common.yaml": "prod dev"},
			why: map[string]string{
				"apps/prod.yaml prod":    "apps/prod.yaml envs/prod",
				"values/prod.yaml prod":  "apps/prod.yaml values/prod.yaml",
				"values/common.yaml dev": "apps/dev.yaml values/common.yaml",
			},
		},
		{
			name: "a chart that two environments' Applications name",
			files: tree{
				"envs/prod/app.yaml":      application("{source: {path: charts/shop, helm: {valueFiles: [../../envs/prod/values.yaml]}}}"),
				"envs/dev/app.yaml":       application("{source: {path: charts/shop}}"),
				"charts/shop/values.yaml": "image: a/b:1\n", "charts/shop/Chart.yaml": "name: shop\n", "charts/other/values.yaml": "image: a/b:1\n", "envs/prod/values.yaml": "image: a/b:1\n",
			},
			want: map[string]string{"charts/shop/values.yaml": "prod dev", "charts/shop/crds/not-scanned.yaml": "prod dev", "charts/other/values.yaml": "", "envs/dev/app.yaml": "dev", "envs/prod/app.yaml": "prod"},
			why:  map[string]string{"charts/shop/values.yaml dev": "envs/dev/app.yaml charts/shop charts/shop/values.yaml"},
		},
		{
			name: "an object is not followed into another environment",
			config: `
- {name: infra, paths: [infra/**]}
- {name: prod, paths: [envs/prod/**]}
- {name: dev, paths: ["envs/dev/*.yaml"]}
`,
			files: tree{
				"infra/all.yaml": application("{source: {path: envs}}"), "infra/prod.yaml": flux("./envs/prod"),
				"envs/prod/a.yaml": pod, "envs/dev/b.yaml": pod, "envs/shared/c.yaml": pod,
			},
			want: map[string]string{"envs/prod/a.yaml": "prod", "envs/dev/b.yaml": "dev", "envs/shared/c.yaml": "infra prod dev", "infra/all.yaml": "infra prod dev", "infra/prod.yaml": "infra prod"},
		},
		{
			name: "Flux: clusters name applications",
			config: `
- {name: prod, paths: [clusters/prod/**]}
- {name: dev, paths: [clusters/dev/**]}
`,
			files: tree{
				"clusters/prod/flux-system/sync.yaml": flux("./clusters/prod"), "clusters/prod/apps.yaml": flux("./apps/prod"), "clusters/dev/apps.yaml": flux("./apps/dev"),
				"apps/prod/kustomization.yaml": kustomize("../base"), "apps/base/kustomization.yaml": kustomize("release.yaml"),
				"apps/base/release.yaml":    "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec: {chart: {spec: {chart: ./charts/x, sourceRef: {kind: GitRepository}, valuesFiles: [charts/x/values.yaml, values/x.yaml]}}}\n",
				"apps/dev/sub/release.yaml": pod, "apps/dev/sub/kustomization.yaml": kustomize("../../../lib/lib.yaml"), "lib/lib.yaml": pod,
				"charts/x/values.yaml": "image: a/b:1\n", "values/x.yaml": "image: a/b:1\n",
			},
			want: map[string]string{
				"apps/base/release.yaml": "prod", "charts/x/values.yaml": "prod", "values/x.yaml": "prod",
				"apps/dev/sub/release.yaml": "dev", "lib/lib.yaml": "dev", "clusters/prod/apps.yaml": "prod",
			},
			why: map[string]string{
				"values/x.yaml prod": "clusters/prod/apps.yaml apps/prod/kustomization.yaml apps/base/kustomization.yaml apps/base/release.yaml values/x.yaml",
				"lib/lib.yaml dev":   "clusters/dev/apps.yaml apps/dev apps/dev/sub/kustomization.yaml lib/lib.yaml",
			},
		},
		{
			name: "an ApplicationSet over environments",
			files: tree{
				"set.yaml":         "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nspec: {generators: [{git: {directories: [{path: envs/*}]}}], template: {spec: {source: {path: '{{path}}', kustomize: {images: ['a/b:1']}}}}}\n",
				"addons.yaml":      "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nspec: {generators: [{git: {directories: [{path: addons/*}]}}], template: {spec: {source: {path: '{{path}}'}}}}\n",
				"envs/prod/a.yaml": pod, "envs/dev/a.yaml": pod, "envs/README.yaml": pod,
			},
			want: map[string]string{"set.yaml": "prod dev", "addons.yaml": "", "envs/prod/a.yaml": "prod"},
		},
		{
			name:  "the root of some repository",
			files: tree{"envs/prod/app.yaml": application("{source: {repoURL: elsewhere, path: .}}"), "top.yaml": pod, "deep/a.yaml": pod},
			want:  map[string]string{"top.yaml": "prod", "deep/a.yaml": "", "envs/prod/app.yaml": "prod"},
			why:   map[string]string{"top.yaml prod": "envs/prod/app.yaml . top.yaml"},
		},
		{
			name: "includes",
			config: `
- {name: prod, paths: [envs/prod/**], includes: [shared/*.yaml]}
- {name: dev, paths: [envs/dev/**], includes: [shared/kustomization.yaml]}
`,
			files: tree{"shared/kustomization.yaml": kustomize("sub/a.yaml"), "shared/sub/a.yaml": pod, "shared/b.yaml": pod},
			want:  map[string]string{"shared/b.yaml": "prod", "shared/sub/a.yaml": "prod dev", "shared/sub/b.yaml": ""},
			why:   map[string]string{"shared/sub/a.yaml dev": "shared/kustomization.yaml shared/sub/a.yaml"},
		},
		{
			name:   "no environments",
			config: "[]",
			files:  tree{"a.yaml": pod, "kustomization.yaml": kustomize("a.yaml")},
			want:   map[string]string{"a.yaml": ""},
		},
		{
			name: "globs that begin anywhere",
			config: `
- {name: prod, paths: ["**/prod/**"]}
- {name: dev, paths: ["{apps,infra}/*/dev/**", eu]}
`,
			files: tree{"apps/shop/prod/kustomization.yaml": kustomize("../base.yaml"), "apps/shop/base.yaml": pod, "app.yaml": application("{source: {path: apps/shop/dev}}"), "apps/shop/dev/x.yaml": pod},
			want:  map[string]string{"apps/shop/base.yaml": "prod", "app.yaml": "dev", "infra/x/dev/y": "dev", "eu": "dev", "eu/x": ""},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			archive := environments
			if tc.config != "" {
				archive = "-- config.yaml --\nenvironments: " + tc.config + "\n"
			}
			for name, data := range tc.files {
				archive += "-- " + name + " --\n" + data
			}
			r := reachOf(t, archive)
			for name, want := range tc.want {
				if got := strings.Join(r.Environments(name), " "); got != want {
					t.Errorf("%s affects %q, want %q", name, got, want)
				}
			}
			for question, want := range tc.why {
				name, env, _ := strings.Cut(question, " ")
				if got := strings.Join(r.Why(name, env), " "); got != want {
					t.Errorf("%s: why %q, want %q", question, got, want)
				}
			}
			for name := range tc.files {
				for _, env := range []string{"prod", "dev", "infra", "none"} {
					chain := r.Why(name, env)
					if in := slices.Contains(r.Environments(name), env); in != (len(chain) > 0) {
						t.Errorf("%s in %s: %v, and why is %q", name, env, in, chain)
					}
				}
			}
		})
	}
}

func TestOwnerAndOrphans(t *testing.T) {
	r := reachOf(t, `
-- config.yaml --
environments:
- {name: prod, paths: [envs/prod/**, both/**], includes: [inc.yaml]}
- {name: dev, paths: [envs/dev/**, both/a.yaml]}
-- envs/prod/kustomization.yaml --
resources: [../../base.yaml]
-- base.yaml --
image: a/b:1
`)
	for name, want := range map[string]string{"envs/prod/x": "prod", "envs/dev/x": "dev", "both/a.yaml": "", "both/b.yaml": "prod", "base.yaml": "", "inc.yaml": ""} {
		if got, ok := r.Owner(name); got != want || ok != (want != "") {
			t.Errorf("%s is of %q, %v, want %q", name, got, ok, want)
		}
	}
	got := r.Orphans([]string{"z.yaml", "base.yaml", "envs/dev/x", "a.yaml", "inc.yaml", "a.yaml"})
	if diff := cmp.Diff([]string{"a.yaml", "z.yaml"}, got); diff != "" {
		t.Errorf("orphans, -want +got\n%s", diff)
	}
	if got := NewReach(config.Default(), nil, func(string) bool { return false }).Orphans([]string{"a"}); got != nil {
		t.Errorf("orphans without environments: %q", got)
	}
}

func TestReachProblems(t *testing.T) {
	r := reachOf(t, `
-- config.yaml --
environments:
- {name: prod, paths: [envs/prod/**]}
- {name: dev, paths: ["envs/**"]}
-- envs/prod/kustomization.yaml --
resources:
- missing.yaml
- ../../gone
- ../../../outside
- /etc/passwd
- https://github.com/acme/x//base?ref=v1
- github.com/acme/x//base?ref=v1
- git@github.com:acme/x.git
- ../../plain
- ../../base
components: [../../base]
patches: [{path: patch.yaml}]
helmCharts: [{name: not-there}]
-- plain/a.yaml --
image: a/b:1
-- base/kustomization.yaml --
resources: [../loop]
-- loop/kustomization.yaml --
resources: [../base]
-- self/kustomization.yaml --
resources: [.]
-- app.yaml --
apiVersion: argoproj.io/v1alpha1
kind: Application
spec: {source: {path: not/there, helm: {valueFiles: [../../../out.yaml]}}}
-- sync.yaml --
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
spec: {path: ./}
`)
	want := `config.yaml:5:23: environments[1].paths[0]: envs/prod/kustomization.yaml is in the paths of environments prod (envs/prod/**) and dev (envs/**): a file belongs to one environment; narrow one of the globs, or list a shared file under includes
envs/prod/kustomization.yaml:2:3: resources names "missing.yaml": there is neither a file envs/prod/missing.yaml nor a directory of that name with a kustomization.yaml; add it, or delete the entry
envs/prod/kustomization.yaml:3:3: resources names "../../gone": there is neither a file gone nor a directory of that name with a kustomization.yaml; add it, or delete the entry
envs/prod/kustomization.yaml:4:3: resources names "../../../outside", which is outside of the repository: kustomize does not load it; copy it here
envs/prod/kustomization.yaml:5:3: resources names "/etc/passwd", which is outside of the repository: kustomize does not load it; copy it here
envs/prod/kustomization.yaml:9:3: resources names "../../plain": there is neither a file plain nor a directory of that name with a kustomization.yaml; add it, or delete the entry
envs/prod/kustomization.yaml:12:18: patches names "patch.yaml": there is neither a file envs/prod/patch.yaml nor a directory of that name with a kustomization.yaml; add it, or delete the entry
loop/kustomization.yaml:1:13: the kustomizations name each other in a circle: base/kustomization.yaml -> loop/kustomization.yaml -> base/kustomization.yaml; delete one of the entries
self/kustomization.yaml:1:13: the kustomizations name each other in a circle: self/kustomization.yaml -> self/kustomization.yaml; delete one of the entries`
	if diff := cmp.Diff(want, r.Problems().Error()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if !r.Problems().HasErrors() {
		t.Error("they are no errors")
	}
}

// TestLongCircle: a circle of many names few of them, and costs no more than its length.
func TestLongCircle(t *testing.T) {
	const n = 5000
	var files []File
	for i := range n {
		next := []manifest.Local{{Field: "resources", Path: fmt.Sprintf("../%d", (i+1)%n)}, {Field: "resources", Path: "../0"}}
		files = append(files, File{Path: fmt.Sprintf("%d/kustomization.yaml", i), Result: manifest.Result{Local: next}})
	}
	c := config.Default()
	c.Environments = []config.Environment{{Name: "prod", Paths: []string{"0/**"}}}
	r := NewReach(c, files, func(string) bool { return false })
	if got := r.Environments("4999/kustomization.yaml"); len(got) != 1 {
		t.Errorf("the last is in %v", got)
	}
	if got := r.Why("4999/kustomization.yaml", "prod"); len(got) != n {
		t.Errorf("the last is reached over %d files", len(got))
	}
	for _, p := range r.Problems() {
		if len(p.Message) > 500 {
			t.Fatalf("a message of %d bytes", len(p.Message))
		}
	}
}

// TestReachAgrees holds the index of globs to config.EnvironmentsOf, and the order of the
// files to have no say.
func TestReachAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	parts := []string{"a", "b", "envs", "prod", "x.yaml", "kustomization.yaml"}
	patterns := []string{"**", "*", "a/**", "a/*/b", "envs/{prod,b}/**", "**/prod/**", "a", "a/b/*.yaml", "[ab]/**", "envs/prod/kustomization.yaml", "{a/b,envs}/*", "a/**/x.yaml"}
	random := func(n int) string {
		var out []string
		for range 1 + r.IntN(n) {
			out = append(out, parts[r.IntN(len(parts))])
		}
		return path.Join(out...)
	}
	for range 200 {
		c := config.Default()
		for i := range 1 + r.IntN(4) {
			c.Environments = append(c.Environments, config.Environment{Name: fmt.Sprint("e", i), Paths: []string{patterns[r.IntN(len(patterns))], patterns[r.IntN(len(patterns))]}})
		}
		seen := map[string]bool{}
		var files []File
		for range 12 {
			f := File{Path: random(4)}
			if seen[f.Path] {
				continue
			}
			seen[f.Path] = true
			for range r.IntN(3) {
				f.Result.Local = append(f.Result.Local, manifest.Local{Field: "resources", Path: random(3), Root: r.IntN(2) == 0})
			}
			files = append(files, f)
		}
		exists := func(p string) bool { return seen[p] }
		reach := NewReach(c, files, exists)
		slices.Reverse(files)
		again := NewReach(c, files, exists)
		for range 20 {
			p := random(4)
			own := c.EnvironmentsOf(p)
			if got := reach.names(reach.paths.of(p)); !slices.Equal(got, own) {
				t.Fatalf("%s is of %q, config says %q (%+v)", p, got, own, c.Environments)
			}
			all := reach.Environments(p)
			for _, e := range own {
				if !slices.Contains(all, e) {
					t.Fatalf("%s does not affect its own %s", p, e)
				}
			}
			if got := again.Environments(p); !slices.Equal(got, all) {
				t.Fatalf("%s affects %q, and %q where files come in another order", p, all, got)
			}
			for _, e := range all {
				if len(reach.Why(p, e)) == 0 {
					t.Fatalf("nobody knows why %s affects %s", p, e)
				}
			}
		}
		if diff := cmp.Diff(reach.Problems(), again.Problems()); diff != "" {
			t.Fatalf("problems depend on the order of files:\n%s", diff)
		}
	}
}

// BenchmarkReach asks about 100,000 files with 5,000 kustomizations and 50 environments.
func BenchmarkReach(b *testing.B) {
	c := config.Default()
	for e := range 50 {
		c.Environments = append(c.Environments, config.Environment{Name: fmt.Sprint("e", e), Paths: []string{fmt.Sprintf("envs/e%d/**", e), fmt.Sprintf("clusters/e%d/*.yaml", e)}})
	}
	there := map[string]bool{}
	var files []File
	var paths []string
	add := func(p string, locals ...string) {
		there[p] = true
		paths = append(paths, p)
		var r manifest.Result
		for _, l := range locals {
			r.Local = append(r.Local, manifest.Local{Field: "resources", Path: l})
		}
		if len(locals) > 0 || len(paths)%4 == 0 {
			files = append(files, File{Path: p, Result: r})
		}
	}
	for a := range 100 {
		add(fmt.Sprintf("apps/a%d/kustomization.yaml", a), "deployment.yaml", "service.yaml")
		add(fmt.Sprintf("apps/a%d/deployment.yaml", a))
		add(fmt.Sprintf("apps/a%d/service.yaml", a))
		for e := range 49 {
			dir := fmt.Sprintf("envs/e%d/a%d/", e, a)
			locals := []string{"../../../apps/a" + fmt.Sprint(a)}
			for k := range 18 {
				add(fmt.Sprintf("%sr%d.yaml", dir, k))
				locals = append(locals, fmt.Sprintf("r%d.yaml", k))
			}
			add(dir+"kustomization.yaml", locals...)
		}
	}
	for len(paths) < 100_000 {
		add(fmt.Sprintf("other/%d/x.yaml", len(paths)))
	}
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			NewReach(c, files, func(p string) bool { return there[p] })
		}
	})
	r := NewReach(c, files, func(p string) bool { return there[p] })
	if got := len(r.Environments("apps/a7/deployment.yaml")); got != 49 {
		b.Fatalf("a base is in %d environments", got)
	}
	b.Run("ask", func(b *testing.B) {
		for b.Loop() {
			for _, p := range paths {
				r.Environments(p)
			}
		}
	})
}
