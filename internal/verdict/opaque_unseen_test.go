package verdict_test

import (
	"strings"
	"testing"
)

const miner = "evil.example/miner:6.6"

// unseen is a change of an environment that no image shows.
type unseen struct {
	name        string
	base, edits map[string]string
}

// stops asks that nothing of it is green.
func stops(t *testing.T, all []unseen) {
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			w := attacked(t, c.base)
			n := w.hand("bob", "x", c.edits)
			got := w.run()
			if k, ok := w.checkAt(w.pullOf(n).Head.SHA, "pinnace/promotion"); !ok || k.Conclusion == "success" {
				t.Errorf("nothing was seen: %v", got)
			}
		})
	}
}

// bare is a Deployment of another name.
func bare(image string) string { return strings.ReplaceAll(deployment(image), "shop", "other") }

func chartOf(image string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n        - name: x\n          image: " + image + "\n"
}

// argo is an Application.
func argo(revision, extra string) string {
	return "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\nspec:\n  project: default\n  source:\n    repoURL: https://github.com/acme/config.git\n    path: envs/prod\n    targetRevision: " + revision + "\n" + extra + "  destination: {namespace: shop}\n"
}

const chartYAML = "apiVersion: v2\nname: x\nversion: 1.0.0\n"

// What a file is called does not hide what is in it, and what feeds a template is seen.
func TestOpaqueNames(t *testing.T) {
	stops(t, []unseen{
		{"resources", nil, map[string]string{"envs/prod/x.dockerfile": bare(miner), "envs/prod/kustomization.yaml": "resources: [shop.yaml, x.dockerfile]\n"}},
		{"resources outside", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml]\n"}, map[string]string{"base/Dockerfile": bare(miner), "envs/prod/kustomization.yaml": "resources: [shop.yaml, ../../base/Dockerfile]\n"}},
		{"resources already", map[string]string{"envs/prod/Dockerfile": bare("ghcr.io/acme/shop:1.0"), "envs/prod/kustomization.yaml": "resources: [shop.yaml, Dockerfile]\n"}, map[string]string{"envs/prod/Dockerfile": bare(miner)}},
		{"patch", map[string]string{"envs/prod/Dockerfile.p": deployment("{shop:1.0}"), "envs/prod/kustomization.yaml": "resources: [shop.yaml]\npatches: [{path: Dockerfile.p}]\n"}, map[string]string{"envs/prod/Dockerfile.p": deployment(miner)}},
		{"chart.yaml resource already", map[string]string{"envs/prod/chart.yaml": bare("ghcr.io/acme/shop:1.0"), "envs/prod/kustomization.yaml": "resources: [shop.yaml, chart.yaml]\n"}, map[string]string{"envs/prod/chart.yaml": bare(miner)}},
		{"settings repo+tag", map[string]string{"envs/prod/settings.yaml": "image:\n  repository: ghcr.io/acme/shop\n  tag: \"1.0\"\n"}, map[string]string{"envs/prod/settings.yaml": "image:\n  repository: ghcr.io/acme/shop\n  tag: \"6.6\"\n"}},
		{"values image.tag only", map[string]string{"envs/prod/values.yaml": "image:\n  tag: \"1.0\"\n"}, map[string]string{"envs/prod/values.yaml": "image:\n  tag: \"6.6\"\n"}},
		{"settings image.tag only", map[string]string{"envs/prod/settings.yaml": "image:\n  tag: \"1.0\"\n"}, map[string]string{"envs/prod/settings.yaml": "image:\n  tag: \"6.6\"\n"}},
		{"values imageTag only", map[string]string{"envs/prod/values.yaml": "imageTag: \"1.0\"\n"}, map[string]string{"envs/prod/values.yaml": "imageTag: \"6.6\"\n"}},
		{"values shop.tag only", map[string]string{"envs/prod/values.yaml": "shop:\n  tag: \"1.0\"\n"}, map[string]string{"envs/prod/values.yaml": "shop:\n  tag: \"6.6\"\n"}},
		{"values shop.image.version", map[string]string{"envs/prod/values.yaml": "image:\n  repository: ghcr.io/acme/shop\n  version: \"1.0\"\n"}, map[string]string{"envs/prod/values.yaml": "image:\n  repository: ghcr.io/acme/shop\n  version: \"6.6\"\n"}},
		{"helm .helmignore", map[string]string{"envs/prod/c/Chart.yaml": chartYAML}, map[string]string{"envs/prod/c/.helmignore": "templates/shop.yaml\n"}},
		{"chart subchart dep", map[string]string{"envs/prod/c/Chart.yaml": chartYAML}, map[string]string{"envs/prod/c/charts/x.tgz": "x"}},
		{"helm txt tpl", map[string]string{"envs/prod/c/Chart.yaml": chartYAML, "envs/prod/c/templates/d.yaml": strings.ReplaceAll(deployment("\"{{ .Files.Get \"image.txt\" }}\""), "shop", "x"), "envs/prod/c/image.txt": "a"}, map[string]string{"envs/prod/c/image.txt": miner}},
		{"helm NOTES-partial", map[string]string{"envs/prod/c/Chart.yaml": chartYAML, "envs/prod/c/templates/d.yaml": strings.ReplaceAll(deployment("'{{ include \"img\" . }}'"), "shop", "x"), "envs/prod/c/templates/helpers.txt": "{{ define \"img\" }}a{{ end }}"}, map[string]string{"envs/prod/c/templates/helpers.txt": "{{ define \"img\" }}" + miner + "{{ end }}"}},
		{"helm templates any ext", map[string]string{"envs/prod/c/Chart.yaml": chartYAML}, map[string]string{"envs/prod/c/templates/foo": bare(miner)}},
		{"kust configurations", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml]\nconfigurations: [c.yaml]\n", "envs/prod/c.yaml": "images: []\n"}, map[string]string{"envs/prod/c.yaml": "images: [{path: spec/x}]\n"}},
		{"argo dir jsonnet tla", nil, map[string]string{"envs/prod/x.libsonnet": "{}"}},
		{"timoni cue", nil, map[string]string{"envs/prod/x.cue": "{}"}},
		{"helmfile gotmpl", nil, map[string]string{"envs/prod/helmfile.yaml.gotmpl": "{}"}},
		{"ytt", nil, map[string]string{"envs/prod/x.yaml": "#@ load(\"@ytt:data\", \"data\")\napiVersion: v1\nkind: Pod\nspec: {containers: [{name: x, image: #@ data.values.image\n}]}\n"}},
		{"named a change later", map[string]string{"envs/prod/notes.txt": bare(miner), "envs/prod/kustomization.yaml": "resources: [shop.yaml]\n"}, map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml, notes.txt]\n"}},
		{"a Dockerfile that is named a change later", map[string]string{"envs/prod/Dockerfile": bare(miner), "envs/prod/kustomization.yaml": "resources: [shop.yaml]\n"}, map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml, Dockerfile]\n"}},
	})
}

