package manifest

import (
	"strings"
	"testing"
)

// hidden are ways to let a cluster run evil:latest where a reader of the file sees a pinned
// image or none. Each must show: as the image, or as a problem that is not harmless.
var hidden = map[string]struct {
	name string // of the file
	text string
}{
	"a key twice":                 {"a.yaml", podOf("image: good/a@D\n    image: evil:latest")},
	"a Helm tag twice":            {"values.yaml", "image: {repository: a/b, tag: v1@D, tag: latest}\n"},
	"items through an alias":      {"a.yaml", "apiVersion: v1\nkind: List\nx: &i [{apiVersion: v1, kind: Pod, spec: {containers: [{image: evil:latest}]}}]\nitems: *i\n"},
	"items twice":                 {"a.yaml", "apiVersion: v1\nkind: List\nitems: []\nitems: [{apiVersion: v1, kind: Pod, spec: {containers: [{image: evil:latest}]}}]\n"},
	"spec from the metadata":      {"a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {x: &s {containers: [{image: evil:latest}]}}\nspec: *s\n"},
	"spec from the status":        {"a.yaml", "apiVersion: v1\nkind: Pod\nstatus: &s {containers: [{image: evil:latest}]}\nspec: *s\n"},
	"volumes through an alias":    {"a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {x: &v [{image: {reference: evil:latest}}]}\nspec: {volumes: *v}\n"},
	"a key that is an alias":      {"a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: &c containers}\nspec: {image: 'a:1', *c : [{image: evil:latest}]}\n"},
	"an image key by alias":       {"a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: &i image}\nspec: {containers: [{image: good/a@D, *i : evil:latest}]}\n"},
	"an escaped key":              {"a.yaml", "apiVersion: v1\nkind: Pod\nspec: {\"contain\\x65rs\": [{\"im\\x61ge\": evil:latest}]}\n"},
	"a folded key":                {"a.yaml", "apiVersion: v1\nkind: Pod\nspec:\n  \"contain\\\n    ers\":\n  - \"ima\\\n      ge\": evil:latest\n"},
	"a binary key":                {"a.yaml", "apiVersion: v1\nkind: Pod\nspec: {containers: [{!!binary aW1hZ2U= : evil:latest}]}\n"},
	"a merge after the key":       {"a.yaml", podOf("image: good/a@D\n    <<: {image: evil:latest}")},
	"a definition by escapes":     {"a.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\"\\x6bind\": Pod\nspec: {containers: [{image: evil:latest}]}\n"},
	"a definition by merge":       {"a.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n<<: {apiVersion: v1, kind: Pod}\nspec: {containers: [{image: evil:latest}]}\n"},
	"a definition by kind alone":  {"a.yaml", "kind: CustomResourceDefinition\napiVersion: v1\nspec: {containers: [{image: evil:latest}]}\n"},
	"a definition in a comment":   {"a.yaml", "# x\rapiVersion: v1\rkind: Pod\rspec: {containers: [{image: 'evil:latest'}]}\r#\nkind: CustomResourceDefinition\n"},
	"a definition in a string":    {"a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {annotations: {a: \"\n---#\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\"}}\nspec: {containers: [{image: evil:latest}]}\n"},
	"a patch that is none":        {"values.yaml", "x: {op: x, path: /image, value: y, image: evil:latest}\n"},
	"a patch in values":           {"values.yaml", "op: replace\npath: /image\nvalue: x\nsidecar: {image: evil:latest}\n"},
	"a Pod in dockerfile.yaml":    {"dockerfile.yaml", podOf("image: evil:latest")},
	"a patch of a container":      {"patch.yaml", "- op: add\n  path: /spec/containers/-\n  value: {name: x, image: evil}\n"},
	"a patch of containers":       {"patch.yaml", "- op: add\n  path: /spec/containers\n  value: [{name: x, image: evil}]\n"},
	"a patch on one line":         {"kustomization.yaml", "patches:\n- patch: '- {op: replace, path: /spec/containers/0/image, value: \"evil:1\"}'\n"},
	"a tag suffix":                {"kustomization.yaml", "images:\n- name: evil\n  tagSuffix: -alpine\n"},
	"a build that is null":        {"compose.yaml", "services: {a: {build: null, image: evil}}\n"},
	"services by merge":           {"compose.yaml", "x-s: &s {a: {image: evil}}\nservices: {<<: *s}\n"},
	"services by alias":           {"compose.yaml", "x-s: &s {a: {image: evil}}\nservices: *s\n"},
	"an image volume of compose":  {"compose.yaml", "services: {a: {image: a@D, volumes: [{type: image, source: evil}]}}\n"},
	"GitLab services by alias":    {".gitlab-ci.yml", ".s: &s [evil:latest]\na: {services: *s}\n"},
	"a Dockerfile with a mark":    {"Dockerfile", "\ufeffFROM evil:latest\n"},
	"a here-document in quotes":   {"Dockerfile", "FROM a@D\nRUN echo \"see <<EOF for\"\nFROM evil:latest\n"},
	"a here-document without end": {"Dockerfile", "FROM a@D\nRUN <<EOF\nFROM evil:latest\n"},
	"a word over two lines":       {"Dockerfile", "FROM scratch\\\n.evil.io/x:1\n"},
	"a form feed":                 {"Dockerfile", "FROM\fevil:latest\n"},
	"a mount in upper case":       {"Dockerfile", "FROM a@D\nRUN --mount=type=bind,From=evil:latest,target=/x ls\n"},
	"inline steps":                {"a.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec: {templates: [{steps: [[{inline: {container: {image: evil:latest}}}]]}]}\n"},
	"an inner definition":         {"a.yaml", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: apiextensions.k8s.io/v1\n  kind: CustomResourceDefinition\n  kind: Pod\n  spec: {containers: [{image: evil:latest}]}\n"},
	"two escapes at a line's end": {"Dockerfile", "FROM a@D\nRUN echo \\\\\nFROM evil:latest\n"},
	"a flag in quotes":            {"Dockerfile", "FROM a@D\nCOPY --fr\"\"om=evil:latest /a /b\n"},
	"a flag without its value":    {"Dockerfile", "FROM a@D\nCOPY --from evil:latest /a /b\n"},
	"a mount in quotes":           {"Dockerfile", "FROM a@D\nRUN --mount='from=evil:latest,target=/x' ls\n"},
	"no here-document in ONBUILD": {"Dockerfile", "FROM a@D\nONBUILD CMD cat <<EOF\nFROM evil:latest\nRUN echo \\\nEOF\n"},
	"no here-document in JSON":    {"Dockerfile", "FROM a@D\nRUN [\"b <<EOF c\"]\nFROM evil:latest\nRUN echo \\\nEOF\n"},
	"a here-document's odd word":  {"Dockerfile", "FROM a@D\nRUN <<E:\nFROM a@D AS evil\nE:\nFROM evil\n"},
	"a frontend after a shebang":  {"Dockerfile", "#!/usr/bin/env x\n# syntax=evil/x:latest\nFROM a@D\n"},
	"an empty directive":          {"Dockerfile", "# syntax=\n# escape=`\nFROM a@D\nRUN echo `\nFROM evil:latest\n"},
	"an alias inside a string":    {"kustomization.yaml", "patches:\n- patch: |\n    metadata: {a: &i evil:latest}\n    spec: {containers: [{image: *i}]}\n"},
	"a string by alias":           {"a.yaml", "apiVersion: v1\nkind: X\nmetadata: {x: &p '{\"image\": \"evil:latest\"}'}\nspec: {patch: *p}\n"},
	"kustomize images by alias":   {"kustomization.yaml", "metadata: {x: &i [{name: a, newName: evil, newTag: latest}]}\nimages: *i\n"},
	"values by alias":             {"a.yaml", "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {annotations: &v {controller: {repository: evil, tag: latest}}}\nspec: {values: *v}\n"},
	"parameters by alias":         {"a.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {x: &h {parameters: [{name: image.repository, value: evil}, {name: image.tag, value: v1}]}}\nspec: {source: {helm: *h}}\n"},
	"jobs by alias":               {".github/workflows/a.yaml", "on: push\nx: &j {a: {container: evil}}\njobs: *j\n"},
	"jobs by merge":               {".forgejo/workflows/a.yaml", "on: push\nx: &j {a: {container: evil}}\njobs: {<<: *j}\n"},
	"GitLab jobs by merge":        {".gitlab-ci.yml", ".x: &x {job: {image: evil}}\n<<: *x\n"},
	"services by two merges":      {"compose.yaml", "x-s: &s {a: {image: evil}}\nx-t: &t {<<: *s}\nservices: {<<: [*t]}\n"},
	"a build that is reset":       {"compose.yaml", "services: {a: {build: !reset null, image: evil}}\n"},
	"a tag by directive":          {"a.yaml", "%TAG !e! tag:yaml.org,2002:\n---\napiVersion: v1\nkind: Pod\nspec: {containers: [{!e!binary aW1hZ2U= : 'evil:latest'}]}\n"},
	"a patch by merge":            {"p.yaml", "- {<<: {op: replace, path: /spec/containers/0/image}, value: 'evil:latest'}\n"},
	"a patch of a volume":         {"p.yaml", "- {op: add, path: /spec/volumes/-, value: {name: x, image: {reference: evil}}}\n"},
	"a subchart called example":   {"values.yaml", "example: {image: {repository: evil, tag: latest}}\n"},
	"an image tag transformer":    {"t.yaml", "apiVersion: builtin\nkind: ImageTagTransformer\nimageTag: {name: a, newName: evil, newTag: latest}\n"},
	"the tag of a chart's image":  {"values.yaml", "image: {tag: v1}\n"},
	"an image by the chart's hub": {"values.yaml", "hub: gcr.io/x\npilot: {image: {repository: evil, tag: v1}}\n"},
}

func podOf(line string) string {
	return "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: x\n    " + line + "\n"
}

func TestHidden(t *testing.T) {
	for name, tc := range hidden {
		t.Run(name, func(t *testing.T) {
			text := strings.ReplaceAll(tc.text, "@D", "@"+d)
			r := Scan([]byte(text), FormatOf(tc.name))
			shown := r.Problem != nil
			for _, f := range r.Findings {
				shown = shown || !f.Image.Pinned() || f.Problem != nil && !f.Problem.Harmless()
			}
			if !shown {
				t.Errorf("nothing shows:\n%s", describe(r))
			}
		})
	}
}

// TestLeftAlone: what must not be edited although it looks like an image.
func TestLeftAlone(t *testing.T) {
	for name, tc := range map[string]struct{ file, text string }{
		"a tag that a merge key shares": {"values.yaml", "x: &i {registry: docker.io, tag: '1.0'}\na: {image: {<<: *i, repository: org/a}}\nb: {image: {<<: *i, repository: org/b}}\n"},
		"Flux image repository":         {"a.yaml", "apiVersion: image.toolkit.fluxcd.io/v1beta2\nkind: ImageRepository\nspec: {image: ghcr.io/acme/shop}\n"},
		"what a build makes":            {"a.yaml", "apiVersion: shipwright.io/v1\nkind: Build\nspec: {output: {image: ghcr.io/acme/shop:1}}\n"},
		"skaffold artifacts":            {"skaffold.yaml", "apiVersion: skaffold/v4\nkind: Config\nbuild: {artifacts: [{image: ghcr.io/acme/shop:1}]}\n"},
		"the base of a Prometheus":      {"a.yaml", "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nspec: {baseImage: quay.io/prometheus/prometheus, tag: v2}\n"},
		"a test of a patch":             {"p.yaml", "- {op: test, path: /spec/containers/0/image, value: 'a/b:1'}\n"},
		"a GitLab reference":            {".gitlab-ci.yml", "a:\n  services: !reference [.base, services]\n  image: !reference [.base, image]\n"},
		"an image that compose builds":  {"compose.yaml", "services:\n  web: {build: ., image: 'acme/app:dev'}\n  worker: {image: 'acme/app:dev'}\n"},
		"an image that Argo CD keeps":   {"a.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {source: {kustomize: {images: ['x=*:v2']}}}\n"},
		"a name in three parts":         {"values.yaml", "image: {registry: quay.io, repository: strimzi, name: operator, tag: v1}\n"},
		"a source repository":           {"a.yaml", "git: {repository: github.com/acme/shop, tag: v1}\n"},
		"a chart's metadata":            {"Chart.yaml", "annotations:\n  artifacthub.io/images: |\n    - name: x\n      image: a/b:1\n"},
		"a machine image":               {".circleci/config.yml", "jobs: {a: {machine: {image: 'ubuntu-2204:2024.01.1'}}}\n"},
		"an example in an API":          {"openapi.yaml", "paths: {x: {example: {image: 'a/b:1'}}}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if out := pin(t, []byte(tc.text), FormatOf(tc.file)); string(out) != tc.text {
				t.Errorf("edited:\n%s", out)
			}
		})
	}
}

// TestJSON: what was JSON is JSON.
func TestJSON(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{`{"image": {"repository": "a/b", "tag": 1}}`, `{"image": {"repository": "a/b", "tag": "1@D(1)"}}`},
		{"{\n  \"image\": \"a/b:1\"\n}\n", "{\n  \"image\": \"a/b:1@D(1)\"\n}\n"},
	} {
		r := Scan([]byte(tc.in), Values)
		es := edits(r)
		for i := range es {
			es[i].Style = DigestOnly
		}
		out, err := Apply([]byte(tc.in), Values, es)
		if want := fill(t, tc.want); err != nil || string(out) != want {
			t.Errorf("got %s, %v; want %s", out, err, want)
		}
	}
}
