package validate

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const (
	deploy = "../.."
	dir    = deploy + "/helm/pinnace"
	digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// pinned are the least values that the chart takes.
const pinned = "image: {digest: " + digest + "}"

// prometheus is what a cluster with the Prometheus operator says it knows.
const prometheus = "monitoring.coreos.com/v1"

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // the engine logs what a template of a lint fails with
	os.Exit(m.Run())
}

func load(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render renders the chart as `helm install pinnace --namespace ns` does, in a cluster of the
// oldest version that it takes.
func render(t *testing.T, values string, apis ...string) (string, map[string]string, error) {
	t.Helper()
	c := load(t)
	v, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		t.Fatal(err)
	}
	caps := chartutil.DefaultCapabilities.Copy()
	caps.KubeVersion = chartutil.KubeVersion{Version: "v1.29.0", Major: "1", Minor: "29"}
	caps.APIVersions = append(slices.Clone(chartutil.DefaultVersionSet), apis...)
	if !chartutil.IsCompatibleRange(c.Metadata.KubeVersion, caps.KubeVersion.Version) {
		t.Fatalf("the chart takes Kubernetes %s, not %s", c.Metadata.KubeVersion, caps.KubeVersion.Version)
	}
	o := chartutil.ReleaseOptions{Name: "pinnace", Namespace: "ns", Revision: 1, IsInstall: true}
	full, err := chartutil.ToRenderValues(c, v, o, caps)
	if err != nil {
		return "", nil, err
	}
	files, err := engine.Render(c, full)
	if err != nil {
		return "", nil, err
	}
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if base := path.Base(name); base != "NOTES.txt" && !strings.HasPrefix(base, "_") {
			all.WriteString("---\n" + files[name] + "\n")
		}
	}
	return all.String(), files, nil
}