func TestOpaqueValues(t *testing.T) {
	stops(t, []unseen{
		{"appVersion", map[string]string{"envs/prod/c/Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\nappVersion: \"1.0\"\n", "envs/prod/c/templates/d.yaml": chartOf("\"ghcr.io/acme/shop:{{ .Chart.AppVersion }}\"")}, map[string]string{"envs/prod/c/Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\nappVersion: \"6.6\"\n"}},
		{"global registry", map[string]string{"envs/prod/c/Chart.yaml": chartYAML, "envs/prod/c/values.yaml": "global: {imageRegistry: ghcr.io}\n", "envs/prod/c/templates/d.yaml": chartOf("\"{{ .Values.global.imageRegistry }}/acme/shop:1.0\"")}, map[string]string{"envs/prod/c/values.yaml": "global: {imageRegistry: evil.example}\n"}},
		{"tag only", map[string]string{"envs/prod/c/Chart.yaml": chartYAML, "envs/prod/c/values.yaml": "tag: \"1.0\"\n", "envs/prod/c/templates/d.yaml": chartOf("\"ghcr.io/acme/shop:{{ .Values.tag }}\"")}, map[string]string{"envs/prod/c/values.yaml": "tag: \"6.6\"\n"}},
		{"shopTag", map[string]string{"envs/prod/c/Chart.yaml": chartYAML, "envs/prod/c/values.yaml": "shopTag: \"1.0\"\n", "envs/prod/c/templates/d.yaml": chartOf("\"ghcr.io/acme/shop:{{ .Values.shopTag }}\"")}, map[string]string{"envs/prod/c/values.yaml": "shopTag: \"6.6\"\n"}},
		{"repo", map[string]string{"envs/prod/c/Chart.yaml": chartYAML, "envs/prod/c/values.yaml": "repo: ghcr.io/acme\n", "envs/prod/c/templates/d.yaml": chartOf("\"{{ .Values.repo }}/shop:1.0\"")}, map[string]string{"envs/prod/c/values.yaml": "repo: evil.example\n"}},
		{"include sidecar gate", map[string]string{"envs/prod/c/Chart.yaml": chartYAML, "envs/prod/c/values.yaml": "extra: []\n", "envs/prod/c/templates/d.yaml": chartOf("ghcr.io/acme/shop:1.0") + "        {{- toYaml .Values.extra | nindent 8 }}\n"}, map[string]string{"envs/prod/c/values.yaml": "extra: [{name: m, image: evil.example/miner}]\n"}},
		{"kustomize helmCharts valuesInline", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml]\nhelmCharts:\n  - {name: shop, repo: \"https://c.example\", version: 1.2.3, valuesInline: {version: \"1.0\"}}\n"}, map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml]\nhelmCharts:\n  - {name: shop, repo: \"https://c.example\", version: 1.2.3, valuesInline: {version: \"6.6\"}}\n"}},
		{"kustomize helmCharts valuesFile", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml]\nhelmCharts:\n  - {name: shop, repo: \"https://c.example\", version: 1.2.3, valuesFile: v.yaml}\n", "envs/prod/v.yaml": "version: \"1.0\"\n"}, map[string]string{"envs/prod/v.yaml": "version: \"6.6\"\n"}},
		{"env file of generator", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml]\nconfigMapGenerator: [{name: v, envs: [v]}]\nreplacements: [{source: {kind: ConfigMap, name: v, fieldPath: data.TAG}, targets: [{select: {kind: Deployment}, fieldPaths: [spec.template.spec.containers.0.image]}]}]\n", "envs/prod/v": "TAG=1\n"}, map[string]string{"envs/prod/v": "TAG=6\n"}},
		{"symlink base target", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop.yaml, ../../a]\n", "a/kustomization.yaml": "resources: [../b/d.yaml]\n", "b/d.yaml": chartOf("ghcr.io/acme/shop:1.0")}, map[string]string{"b/d.yaml": chartOf("ghcr.io/acme/shop:6.6")}},
		{"kustomize vars", map[string]string{"envs/prod/kustomization.yaml": "resources: [shop2.yaml]\nvars: [{name: T, objref: {kind: Service, name: s, apiVersion: v1}, fieldref: {fieldpath: metadata.labels.t}}]\n", "envs/prod/shop2.yaml": chartOf("ghcr.io/acme/shop:$(T)"), "envs/prod/s.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: s, labels: {t: \"1.0\"}}\n"}, map[string]string{"envs/prod/s.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: s, labels: {t: \"6.6\"}}\n"}},
		{"pod secret subst", map[string]string{"envs/prod/d.yaml": chartOf("ghcr.io/acme/shop:${T}"), "envs/prod/s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {T: \"1.0\"}\n"}, map[string]string{"envs/prod/s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {T: \"6.6\"}\n"}},
		{"argo appset generator elements", map[string]string{"envs/prod/o.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: x}\nspec:\n  generators: [{list: {elements: [{v: main}]}}]\n  template: {spec: {source: {repoURL: \"https://github.com/acme/config\", path: envs/prod, targetRevision: \"{{v}}\"}}}\n"}, map[string]string{"envs/prod/o.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: x}\nspec:\n  generators: [{list: {elements: [{v: evil}]}}]\n  template: {spec: {source: {repoURL: \"https://github.com/acme/config\", path: envs/prod, targetRevision: \"{{v}}\"}}}\n"}},
		{"argo appset file generator", map[string]string{"envs/prod/o.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: x}\nspec:\n  generators: [{git: {repoURL: x, files: [{path: envs/prod/params.json}]}}]\n  template: {spec: {source: {repoURL: \"https://github.com/acme/config\", path: envs/prod, targetRevision: \"{{v}}\"}}}\n", "envs/prod/params.json": "{\"v\":\"main\"}"}, map[string]string{"envs/prod/params.json": "{\"v\":\"evil\"}"}},
		{"flux ks path", map[string]string{"envs/prod/ks.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: p}\nspec: {path: ./envs/prod, sourceRef: {kind: GitRepository, name: main}}\n"}, map[string]string{"envs/prod/ks.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: p}\nspec: {path: ./envs/prod, sourceRef: {kind: GitRepository, name: evil}}\n"}},
		{"flux ks in clusters dir", map[string]string{"clusters/ks.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: p}\nspec: {path: ./envs/prod, sourceRef: {kind: GitRepository, name: main}}\n"}, map[string]string{"clusters/ks.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: p}\nspec: {path: ./envs/dev, sourceRef: {kind: GitRepository, name: main}}\n"}},
	})
}

