package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fatih/color"
	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden holds a text to a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, string(want)); diff != "" {
		t.Errorf("%s (-got +want):\n%s", name, diff)
	}
}

// decided is a decision with a result of each status.
func decided() promotion.Decision {
	carol := promotion.Identity{ID: 3, Login: "carol"}
	return promotion.Decision{
		Status: promotion.Denied, Summary: "denied: erin requested changes; shop:1 meets the fail condition of tags",
		Results: []promotion.Result{
			{Rule: "configuration", Status: promotion.Passed, Title: "the rules in .pinnace/ can be read"},
			{Rule: "digests", Status: promotion.Passed, Title: "every digest is in its registry", Children: []promotion.Result{
				{Rule: "digest", Status: promotion.Passed, Title: "shop:1 is in its registry"},
			}},
			{Rule: "filters", Status: promotion.Denied, Title: "every image meets the conditions of prod", Children: []promotion.Result{
				{Rule: "filter", Status: promotion.Denied, Title: "filter tags", File: "p.yaml", Line: 1, Children: []promotion.Result{
					{Rule: "fail-condition", Status: promotion.Denied, Title: "shop:1 meets the fail condition of tags", File: "p.yaml", Line: 4, Seen: `containerImageTag = "1"`, Wanted: "false", Who: "the owner of p.yaml", Next: "promote another image, or change the condition"},
				}},
			}},
			{Rule: "policies", Status: promotion.Waiting, Title: "every policy for it holds", Who: "anybody with write", Next: "review", Children: []promotion.Result{
				{Rule: "policy", Status: promotion.Waiting, Title: "policy two", File: "p.yaml", Line: 9, Children: []promotion.Result{
					{Rule: "approvals", Status: promotion.Waiting, Title: "1 of 2 approvals", File: "p.yaml", Line: 11, Seen: "carol", Wanted: "2 approvals by anybody with write", Who: "anybody with write", Next: "anybody with write approves", Children: []promotion.Result{
						{Rule: "approval", Status: promotion.Passed, Title: "carol approved, which counts until Friday"},
						{Rule: "approval", Status: promotion.Skipped, Title: "alice approved, which does not count: alice asked"},
					}},
				}},
			}},
			{Rule: "gates", Status: promotion.Unknown, Title: "every gate is green", Children: []promotion.Result{
				{Rule: "gate", Status: promotion.Unknown, Title: "nobody knows what argo-cd says of deployment staging", Missing: []string{"deployment staging", "gates"}, Who: "argo-cd", Next: "look at deployment staging"},
			}},
			{Rule: "freeze", Status: promotion.Waiting, Title: "a freeze holds in prod", Who: "acme/sre", Next: "ask acme/sre", Until: time.Date(2027, 1, 2, 0, 0, 0, 0, time.FixedZone("CET", 3600))},
			{Rule: "soak", Status: promotion.Skipped, Title: "soak is waived by policy two"},
			{Rule: "vetoes", Status: promotion.Denied, Title: "erin requested changes", Who: "erin", Next: "erin reviews again"},
		},
		Approvals: []promotion.Approval{{By: carol, Review: 1}},
		Ignored:   []promotion.Ignored{{By: promotion.Identity{Login: "alice"}, Reason: "alice asked"}, {By: promotion.Identity{Login: "ci[bot]", Bot: true}, Reason: "of a bot"}},
		Recheck:   time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC),
	}
}

// The tree says in words and signs what holds, what waits, who can act and what is next. What
// holds is folded; what the tree has said of a review is not said again.
func TestDecisionText(t *testing.T) {
	d := Decision{Subject: "promotion of shop:1 to prod", At: time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC), Decision: decided()}
	var b strings.Builder
	plainly(func() { d.Text(&b) })
	golden(t, "decision.txt", b.String())

	b.Reset()
	was := color.NoColor
	color.NoColor = false
	d.Text(&b)
	color.NoColor = was
	golden(t, "decision.colour", strings.ReplaceAll(b.String(), "\x1b", "^"))
}

