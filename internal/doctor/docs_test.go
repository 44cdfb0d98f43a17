package doctor

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite docs/doctor.md")

// TestDocs: the table of docs/doctor.md is the one of the code.
func TestDocs(t *testing.T) {
	const mark = "do not edit below. -->\n"
	file := filepath.Join("..", "..", "docs", "doctor.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, have, ok := strings.Cut(string(text), mark)
	if !ok {
		t.Fatalf("%s has no line that ends with %q", file, mark)
	}
	var want strings.Builder
	fmt.Fprintf(&want, "\n%d checks, in this order:\n\n| check | looks at | what goes wrong otherwise |\n|---|---|---|\n", len(Checks()))
	for _, c := range Checks() {
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", c.ID, c.Title, c.About)
	}
	if *update {
		if err := os.WriteFile(file, []byte(head+mark+want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(have, want.String()); diff != "" {
		t.Errorf("%s is not current, run go test ./internal/doctor -update (-got +want):\n%s", file, diff)
	}
}
