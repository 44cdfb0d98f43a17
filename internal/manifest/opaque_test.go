package manifest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func listed(parts []OpaquePart) []string {
	out := []string{}
	for _, p := range parts {
		out = append(out, fmt.Sprintf("%d %s %s", p.Line, p.Pointer, p.What))
	}
	return out
}

func TestOpaque(t *testing.T) {
	one, two := hexes("1"), hexes("2")
	for _, tc := range []struct {
		name   string
		format Format
		in     string
		want   []string
		same   string // says the same
		other  string // says something else
	}{
		{
			name: "what a kustomization reads by structure", format: Kustomization,
			in: "kind: Kustomization\nresources: [a.yaml, ../b]\nimages:\n- name: a\n  newTag: v1\nnamespace: x\nlabels: [{pairs: {a: b}}]\n", want: []string{},
		},
		{
			name: "what comes from elsewhere", format: Kustomization,
			in:   "resources:\n- https://x.example/a.yaml\n- github.com/acme/x//y?ref=v1\n- a.yaml\ncomponents: [git@x:y]\n",
			want: []string{"2 /resources/0 a remote entry of resources", "3 /resources/1 a remote entry of resources", "5 /components/0 a remote entry of components"},
			same: "components: ['git@x:y']\nresources: [b.yaml, 'https://x.example/a.yaml', 'github.com/acme/x//y?ref=v1']\n", other: "resources: ['https://x.example/a.yaml', 'github.com/acme/x//y?ref=v2']\n",
		},
		{
			name: "every other field", format: Kustomization,
			in:   "patches: [{path: a}, {path: b}]\npatchesStrategicMerge: [a]\nreplacements: [{path: a}]\nvars: [{name: a}]\nhelmCharts: [{name: a, version: 1.0.0}]\nhelmGlobals: {chartHome: a}\ncrds: [a]\nconfigurations: [a]\nopenapi: {path: a}\nnew: [a]\nold:\n",
			want: []string{"1 /patches/0 a patch", "1 /patches/1 a patch", "2 /patchesStrategicMerge/0 a strategic merge patch", "3 /replacements/0 a replacement", "4 /vars/0 a variable", "5 /helmCharts/0 a Helm chart", "6 /helmGlobals the settings of Helm charts", "7 /crds/0 a schema of custom resources", "8 /configurations/0 a configuration of transformers", "9 /openapi an OpenAPI schema", `10 /new/0 the field "new" of a kustomization`},
		},
		{
			name: "an entry that changes a name alone", format: Kustomization,
			in:   "images:\n- {name: a, newName: b}\n- {name: c, newName: d, newTag: v1}\n",
			want: []string{"2 /images/0 an images entry that changes a name alone"}, other: "images:\n- {name: a, newName: c}\n",
		},
		{
			name: "the values of a chart that are read do not count", format: Kustomization,
			in:   "helmCharts:\n- name: a\n  valuesInline: {image: {repository: a/b, tag: v1, digest: " + one + "}}\n",
			want: []string{"2 /helmCharts/0 a Helm chart"},
			same: "# x\nhelmCharts:\n- valuesInline: {image: {repository: a/b, tag: v2, digest: " + two + "}}\n  name: a\n", other: "helmCharts:\n- name: b\n  valuesInline: {image: {repository: a/b, tag: v1, digest: " + one + "}}\n",
		},
		{
			name: "a JSON patch but for the image that is read", format: YAML,
			in:   "- {op: replace, path: /spec/containers/0/image, value: 'a/b:1'}\n- {op: copy, from: /a, path: /b}\n",
			want: []string{"1 /0 a JSON patch", "2 /1 a JSON patch"},
			same: "- {op: replace, path: /spec/containers/0/image, value: 'a/b:2'}\n- {op: copy, from: /a, path: /b}\n", other: "- {op: replace, path: /spec/containers/1/image, value: 'a/b:1'}\n- {op: copy, from: /a, path: /b}\n",
		},
		{
			name: "directives of a merge patch", format: YAML,
			in:   "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{name: a, $patch: delete}]}}}\n",
			want: []string{"3 /spec/template/spec/containers/0 the directive $patch of a patch"},
		},
		{
			name: "Flux", format: YAML,
			in: "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {path: ./a, interval: 5m, sourceRef: {kind: GitRepository, name: a}, postBuild: {substitute: {tag: v1}}, images: [{name: a, newTag: v1}]}\n" +
				"---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nspec: {url: 'https://x.example', ref: {tag: v1}, interval: 5m}\n",
			want: []string{
				"3 /spec/sourceRef spec.sourceRef of a Kustomization", "3 /spec/path spec.path of a Kustomization", "3 /spec/postBuild spec.postBuild of a Kustomization", "3 /spec where manifests or a chart come from",
				"7 /spec/url spec.url of a GitRepository", "7 /spec/ref spec.ref of a GitRepository",
			},
		},
		{
			name: "Argo CD", format: YAML,
			in:   "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source: {repoURL: x, targetRevision: v1, helm: {parameters: [{name: a, value: b}], releaseName: r}}\n",
			want: []string{"4 /spec/source where manifests or a chart come from"},
			same: "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source: {targetRevision: v1, repoURL: x, helm: {parameters: [{name: a, value: b}]}}\n", other: "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source: {repoURL: x, targetRevision: v1, helm: {valueFiles: [a.yaml]}}\n",
		},
		{
			name: "charts of other tools", format: YAML,
			in: "releases:\n- {name: a, chart: acme/a, version: 1.0.0}\n- {name: b}\n", want: []string{"2 /releases/0 where manifests or a chart come from"},
		},
		{
			name: "a manifest inside a string, pinned or not", format: YAML,
			in:   "apiVersion: v1\nkind: ConfigMap\ndata:\n  a.yaml: |\n    image: a/b@" + one + "\n  b.txt: |\n    just text\n",
			want: []string{"4 /data/a.yaml a manifest inside a string"}, other: "apiVersion: v1\nkind: ConfigMap\ndata:\n  a.yaml: |\n    image: a/b@" + two + "\n",
		},
		{
			name: "encrypted values, but for passwords", format: YAML,
			in:   "apiVersion: v1\nkind: Secret\ndata: {password: 'ENC[AES256_GCM,a]', values.yaml: 'ENC[AES256_GCM,a]'}\n---\nimage: {tag: 'ENC[AES256_GCM,a]'}\n",
			want: []string{"3 /data/values.yaml an encrypted value", "5 /image/tag an encrypted value"},
		},
		{
			name: "values that read as images", format: YAML,
			in: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {annotations: {proxy: ghcr.io/acme/proxy}, labels: {x: example.com/y}}\nspec: {template: {spec: {containers: [{image: 'a/b:1', args: ['--reloader=quay.io/acme/r:v1', /a/b], env: [{name: RELATED, value: 'acme/c:1'}]}]}}}\n",
			want: []string{
				"3 /metadata/annotations/proxy a value that reads as an image",
				"4 /spec/template/spec/containers/0/args/0 a value that reads as an image",
				"4 /spec/template/spec/containers/0/env/0/value a value that reads as an image",
			},
		},
		{
			name: "the name of an image of which the tag is read", format: Values,
			in: "app: {image: {repository: ghcr.io/acme/shop, tag: v1}}\nagent: ghcr.io/acme/agent:v1\n", want: []string{"2 /agent a value that reads as an image"},
		},
		{name: "an anchor that holds itself", format: YAML, in: "a: &a {repoURL: x, path: [*a]}\n", want: []string{"1 /a where manifests or a chart come from"}},
		{name: "a kustomization that is no mapping", format: Kustomization, in: "- {op: add, path: /a}\n", want: []string{"1 /0 a JSON patch"}},
		{name: "not YAML", format: YAML, in: "a: [", want: []string{}},
		{name: "no format", format: None, in: "chart: x\nversion: y\n", want: []string{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Opaque([]byte(tc.in), tc.format)
			if diff := cmp.Diff(tc.want, listed(got)); diff != "" {
				t.Errorf("parts differ (-want +got):\n%s", diff)
			}
			texts := func(in string) string {
				var all []string
				for _, p := range Opaque([]byte(in), tc.format) {
					all = append(all, p.What+p.Text)
				}
				return fmt.Sprint(len(all), slices.Sorted(slices.Values(all)))
			}
			if tc.same != "" && texts(tc.same) != texts(tc.in) {
				t.Error("the same in other words has other texts")
			}
			if tc.other != "" && texts(tc.other) == texts(tc.in) {
				t.Error("something else has the same texts")
			}
		})
	}
}