func TestDecisionJSON(t *testing.T) {
	var b bytes.Buffer
	if err := (Decision{Subject: "s", Decision: promotion.Decision{Status: promotion.Passed}}).JSON(&b); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"status": "passed", "summary": "", "results": []any{}, "approvals": []any{}, "ignored": []any{}}
	if diff := cmp.Diff(got["decision"], any(want)); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// No foreign text ends a line, moves the cursor, or leaves its element.
func TestDecisionHostile(t *testing.T) {
	const evil = "x\n\x1b[2J\u202e]]>\x00\ufffe</failure><b a=\"'&\u2028"
	r := promotion.Result{Rule: evil, Status: promotion.Denied, Title: evil, File: evil, Line: 1, Seen: evil, Wanted: evil, Missing: []string{evil}, Who: evil, Next: evil}
	r.Children = []promotion.Result{{Rule: evil, Status: promotion.Unknown, Title: evil}}
	d := promotion.Decision{Status: promotion.Denied, Summary: evil, Results: []promotion.Result{r}, Ignored: []promotion.Ignored{{By: promotion.Identity{Login: evil}, Reason: evil}}}
	p := DocumentProblem{File: evil, Line: 1, Column: 1, Severity: "error", Message: evil, Snippet: "a\x1b\n^"}
	test := PolicyTest{Cases: 1, Failed: 1, Suites: []TestSuite{{File: evil, Documents: []string{evil}, Problems: []DocumentProblem{p}, Cases: []TestCase{{Name: evil, Line: 3, Failures: []string{evil}, Decision: &d}}}}}
	documents := Documents{Directory: evil, Documents: []Document{{Kind: "Freeze", Name: evil, File: evil, Bound: evil}}}

	for name, text := range map[string]func(w *strings.Builder){
		"decision":  func(w *strings.Builder) { Decision{Subject: evil, Decision: d}.Text(w) },
		"test":      func(w *strings.Builder) { test.Text(w) },
		"documents": func(w *strings.Builder) { documents.Text(w) },
		"problems":  func(w *strings.Builder) { WriteProblems(w, []DocumentProblem{p}) },
	} {
		var b strings.Builder
		plainly(func() { text(&b) })
		for line := range strings.Lines(b.String()) {
			if line = strings.TrimSuffix(line, "\n"); line != Plain(line) {
				t.Errorf("%s: a line holds %q", name, line)
			}
		}
		if n := strings.Count(b.String(), "\n"); name == "decision" && n != 12 {
			t.Errorf("%d lines:\n%s", n, b.String())
		}
	}

	var b bytes.Buffer
	if err := test.JUnit(&b); err != nil {
		t.Fatal(err)
	}
	var suites junitSuites
	if err := xml.Unmarshal(b.Bytes(), &suites); err != nil {
		t.Fatalf("%v:\n%s", err, b.String())
	}
	if suites.Tests != 2 || suites.Failures != 1 || suites.Errors != 1 || len(suites.Suites[0].Cases) != 2 {
		t.Errorf("got %+v", suites)
	}
	if text := suites.Suites[0].Cases[1].Failure.Text; !strings.Contains(text, "]]>") {
		t.Errorf("the text was cut: %q", text)
	}
}

// Colour is what the terminal is asked for; a test's report in JUnit has none.
func TestJUnitPlain(t *testing.T) {
	was := color.NoColor
	color.NoColor = false
	t.Cleanup(func() { color.NoColor = was })
	d := decided()
	var b bytes.Buffer
	if err := (PolicyTest{Suites: []TestSuite{{File: "a", Cases: []TestCase{{Name: "b", Decision: &d}}}}}).JUnit(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "[3") || color.NoColor {
		t.Errorf("colour in\n%s", b.String())
	}
}
