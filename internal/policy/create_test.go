package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinnace-dev/pinnace/internal/document"
)

// demo is the repository that the seed's example speaks of.
func demo() World {
	return World{
		Environments: []Env{{Name: "env-demo"}, {Name: "env-staging"}},
		Apps:         []App{{Name: "app1"}, {Name: "app2"}},
	}
}

// applyPolicy is the example of the documentation whose names Pinnace keeps, verbatim.
const applyPolicy = `apiVersion: v1
kind: artifactPromotionPolicy
spec:
  payload:
    applicationEnvironments:
      - appName: "app1"
        envName: "env-demo"
      - appName: "app1"
        envName: "env-staging"
      - appName: "app2"
        envName: "env-demo"
    applyToPolicyNames:
      - "example-policy"
`

// TestCreate writes the example of that documentation, with its flags.
func TestCreate(t *testing.T) {
	text, ps := Create(Flags{
		Name:        "example-policy",
		Description: "This is a sample policy that promotes an image to production environment", PassCondition: "true", FailCondition: "false",
		Apply: []byte(applyPolicy),
	}, demo())
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	want := `# yaml-language-server: $schema=https://pinnace.dev/schema/v1alpha1/image-promotion-policy.schema.json
apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: "example-policy"
description: "This is a sample policy that promotes an image to production environment"
passCondition: "true"
failCondition: "false"
approverCount: 0
allowRequestFromApprove: false
allowImageBuilderFromApprove: false
allowApproverFromDeploy: false
---
` + applyPolicy
	if diff := cmp.Diff(string(text), want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	set, ps := Load(documents("example-policy.yaml", text), demo())
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	if n := len(set.Promotions[0].ApplyTo); n != 3 {
		t.Errorf("bound to %d pairs, want 3", n)
	}
	for i, want := range []string{".pinnace/policies/example-policy.yaml", ".pinnace/policies/apply-example-policy.yaml"} {
		if got, ps := Home(documents("f.yaml", text)[i]); got != want || len(ps) > 0 {
			t.Errorf("home: got %q, %v, want %q", got, ps, want)
		}
	}
}

// TestCreateKeepsText: whatever a flag holds is what is read back.
func TestCreateKeepsText(t *testing.T) {
	for _, condition := range []string{
		`containerImage.contains("docker.io")`,
		"isProdEnv &&\n  appName == \"app1\"",
		"isProdEnv &&\n\n  appName == \"app1\"\n",
		"  isProdEnv\n&& true",
		"isProdEnv \n&& true",
		"isProdEnv && appName != '#: {\\'",
		`appName != "é\u00e9☃"`,
		"appName != \"\t\"",
	} {
		text, ps := Create(Flags{Name: "a", Description: condition, PassCondition: condition}, demo())
		if ps.HasErrors() && !strings.Contains(condition, "#: {") {
			t.Errorf("%q: %v", condition, ps)
			continue
		} else if ps.HasErrors() {
			continue
		}
		set, ps := Load(documents("a.yaml", text), demo())
		if set == nil || set.Promotions[0].PassCondition != condition || set.Promotions[0].Description != condition {
			t.Errorf("%q: read back as %+v, %v\n%s", condition, set, ps, text)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	for _, row := range []struct {
		flags Flags
		want  string
	}{
		{Flags{}, "name: is empty: write a name"},
		{Flags{Name: "../../etc/passwd"}, "cannot name a policy"},
		{Flags{Name: "a", ApproverCount: 7}, ".pinnace/policies/a.yaml:5:16: approverCount: 7 is too high: expected 6 or less"},
		{Flags{Name: "a", PassCondition: "containerImageTg == \"\""}, ".pinnace/policies/a.yaml:5:17: passCondition: "},
		{Flags{Name: "a", Description: "\xff"}, "not UTF-8"},
		{Flags{Name: "other", Apply: []byte(applyPolicy)}, `--applyPath:13:7: the file binds example-policy, and not "other"`},
		{Flags{Name: "a", Apply: []byte("kind: x")}, "--applyPath:1:7: unknown kind"},
	} {
		text, ps := Create(row.flags, demo())
		if text != nil || !strings.Contains(ps.Error(), row.want) {
			t.Errorf("%+v: got %q, %v, want %q", row.flags, text, ps, row.want)
		}
	}
}

func TestHome(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"apiVersion: pinnace.dev/v1alpha1\nkind: Freeze\nname: a\n", ".pinnace/freeze.yaml"},
		{"apiVersion: pinnace.dev/v1alpha1\nkind: PullImageDigestPolicy\n", ".pinnace/policies/pull-image-digest.yaml"},
		{"apiVersion: pinnace.dev/v1alpha1\nkind: FilterCondition\nname: ../x\n", ""},
		{"a", ""},
	} {
		got, ps := Home(Document{File: "f", Data: []byte(row.text)})
		if got != row.want || (got == "") != ps.HasErrors() {
			t.Errorf("%q: got %q, %v, want %q", row.text, got, ps, row.want)
		}
	}
}

// TestSchema: each kind has a schema that names it, and every key has words.
func TestSchema(t *testing.T) {
	files, err := filepath.Glob("schema/*.json")
	if err != nil || len(files) != len(Kinds()) {
		t.Fatalf("%d schemas for %d kinds: %v", len(files), len(Kinds()), err)
	}
	var root object
	var walk func(path string, s object)
	walk = func(path string, s object) {
		properties, _ := s["properties"].(object)
		for name, p := range properties {
			p := p.(object)
			if document.Deref(root, p)["description"] == nil {
				t.Errorf("%s.%s has no description", path, name)
			}
			walk(path+"."+name, p)
			if items, ok := p["items"].(object); ok {
				walk(path+"."+name+"[]", items)
			}
		}
	}
	for _, kind := range Kinds() {
		raw := schemas()[kind].Root()
		if raw["$id"] != SchemaID(kind) || raw["properties"].(object)["kind"].(object)["const"] != kind {
			t.Errorf("%s: $id %v", kind, raw["$id"])
		}
		root = raw
		walk(kind, raw)
		defs, _ := raw["$defs"].(object)
		for name, d := range defs {
			walk(kind+"#"+name, d.(object))
		}
		file, err := os.ReadFile("schema/" + schemaNames[kind])
		if err != nil || string(file) != string(Schema(kind)) {
			t.Errorf("%s: the embedded schema differs: %v", kind, err)
		}
	}
	if Schema("Config") != nil {
		t.Error("Config has a schema here")
	}
}
