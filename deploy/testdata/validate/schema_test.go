package validate

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

// A source is a Go module that holds descriptions of Kubernetes' objects: of each, only data is
// read.
type source struct{ module, sum string }

var (
	// Kubernetes' own OpenAPI descriptions, as its API servers give them.
	builtins = source{"sigs.k8s.io/kubectl-validate@v0.0.4", "h1:tGKuv0awYHn11Cb6KPsZKxUmHgavF46K3NvVH0Nse9U="}
	// The custom resources of the Prometheus operator.
	monitoring = source{"github.com/prometheus-operator/prometheus-operator@v0.85.0", "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s="}
)

// dir downloads a module and returns where it is.
func (s source) dir(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", s.module)
	cmd.Dir = t.TempDir() // go.mod has no say here
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("download %s: %v\n%s", s.module, err, out)
	}
	var got struct{ Dir, Sum string }
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if got.Sum != s.sum {
		t.Fatalf("%s has the sum %s, want %s", s.module, got.Sum, s.sum)
	}
	return got.Dir
}

// A judge holds objects to the schemas of one version of Kubernetes.
type judge struct {
	version string
	dirs    func() (builtins, monitoring string)

	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema // by apiVersion and kind
}

// versions are the versions of Kubernetes that objects are held to.
var versions = []string{"1.29", "1.30"}

func judges(t *testing.T) []*judge {
	t.Helper()
	a, b := builtins.dir(t), monitoring.dir(t)
	var out []*judge
	for _, v := range versions {
		out = append(out, &judge{version: v, dirs: func() (string, string) { return a, b }, schemas: map[string]*jsonschema.Schema{}})
	}
	return out
}

// judge returns what is wrong with an object, given as JSON has it.
func (j *judge) judge(object map[string]any) error {
	apiVersion, _ := object["apiVersion"].(string)
	kind, _ := object["kind"].(string)
	j.mu.Lock()
	defer j.mu.Unlock()
	id := apiVersion + "/" + kind
	schema := j.schemas[id]
	if schema == nil {
		var err error
		if schema, err = j.load(apiVersion, kind); err != nil {
			return fmt.Errorf("%s: Kubernetes %s: %w", id, j.version, err)
		}
		j.schemas[id] = schema
	}
	if err := schema.Validate(object); err != nil {
		return fmt.Errorf("%s: Kubernetes %s: %w", id, j.version, err)
	}
	return nil
}