func TestOpaqueSources(t *testing.T) {
	stops(t, []unseen{
		{"argocd-source", nil, map[string]string{"envs/prod/.argocd-source.yaml": "kustomize:\n  images:\n    - ghcr.io/acme/shop=" + miner + "\n"}},
		{"argocd-source-helm", nil, map[string]string{"envs/prod/.argocd-source-shop.yaml": "helm:\n  parameters:\n    - {name: version, value: \"6.6\"}\n"}},
		{"fleet", nil, map[string]string{"envs/prod/fleet.yaml": "helm:\n  chart: https://evil.example/c.tgz\n  values: {tag: x}\n"}},
		{"fleet2", map[string]string{"envs/prod/fleet.yaml": "helm:\n  chart: nginx\n  version: 1.0.0\n"}, map[string]string{"envs/prod/fleet.yaml": "helm:\n  chart: nginx\n  version: 6.6.0\n"}},
		{"Kptfile", nil, map[string]string{"envs/prod/Kptfile": "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata: {name: x}\npipeline:\n  mutators:\n    - image: gcr.io/kpt-fn/set-image:v0.1\n      configMap: {name: shop, newName: evil}\n"}},
		{"argo param", map[string]string{"envs/prod/app.yaml": argo("main", "    helm:\n      parameters:\n        - {name: version, value: \"1.0\"}\n")}, map[string]string{"envs/prod/app.yaml": argo("main", "    helm:\n      parameters:\n        - {name: version, value: \"6.6\"}\n")}},
		{"argo valuesObject", nil, map[string]string{"envs/prod/app.yaml": argo("main", "    helm:\n      valuesObject: {version: \"6.6\"}\n")}},
		{"helm values scalar", map[string]string{
			"envs/prod/chart/Chart.yaml":            "apiVersion: v2\nname: x\nversion: 1.0.0\n",
			"envs/prod/chart/values.yaml":           "version: \"1.0\"\n",
			"envs/prod/chart/templates/deploy.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n        - name: x\n          image: \"ghcr.io/acme/shop:{{ .Values.version }}\"\n",
		}, map[string]string{"envs/prod/chart/values.yaml": "version: \"6.6\"\n"}},
		{"flux substitute inline", map[string]string{
			"envs/prod/d.yaml":  chartOf("ghcr.io/acme/shop:${SHOP_TAG}"),
			"envs/prod/ks.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: p}\nspec:\n  path: ./envs/prod\n  postBuild:\n    substitute: {SHOP_TAG: \"1.0\"}\n",
		}, map[string]string{"envs/prod/ks.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: p}\nspec:\n  path: ./envs/prod\n  postBuild:\n    substitute: {SHOP_TAG: \"6.6\"}\n"}},
		{"flux substituteFrom cm", map[string]string{
			"envs/prod/d.yaml":  chartOf("ghcr.io/acme/shop:${SHOP_TAG}"),
			"envs/prod/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars}\ndata: {SHOP_TAG: \"1.0\"}\n",
			"envs/prod/ks.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: p}\nspec:\n  path: ./envs/prod\n  postBuild:\n    substituteFrom: [{kind: ConfigMap, name: vars}]\n",
		}, map[string]string{"envs/prod/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars}\ndata: {SHOP_TAG: \"6.6\"}\n"}},
		{"kustomize replacement source", map[string]string{
			"envs/prod/kustomization.yaml": "resources: [shop.yaml, cm.yaml]\nreplacements:\n  - source: {kind: ConfigMap, name: vars, fieldPath: data.tag}\n    targets: [{select: {kind: Deployment}, fieldPaths: [spec.template.spec.containers.0.image]}]\n",
			"envs/prod/cm.yaml":            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars}\ndata: {tag: \"x\"}\n",
		}, map[string]string{"envs/prod/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars}\ndata: {tag: \"" + miner + "\"}\n"}},
		{"kustomize replacement annotation source", map[string]string{
			"envs/prod/kustomization.yaml": "resources: [shop.yaml, cm.yaml]\nreplacements:\n  - source: {kind: ServiceAccount, name: vars, fieldPath: metadata.annotations.tag}\n    targets: [{select: {kind: Deployment}, fieldPaths: [spec.template.spec.containers.0.image]}]\n",
			"envs/prod/cm.yaml":            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: vars, annotations: {tag: \"x\"}}\n",
		}, map[string]string{"envs/prod/cm.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: vars, annotations: {tag: \"6.6\"}}\n"}},
		{"unknown CR repo+version", nil, map[string]string{"envs/prod/o.yaml": "apiVersion: evil/v1\nkind: Foo\nmetadata: {name: x}\nspec: {baseImage: evil.example/miner, version: \"6.6\"}\n"}},
		{"olm subscription", nil, map[string]string{"envs/prod/o.yaml": "apiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\nmetadata: {name: x}\nspec: {channel: stable, name: evil, source: evil, startingCSV: evil.v1}\n"}},
		{"k3s helmchart", nil, map[string]string{"envs/prod/o.yaml": "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: x}\nspec: {chart: \"oci://evil.example/c\", version: 1.0.0}\n"}},
		{"flux helmrelease values", map[string]string{"envs/prod/o.yaml": "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: x}\nspec: {chart: {spec: {chart: shop, version: 1.0.0, sourceRef: {kind: HelmRepository, name: r}}}, values: {version: \"1.0\"}}\n"}, map[string]string{"envs/prod/o.yaml": "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: x}\nspec: {chart: {spec: {chart: shop, version: 1.0.0, sourceRef: {kind: HelmRepository, name: r}}}, values: {version: \"6.6\"}}\n"}},
		{"flux imageupdateautomation", nil, map[string]string{"envs/prod/o.yaml": "apiVersion: image.toolkit.fluxcd.io/v1beta2\nkind: ImageUpdateAutomation\nmetadata: {name: x}\nspec: {update: {path: ./envs/prod, strategy: Setters}}\n"}},
		{"compose extends", nil, map[string]string{"envs/prod/compose.yaml": "include: [\"https://evil.example/c.git\"]\nservices: {x: {build: \"https://evil.example/c.git\"}}\n"}},
		{"kcl mod", nil, map[string]string{"envs/prod/x.pkl": "image=1"}},
		{"cdk8s", nil, map[string]string{"envs/prod/x.go": "package x"}},
		{"a parameter of a generator", map[string]string{"argocd/set.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: x}\nspec:\n  generators: [{git: {repoURL: x, files: [{path: \"envs/*/params.json\"}]}}]\n  template: {spec: {source: {repoURL: \"https://github.com/acme/config\", path: \"{{path}}\", targetRevision: \"{{v}}\"}}}\n", "envs/prod/params.json": "{\"v\":\"main\"}"}, map[string]string{"envs/prod/params.json": "{\"v\":\"evil\"}"}},
		{"keys that are numbers", map[string]string{"envs/prod/values.yaml": "svc:\n  \"1\":\n    image: ghcr.io/acme/shop:1.0\n  \"2\":\n    image: ghcr.io/acme/miner:6.6\n"}, map[string]string{"envs/prod/values.yaml": "svc:\n  \"2\":\n    image: ghcr.io/acme/shop:1.0\n  \"1\":\n    image: ghcr.io/acme/miner:6.6\n"}},
	})
}

// What changes no image needs no approval.
func TestOpaqueOrdinary(t *testing.T) {
	values := "# values\nimage:\n  repository: ghcr.io/acme/shop\n  tag: \"1.0\"\nreplicas: 1\n"
	replaced := "resources: [shop.yaml]\nreplacements:\n  - source: {kind: ConfigMap, name: vars, fieldPath: data.tag}\n    targets: [{select: {kind: Deployment}, fieldPaths: [spec.template.spec.containers.0.image]}]\n"
	object := "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: x}\nspec:\n  replicas: 1\n"
	for _, c := range []unseen{
		{"a number of replicas", map[string]string{"envs/prod/o.yaml": object}, map[string]string{"envs/prod/o.yaml": strings.Replace(object, "replicas: 1", "replicas: 2", 1)}},
		{"a number of replicas beside a replacement", map[string]string{"envs/prod/kustomization.yaml": replaced, "envs/prod/o.yaml": object}, map[string]string{"envs/prod/o.yaml": strings.Replace(object, "replicas: 1", "replicas: 2", 1)}},
		{"a comment in values", map[string]string{"envs/prod/values.yaml": values}, map[string]string{"envs/prod/values.yaml": strings.Replace(values, "# values", "# the values", 1)}},
		{"a ConfigMap", map[string]string{"envs/prod/o.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {LEVEL: info}\n"}, map[string]string{"envs/prod/o.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {LEVEL: debug}\n"}},
		{"a file for people", map[string]string{"envs/prod/README.md": "a\n"}, map[string]string{"envs/prod/README.md": "b\n"}},
		{"a Dockerfile that nothing names", map[string]string{"envs/prod/x/Dockerfile": "FROM scratch\nENV A=1\n"}, map[string]string{"envs/prod/x/Dockerfile": "FROM scratch\nENV A=2\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := attacked(t, c.base)
			n := w.hand("bob", "x", c.edits)
			got := w.run()
			if k, _ := w.checkAt(w.pullOf(n).Head.SHA, "pinnace/promotion"); k.Conclusion != "success" {
				t.Errorf("the check is %s: %v\n%s", k.Conclusion, got, k.Summary)
			}
		})
	}
}
