package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/fatih/color"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/manifest"
)

func sample() Check {
	return Check{
		Files: 3, Images: 4,
		Findings: []check.Finding{
			{Code: check.Unpinned, Severity: check.Error, Path: "a b/ü.yaml", Position: manifest.Position{Line: 3, Column: 7}, End: 12, Byte: 8, Object: "Pod/x", Pointer: "/spec/containers/0/image", Image: "a/b:1", Message: "a/b:1 has no digest", Fix: "pinnace pin x"},
			{Code: check.Unpinned, Severity: check.Error, Path: "a b/ü.yaml", Position: manifest.Position{Line: 9, Column: 7}, Object: "Pod/x", Pointer: "/spec/containers/0/image", Image: "a/b:2", Message: "a/b:2 has no digest"},
			{Code: check.NotEditable, Severity: check.Warning, Path: "c.yaml", Position: manifest.Position{Line: 1, Column: 1}, Message: "evil\n::error::x\x1b[2J\u202e", Fix: "edit it by hand"},
		},
		Unanswered: []Unanswered{{"a/c:1", "down\r\n::warning::x"}},
	}
}

// TestSARIF validates against the schema of SARIF 2.1.0, errata 01.
func TestSARIF(t *testing.T) {
	var b bytes.Buffer
	if err := sample().SARIF(&b, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	report, err := sarif.FromBytes(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Validate(); err != nil {
		t.Errorf("not valid: %v", err)
	}
	results := report.Runs[0].Results
	if len(results) != 3 {
		t.Fatalf("%d results", len(results))
	}
	if uri := *results[0].Locations[0].PhysicalLocation.ArtifactLocation.URI; uri != "a%20b/%C3%BC.yaml" {
		t.Errorf("the file is at %s", uri)
	}
	if a, b := results[0].PartialFingerprints["pinnace/v1"], results[1].PartialFingerprints["pinnace/v1"]; a[:32] != b[:32] || a == b {
		t.Errorf("fingerprints %s and %s: want the same place, counted", a, b)
	}
	if bad := strings.Replace(b.String(), `"text"`, `"txet"`, 1); validSARIF(bad) {
		t.Error("a broken report is valid")
	}
}

func validSARIF(s string) bool {
	r, err := sarif.FromString(s)
	return err == nil && r.Validate() == nil
}

// TestFingerprints: an alert stays the same while lines and tags move.
func TestFingerprints(t *testing.T) {
	base := check.Finding{Code: check.Unpinned, Path: "a", Object: "Pod/x", Pointer: "/p", Image: "r.io:5000/a:1", Position: manifest.Position{Line: 1}}
	moved := base
	moved.Position.Line, moved.Image = 7, "r.io:5000/a:2@sha256:abc"
	if fingerprint(base) != fingerprint(moved) {
		t.Error("a tag or a line makes another alert")
	}
	for name, f := range map[string]check.Finding{
		"code": {Code: check.Moved, Path: "a", Object: "Pod/x", Pointer: "/p", Image: "r.io:5000/a:1"},
		"path": {Code: check.Unpinned, Path: "b", Object: "Pod/x", Pointer: "/p", Image: "r.io:5000/a:1"},
		"name": {Code: check.Unpinned, Path: "a", Object: "Pod/x", Pointer: "/p", Image: "r.io:5000/b:1"},
	} {
		if fingerprint(f) == fingerprint(base) {
			t.Errorf("another %s makes no other alert", name)
		}
	}
}

// TestHostileText: nothing from a file starts a line, a command or an escape sequence.
func TestHostileText(t *testing.T) {
	color.NoColor = true
	for form, write := range map[string]func(Check, *bytes.Buffer) error{
		"text":   func(c Check, b *bytes.Buffer) error { c.Text(b); return nil },
		"github": func(c Check, b *bytes.Buffer) error { return c.GitHub(b) },
		"sarif":  func(c Check, b *bytes.Buffer) error { return c.SARIF(b, "1") },
		"rdjson": func(c Check, b *bytes.Buffer) error { return c.RDJSON(b) },
		"json":   func(c Check, b *bytes.Buffer) error { return c.JSON(b) },
	} {
		var b bytes.Buffer
		if err := write(sample(), &b); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.String(), "\x1b\r") || form != "json" && strings.Contains(b.String(), "\u202e") {
			t.Errorf("%s lets control characters through:\n%q", form, b.String())
		}
		for line := range strings.Lines(b.String()) {
			if strings.HasPrefix(line, "::error::") || strings.HasPrefix(line, "::warning::") {
				t.Errorf("%s lets a command through: %q", form, line)
			}
		}
		if form == "json" || form == "rdjson" {
			if !json.Valid(b.Bytes()) {
				t.Errorf("%s is not JSON", form)
			}
		}
	}
}

func TestGitHubEscapes(t *testing.T) {
	c := Check{Findings: []check.Finding{{Code: check.Unpinned, Severity: check.Error, Path: "a:b,c%\n.yaml", Position: manifest.Position{Line: 1, Column: 2}, Message: "100% a:b"}}}
	var b bytes.Buffer
	if err := c.GitHub(&b); err != nil {
		t.Fatal(err)
	}
	if want := "::error file=a%3Ab%2Cc%25%0A.yaml,line=1,col=2,title=PIN001::100%25 a:b\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"plain ü 🚢": "plain ü 🚢", "a\nb\r\tc": `a\nb\r\tc`, "\x1b[2J": `\u{1b}[2J`, "a\u202eb": `a\u{202e}b`, "a\u2028b": `a\u{2028}b`, "\xff": `\u{fffd}`, "\u200b": `\u{200b}`,
	} {
		if got := Plain(in); got != want {
			t.Errorf("Plain(%q) is %q, want %q", in, got, want)
		}
	}
}

func TestShell(t *testing.T) {
	for in, want := range map[string]string{
		"a/b.yaml": "a/b.yaml", "": "''", "a b": "'a b'", "$(rm -rf .)": "'$(rm -rf .)'", "it's": `'it'\''s'`, "-n": "./-n", "a\nb\x1b'": `$'a\x0ab\x1b\''`,
	} {
		if got := Shell(in); got != want {
			t.Errorf("Shell(%q) is %s, want %s", in, got, want)
		}
	}
}

func TestDiff(t *testing.T) {
	color.NoColor = true
	got := Diff("a.yaml", []byte("a: 1\r\nb: 2"), []byte("a: 1\r\nb: 3"))
	want := "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,2 +1,2 @@\n a: 1\r\n-b: 2\n\\ No newline at end of file\n+b: 3\n\\ No newline at end of file\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Diff("/x/a\n\"b.yaml", []byte("a\n"), []byte("b\n")); !strings.HasPrefix(got, `--- "a/x/a\012\"b.yaml"`+"\n") {
		t.Errorf("a hostile name: %q", got)
	}
	color.NoColor = false
	defer func() { color.NoColor = true }()
	if got := Diff("a.yaml", []byte("a: 1\n"), []byte("a: 2\n")); !strings.Contains(got, "\x1b[31m-a: 1\x1b[0m\n") || !strings.Contains(got, "\x1b[32m+a: 2\x1b[0m\n") {
		t.Errorf("no colour in %q", got)
	}
}
