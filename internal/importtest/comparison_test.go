package importtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	answer  = regexp.MustCompile(`^\[(?:yes|partly|no)\]\[([a-z0-9-]+)\]$`)
	sourced = regexp.MustCompile(`(?m)^\[([a-z0-9-]+)\]: https://\S+ "20[0-9]{2}-[0-9]{2}-[0-9]{2}"$`)
	ours    = regexp.MustCompile(`^(?:no|\[(?:yes|partly)\]\([^)]+\))$`)
)

// TestComparison holds docs/comparison.md to its own rules: each cell about others has an answer
// with a source and the day on which it was looked at, or says that it was not established, and
// each yes of Pinnace leads to a page.
func TestComparison(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "comparison.md"))
	if err != nil {
		t.Fatal(err)
	}
	dated, used := map[string]bool{}, map[string]bool{}
	for _, m := range sourced.FindAllStringSubmatch(string(text), -1) {
		dated[m[1]] = true
	}
	const tools = 10
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) != tools+1 || cells[0] == "" || strings.HasPrefix(cells[0], "---") {
			continue
		}
		rows++
		if !ours.MatchString(cells[1]) {
			t.Errorf("%s: Pinnace's cell is %q, want no, or yes or partly with a page", cells[0], cells[1])
		}
		for _, cell := range cells[2:] {
			if cell == "not established" {
				continue
			}
			m := answer.FindStringSubmatch(cell)
			if m == nil {
				t.Errorf("%s: %q is no answer with a source", cells[0], cell)
				continue
			}
			if used[m[1]] = true; !dated[m[1]] {
				t.Errorf("%s: [%s] has no address with a date", cells[0], m[1])
			}
		}
	}
	if rows < 60 {
		t.Errorf("found %d rows, want at least 60", rows)
	}
	for name := range dated {
		if !used[name] && strings.Count(string(text), "["+name+"]") < 2 {
			t.Errorf("[%s] is defined and not used", name)
		}
	}
}
