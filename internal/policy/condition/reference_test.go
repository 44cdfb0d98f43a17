package condition

import (
	"slices"
	"strings"
	"testing"
)

// refusedFunctions are those of cel-go that conditions cannot use.
var refusedFunctions = []string{"format", "strings.quote", "in", "_in_", "__not_strictly_false__"}

// plannedFunctions are evaluated without a meter.
var plannedFunctions = []string{"_&&_", "_||_", "_?_:_", "_[_]", "_[?_]", "_?._", "or", "orValue"}

// TestEveryFunctionIsMetered holds the environment and the meters to each other.
func TestEveryFunctionIsMetered(t *testing.T) {
	e, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	functions := e.env.Functions()
	for name := range functions {
		if meters[name] == nil && !slices.Contains(refusedFunctions, name) && !slices.Contains(plannedFunctions, name) {
			t.Errorf("%s has no meter and is not refused", name)
		}
	}
	for name := range meters {
		if functions[name] == nil {
			t.Errorf("there is no function %s", name)
		}
	}
}

// TestReference compiles every example and evaluates it on facts of which none is unknown.
func TestReference(t *testing.T) {
	entries := Reference()
	f := everything(t)
	seen := map[string]bool{}
	for _, e := range entries {
		if e.Doc == "" || e.Type == "" || e.Example == "" || strings.Contains(e.Doc+e.Type, "\n") || seen[e.Name+e.Type] {
			t.Errorf("%s: an entry needs a type, a line of documentation and an example, once: %+v", e.Name, e)
		}
		seen[e.Name+e.Type] = true
		c, problems := Compile(e.Example)
		if len(problems) > 0 {
			t.Errorf("%s: %s", e.Name, spelled(problems))
			continue
		}
		o := c.Evaluate(f)
		if o.Verdict == Indeterminate && len(o.Missing) == 0 {
			t.Errorf("%s: %s: %s", e.Name, e.Example, o.Err)
		}
		if len(o.Missing) > 0 && e.Name != "image.attestations[].identity" {
			t.Errorf("%s: %s: missing %v", e.Name, e.Example, o.Missing)
		}
		last := e.Name[strings.LastIndexByte(e.Name, '.')+1:]
		if !strings.Contains(e.Example, strings.TrimSuffix(last, "[]")) {
			t.Errorf("%s: the example does not show it: %s", e.Name, e.Example)
		}
	}
	if len(entries) < 150 {
		t.Errorf("%d entries", len(entries))
	}
}

// TestReferenceNamesTheContract holds the reference to the names that were promised.
func TestReferenceNamesTheContract(t *testing.T) {
	var names []string
	for _, e := range Reference() {
		names = append(names, e.Name)
	}
	for name := range strings.FieldsSeq(`containerImage containerRepository containerImageTag imageLabels gitCommitDetails appName envName isProdEnv
		image image.registry image.repository image.tag image.digest image.created image.size image.platforms image.labels image.annotations image.signatures
		image.attestations image.provenance image.builder image.previous images source target request requester approvals change change.kind change.files now
		semver inSemverRange glob isMember signedBy hasAttestation sets.contains math.greatest matches startsWith regex.extract`) {
		if !slices.Contains(names, name) {
			t.Errorf("no entry for %s", name)
		}
	}
}
