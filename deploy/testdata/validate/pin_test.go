package validate

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// found runs `pinnace check --offline`, and returns what it found as code, path and image.
func found(t *testing.T, where string) []string {
	t.Helper()
	program := os.Getenv("PINNACE")
	if program == "" {
		t.Skip("PINNACE does not name the program: deploy/validate.sh builds it")
	}
	cmd := exec.Command(program, "check", "--offline", "-o", "json", ".")
	cmd.Dir, cmd.Stderr = where, os.Stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 3) {
		t.Fatalf("pinnace check: %v\n%s", err, out)
	}
	var report struct {
		Findings []struct{ Code, Path, Image string }
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var all []string
	for _, f := range report.Findings {
		all = append(all, f.Code+" "+f.Path+" "+f.Image)
	}
	if (err != nil) != (len(all) > 0) {
		t.Errorf("the exit status says %v, the report %v", err, all)
	}
	return all
}

// TestPinned has Pinnace judge its own manifests. Until there is a release, they have no digest,
// and it says so of the one place where that is; with a digest there, all is well.
func TestPinned(t *testing.T) {
	const unreleased = "ghcr.io/pinnace-dev/pinnace:unreleased"
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(deploy+"/kustomize")); err != nil {
		t.Fatal(err)
	}
	want := []string{"PIN001 base/statefulset.yaml " + unreleased}
	if diff := cmp.Diff(want, found(t, copied)); diff != "" {
		t.Errorf("as they are: -want +got\n%s", diff)
	}
	file := filepath.Join(copied, "base/statefulset.yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	released := strings.Replace(string(data), unreleased, "ghcr.io/pinnace-dev/pinnace:1.0@"+digest, 1)
	if err := os.WriteFile(file, []byte(released), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := found(t, copied); len(got) != 0 {
		t.Errorf("with a digest: got %v, want nothing", got)
	}
}

// TestServes holds the arguments and the environment that the manifests give to what `pinnace
// serve` takes.
func TestServes(t *testing.T) {
	program := os.Getenv("PINNACE")
	if program == "" {
		t.Skip("PINNACE does not name the program: deploy/validate.sh builds it")
	}
	help, err := exec.Command(program, "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for _, word := range strings.FieldsFunc(string(help), func(r rune) bool { return strings.ContainsRune(" \t\n,;:()`", r) }) {
		words[word] = true
	}
	all, _, err := render(t, valuesOf(t, "all.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	sqlite, _, err := render(t, pinned)
	if err != nil {
		t.Fatal(err)
	}
	base, err := os.ReadFile(deploy + "/kustomize/base/statefulset.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, stream := range map[string]string{"chart, every option": all, "chart, SQLite": sqlite, "kustomize": string(base)} {
		c := container(t, stream)
		if len(c.Args) < 3 || c.Args[0] != "serve" {
			t.Errorf("%s: got the arguments %q", name, c.Args)
		}
		for _, a := range c.Args[1:] {
			if flag, _, _ := strings.Cut(a, "="); !words[flag] {
				t.Errorf("%s: pinnace serve has no %s", name, flag)
			}
		}
		for _, e := range c.Env {
			if strings.HasPrefix(e.Name, "PINNACE_") && !words[e.Name] {
				t.Errorf("%s: pinnace serve says nothing of %s", name, e.Name)
			}
		}
	}
}
