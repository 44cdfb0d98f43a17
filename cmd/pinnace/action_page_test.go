package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestActionPage holds docs/action.md to what is there: its tables are those of action.yml, and
// its workflows those of testdata/action, which the tests play.
func TestActionPage(t *testing.T) {
	read := func(path ...string) string {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	page, action := read("docs", "action.md"), read("action.yml")
	got := page
	inputs, rest, _ := strings.Cut(action, "\noutputs:\n")
	outputs, _, _ := strings.Cut(rest, "\nruns:\n")
	_, inputs, _ = strings.Cut(inputs, "\ninputs:\n")
	for name, table := range map[string]string{
		"inputs":  "| input | default | what |\n|---|---|---|\n" + rows(t, inputs, true),
		"outputs": "| output | what |\n|---|---|\n" + rows(t, outputs, false),
	} {
		begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
		before, behind, ok := strings.Cut(got, begin)
		_, after, closed := strings.Cut(behind, end)
		if !ok || !closed {
			t.Fatalf("the page has no table of %s", name)
		}
		got = before + begin + table + end + after
	}

	shown := regexp.MustCompile("(?s)( *)<!-- workflow: ([a-z_]+) -->\n *```yaml\n.*?```\n")
	if len(shown.FindAllString(got, -1)) < 9 {
		t.Errorf("the page shows %d workflows, want all of testdata/action but the hostile one", len(shown.FindAllString(got, -1)))
	}
	got = shown.ReplaceAllStringFunc(got, func(block string) string {
		m := shown.FindStringSubmatch(block)
		text := "```yaml\n" + read("testdata", "action", m[2]+".yaml") + "```\n"
		return m[1] + "<!-- workflow: " + m[2] + " -->\n" + m[1] + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+m[1]) + "\n"
	})
	if update {
		if err := os.WriteFile(filepath.Join("..", "..", "docs", "action.md"), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(page, got); diff != "" {
		t.Errorf("docs/action.md is not what is there (-page +now), make golden rewrites it:\n%s", diff)
	}
}

// rows makes the rows of a table of the entries of action.yml.
func rows(t *testing.T, entries string, defaults bool) string {
	t.Helper()
	entry := regexp.MustCompile(`(?m)^  ([a-z-]+):\n    description: "(.*)"\n((?:    .*\n?)*)`)
	var b strings.Builder
	for _, m := range entry.FindAllStringSubmatch(entries, -1) {
		b.WriteString("| `" + m[1] + "` |")
		if defaults {
			value := ""
			if line := regexp.MustCompile(`(?m)^    default: "?(.*?)"?$`).FindStringSubmatch(m[3]); line != nil {
				value = line[1]
			}
			switch {
			case strings.Contains(m[3], "required: true"):
				b.WriteString(" must be given |")
			case value == "":
				b.WriteString(" |")
			default:
				b.WriteString(" `" + value + "` |")
			}
		}
		b.WriteString(" " + m[2] + " |\n")
	}
	if strings.Count(b.String(), "\n") != strings.Count(entries, "description:") {
		t.Errorf("action.yml has an entry in another form:\n%s", entries)
	}
	return b.String()
}
