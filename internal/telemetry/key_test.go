package telemetry

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// logging are the rooms whose lines a server writes.
var logging = []string{"server", "queue", "fleet", "watch", "store", "github", "setup", "telemetry", "cli"}

// TestKeys holds the keys of log lines to Keys, in both directions.
func TestKeys(t *testing.T) {
	documented := map[string]bool{}
	for _, k := range Keys() {
		if k.Text == "" || documented[k.Name] {
			t.Errorf("%q says nothing, or is there twice", k.Name)
		}
		documented[k.Name] = true
	}
	used := map[string][]string{} // places by key
	for _, room := range logging {
		files, err := filepath.Glob(filepath.Join("..", room, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for key, places := range keysOf(t, file, nil) {
				used[key] = append(used[key], places...)
			}
		}
	}
	if len(used) == 0 {
		t.Fatal("found no line that is logged")
	}
	for _, key := range slices.Sorted(maps.Keys(used)) {
		if !documented[key] {
			t.Errorf("%q is none of Keys: %s", key, strings.Join(used[key], ", "))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(documented)) {
		if used[key] == nil {
			t.Errorf("Keys has %q, which nothing logs", key)
		}
	}
}

var (
	methods = strings.Fields("Debug Info Warn Error DebugContext InfoContext WarnContext ErrorContext Log With")
	attrs   = strings.Fields("String Int Int64 Uint64 Float64 Bool Time Duration Any Group GroupAttrs")
)

// keysOf returns the keys that a file gives to a logger, each with its places; one that is no
// literal is shown as "?".
func keysOf(t *testing.T, file string, src any) map[string][]string {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	add := func(e ast.Expr) {
		key := "?"
		if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
			key, _ = strconv.Unquote(l.Value)
		}
		if key == "" { // a group without a name is its members
			return
		}
		p := set.Position(e.Pos())
		out[key] = append(out[key], fmt.Sprintf("%s:%d", p.Filename, p.Line))
	}
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		s, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		on := last(s.X)
		switch {
		case on == "slog" && slices.Contains(attrs, s.Sel.Name) && len(call.Args) > 1:
			add(call.Args[0])
		case slices.Contains(methods, s.Sel.Name) && (on == "slog" || on == "log" || on == "logger") && !call.Ellipsis.IsValid():
			skip := 1 // the message
			switch {
			case s.Sel.Name == "With":
				skip = 0
			case s.Sel.Name == "Log":
				skip = 3
			case strings.HasSuffix(s.Sel.Name, "Context"):
				skip = 2
			}
			for i := skip; i < len(call.Args); i++ {
				if _, attr := call.Args[i].(*ast.CallExpr); attr {
					continue
				}
				add(call.Args[i])
				i++
			}
		}
		return true
	})
	return out
}

// last returns the last name of an expression such as s.o.Log, in lower case.
func last(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return strings.ToLower(e.Name)
	case *ast.SelectorExpr:
		return strings.ToLower(e.Sel.Name)
	case *ast.CallExpr:
		if s, ok := e.Fun.(*ast.SelectorExpr); ok {
			return last(s.X)
		}
	}
	return ""
}

// TestKeysAreFound shows that the test above sees each way to log.
func TestKeysAreFound(t *testing.T) {
	got := keysOf(t, "x.go", `package x
func f() {
	log.Info("m", "a", 1, "b", f("no"))
	s.o.Log.WarnContext(ctx, "m", subject(v), slog.String("c", "no"), "d", 2)
	slog.With("e", 1).Error("m", key, 1)
	line := []slog.Attr{slog.Int("f", 1)}
	w.log.LogAttrs(ctx, level, "m", line...)
	l.logger.Log(ctx, level, "m", slog.Group("g", slog.Bool("h", true)))
	http.Error(w, "no", 404)
	err.Error()
}`)
	want := []string{"?", "a", "b", "c", "d", "e", "f", "g", "h"}
	if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, want) {
		t.Errorf("got %q, want %q", keys, want)
	}
}
