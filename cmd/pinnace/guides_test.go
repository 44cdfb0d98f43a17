package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/cli"
)

// TestGuidesFiles saves each file below .pinnace/ that a guide shows, and holds what then
// stands there to `pinnace config validate`, `policy validate` and `policy test`. A guide that
// shows a file again goes on with the new one.
func TestGuidesFiles(t *testing.T) {
	seen := 0
	for name, page := range guides(t) {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for _, b := range blocks(page) {
				file := b.file()
				if !strings.HasPrefix(file, ".pinnace/") {
					continue
				}
				seen++
				at := filepath.Join(root, filepath.FromSlash(file))
				if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(at, []byte(dedent(b.text)), 0o644); err != nil {
					t.Fatal(err)
				}
				checks := [][]string{{"config", "validate", root}}
				if strings.HasPrefix(file, ".pinnace/policies/") {
					checks = append(checks, []string{"policy", "validate", root})
				}
				if strings.HasSuffix(file, ".txtar") {
					checks = append(checks, []string{"policy", "test", at})
				}
				for _, args := range checks {
					out, status := pinnace(t, args...)
					if status != 0 || amiss.MatchString(emptied.ReplaceAllString(out, "")) {
						t.Errorf("line %d: pinnace %s: exit status %d\n%s", b.line, strings.Join(args, " "), status, out)
					}
				}
			}
		})
	}
	if seen == 0 {
		t.Error("the guides show no file below .pinnace/")
	}
}

var (
	amiss   = regexp.MustCompile(`warning:`)
	emptied = regexp.MustCompile(`warning: .* matches no file\n`) // a guide shows no manifests
)

// TestGuidesCommands looks up each command line of the guides and of the tutorial, in blocks and
// in the text: the command is there, and so is each flag.
func TestGuidesCommands(t *testing.T) {
	seen, pages := 0, guides(t)
	tutorial, err := os.ReadFile(filepath.Join("..", "..", "docs", "tutorial.md"))
	if err != nil {
		t.Fatal(err)
	}
	pages["tutorial.md"] = string(tutorial)
	for name, page := range pages {
		for _, words := range commandLines(page) {
			seen++
			if err := lookUp(t, words); err != nil {
				t.Errorf("%s: pinnace %s: %v", name, strings.Join(words, " "), err)
			}
		}
	}
	if seen == 0 {
		t.Error("the guides show no command")
	}
	for _, wrong := range []string{"pins .", "policy tests", "pin --env prod --dry", "config int"} {
		if err := lookUp(t, strings.Fields(wrong)); err == nil {
			t.Errorf("pinnace %s is taken for a command", wrong)
		}
	}
}

// guides returns the pages of docs/guides by their names.
func guides(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "docs", "guides", "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no guides: %v", err)
	}
	out := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(file)] = string(text)
	}
	return out
}

// dedent takes the indentation of the first line off each line: a block may stand in a list.
func dedent(text string) string {
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(strings.TrimPrefix(line, indent))
	}
	return out.String()
}

var (
	span    = regexp.MustCompile("`([^`\n]+)`")
	invoked = regexp.MustCompile(`(?:^|[ |;&(])pinnace ([^|;&)]*)`)
	comment = regexp.MustCompile(`(^|\s)#.*`)
)

// commandLines returns the words after "pinnace" of each command of a page.
func commandLines(page string) [][]string {
	var lines []string
	for _, b := range blocks(page) {
		prose := fence.ReplaceAllString(b.before, "")
		for _, m := range span.FindAllStringSubmatch(prose, -1) {
			if strings.HasPrefix(m[1], "pinnace ") || strings.Contains(m[1], "| pinnace ") {
				lines = append(lines, m[1])
			}
		}
		switch b.language {
		case "sh":
			lines = append(lines, strings.Split(b.text, "\n")...)
		case "console":
			for line := range strings.Lines(b.text) {
				if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "$ "); ok {
					lines = append(lines, rest)
				}
			}
		case "yaml":
			for line := range strings.Lines(b.text) {
				if _, run, ok := strings.Cut(line, "run: "); ok {
					lines = append(lines, run)
				}
			}
		}
	}
	var out [][]string
	for _, line := range lines {
		for _, m := range invoked.FindAllStringSubmatch(comment.ReplaceAllString(line, ""), -1) {
			out = append(out, strings.Fields(m[1]))
		}
	}
	return out
}

var (
	usage = regexp.MustCompile(`(?m)^Usage:\n  pinnace ?(.*)$`)
	flag  = regexp.MustCompile(`^--?[a-zA-Z][a-zA-Z-]*`)
)

// lookUp asks a command for its help, and says what of the words is not in it.
func lookUp(t *testing.T, words []string) error {
	t.Helper()
	bare := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "-") && w != "-" })
	if bare < 0 {
		bare = len(words)
	}
	help, status := pinnace(t, append(slices.Clone(words[:min(bare, 2)]), "--help")...)
	m := usage.FindStringSubmatch(help)
	if status != 0 || m == nil {
		return fmt.Errorf("it has no help, exit status %d", status)
	}
	path := 0
	of := strings.Fields(m[1])
	for path < len(of) && regexp.MustCompile(`^[a-z]+$`).MatchString(of[path]) {
		path++
	}
	if path == 0 || len(words) < path || !slices.Equal(words[:path], of[:path]) {
		return fmt.Errorf("there is no such command; the nearest is pinnace %s", m[1])
	}
	if strings.Contains(help, "\nAvailable Commands:\n") && len(words) > path {
		return fmt.Errorf("%s is no command of pinnace %s", words[path], strings.Join(of[:path], " "))
	}
	for _, w := range words {
		name := flag.FindString(w)
		if name != "" && !regexp.MustCompile(`(?m)^ +(-[a-zA-Z], )?`+name+`([ ,]|$)`).MatchString(help) {
			return fmt.Errorf("there is no flag %s", name)
		}
	}
	return nil
}

// pinnace runs the program here, and returns what it prints and its exit status.
func pinnace(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	status := cli.Run(t.Context(), args, strings.NewReader(""), &out, &out)
	return out.String(), status
}