// FuzzOpaque: it never panics, and neither a comment nor a pinned image makes another text.
func FuzzOpaque(f *testing.F) {
	seed(f)
	for _, s := range []string{
		"patches: [{path: a}]\nhelmCharts: [{name: a, valuesInline: {image: a/b:1}}]\n",
		"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec: {chart: {spec: {chart: a, version: 1.0.0}}, postRenderers: [{kustomize: {images: [{name: a, newTag: v1}]}}]}\n",
		"- {op: replace, path: /spec/containers/0/image, value: 'a/b:1'}\n", "a: &a {repoURL: x, path: [*a]}\n", "a:\n  b: |\n    image: a/b:1\n", "<<: {patches: [a]}\n",
	} {
		f.Add([]byte(s), uint8(Kustomization))
		f.Add([]byte(s), uint8(YAML))
	}
	f.Fuzz(func(t *testing.T, data []byte, format uint8) {
		ft := Format(format % uint8(Dockerfile+1))
		says := func(data []byte) []string {
			var all []string
			for _, p := range Opaque(data, ft) {
				all = append(all, p.What+" "+p.Text)
			}
			slices.Sort(all)
			return all
		}
		before := says(data)
		r := Scan(data, ft)
		if pinned, err := Apply(data, ft, edits(r)); err == nil && r.Problem == nil {
			if diff := cmp.Diff(before, says(pinned)); diff != "" {
				t.Errorf("pinning makes other texts:\n%s\n%q\n%q", diff, data, pinned)
			}
		}
		commented := append([]byte("# a comment\n"), data...)
		if len(data) > 0 && data[0] != '%' && Scan(commented, ft).Problem == nil && r.Problem == nil && !strings.HasPrefix(string(data), "\ufeff") {
			if diff := cmp.Diff(before, says(commented)); diff != "" {
				t.Errorf("a comment makes other texts:\n%s", diff)
			}
		}
	})
}

// What is found is bounded in bytes, and then the whole is one part.
func TestOpaqueIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 150 {
		b.WriteString(strings.Repeat(" ", i) + strings.Repeat("k", 200) + ":\n")
	}
	for i := range 4000 {
		fmt.Fprintf(&b, "%sk%d: ENC[AES256_GCM,%d]\n", strings.Repeat(" ", 150), i, i)
	}
	got := Opaque([]byte(b.String()), YAML)
	if diff := cmp.Diff([]string{"1  more than can be listed"}, listed(got)); diff != "" {
		t.Error(diff)
	}
	if other := Opaque([]byte(strings.Replace(b.String(), "k3999: ENC", "k3999: xENC", 1)), YAML); other[0].Text == got[0].Text {
		t.Error("another file has the same text")
	}
}

// Aliases of aliases stand for much, and cost nothing.
func TestOpaqueOfManyAliases(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x]\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	b.WriteString("patches: *a59\n")
	if got := listed(Opaque([]byte(b.String()), Kustomization)); len(got) < 62 {
		t.Errorf("got %d parts", len(got))
	}
}