func (j *judge) load(apiVersion, kind string) (*jsonschema.Schema, error) {
	builtins, monitoring := j.dirs()
	group, version, ok := strings.Cut(apiVersion, "/")
	if !ok {
		group, version = "", apiVersion
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4) // OpenAPI 3.0's is nearest to it
	if group == "monitoring.coreos.com" {
		schema, err := custom(filepath.Join(monitoring, "example/prometheus-operator-crd/monitoring.coreos.com_"+strings.ToLower(kind)+"s.yaml"), version)
		if err != nil {
			return nil, err
		}
		if err := c.AddResource("crd.json", strict(schema)); err != nil {
			return nil, err
		}
		return c.Compile("crd.json")
	}
	file := filepath.Join(builtins, "pkg/openapiclient/builtins", j.version, "apis", group, version+".json")
	if group == "" {
		file = filepath.Join(builtins, "pkg/openapiclient/builtins", j.version, "api", version+".json")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("it does not know %s: %w", apiVersion, err)
	}
	var doc struct {
		Components struct{ Schemas map[string]map[string]any }
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	name := ""
	for n, s := range doc.Components.Schemas {
		kinds, _ := s["x-kubernetes-group-version-kind"].([]any)
		for _, k := range kinds {
			if k, ok := k.(map[string]any); ok && k["kind"] == kind && k["version"] == version && k["group"] == group {
				name = n
			}
		}
	}
	if name == "" {
		return nil, fmt.Errorf("it does not know the kind")
	}
	all := map[string]any{}
	for n, s := range doc.Components.Schemas {
		all[n] = strict(s)
	}
	if err := c.AddResource("kubernetes.json", map[string]any{"components": map[string]any{"schemas": all}}); err != nil {
		return nil, err
	}
	return c.Compile("kubernetes.json#/components/schemas/" + name)
}

// custom returns the schema of a version of a CustomResourceDefinition. Its objects have
// metadata of the usual form, which the definition leaves open.
func custom(file, version string) (map[string]any, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Name   string
				Schema struct {
					OpenAPIV3Schema map[string]any `json:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(data, &crd); err != nil {
		return nil, err
	}
	for _, v := range crd.Spec.Versions {
		if v.Name == version {
			return v.Schema.OpenAPIV3Schema, nil
		}
	}
	return nil, fmt.Errorf("%s has no version %s", file, version)
}

// strict returns a copy of a schema that takes no field that it does not name, as an API server
// does with fieldValidation=Strict.
func strict(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = strict(x)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, x := range v {
			switch key {
			case "description", "default", "example":
			case "properties":
				if m, ok := x.(map[string]any); ok { // a property may have the name of a keyword
					all := map[string]any{}
					for name, s := range m {
						all[name] = strict(s)
					}
					x = all
				}
				out[key] = x
			case "enum", "required":
				out[key] = x
			case "format":
				if x != "int-or-string" && x != "int32" && x != "int64" {
					out[key] = x
				}
			default:
				out[key] = strict(x)
			}
		}
		if v["x-kubernetes-int-or-string"] == true {
			delete(out, "type")
		}
		if v["nullable"] == true {
			if t, ok := out["type"]; ok {
				out["type"] = []any{t, "null"}
			}
			delete(out, "nullable")
		}
		if _, named := v["properties"]; named && out["additionalProperties"] == nil && v["x-kubernetes-preserve-unknown-fields"] != true {
			out["additionalProperties"] = false
		}
		return out
	}
	return v
}

// TestJudge shows what objects are refused for.
func TestJudge(t *testing.T) {
	all := judges(t)
	for name, tc := range map[string]struct{ object, want string }{
		"right":         {"{apiVersion: v1, kind: Service, metadata: {name: x, labels: {a: b}}, spec: {ports: [{port: 80, targetPort: http}, {port: 81, targetPort: 81}]}}", ""},
		"misspelt":      {"{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {port: [{port: 80}]}}", "additional properties 'port' not allowed"},
		"deep":          {"{apiVersion: apps/v1, kind: Deployment, spec: {selector: {}, template: {spec: {containers: [{name: x, securityContext: {readonlyRootFilesystem: true}}]}}}}", "additional properties 'readonlyRootFilesystem' not allowed"},
		"a type":        {"{apiVersion: v1, kind: Service, spec: {ports: [{port: eighty}]}}", "got string, want integer"},
		"a label":       {"{apiVersion: v1, kind: Service, metadata: {labels: {a: 1}}}", "got number, want string"},
		"required":      {"{apiVersion: apps/v1, kind: Deployment, spec: {template: {}}}", "missing property 'selector'"},
		"no such kind":  {"{apiVersion: v1, kind: Pot}", "does not know the kind"},
		"no such group": {"{apiVersion: policy/v1beta1, kind: PodDisruptionBudget}", "does not know policy/v1beta1"},
		"a rule":        {"{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, metadata: {name: x}, spec: {groups: [{name: x, rules: [{alert: X, expr: 1, for: 5m}]}]}}", ""},
		"a rule's for":  {"{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, spec: {groups: [{name: x, rules: [{alert: X, expr: a, for: five}]}]}}", "does not match pattern"},
		"a rule's key":  {"{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, spec: {groups: [{name: x, rules: [{alert: X, expr: a, four: 5m}]}]}}", "additional properties 'four' not allowed"},
		"a monitor":     {"{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {}, spec: {selector: {}, endpoints: [{ports: http}]}}", "additional properties 'ports' not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, j := range all {
				object := objects(t, tc.object)[0]
				err := j.judge(object)
				if got := fmt.Sprint(err); tc.want == "" && err != nil || !strings.Contains(got, tc.want) {
					t.Errorf("got %v, want %q", err, tc.want)
				}
			}
		})
	}
}
