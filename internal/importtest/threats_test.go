package importtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTest = regexp.MustCompile("`((?:[a-z]+/)*[a-z]+)\\.((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	threat    = regexp.MustCompile(`^### T([0-9]+) `)
)

// TestThreats holds docs/threats.md to the tests: each threat says what stands in the way, names
// tests that exist, and says what is left open.
func TestThreats(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "threats.md"))
	if err != nil {
		t.Fatal(err)
	}
	there := tests(t)
	for _, m := range namedTest.FindAllStringSubmatch(string(text), -1) {
		if !there[m[1]+"."+m[2]] {
			t.Errorf("%s is named, and there is no such test", m[0])
		}
	}
	number := 0
	for _, section := range strings.Split(string(text), "\n##")[1:] {
		section = "##" + section
		m := threat.FindStringSubmatch(section)
		if m == nil {
			continue
		}
		number++
		if m[1] != fmt.Sprint(number) {
			t.Errorf("threat T%s stands where T%d is due", m[1], number)
		}
		for _, part := range []string{"**Attack.** ", "**Defence.** ", "**Shown by** ", "**Left open.** "} {
			if !strings.Contains(section, "\n"+part) {
				t.Errorf("T%s has no line that begins with %s", m[1], part)
			}
		}
		if !namedTest.MatchString(section) {
			t.Errorf("T%s names no test", m[1])
		}
	}
	const threats = 32
	if number != threats {
		t.Errorf("the page has %d threats, want %d", number, threats)
	}
}

// tests returns the tests and fuzz targets of the module, each as room.TestName: rooms are below
// internal, and pinnace is the program.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`)
	all := map[string]bool{}
	for _, s := range read(t) {
		if !s.test() {
			continue
		}
		source, err := os.ReadFile(filepath.Join(root, s.file))
		if err != nil {
			t.Fatal(err)
		}
		room := strings.TrimPrefix(strings.TrimPrefix(s.pkg, "internal/"), "cmd/")
		for _, m := range declared.FindAllStringSubmatch(string(source), -1) {
			all[room+"."+m[1]] = true
		}
	}
	return all
}
