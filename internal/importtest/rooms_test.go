package importtest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestArchitecture holds docs/architecture.md to the rooms: each is drawn, no other one is, and
// those that are called pure are those that the rules call so.
func TestArchitecture(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	drawing, _, found := strings.Cut(string(text), "\n pure (no I/O")
	if !found {
		t.Fatal("docs/architecture.md has no list of pure rooms")
	}
	var drawn []string
	for _, m := range regexp.MustCompile(`\[ ([a-z]+) \]`).FindAllStringSubmatch(drawing, -1) {
		drawn = append(drawn, m[1])
	}
	_, list, _ := strings.Cut(string(text), "no goroutine):")
	list, _, _ = strings.Cut(list, "```")
	pure := strings.Fields(list)
	for _, r := range rules {
		room, inside := strings.CutPrefix(r.pkg, "internal/")
		if !inside {
			continue
		}
		if strings.Contains(room, "/") {
			if !strings.Contains(string(text), "`"+room+"`") {
				t.Errorf("docs/architecture.md does not name `%s`", room)
			}
			continue
		}
		if !slices.Contains(drawn, room) {
			t.Errorf("docs/architecture.md does not draw [ %s ]", room)
		}
		if r.pure != slices.Contains(pure, room) {
			t.Errorf("docs/architecture.md calls %s pure: %v, rules.go: %v", room, !r.pure, r.pure)
		}
	}
	for _, room := range append(drawn, pure...) {
		if !slices.ContainsFunc(rules, func(r rule) bool { return r.pkg == "internal/"+room }) {
			t.Errorf("docs/architecture.md has a room %s, and rules.go has not", room)
		}
	}
}