func valuesOf(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("values/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestChart(t *testing.T) {
	js := judges(t)
	for name, tc := range map[string]struct {
		values string
		apis   []string
		kinds  []string
	}{
		"as it comes": {pinned, nil, []string{"Service/pinnace", "ServiceAccount/pinnace", "StatefulSet/pinnace"}},
		"with the Prometheus operator": {
			pinned,
			[]string{prometheus},
			[]string{"PrometheusRule/pinnace", "Service/pinnace", "ServiceAccount/pinnace", "ServiceMonitor/pinnace", "StatefulSet/pinnace"},
		},
		"PostgreSQL and three replicas": {
			valuesOf(t, "postgres.yaml"), nil,
			[]string{"Deployment/pinnace", "PodDisruptionBudget/pinnace", "Service/pinnace", "ServiceAccount/pinnace"},
		},
		"every option": {
			valuesOf(t, "all.yaml"),
			[]string{prometheus},
			[]string{
				"ConfigMap/acme-pinnace-dashboard", "Deployment/acme-pinnace", "Ingress/acme-pinnace", "NetworkPolicy/acme-pinnace", "PodDisruptionBudget/acme-pinnace",
				"PrometheusRule/acme-pinnace", "Service/acme-pinnace", "ServiceAccount/robot", "ServiceMonitor/acme-pinnace",
			},
		},
		"SQLite, a claim that is there": {
			pinned + "\npersistence: {existingClaim: mine}\nnetworkPolicy: {enabled: true}", nil,
			[]string{"NetworkPolicy/pinnace", "Service/pinnace", "ServiceAccount/pinnace", "StatefulSet/pinnace"},
		},
		"SQLite, lost with the pod": {
			pinned + "\npersistence: {enabled: false}\nserviceAccount: {create: false}", nil, []string{"Service/pinnace", "StatefulSet/pinnace"},
		},
		"none of it": {
			pinned + "\nreplicas: 0\nmetrics: {serviceMonitor: {enabled: false}, rules: {enabled: false}}",
			[]string{prometheus},
			[]string{"Service/pinnace", "ServiceAccount/pinnace", "StatefulSet/pinnace"},
		},
		"a tag that can move, on demand": {
			"image: {tag: edge, requireDigest: false}", nil, []string{"Service/pinnace", "ServiceAccount/pinnace", "StatefulSet/pinnace"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			out, files, err := render(t, tc.values, tc.apis...)
			if err != nil {
				t.Fatal(err)
			}
			wantKinds(t, check(t, objects(t, out), js), tc.kinds...)
			if notes := files["pinnace/templates/NOTES.txt"]; !strings.Contains(notes, "pinnace setup ") || !strings.Contains(notes, "--kubernetes-secret") {
				t.Errorf("the notes do not say how to go on: %q", notes)
			}
		})
	}
}

// TestEveryOption shows that values/all.yaml is away from the default in each of the chart's
// values, so that the case above means what it says.
func TestEveryOption(t *testing.T) {
	var all map[string]any
	if err := yaml.UnmarshalStrict([]byte(valuesOf(t, "all.yaml")), &all); err != nil {
		t.Fatal(err)
	}
	// These are on by default, and are there in the case.
	same := map[string]bool{
		"serviceAccount.create": true, "podDisruptionBudget.enabled": true, "metrics.serviceMonitor.enabled": true, "metrics.rules.enabled": true,
		"resources.requests.ephemeral-storage": true, "resources.limits.ephemeral-storage": true, "metrics.dashboard.labels.grafana_dashboard": true,
	}
	compare(t, "", load(t).Values, all, same)
}

func compare(t *testing.T, at string, defaults, all map[string]any, same map[string]bool) {
	t.Helper()
	for k, d := range defaults {
		place := strings.TrimPrefix(at+"."+k, ".")
		a, ok := all[k]
		if m, is := d.(map[string]any); is && len(m) > 0 {
			sub, _ := a.(map[string]any)
			compare(t, place, m, sub, same)
			continue
		}
		if (!ok || fmt.Sprint(a) == fmt.Sprint(d)) && !same[place] {
			t.Errorf("%s is as by default: %v", place, d)
		}
	}
}

// TestContainer reads the rendered container as an operator would.
func TestContainer(t *testing.T) {
	for name, tc := range map[string]struct {
		values string
		want   []string // parts of the container, as YAML
		not    []string
	}{
		"as it comes": {
			pinned,
			[]string{"image: ghcr.io/pinnace-dev/pinnace@" + digest, "- --database=sqlite:/var/lib/pinnace/pinnace.db", "- --resync=1h", "- --cache-size=5Gi", "key: app-id", "mountPath: /var/lib/pinnace"},
			[]string{"PINNACE_DATABASE", "GITHUB_API_URL", "DOCKER_CONFIG"},
		},
		"every option": {
			valuesOf(t, "all.yaml"),
			[]string{
				"image: registry.acme.example:5000/mirror/pinnace:1.0@" + digest, "- --registry-map=docker.io=mirror.acme.example", "- --allow-private-registry=registry.acme.example:5000",
				"- --watch=0s", "- --cache-size=12Gi", "value: https://github.acme.example/api/v3", "name: PINNACE_DATABASE", "key: dsn", "DOCKER_CONFIG", "PINNACE_REGISTRY_SECRET_DIR", "PINNACE_STATUS_TOKEN_FILE",
			},
			[]string{"sqlite", "mountPath: /var/lib/pinnace"},
		},
		"by tag": {"image: {tag: edge, requireDigest: false}", []string{"image: ghcr.io/pinnace-dev/pinnace:edge"}, []string{"@"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, _, err := render(t, tc.values)
			if err != nil {
				t.Fatal(err)
			}
			got := show(container(t, out))
			for _, want := range tc.want {
				if !strings.Contains(got, want) {
					t.Errorf("it lacks %q:\n%s", want, got)
				}
			}
			for _, not := range tc.not {
				if strings.Contains(got, not) {
					t.Errorf("it has %q:\n%s", not, got)
				}
			}
		})
	}
}

func container(t *testing.T, stream string) core.Container {
	t.Helper()
	var out core.Container
	for _, object := range objects(t, stream) {
		if k := object["kind"]; k == "Deployment" || k == "StatefulSet" {
			spec := object["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
			out = into[core.Container](t, spec["containers"].([]any)[0].(map[string]any))
		}
	}
	return out
}

// TestChartRefuses shows what the schema and the chart's own checks refuse.
func TestChartRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ values, want string }{
		"no digest":                {"", "image.digest is empty: set it to the digest of ghcr.io/pinnace-dev/pinnace that you built or mirrored"},
		"by tag, not on demand":    {"image: {tag: edge}", "image.digest is empty"},
		"neither digest nor tag":   {"image: {requireDigest: false}", "image.digest and image.tag are empty"},
		"two processes on SQLite":  {pinned + "\nreplicas: 2", "replicas is 2, but SQLite serves one process: set database.kind to postgres"},
		"PostgreSQL, no URL":       {pinned + "\ndatabase: {kind: postgres}", "database.secret is empty: name the Secret that holds the URL"},
		"an ingress to nowhere":    {pinned + "\ningress: {enabled: true}", "ingress.host is empty"},
		"a misspelt key":           {pinned + "\nreplica: 2", "additional properties 'replica' not allowed"},
		"a misspelt key, deep":     {pinned + "\nserver: {loglevel: info}", "additional properties 'loglevel' not allowed"},
		"a digest cut off":         {"image: {digest: sha256:abc}", "does not match pattern"},
		"a tag in the name":        {pinned + "\n" + "app: {secret: 'A B'}", "does not match pattern"},
		"a repository with a tag":  {"image: {repository: 'ghcr.io/acme/pinnace:1.0', digest: " + digest + "}", "does not match pattern"},
		"a number of replicas":     {pinned + "\nreplicas: '2'", "got string, want integer"},
		"fewer than none":          {pinned + "\nreplicas: -1", "minimum"},
		"another database":         {pinned + "\ndatabase: {kind: mysql}", "value must be one of"},
		"a duration without unit":  {pinned + "\nserver: {resync: '60'}", "does not match pattern"},
		"a duration as a number":   {pinned + "\nserver: {resync: 60}", "got number, want string"},
		"no worker":                {pinned + "\nserver: {workers: 0}", "minimum"},
		"a log format":             {pinned + "\nserver: {logFormat: xml}", "value must be one of"},
		"an API with a password":   {pinned + "\napp: {apiURL: 'https://u:p@github.acme.example'}", "does not match pattern"},
		"a host with a path":       {pinned + "\ningress: {enabled: true, host: a.example/x}", "does not match pattern"},
		"a port":                   {pinned + "\nservice: {port: 70000}", "maximum"},
		"access modes":             {pinned + "\npersistence: {accessModes: []}", "minItems"},
		"a size, in thousands":     {pinned + "\ncache: {size: 5G}", "does not match pattern"},
		"a size":                   {pinned + "\ncache: {sizeLimit: 8GB}", "does not match pattern"},
		"too little time to end":   {pinned + "\nterminationGracePeriodSeconds: 1", "minimum"},
		"an argument that is none": {pinned + "\nserver: {extraArgs: [debug]}", "does not match pattern"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _, err := render(t, tc.values)
			if err == nil {
				t.Fatalf("it is rendered:\n%s", out)
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %q, want %q", err, tc.want)
			}
		})
	}
}

