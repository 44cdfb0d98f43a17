package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// TestPromotions holds docs/promotions.md to what happens: its transcripts are those of the
// scripts.
func TestPromotions(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "promotions.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := transcripts(t, string(text))
	if update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(text), got); diff != "" {
		t.Errorf("docs/promotions.md is not what happens (-page +now), make golden rewrites it:\n%s", diff)
	}
}

// A play is a command of a script with what it prints.
type play struct{ command, output string }

// plays reads the commands of a script whose output is compared with a file of it. The log of a
// server and its pages are what their readers ask for.
func plays(t *testing.T, name string) []play {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("..", "..", "testdata", "script", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range a.Files {
		files[f.Name] = string(f.Data)
	}
	run := regexp.MustCompile(`^(?:! )?(?:exec|exits [0-9]) (pinnace .*?)(?: &([a-z]+)&)?$`)
	compared := regexp.MustCompile(`^cmp std(?:out|err) (\S+)$`)
	var out []play
	behind := map[string]string{}
	now := ""
	for line := range strings.Lines(string(a.Comment)) {
		line = strings.TrimSuffix(line, "\n")
		if m := run.FindStringSubmatch(line); m != nil && m[2] != "" {
			behind[m[2]] = m[1]
		} else if m != nil {
			now = m[1]
		} else if job, ok := strings.CutPrefix(line, "wait "); ok {
			now = behind[job]
		} else if m := compared.FindStringSubmatch(line); m != nil && now != "" {
			out = append(out, play{now, files[m[1]]})
			now = ""
		} else if line == "serve log" {
			now = "journalctl -fu pinnace -o cat"
		} else if path, ok := strings.CutPrefix(line, "serve get "); ok {
			now = "curl -s http://localhost:8080" + path
		} else if strings.HasPrefix(line, "github ") || strings.HasPrefix(line, "serve ") {
			now = ""
		}
	}
	return out
}

// transcripts returns the page with the output of each "$ pinnace" line. Each block is of the
// script that the comment before it names, and goes on where the one before it ended.
func transcripts(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	script, console, count := "", false, 0
	left := map[string][]play{}
	for line := range strings.Lines(text) {
		bare := strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(bare, "<!-- script: "); ok {
			script = strings.TrimSuffix(name, " -->")
			if left[script] == nil {
				left[script] = plays(t, script)
			}
		}
		asked, isCommand := strings.CutPrefix(bare, "$ ")
		switch {
		case strings.HasPrefix(line, "```"):
			console = strings.HasPrefix(line, "```console")
			out.WriteString(line)
		case console && isCommand:
			out.WriteString(line)
			i := slices.IndexFunc(left[script], func(p play) bool { return p.command == asked })
			if i < 0 {
				t.Fatalf("%s.txtar does not run %s, or not at this place", script, asked)
			}
			out.WriteString(left[script][i].output)
			left[script] = left[script][i+1:]
			count++
		case !console:
			out.WriteString(line)
		}
	}
	if count == 0 {
		t.Fatal("the page has no transcript")
	}
	return out.String()
}
