package plan

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// differing compares two trees as those of a base and of a head.
func differing(t testing.TB, old, new map[string]string) Differing {
	t.Helper()
	before := promoting(t, stages, old, promotion.Request{})
	after := promoting(t, stages, new, promotion.Request{})
	in := Differing{
		Config: before.Config, Before: before.Environments, After: after.Environments, Files: after.Files,
		Exists: func(path string) bool { _, ok := new[path]; return ok },
	}
	in.Apps = in.Config.AppNames(append(Refs(in.Config, before.Files, in.Before), Refs(in.Config, after.Files, in.After)...))
	paths := map[string]bool{}
	for _, files := range []map[string]string{old, new} {
		for path := range files {
			paths[path] = true
		}
	}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		p := Pair{Path: path}
		for _, s := range []struct {
			files map[string]string
			data  *[]byte
			there *bool
		}{{old, &p.Old, &p.Had}, {new, &p.New, &p.Has}} {
			if text, ok := s.files[path]; ok {
				*s.data, *s.there = []byte(text), true
			}
		}
		if !bytes.Equal(p.Old, p.New) || p.Had != p.Has || !slices.Equal(in.Before(path), in.After(path)) {
			in.Pairs = append(in.Pairs, p)
		}
	}
	return in
}

func shown(d Difference) []string {
	out := []string{}
	for _, c := range d.Changes {
		line := c.Path + ":" + strconv.Itoa(c.Line) + " [" + strings.Join(c.Environments, " ") + "] " + refText(c.Old) + " -> " + refText(c.New) + " (" + c.OldApp + " -> " + c.NewApp + ")"
		if len(c.Beside) > 0 {
			line += " beside " + strings.Join(c.Beside, ", ")
		}
		out = append(out, shortDigests(line))
	}
	for _, o := range d.Opaque {
		line := "opaque " + o.Path + ":" + strconv.Itoa(o.Line) + " [" + strings.Join(o.Environments, " ") + "] " + o.What
		if len(o.Apps) > 0 {
			line += " (" + strings.Join(o.Apps, ", ") + ")"
		}
		if o.Missing != "" {
			line += " missing " + o.Missing
		}
		out = append(out, shortDigests(line))
	}
	return out
}

func refText(r image.Ref) string {
	if r == (image.Ref{}) {
		return "nothing"
	}
	return r.String()
}

const (
	app        = "envs/prod/app.yaml"
	kustomized = "envs/prod/kustomization.yaml"
	release    = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r}\nspec:\n  chart:\n    spec: {chart: shop, version: 1.0.0, sourceRef: {kind: HelmRepository, name: acme}}\n  values:\n    replicas: 1\n"
	cd         = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n  source: {repoURL: https://git.acme.example/x, targetRevision: v1, path: deploy, helm: {parameters: [{name: replicas, value: '1'}]}}\n"
)

