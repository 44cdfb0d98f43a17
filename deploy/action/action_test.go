package action

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/action"
)

// read returns action.yml, cut into its inputs, its outputs and what it runs.
func read(t *testing.T) (inputs, outputs, runs string) {
	t.Helper()
	data, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(data), "\ninputs:\n")
	inputs, text, _ = strings.Cut(text, "\noutputs:\n")
	outputs, runs, ok := strings.Cut(text, "\nruns:\n")
	if !ok {
		t.Fatal("action.yml has no inputs, outputs and runs, in that order")
	}
	return inputs, outputs, runs
}

// names returns the keys of a block of action.yml.
func names(block string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z-]+):$`).FindAllStringSubmatch(block, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return out
}

// TestInputs holds action.yml to the program: each input reaches it, under the name that it reads.
func TestInputs(t *testing.T) {
	inputs, _, runs := read(t)
	var asked []string
	if _, err := action.ReadInputs(func(name string) string {
		asked = append(asked, name)
		return map[string]string{"PINNACE_INPUT_COMMAND": "check"}[name]
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(asked)
	handed := map[string]string{} // variable by input
	var variables []string
	for _, m := range regexp.MustCompile(`(?m)^ +([A-Z_]+): \$\{\{ inputs\.([a-z-]+) \}\}$`).FindAllStringSubmatch(runs, -1) {
		handed[m[2]] = m[1]
		if strings.HasPrefix(m[1], "PINNACE_INPUT_") {
			variables = append(variables, m[1])
		}
	}
	slices.Sort(variables)
	if diff := cmp.Diff(slices.Compact(asked), variables); diff != "" {
		t.Errorf("what the program reads, and what action.yml hands over (-read +handed):\n%s", diff)
	}
	for _, input := range names(inputs) {
		want := action.Variable(input)
		switch input {
		case "token":
			want = "GH_TOKEN"
		case "version":
			want = "PINNACE_VERSION"
		}
		if handed[input] != want {
			t.Errorf("the input %s is handed over as %q, want %s", input, handed[input], want)
		}
	}
}

// TestOutputs holds each output of action.yml to one of the step of that name.
func TestOutputs(t *testing.T) {
	_, outputs, _ := read(t)
	for _, name := range names(outputs) {
		if !strings.Contains(outputs, "value: ${{ steps.run.outputs."+name+" }}\n") {
			t.Errorf("the output %s is not that of the step", name)
		}
	}
	want := []string{"changed", "changed-files", "digest", "findings", "json", "pull-request-number", "pull-request-url", "sarif-file"}
	if diff := cmp.Diff(want, names(outputs)); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

// TestScripts holds that no script of action.yml holds an expression, and that the token of the
// caller reaches the program alone.
func TestScripts(t *testing.T) {
	_, _, runs := read(t)
	scripts := regexp.MustCompile(`(?m)^      run: (.*)$`).FindAllStringSubmatch(runs, -1)
	if len(scripts) != 2 {
		t.Fatalf("action.yml runs %d scripts, want 2", len(scripts))
	}
	for _, m := range scripts {
		if strings.Contains(m[1], "${{") || strings.HasPrefix(m[1], "|") || strings.HasPrefix(m[1], ">") {
			t.Errorf("a script is not one plain line: %s", m[1])
		}
	}
	if got := strings.Count(runs, "inputs.token"); got != 1 {
		t.Errorf("the token is handed to %d steps, want one", got)
	}
}

// TestReleaseNames holds the names that install.sh asks for to those that a release has.
func TestReleaseNames(t *testing.T) {
	release, err := os.ReadFile("../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("install.sh")
	if err != nil {
		t.Fatal(err)
	}
	for asked, made := range map[string]string{
		"pinnace_${version#v}_${os}_$arch.tar.gz": `name_template: "{{ .ProjectName }}_{{ .Version }}_{{ .Os }}_{{ .Arch }}"`,
		"pinnace_${version#v}_${os}_$arch.zip":    "formats: [zip]",
		"checksums.txt.sigstore.json":             `signature: "${artifact}.sigstore.json"`,
		"files=(checksums.txt ":                   "name_template: checksums.txt",
		"inside=pinnace$exe":                      "binary: pinnace",
	} {
		if !strings.Contains(string(script), asked) || !strings.Contains(string(release), made) {
			t.Errorf("install.sh asks for %s, which is right where .goreleaser.yaml says %s", asked, made)
		}
	}
}
