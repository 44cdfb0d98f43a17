package proof

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/reliability.md has a row for each fault of the list, and each test that it names exists.
func TestReliability(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "reliability.md"))
	if err != nil {
		t.Fatal(err)
	}
	const faults = 72
	rows := map[string]int{}
	named := regexp.MustCompile("`(?:[a-z]+/)*[a-z]+\\.(?:Test|Fuzz)[A-Za-z0-9]+`")
	for line := range strings.Lines(string(text)) {
		for _, name := range named.FindAllString(line, -1) {
			room, test, _ := strings.Cut(strings.Trim(name, "`"), ".")
			if !testExists(t, room, test) {
				t.Errorf("%s is named, and internal/%s has no such test", name, room)
			}
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 5 || !regexp.MustCompile(`^ F[0-9]+ $`).MatchString(cells[0]) {
			continue
		}
		fault := strings.TrimSpace(cells[0])
		rows[fault]++
		if by := strings.TrimSpace(cells[2]); !named.MatchString(by) && !strings.HasPrefix(by, "left out: ") {
			t.Errorf("%s names neither a test nor a reason to be left out", fault)
		}
	}
	for i := range faults {
		if fault := fmt.Sprintf("F%d", i+1); rows[fault] != 1 {
			t.Errorf("%s has %d rows", fault, rows[fault])
		}
	}
	if len(rows) != faults {
		t.Errorf("there are rows of %d faults, and the list has %d", len(rows), faults)
	}
}

// testExists says whether a room has a test.
func testExists(t *testing.T, room, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(room), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
