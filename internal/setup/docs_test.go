package setup

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite docs/setup.md")

// TestDocs: the permissions and events of docs/setup.md are those of the code.
func TestDocs(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "setup.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- begin -->\n", "<!-- end -->\n"
	head, rest, ok := strings.Cut(string(text), begin)
	have, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no lines %q and %q", file, begin, end)
	}
	var want strings.Builder
	want.WriteString("\n| permission | access | why | without it |\n|---|---|---|---|\n")
	for _, p := range Permissions() {
		loss := p.Loss
		if p.Extra {
			loss += " (asked for with `--with " + p.Name + "` only)"
		} else if p.Needed {
			loss += " (it cannot be left out)"
		}
		fmt.Fprintf(&want, "| %s (`%s`) | %s | %s | %s |\n", p.Title, p.Name, p.Level, p.Reason, loss)
	}
	want.WriteString("\n| event | why | needs |\n|---|---|---|\n")
	for _, e := range Events(Permissions()) {
		fmt.Fprintf(&want, "| `%s` | %s | `%s` |\n", e.Name, e.Reason, e.Needs)
	}
	want.WriteString("\nGitHub sends `installation` and `installation_repositories` to every App.\n\n")
	if *update {
		if err := os.WriteFile(file, []byte(head+begin+want.String()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(have, want.String()); diff != "" {
		t.Errorf("%s is not current, run go test ./internal/setup -update (-got +want):\n%s", file, diff)
	}
}
