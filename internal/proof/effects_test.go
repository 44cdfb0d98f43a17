package proof

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The effects that the program can have are read from its source: what internal/github sends
// that is not a GET, as far as a room of the server asks for it; the push of internal/git; and
// every function that commits to the database.

// serving are the rooms that `pinnace serve` works with, besides the adapters themselves.
var serving = []string{"fleet", "verdict", "reconcile", "onboard", "queue", "watch", "server", "event"}

// parseRoom reads the source of a room, without its tests.
func parseRoom(t testing.TB, room string) []*ast.File {
	t.Helper()
	dir := filepath.Join("..", room)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []*ast.File
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// functions are those of a room by their plain name, such as Merge or helper.
func functions(files []*ast.File) map[string][]*ast.FuncDecl {
	out := map[string][]*ast.FuncDecl{}
	for _, f := range files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				out[fn.Name.Name] = append(out[fn.Name.Name], fn)
			}
		}
	}
	return out
}

// named are all names that a piece of code uses.
func named(n ast.Node) map[string]bool {
	out := map[string]bool{}
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			out[id.Name] = true
		}
		return true
	})
	return out
}

// reachable are the functions of internal/github that the server can come to.
func reachable(t testing.TB, hub map[string][]*ast.FuncDecl) map[string]bool {
	t.Helper()
	var todo []string
	for _, room := range serving {
		for _, f := range parseRoom(t, room) {
			for name := range named(f) {
				if ast.IsExported(name) && hub[name] != nil {
					todo = append(todo, name)
				}
			}
		}
	}
	out := map[string]bool{}
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if out[name] {
			continue
		}
		out[name] = true
		for _, fn := range hub[name] {
			for used := range named(fn.Body) {
				if hub[used] != nil && !out[used] && !ast.IsExported(used) {
					todo = append(todo, used)
				}
			}
		}
	}
	return out
}

var mutationName = regexp.MustCompile(`^mutation\([^)]*\)\{(\w+)`)

// sent are the changes that a function of internal/github asks for, as "METHOD /route", with {}
// for what is filled in. One that leaves the path to a helper has the helper's paths.
func sent(fn *ast.FuncDecl, hub map[string][]*ast.FuncDecl) []string {
	methods, paths := map[string]bool{}, map[string]bool{}
	var out []string
	look := func(body ast.Node, forMethods bool) {
		ast.Inspect(body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr: // it asks which method it is
				return n.Op != token.EQL && n.Op != token.NEQ
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "http" && forMethods {
					if m, ok := strings.CutPrefix(n.Sel.Name, "Method"); ok && m != "Get" && m != "Head" {
						methods[strings.ToUpper(m)] = true
					}
				}
			case *ast.BasicLit:
				text, _ := strconv.Unquote(n.Value)
				if m := mutationName.FindStringSubmatch(text); m != nil {
					out = append(out, "POST /graphql "+m[1])
				}
			case *ast.CallExpr:
				if p, ok := pathOf(n, hub); ok {
					paths[p] = true
					return false
				}
			}
			return true
		})
	}
	look(fn.Body, true)
	if len(methods) > 0 && len(paths) == 0 {
		for used := range named(fn.Body) {
			for _, helper := range hub[used] {
				if !ast.IsExported(used) && helper.Recv != nil {
					look(helper.Body, false)
				}
			}
		}
	}
	for m := range methods {
		for p := range paths {
			out = append(out, m+" "+p)
		}
	}
	return out
}

// pathOf evaluates an expression of internal/github that makes a path.
func pathOf(e ast.Expr, hub map[string][]*ast.FuncDecl) (string, bool) {
	c, ok := e.(*ast.CallExpr)
	if !ok {
		return "", false
	}
	switch f := c.Fun.(type) {
	case *ast.Ident:
		switch f.Name {
		case "at":
			return literal(c)
		case "in":
			return "/repos/{}/{}", true
		}
		if fns := hub[f.Name]; len(fns) == 1 && fns[0].Type.Results != nil && len(fns[0].Type.Results.List) == 1 {
			if r, ok := fns[0].Type.Results.List[0].Type.(*ast.Ident); ok && r.Name == "path" {
				last, ok := fns[0].Body.List[len(fns[0].Body.List)-1].(*ast.ReturnStmt)
				if ok && len(last.Results) == 1 {
					return pathOf(last.Results[0], hub)
				}
			}
		}
	case *ast.SelectorExpr:
		before, ok := pathOf(f.X, hub)
		if !ok {
			return "", false
		}
		if f.Sel.Name == "add" {
			tail, ok := literal(c)
			return before + tail, ok
		}
		return before + "/{}", true
	}
	return "", false
}

func literal(c *ast.CallExpr) (string, bool) {
	if len(c.Args) != 1 {
		return "", false
	}
	lit, ok := c.Args[0].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// changesOfGitHub are the changes that the server can ask GitHub for, each with the functions
// that do.
func changesOfGitHub(t testing.TB) map[string][]string {
	t.Helper()
	hub := functions(parseRoom(t, "github"))
	reach := reachable(t, hub)
	out := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(reach)) {
		for _, fn := range hub[name] {
			for _, s := range sent(fn, hub) {
				out[s] = append(out[s], name)
			}
		}
	}
	return out
}

// commits are the functions of a room that commit to the database: by a transaction, or by a
// statement outside of one. Helpers that are handed what to do in it are not named.
func commits(t testing.TB, room string) []string {
	t.Helper()
	var out []string
	for _, fns := range functions(parseRoom(t, room)) {
		for _, fn := range fns {
			found := false
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				c, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				s, ok := c.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				on, _ := s.X.(*ast.SelectorExpr)
				switch s.Sel.Name {
				case "inTx", "inTagTx", "Commit":
					found = true
				case "ExecContext":
					found = found || on != nil && slices.Contains([]string{"db", "writer", "write"}, on.Sel.Name)
				}
				return true
			})
			if found && !slices.Contains([]string{"inTx", "inTagTx"}, fn.Name.Name) {
				out = append(out, "commit internal/"+room+"."+owner(fn)+fn.Name.Name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// owner is "(*Queue)." for a method of *Queue.
func owner(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	switch x := fn.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		if id, ok := x.X.(*ast.Ident); ok {
			return "(*" + id.Name + ")."
		}
	case *ast.Ident:
		return x.Name + "."
	}
	return ""
}

var filled = regexp.MustCompile(`\{[^}]*\}`)

// template is the name of an effect with {} for what is filled in.
func template(name string) string {
	name = filled.ReplaceAllString(name, "{}")
	return strings.Replace(name, "/git/refs/{}", "/git/refs/heads/{}", 1)
}

func TestEffectsAreRead(t *testing.T) {
	all := changesOfGitHub(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Log(name, all[name])
	}
	for _, want := range []string{
		"POST /repos/{}/{}/pulls", "PATCH /repos/{}/{}/pulls/{}", "PUT /repos/{}/{}/pulls/{}/merge", "POST /repos/{}/{}/check-runs",
		"PATCH /repos/{}/{}/check-runs/{}", "POST /repos/{}/{}/issues/{}/comments", "POST /repos/{}/{}/issues", "POST /graphql enqueuePullRequest",
	} {
		if all[want] == nil {
			t.Errorf("the source is said to have no %s", want)
		}
	}
}
