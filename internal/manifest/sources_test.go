package manifest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSources(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		format   Format
		want     []Source
	}{
		{"replacements and variables", "replacements: [{source: {kind: Service, name: a, fieldPath: metadata.name}}, {path: r.yaml}]\nvars: [{name: T, objref: {kind: Secret, name: b}}]\n", Kustomization, []Source{{Kind: "Service", Name: "a"}, {}, {Kind: "Secret", Name: "b"}}},
		{"substitutions", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {path: a, postBuild: {substituteFrom: [{kind: ConfigMap, name: a}, {kind: Secret, name: '${x}'}]}}\n", YAML, []Source{{Kind: "ConfigMap", Name: "a"}, {Kind: "Secret"}}},
		{"values", "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec: {valuesFrom: [{kind: ConfigMap, name: a}]}\n", YAML, []Source{{Kind: "ConfigMap", Name: "a"}}},
		{"files of parameters", "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nspec: {generators: [{git: {files: [{path: 'envs/*/a.json'}, {path: 'x/{{ .a }}/b-{{ .c }}.yaml'}, {path: '../c', exclude: true}]}}]}\n", YAML, []Source{{File: "envs/*/a.json"}, {File: "x/**/b-*.yaml"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Scan([]byte(tc.in), tc.format).Sources); diff != "" {
				t.Errorf("sources differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStatements(t *testing.T) {
	said := func(in string) []string {
		var out []string
		for _, s := range Statements([]byte(in), YAML) {
			out = append(out, fmt.Sprint(s.Line, s.Object, s.Key, s.Text))
		}
		return out
	}
	in := "image: {repository: a/b, tag: v1}\nx: 1 # why\n---\napiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: b}}]\n"
	same := "image: {repository: a/b, tag: v2}\nx: 1\n---\nkind: List\napiVersion: v1\nitems: [{kind: ConfigMap, apiVersion: v1, metadata: {name: c}, data: {a: b}}]\n"
	all := Statements([]byte(in), YAML)
	if len(all) != 6 || all[1].Key != "x" || all[1].Line != 2 || all[5].Object != (Object{Kind: "ConfigMap", Name: "c"}) || all[5].Key != "data" {
		t.Errorf("got %v", all)
	}
	if said(in)[0] != said(same)[0] || said(in)[1] != said(same)[1] {
		t.Error("an image or a comment makes another text")
	}
	if cmp.Equal(said("x: 1\n"), said("x: 2\n")) || cmp.Equal(said("x: [\n"), said("x: [ \n")) {
		t.Error("something else has the same texts")
	}
}
