package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMan: there is a page for each command, and mandoc finds nothing wrong with them
// (https://mandoc.bsd.lv).
func TestMan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man")
	var out, errs bytes.Buffer
	if status := Run(t.Context(), []string{"man", "--dir", dir}, nil, &out, &errs); status != exitDone || out.Len() > 0 {
		t.Fatalf("status %d: %s%s", status, &out, &errs)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		pages[e.Name()] = string(text)
	}
	for name, want := range map[string]string{
		"pinnace.1":             ".SH ENVIRONMENT",
		"pinnace-pin.1":         ".B \\-n, \\-\\-dry\\-run",
		"pinnace-config-init.1": ".BR pinnace\\-config (1)",
		"pinnace-check.1":       "there are findings",
	} {
		if !strings.Contains(pages[name], want) {
			t.Errorf("%s does not hold %q", name, want)
		}
	}
	for _, hidden := range []string{"pinnace-man.1", "pinnace-reference.1", "pinnace-action.1", "pinnace-help.1"} {
		if pages[hidden] != "" {
			t.Errorf("there is %s", hidden)
		}
	}
	if strings.Contains(pages["pinnace-resolve.1"], ".B 3") {
		t.Error("pinnace resolve never ends with 3, and its page explains it")
	}
	lint, err := exec.LookPath("mandoc")
	if err != nil {
		t.Skip("mandoc is not installed: apt-get install mandoc")
	}
	for name := range pages {
		said, _ := exec.Command(lint, "-Tlint", "-Wwarning", filepath.Join(dir, name)).CombinedOutput() // fails where it says something
		for line := range strings.Lines(string(said)) {
			if !strings.Contains(line, "missing date") { // as in a build that knows no commit
				t.Error(strings.TrimSpace(line))
			}
		}
	}
}

func TestManUsage(t *testing.T) {
	for _, verb := range []string{"man", "reference"} {
		var out, errs bytes.Buffer
		if status := Run(t.Context(), []string{verb}, nil, &out, &errs); status != exitUsage || !strings.Contains(errs.String(), "--dir is missing") {
			t.Errorf("%s: status %d, %s", verb, status, &errs)
		}
	}
}