func TestDiff(t *testing.T) {
	one := with("ghcr.io/acme/shop:1", "1")
	two := with("ghcr.io/acme/shop:2", "2")
	worker := with("ghcr.io/acme/worker:1", "1")
	redis := with("redis:7", "7")
	for name, test := range map[string]struct {
		old, new map[string]string
		want     []string
	}{
		"an image is replaced": {
			map[string]string{app: deployment(one, redis)},
			map[string]string{app: deployment(two, redis)},
			[]string{"envs/prod/app.yaml:8 [prod] ghcr.io/acme/shop:1@1 -> ghcr.io/acme/shop:2@2 (shop -> shop) beside redis"},
		},
		"an image becomes another app's": {
			map[string]string{app: deployment(one)},
			map[string]string{app: deployment(redis)},
			[]string{"envs/prod/app.yaml:8 [prod] ghcr.io/acme/shop:1@1 -> redis:7@7 (shop -> redis)"},
		},
		"a container comes before others": {
			map[string]string{app: deployment(one, worker)},
			map[string]string{app: deployment(redis, one, worker)},
			[]string{"envs/prod/app.yaml:8 [prod] nothing -> redis:7@7 ( -> redis) beside shop"},
		},
		"a container goes": {
			map[string]string{app: deployment(one, redis, worker)},
			map[string]string{app: deployment(one, worker)},
			[]string{"envs/prod/app.yaml:9 [prod] redis:7@7 -> nothing (redis -> ) beside shop"},
		},
		"two images change places": {
			map[string]string{app: deployment(one, redis)},
			map[string]string{app: deployment(redis, one)},
			[]string{
				"envs/prod/app.yaml:8 [prod] ghcr.io/acme/shop:1@1 -> nothing (shop -> ) beside redis",
				"envs/prod/app.yaml:9 [prod] nothing -> ghcr.io/acme/shop:1@1 ( -> shop) beside redis",
			},
		},
		"an object that is renamed is another one": {
			map[string]string{app: deployment(one)},
			map[string]string{app: strings.Replace(deployment(one), "name: app", "name: new", 1)},
			[]string{
				"envs/prod/app.yaml:8 [prod] ghcr.io/acme/shop:1@1 -> nothing (shop -> )",
				"envs/prod/app.yaml:8 [prod] nothing -> ghcr.io/acme/shop:1@1 ( -> shop)",
			},
		},
		"documents change their order": {
			map[string]string{app: deployment(one) + "---\nkind: Service\napiVersion: v1\n"},
			map[string]string{app: "kind: Service\napiVersion: v1\n---\n" + deployment(one)},
			[]string{},
		},
		"other keys, blanks and comments": {
			map[string]string{app: deployment(one), "envs/prod/values.yaml": "image: " + one + "\nreplicas: 1\n"},
			map[string]string{app: "# hello\n" + deployment(one+" # why") + "      hostNetwork: true\n", "envs/prod/values.yaml": "replicas: 1\n\nimage: '" + one + "'\n"},
			[]string{},
		},
		"other values of a chart": {
			map[string]string{"envs/prod/values.yaml": "image: " + one + "\nreplicas: 1\n"},
			map[string]string{"envs/prod/values.yaml": "image: " + one + "\nreplicas: 2\n"},
			[]string{"opaque envs/prod/values.yaml:2 [prod] values that manifests are made from (shop)"},
		},
		"images of keys that are numbers change places": {
			map[string]string{"envs/prod/values.yaml": "x:\n  1: {image: '" + one + "'}\n  2: {image: '" + redis + "'}\n"},
			map[string]string{"envs/prod/values.yaml": "x:\n  2: {image: '" + one + "'}\n  1: {image: '" + redis + "'}\n"},
			[]string{
				"envs/prod/values.yaml:2 [prod] redis:7@7 -> ghcr.io/acme/shop:1@1 (redis -> shop)",
				"envs/prod/values.yaml:3 [prod] ghcr.io/acme/shop:1@1 -> redis:7@7 (shop -> redis)",
			},
		},
		"no environment, no change": {map[string]string{"app.yaml": deployment(one)}, map[string]string{"app.yaml": deployment(two)}, []string{}},
		"Pinnace's own documents": {
			map[string]string{".pinnace/x.yaml": "image: " + one}, map[string]string{".pinnace/x.yaml": "image: " + two}, []string{},
		},
		"a file that moves between environments": {
			map[string]string{"envs/dev/app.yaml": deployment(one)},
			map[string]string{app: deployment(one)},
			[]string{
				"envs/dev/app.yaml:8 [dev] ghcr.io/acme/shop:1@1 -> nothing (shop -> )",
				"envs/prod/app.yaml:8 [prod] nothing -> ghcr.io/acme/shop:1@1 ( -> shop)",
			},
		},
		"a file that a kustomization names now": {
			map[string]string{"base/app.yaml": deployment(one), "base/kustomization.yaml": base, "envs/dev/kustomization.yaml": overlay, kustomized: "namespace: x\n"},
			map[string]string{"base/app.yaml": deployment(one), "base/kustomization.yaml": base, "envs/dev/kustomization.yaml": overlay, kustomized: "namespace: x\n" + overlay},
			[]string{"base/app.yaml:8 [prod] nothing -> ghcr.io/acme/shop:1@1 ( -> shop)"},
		},
		"a file that changes and comes to an environment": {
			map[string]string{"base/app.yaml": deployment(one), "base/kustomization.yaml": base, "envs/dev/kustomization.yaml": overlay},
			map[string]string{"base/app.yaml": deployment(two), "base/kustomization.yaml": base, "envs/dev/kustomization.yaml": overlay, kustomized: overlay},
			[]string{
				"base/app.yaml:8 [dev] ghcr.io/acme/shop:1@1 -> ghcr.io/acme/shop:2@2 (shop -> shop)",
				"base/app.yaml:8 [prod] nothing -> ghcr.io/acme/shop:2@2 ( -> shop)",
			},
		},
		"a shared file changes several environments": {
			map[string]string{"base/app.yaml": deployment(one), "base/kustomization.yaml": base, "envs/dev/kustomization.yaml": overlay, kustomized: overlay},
			map[string]string{"base/app.yaml": deployment(two), "base/kustomization.yaml": base, "envs/dev/kustomization.yaml": overlay, kustomized: overlay},
			[]string{"base/app.yaml:8 [dev prod] ghcr.io/acme/shop:1@1 -> ghcr.io/acme/shop:2@2 (shop -> shop)"},
		},
		"a kustomization's entries": {
			map[string]string{kustomized: "images:\n- name: ghcr.io/acme/shop\n  newTag: v1\n- name: redis\n  newTag: v7\n"},
			map[string]string{kustomized: "images:\n- name: redis\n  newName: evil/redis\n  newTag: v7\n- name: ghcr.io/acme/shop\n  newTag: v1\n- name: x\n  newTag: v1\n"},
			[]string{
				"envs/prod/kustomization.yaml:4 [prod] redis:v7 -> evil/redis:v7 (library/redis -> evil/redis) beside shop, x",
				"envs/prod/kustomization.yaml:8 [prod] nothing -> x:v1 ( -> x) beside evil/redis, library/redis, shop",
			},
		},
		"an entry that applies to another name": {
			map[string]string{kustomized: "images:\n- name: a\n  newName: ghcr.io/acme/shop\n  newTag: v1\n"},
			map[string]string{kustomized: "images:\n- name: b\n  newName: ghcr.io/acme/shop\n  newTag: v1\n"},
			[]string{
				"envs/prod/kustomization.yaml:4 [prod] ghcr.io/acme/shop:v1 -> nothing (shop -> )",
				"envs/prod/kustomization.yaml:4 [prod] nothing -> ghcr.io/acme/shop:v1 ( -> shop)",
			},
		},
		"the order of entries matters where one applies to what another one sets": {
			map[string]string{kustomized: "images:\n- {name: a, newName: b, newTag: v1}\n- {name: b, newName: c, newTag: v2}\n"},
			map[string]string{kustomized: "images:\n- {name: b, newName: c, newTag: v2}\n- {name: a, newName: b, newTag: v1}\n"},
			[]string{
				"envs/prod/kustomization.yaml:2 [prod] b:v1 -> nothing (b -> ) beside c",
				"envs/prod/kustomization.yaml:3 [prod] nothing -> b:v1 ( -> b) beside c",
			},
		},
		"the tag beside a digest says nothing new": {
			map[string]string{app: deployment(with("redis", "7") + " # 7")}, map[string]string{app: deployment(with("redis", "7") + " # 7.0")}, []string{},
		},
		"fields of a kustomization": {
			map[string]string{kustomized: "resources: [app.yaml]\n", app: deployment(one)},
			map[string]string{kustomized: "resources:\n- app.yaml\n- https://github.com/evil/x//deploy?ref=v1\n- gone.yaml\nnamespace: x\nlabels: [{pairs: {a: b}}]\nnamePrefix: p-\nreplicas: [{name: app, count: 3}]\nconfigMapGenerator:\n- name: c\n  literals: [a=b]\nreplacements:\n- path: r.yaml\nhelmCharts:\n- {name: c, repo: https://charts.example, version: v1}\nfuture: {a: b}\n", app: deployment(one), "envs/prod/r.yaml": "source: {kind: ConfigMap, name: c}\n"},
			[]string{
				"opaque envs/prod/kustomization.yaml:3 [prod] a remote entry of resources",
				`opaque envs/prod/kustomization.yaml:4 [prod] resources names "gone.yaml", which is not there missing envs/prod/gone.yaml`,
				"opaque envs/prod/kustomization.yaml:10 [prod] a generator of a ConfigMap",
				"opaque envs/prod/kustomization.yaml:13 [prod] a replacement",
				"opaque envs/prod/kustomization.yaml:15 [prod] a Helm chart",
				`opaque envs/prod/kustomization.yaml:16 [prod] the field "future" of a kustomization`,
				"opaque envs/prod/r.yaml:1 [prod] a file that is named by replacements",
			},
		},
		"a file that an unchanged kustomization names goes": {
			map[string]string{kustomized: "resources: [app.yaml, sub]\n", app: deployment(one), "envs/prod/sub/kustomization.yaml": "namespace: x\n"},
			map[string]string{kustomized: "resources: [app.yaml, sub]\n"},
			[]string{
				"envs/prod/app.yaml:8 [prod] ghcr.io/acme/shop:1@1 -> nothing (shop -> )",
				`opaque envs/prod/kustomization.yaml:1 [prod] resources names "app.yaml", which is not there missing envs/prod/app.yaml`,
				`opaque envs/prod/kustomization.yaml:1 [prod] resources names "sub", which is not there missing envs/prod/sub`,
			},
		},
		"patches in a kustomization": {
			map[string]string{kustomized: "patches:\n- patch: |\n    - {op: replace, path: /spec/replicas, value: 1}\n  target: {kind: Deployment}\n"},
			map[string]string{kustomized: "patches:\n- target: {kind: Deployment}\n  patch: |\n    - {op: replace, path: /spec/template/spec/containers/0/image, value: evil@" + string(digestOf("6")) + "}\n"},
			[]string{"opaque envs/prod/kustomization.yaml:2 [prod] a patch"},
		},
		"a patch that goes": {
			map[string]string{kustomized: "namespace: x\npatches: [{path: p.yaml}]\n", "envs/prod/p.yaml": "- {op: remove, path: /a}\n"},
			map[string]string{kustomized: "namespace: x\n", "envs/prod/p.yaml": "- {op: remove, path: /a}\n"},
			[]string{"opaque envs/prod/kustomization.yaml:2 [prod] a patch, which is gone"},
		},
		"a file with a JSON patch": {
			map[string]string{kustomized: "patches: [{path: p.yaml, target: {kind: Deployment}}]\n", "envs/prod/p.yaml": "- {op: replace, path: /spec/template/spec/containers/0/image, value: " + one + "}\n"},
			map[string]string{kustomized: "patches: [{path: p.yaml, target: {kind: Deployment}}]\n", "envs/prod/p.yaml": "- {op: replace, path: /spec/template/spec/containers/1/image, value: " + two + "}\n"},
			[]string{
				"envs/prod/p.yaml:1 [prod] ghcr.io/acme/shop:1@1 -> ghcr.io/acme/shop:2@2 (shop -> shop)",
				"opaque envs/prod/p.yaml:1 [prod] a JSON patch (shop)",
			},
		},
		"a file with a merge patch": {
			map[string]string{kustomized: "patches: [{path: p.yaml}]\n", "envs/prod/p.yaml": deployment(one)},
			map[string]string{kustomized: "patches: [{path: p.yaml}]\n", "envs/prod/p.yaml": deployment(two) + "          $patch: replace\n"},
			[]string{
				"envs/prod/p.yaml:8 [prod] ghcr.io/acme/shop:1@1 -> ghcr.io/acme/shop:2@2 (shop -> shop)",
				"opaque envs/prod/p.yaml:8 [prod] the directive $patch of a patch (shop)",
			},
		},
		"a file that a generator reads": {
			map[string]string{kustomized: "configMapGenerator: [{name: c, files: [app.conf]}]\n", "envs/prod/app.conf": "a", "envs/prod/README.md": "a"},
			map[string]string{kustomized: "configMapGenerator: [{name: c, files: [app.conf]}]\n", "envs/prod/app.conf": "b", "envs/prod/README.md": "b"},
			[]string{"opaque envs/prod/app.conf:1 [prod] a file that is named by configMapGenerator"},
		},
		"a chart and its parts": {
			map[string]string{"envs/prod/Chart.yaml": "version: 1", "envs/prod/charts/x.tgz": "a", "envs/prod/templates/_h.tpl": "a"},
			map[string]string{"envs/prod/Chart.yaml": "version: 2", "envs/prod/charts/x.tgz": "b", "envs/prod/templates/_h.tpl": "b"},
			[]string{
				"opaque envs/prod/Chart.yaml:1 [prod] the charts that a chart depends on, and its version",
				"opaque envs/prod/charts/x.tgz:1 [prod] a file of a chart, whose templates may read it",
				"opaque envs/prod/templates/_h.tpl:1 [prod] a template of a chart",
			},
		},
		"the version of a chart": {
			map[string]string{app: release},
			map[string]string{app: strings.Replace(release, "1.0.0", "1.1.0", 1)},
			[]string{
				"opaque envs/prod/app.yaml:6 [prod] spec.chart of a HelmRelease",
				"opaque envs/prod/app.yaml:6 [prod] where manifests or a chart come from",
			},
		},
		"the values of a chart": {map[string]string{app: release}, map[string]string{app: strings.Replace(release, "replicas: 1", "replicas: 2", 1)}, []string{"opaque envs/prod/app.yaml:8 [prod] spec.values of a HelmRelease"}},
		"the revision of an application": {
			map[string]string{app: cd},
			map[string]string{app: strings.Replace(cd, "v1,", "v2,", 1)},
			[]string{"opaque envs/prod/app.yaml:5 [prod] where manifests or a chart come from"},
		},
		"a parameter of an application": {map[string]string{app: cd}, map[string]string{app: strings.Replace(cd, "'1'", "'2'", 1)}, []string{"opaque envs/prod/app.yaml:5 [prod] where manifests or a chart come from"}},
		"a template": {
			map[string]string{app: deployment(one)},
			map[string]string{app: deployment(one, "ghcr.io/acme/worker:${TAG}")},
			[]string{"opaque envs/prod/app.yaml:9 [prod] ghcr.io/acme/worker:${TAG}: a template or variable stands for the image (shop)"},
		},
		"a template that stays": {
			map[string]string{app: deployment(one, "ghcr.io/acme/worker:${TAG}")}, map[string]string{app: "# x\n" + deployment(one, "ghcr.io/acme/worker:${TAG}")}, []string{},
		},
		"a file that cannot be read any more": {
			map[string]string{app: deployment(one)},
			map[string]string{app: deployment(one) + "  bad\n"},
			[]string{
				"envs/prod/app.yaml:8 [prod] ghcr.io/acme/shop:1@1 -> nothing (shop -> )",
				"opaque envs/prod/app.yaml:9 [prod] not YAML: could not find expected ':' (shop)",
			},
		},
		"an encrypted value": {
			map[string]string{"envs/prod/values.yaml": "a: ENC[AES256_GCM,data:x]\n", app: "kind: Secret\napiVersion: v1\ndata: {password: 'ENC[AES256_GCM,data:x]'}\n"},
			map[string]string{"envs/prod/values.yaml": "a: ENC[AES256_GCM,data:y]\n", app: "kind: Secret\napiVersion: v1\ndata: {password: 'ENC[AES256_GCM,data:y]'}\n"},
			[]string{"opaque envs/prod/values.yaml:1 [prod] an encrypted value", "opaque envs/prod/values.yaml:1 [prod] values that manifests are made from"},
		},
		"a manifest inside a string": {
			map[string]string{app: "kind: ConfigMap\napiVersion: v1\nmetadata: {name: c}\ndata:\n  x.yaml: |\n    image: " + one + "\n"},
			map[string]string{app: "kind: ConfigMap\napiVersion: v1\nmetadata: {name: c}\ndata:\n  x.yaml: |\n    image: " + two + "\n"},
			[]string{"opaque envs/prod/app.yaml:5 [prod] a manifest inside a string"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, shown(Diff(differing(t, test.old, test.new)))); diff != "" {
				t.Errorf("difference differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDiffOfWhatCannotBeRead(t *testing.T) {
	in := differing(t, map[string]string{app: deployment(with("redis:7", "7"))}, map[string]string{app: ""})
	in.Pairs[0].New, in.Pairs[0].Why = nil, "a symbolic link"
	want := []string{
		"envs/prod/app.yaml:8 [prod] redis:7@7 -> nothing (redis -> )",
		"opaque envs/prod/app.yaml:1 [prod] a symbolic link (redis)",
	}
	if diff := cmp.Diff(want, shown(Diff(in))); diff != "" {
		t.Error(diff)
	}
}

func TestAlign(t *testing.T) {
	for _, test := range []struct{ old, new, want string }{
		{"", "", ""},
		{"a", "a", "a=a"},
		{"a", "b", "a>b"},
		{"ab", "b", "a- b=b"},
		{"b", "ab", "+a b=b"},
		{"abcd", "acxd", "a=a b- c=c +x d=d"},
		{"ab", "ba", "a- b=b +a"},
		{"axc", "ayzc", "a=a x>y +z c=c"},
	} {
		var got []string
		left := maxAligned
		for _, m := range align(len(test.old), len(test.new), &left, func(i, j int) bool { return test.old[i] == test.new[j] }) {
			switch {
			case m.old < 0:
				got = append(got, "+"+string(test.new[m.new]))
			case m.new < 0:
				got = append(got, string(test.old[m.old])+"-")
			case test.old[m.old] == test.new[m.new]:
				got = append(got, string(test.old[m.old])+"="+string(test.new[m.new]))
			default:
				got = append(got, string(test.old[m.old])+">"+string(test.new[m.new]))
			}
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%q to %q: %s, want %s", test.old, test.new, s, test.want)
		}
	}
	// Lists that are too long to compare are paired by position.
	left := 100
	if n := len(align(3000, 3000, &left, func(i, j int) bool { return false })); n != 3000 {
		t.Errorf("%d pairs", n)
	}
}

// FuzzDiff: it never panics; what is equal differs in nothing; each image that Scan finds in
// the new version alone is among the changes or something is opaque.
func FuzzDiff(f *testing.F) {
	names := []string{"a.yaml", "kustomization.yaml", "values.yaml", "Chart.yaml", "compose.yaml"}
	for i, s := range [][2]string{
		{deployment("a:1"), deployment("a:2", "b:1")},
		{"images:\n- name: a\n  newTag: v1\n", "images:\n- name: a\n  newName: b\n  newTag: v1\npatches: [{path: x}]\n"},
		{"image: {repository: a, tag: '1'}", "image: {repository: b, tag: '1', digest: ''}\n"},
		{"", "x"},
		{compose("a:1"), compose("b:1", "a:1")},
	} {
		f.Add([]byte(s[0]), []byte(s[1]), uint8(i))
	}
	f.Add([]byte(release), []byte(cd), uint8(0))
	f.Add([]byte("a: &a [*a]"), []byte("kind: X\napiVersion: y/v1\nspec: &s {a: *s, chart: x, version: ${X}}"), uint8(0))
	c := promoting(f, stages, nil, promotion.Request{}).Config
	f.Fuzz(func(t *testing.T, old, new []byte, name uint8) {
		path := "envs/prod/" + names[int(name)%len(names)]
		format := manifest.FormatOf(path)
		was, is := manifest.Scan(old, format), manifest.Scan(new, format)
		in := Differing{
			Config: c, Before: c.EnvironmentsOf, After: c.EnvironmentsOf, Exists: func(string) bool { return false },
			Apps: c.AppNames(Refs(c, []File{{path, was}, {path, is}}, c.EnvironmentsOf)),
		}
		for _, data := range [][]byte{old, new} {
			in.Pairs = []Pair{{Path: path, Old: data, New: bytes.Clone(data), Had: true, Has: true}}
			if d := Diff(in); len(d.Changes)+len(d.Opaque) > 0 {
				t.Errorf("equal bytes differ: %v", shown(d))
			}
		}
		in.Pairs = []Pair{{Path: path, Old: old, New: new, Had: true, Has: true}}
		d := Diff(in)
		if len(d.Opaque) > 0 {
			return
		}
		known := map[image.Ref]bool{}
		for _, f := range was.Findings {
			known[f.Image] = true
		}
		for _, c := range d.Changes {
			known[c.New] = true
		}
		for i := range is.Findings {
			if f := &is.Findings[i]; f.Image != (image.Ref{}) && !known[f.Image] && !known[Tagged(f)] {
				t.Errorf("%s is new and not among\n%s", f.Image, strings.Join(shown(d), "\n"))
			}
		}
	})
}
