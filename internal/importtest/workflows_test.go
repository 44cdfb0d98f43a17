package importtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	uses     = regexp.MustCompile(`(?m)^\s*(?:- )?uses:\s*(\S+)`)
	pinned   = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	nothing  = regexp.MustCompile(`(?m)^permissions: \{\}$`)
	inScript = regexp.MustCompile(`(?ms)^(\s*)(?:- )?run:(.*?)(?:\n\s*(?:- )?[a-z-]+:|\z)`)
)

// TestWorkflows: our workflows and our action name every action by its commit, have no permission
// that a job does not ask for, and put nothing of an event into a script.
func TestWorkflows(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found no workflows: %v", err)
	}
	if action := filepath.Join(root, "action.yml"); exists(action) {
		files = append(files, action)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		for _, m := range uses.FindAllStringSubmatch(string(text), -1) {
			if !strings.HasPrefix(m[1], "./") && !pinned.MatchString(m[1]) {
				t.Errorf("%s uses %s: name it by its commit", name, m[1])
			}
		}
		if name != "action.yml" && !nothing.Match(text) {
			t.Errorf("%s does not begin with no permissions", name)
		}
		for _, m := range inScript.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[2], "${{") {
				t.Errorf("%s has an expression in a script: hand it over by env", name)
			}
		}
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
