package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/reference"
)

// TestReference holds docs/reference to the code.
func TestReference(t *testing.T) {
	dir := filepath.Join("..", "..", "docs", "reference")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	for _, e := range entries {
		left[e.Name()] = true
	}
	for _, page := range reference.Pages(describe(newRoot())) {
		delete(left, page.Name)
		have, err := os.ReadFile(filepath.Join(dir, page.Name))
		if err != nil {
			t.Errorf("%v: %s", err, reference.Update)
			continue
		}
		if diff := cmp.Diff(string(have), string(page.Text)); diff != "" {
			t.Errorf("docs/reference/%s is not current: %s (-page +code)\n%s", page.Name, reference.Update, diff)
		}
	}
	for name := range left {
		t.Errorf("docs/reference/%s is printed by nothing: remove it", name)
	}
}

// TestExits: each verb whose exit statuses are explained is there.
func TestExits(t *testing.T) {
	root := newRoot()
	for _, e := range exits() {
		if e.Means == "" {
			t.Errorf("nothing says what %d means", e.Status)
		}
		for _, v := range e.Verbs {
			if cmd, left, err := root.Find(strings.Fields(v.Verb)); err != nil || len(left) > 0 || cmd.Hidden || v.Means == "" {
				t.Errorf("status %d: pinnace %s is no command: %v", e.Status, v.Verb, err)
			}
		}
	}
}

// libraries read these variables, not we.
var libraries = strings.Fields(`DOCKER_CONFIG REGISTRY_AUTH_FILE HTTPS_PROXY HTTP_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR
	XDG_CACHE_HOME XDG_CONFIG_HOME`)

// TestVariables holds the variables of the reference to those that the program reads, in both
// directions. What the Action hands over is no business of people.
func TestVariables(t *testing.T) {
	documented := map[string]bool{}
	for _, v := range variables() {
		if v.Text == "" || documented[v.Name] {
			t.Errorf("%s says nothing, or is there twice", v.Name)
		}
		documented[v.Name] = true
	}
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]string{}
	for _, file := range files {
		room := filepath.Base(filepath.Dir(file))
		if strings.HasSuffix(file, "_test.go") || slices.Contains([]string{"sandbox", "openapi", "bench", "action"}, room) || strings.HasPrefix(filepath.Base(file), "action") {
			continue
		}
		for _, name := range environment(t, file, nil) {
			used[name] = file
		}
	}
	for _, name := range libraries {
		used[name] = "a library"
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if !documented[name] {
			t.Errorf("%s reads %s, which is none of variables", used[name], name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(documented)) {
		if used[name] == "" {
			t.Errorf("nothing reads %s", name)
		}
	}
}

// TestVariablesAreFound shows that the test above sees each way to read one.
func TestVariablesAreFound(t *testing.T) {
	got := environment(t, "x.go", `package x
var a = os.Getenv("A")
func f() { s, ok := os.LookupEnv("B"); os.Setenv("C", os.Getenv(name)) }`)
	if diff := cmp.Diff(got, []string{"A", "B"}); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
}

// environment returns the variables that a file reads by their names.
func environment(t *testing.T, file string, src any) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		s, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || s.Sel.Name != "Getenv" && s.Sel.Name != "LookupEnv" {
			return true
		}
		if l, ok := call.Args[0].(*ast.BasicLit); ok {
			name, _ := strconv.Unquote(l.Value)
			names = append(names, name)
		}
		return true
	})
	return names
}

func TestExamplesOfHelp(t *testing.T) {
	got := examples("  pinnace pin .                 pin it\n  pinnace pin - | kubectl apply -f -\n  pinnace promote shop --reason \"release 1.5\"")
	want := []string{"pinnace pin .                 # pin it", "pinnace pin - | kubectl apply -f -", `pinnace promote shop --reason "release 1.5"`}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
}
