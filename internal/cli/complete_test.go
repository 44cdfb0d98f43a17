package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestComplete: environments and apps are completed from the configuration.
func TestComplete(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".pinnace"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: ["dev/**"]}
  - {name: prod, paths: ["prod/**"], after: [dev]}
apps:
  - {name: shop, images: [ghcr.io/acme/shop]}
`
	if err := os.WriteFile(filepath.Join(dir, ".pinnace", "config.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	away := t.TempDir()
	t.Chdir(dir)
	for line, want := range map[string][]string{
		"pin --env ":                       {"dev", "prod"},
		"check --env ":                     {"dev", "prod"},
		"images --env ":                    {"dev", "prod"},
		"images --dir " + away + " --env ": nil,
		"approvals --env ":                 {"dev", "prod"},
		"promote ":                         {"shop"},
		"promote shop ":                    nil,
		"promote shop --to ":               {"dev", "prod"},
		"promote shop --to dev,":           {"dev,prod"},
		"promote shop --from ":             {"dev", "prod"},
		"rollback shop --env ":             {"dev", "prod"},
		"history ":                         {"dev", "prod"},
		"history prod ":                    {"shop"},
		"history prod shop ":               nil,
		"policy explain --app ":            {"shop"},
		"policy explain --env ":            {"dev", "prod"},
		"pin --output ":                    {"text", "json"},
	} {
		if diff := cmp.Diff(completions(t, line), want); diff != "" {
			t.Errorf("pinnace %s: -got +want\n%s", line, diff)
		}
	}
	t.Chdir(away)
	if got := completions(t, "pin --env "); len(got) > 0 {
		t.Errorf("without a configuration: %q", got)
	}
}

// completions asks what a shell would: the last word is what was typed of the next.
func completions(t *testing.T, line string) []string {
	t.Helper()
	words := append([]string{"__complete"}, strings.Split(line, " ")...)
	var out, errs bytes.Buffer
	if status := Run(t.Context(), words, nil, &out, &errs); status != exitDone {
		t.Fatalf("%q: status %d: %s", line, status, &errs)
	}
	var all []string
	for l := range strings.Lines(out.String()) {
		l = strings.TrimSuffix(l, "\n")
		if strings.HasPrefix(l, ":") {
			if l != ":4" { // no names of files
				t.Errorf("%s: the directive is %s", line, l)
			}
			break
		}
		name, _, _ := strings.Cut(l, "\t")
		all = append(all, name)
	}
	return all
}

// TestCompletionScripts: there is a script for each shell, and help on how to load it.
func TestCompletionScripts(t *testing.T) {
	for shell, want := range map[string]string{
		"bash": "__start_pinnace", "zsh": "#compdef pinnace", "fish": "complete -c pinnace", "powershell": "Register-ArgumentCompleter",
	} {
		var out, errs bytes.Buffer
		if status := Run(t.Context(), []string{"completion", shell}, nil, &out, &errs); status != exitDone || !strings.Contains(out.String(), want) {
			t.Errorf("%s: status %d, without %s: %s", shell, status, want, &errs)
		}
		out.Reset()
		if status := Run(t.Context(), []string{"completion", shell, "--help"}, nil, &out, &errs); status != exitDone || !strings.Contains(out.String(), "In every new one:\n\n  pinnace completion "+shell) {
			t.Errorf("%s: status %d: %s", shell, status, &out)
		}
	}
}
