package importtest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// besides are the packages that the program does not consist of: they measure it, or start what
// its tests need.
var besides = []string{"internal/bench", "internal/bench/serve", "internal/store/postgres"}

var starts = regexp.MustCompile(`\b(?:os|syscall|unix)\.(?:StartProcess|Exec|ForkExec)\(`)

// TestNoProgramIsRun: nothing that the program consists of can start another one, so that no
// repository's hook, filter or helper is ever run.
func TestNoProgramIsRun(t *testing.T) {
	for _, s := range read(t) {
		if s.test() || slices.Contains(besides, s.pkg) || strings.HasPrefix(s.pkg, "deploy/") {
			continue
		}
		for _, path := range []string{"os/exec", "plugin", "C"} {
			if slices.Contains(s.imports, path) {
				t.Errorf("%s imports %s", s.file, path)
			}
		}
		source, err := os.ReadFile(filepath.Join(root, s.file))
		if err != nil {
			t.Fatal(err)
		}
		if call := starts.Find(source); call != nil {
			t.Errorf("%s calls %s", s.file, call)
		}
	}
	for _, r := range rules {
		for _, path := range r.internal {
			if slices.Contains(besides, path) && !slices.Contains(besides, r.pkg) {
				t.Errorf("%s may import %s, which starts programs", r.pkg, path)
			}
		}
	}
}