// TestSchema shows that the schema names each of the chart's values, and no other.
func TestSchema(t *testing.T) {
	c := load(t)
	var schema map[string]any
	if err := yaml.UnmarshalStrict(c.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	delete(schema["properties"].(map[string]any), "global") // Helm's
	var named func(at string, s, values map[string]any)
	named = func(at string, s, values map[string]any) {
		properties, ok := s["properties"].(map[string]any)
		if !ok {
			return // any keys
		}
		if s["additionalProperties"] != false {
			t.Errorf("%s takes keys that it does not name", at)
		}
		for k, p := range properties {
			v, ok := values[k]
			if !ok && at+"."+k != ".resources.claims" {
				t.Errorf("values.yaml does not show %s.%s", at, k)
			}
			if m, is := v.(map[string]any); is {
				named(at+"."+k, p.(map[string]any), m)
			}
		}
	}
	named("", schema, c.Values)
}

func TestLint(t *testing.T) {
	for name, values := range map[string]string{"as it comes": "", "pinned": pinned, "PostgreSQL": valuesOf(t, "postgres.yaml"), "every option": valuesOf(t, "all.yaml")} {
		t.Run(name, func(t *testing.T) {
			v, err := chartutil.ReadValues([]byte(values))
			if err != nil {
				t.Fatal(err)
			}
			version := &chartutil.KubeVersion{Version: "v1.29.0", Major: "1", Minor: "29"}
			for _, m := range lint.AllWithKubeVersion(dir, v, "ns", version).Messages {
				if m.Severity > support.InfoSev {
					t.Error(m.Error())
				}
			}
		})
	}
}

// TestChartFiles holds the chart's copies to what they are copies of.
func TestChartFiles(t *testing.T) {
	for copied, of := range map[string]string{"alerts.yaml": "/prometheus/alerts.yaml", "pinnace.json": "/grafana/pinnace.json"} {
		got, err := os.ReadFile(dir + "/files/" + copied)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(deploy + of)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("the chart's files/%s differs from deploy%s: copy it", copied, of)
		}
	}
}
