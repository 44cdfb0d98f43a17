package action

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parsed reads a file of outputs as the runner does: a name, <<, a delimiter, and lines up to
// one that is the delimiter
// (https://github.com/actions/runner/blob/main/src/Runner.Worker/FileCommandManager.cs).
func parsed(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		name, end, ok := strings.Cut(lines[i], "<<")
		if !ok || strings.Contains(name, "=") {
			t.Fatalf("line %d is no output: %q", i, lines[i])
		}
		var value []string
		for i++; i < len(lines) && lines[i] != end; i++ {
			value = append(value, lines[i])
		}
		if i == len(lines) {
			t.Fatalf("%s does not end", name)
		}
		got[name] = strings.Join(value, "\n")
	}
	return got
}

func TestAppendOutputs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(file, []byte("before<<X\n1\nX\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	outs := []Output{
		{"changed", "true"},
		{"empty", ""},
		{"json", "{\n \"a\": \"EOF\"\n}"},
		{"changed-files", "a<<b\nx=1\n\nevil<<EOF\nEOF\n"},
		{"digest", "sha256:a"},
		{"cr", "a\r\nb\rc"},
		{"last", "end_\nüé\u2028"},
	}
	if err := AppendOutputs(file, outs); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"before": "1"}
	for _, o := range outs {
		want[o.Name] = o.Value
	}
	if diff := cmp.Diff(parsed(t, file), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	if a, b := delimiter("x"), delimiter("x"); a == b || len(a) < 20 {
		t.Errorf("delimiters %q and %q", a, b)
	}
}

// What cannot be told is refused, and nothing of it is written.
func TestAppendOutputsRefused(t *testing.T) {
	for name, out := range map[string]Output{
		"a name with a line":  {"a\nb<<X", "1"},
		"a name with =":       {"a=b", "1"},
		"a name of digits":    {"1a", "1"},
		"no name":             {"", "1"},
		"too large":           {"json", strings.Repeat("a", MaxOutput+1)},
		"no text":             {"json", "\xff"},
		"a byte 0":            {"json", "a\x00b"},
		"a name that is long": {strings.Repeat("a", 101), "1"},
	} {
		file := filepath.Join(t.TempDir(), "out")
		if err := AppendOutputs(file, []Output{{"fine", "1"}, out}); err == nil {
			t.Errorf("%s is written", name)
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s: a part is written", name)
		}
	}
	if err := AppendOutputs("", []Output{{"a", "b"}}); err != nil {
		t.Errorf("nowhere to write: %v", err)
	}
	if err := AppendOutputs(t.TempDir(), []Output{{"a", "b"}}); err == nil || !strings.Contains(err.Error(), "GITHUB_OUTPUT") {
		t.Errorf("a folder: %v", err)
	}
}

func TestAppendSummary(t *testing.T) {
	file := filepath.Join(t.TempDir(), "summary")
	for _, s := range []string{"# a\n", "b\n", ""} {
		if err := AppendSummary(file, []byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != "# a\nb\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := AppendSummary(file, make([]byte, MaxSummary+1)); err == nil {
		t.Error("more than GitHub takes is written")
	}
	if err := AppendSummary("", []byte("x")); err != nil {
		t.Errorf("nowhere to write: %v", err)
	}
}

// A name stays on one line, whatever it is.
func TestLines(t *testing.T) {
	got := Lines([]string{"a b.yaml", "c\nd", `"e"`, "f\u2028g", "ü", "\xff"})
	if want := "a b.yaml\n\"c\\nd\"\n\"\\\"e\\\"\"\n\"f\\u2028g\"\nü\n\"\\xff\""; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if Lines(nil) != "" {
		t.Error("no names are something")
	}
}

func FuzzAppendOutputs(f *testing.F) {
	f.Add("a", "b<<EOF\nc\nEOF")
	f.Fuzz(func(t *testing.T, name, value string) {
		file := filepath.Join(t.TempDir(), "out")
		if AppendOutputs(file, []Output{{name, value}, {"last", "1"}}) != nil {
			return
		}
		if diff := cmp.Diff(parsed(t, file), map[string]string{name: value, "last": "1"}); diff != "" && name != "last" {
			t.Error(diff)
		}
	})
}
