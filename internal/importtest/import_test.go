package importtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	module = "github.com/pinnace-dev/pinnace/"
	root   = "../.."
)

type source struct {
	pkg, file string
	imports   []string
	clock     string // position of a time.Now, where there is one
	goroutine string // position of a go statement, where there is one
}

func (s source) test() bool { return strings.HasSuffix(s.file, "_test.go") }

func TestHouse(t *testing.T) {
	sources := read(t)
	if len(sources) == 0 {
		t.Fatal("found no Go files")
	}
	for _, problem := range judge(sources) {
		t.Error(problem)
	}
}

// TestHouseCatches shows that the test above can fail, for each of its reasons.
func TestHouseCatches(t *testing.T) {
	for name, tc := range map[string]struct {
		in   source
		want string
	}{
		"no row":         {source{pkg: "internal/util", file: "internal/util/util.go"}, "internal/util has no row"},
		"internal":       {source{pkg: "internal/image", file: "a.go", imports: []string{module + "internal/cli"}}, "may not import internal/cli"},
		"third party":    {source{pkg: "internal/image", file: "a.go", imports: []string{"github.com/spf13/cobra"}}, "may not import github.com/spf13/cobra"},
		"prefix only":    {source{pkg: "internal/manifest", file: "a.go", imports: []string{kyaml + "x"}}, "may not import"},
		"impure":         {source{pkg: "internal/image", file: "a.go", imports: []string{"net/http"}}, "is pure and may not import net/http"},
		"without":        {source{pkg: "internal/reconcile", file: "a.go", imports: []string{"net/http"}}, "may not import net/http"},
		"clock":          {source{pkg: "internal/image", file: "a.go", clock: "a.go:1"}, "reads the clock"},
		"goroutine":      {source{pkg: "internal/image", file: "a.go", goroutine: "a.go:1"}, "starts a goroutine"},
		"test of a room": {source{pkg: "internal/image", file: "a_test.go", imports: []string{module + "internal/cli"}}, "may not import internal/cli"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(judge([]source{tc.in}), "\n")
			if !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want it to hold %q", got, tc.want)
			}
		})
	}
}

func judge(sources []source) []string {
	var problems []string
	seen := map[string]bool{}
	for _, s := range sources {
		i := slices.IndexFunc(rules, func(r rule) bool { return r.pkg == s.pkg })
		if i < 0 {
			if !seen[s.pkg] {
				problems = append(problems, fmt.Sprintf("%s has no row in rules.go: say what it may import before it enters the house", s.pkg))
			}
			seen[s.pkg] = true
			continue
		}
		seen[s.pkg] = true
		r := rules[i]
		for _, path := range s.imports {
			if msg := r.check(path, s.test()); msg != "" {
				problems = append(problems, fmt.Sprintf("%s: %s %s", s.file, s.pkg, msg))
			}
		}
		if r.pure && !s.test() {
			if s.clock != "" {
				problems = append(problems, fmt.Sprintf("%s: %s is pure and reads the clock", s.clock, s.pkg))
			}
			if s.goroutine != "" {
				problems = append(problems, fmt.Sprintf("%s: %s is pure and starts a goroutine", s.goroutine, s.pkg))
			}
		}
	}
	if len(sources) > 1 {
		for _, r := range rules {
			if !seen[r.pkg] {
				problems = append(problems, r.pkg+" has a row in rules.go and no package")
			}
		}
	}
	return problems
}

// check returns what is wrong with the import, or "".
func (r rule) check(path string, test bool) string {
	if inside, ok := strings.CutPrefix(path, module); ok {
		if inside == r.pkg || slices.Contains(r.internal, inside) || test && slices.Contains(r.tests, inside) {
			return ""
		}
		return "may not import " + inside
	}
	if !strings.Contains(strings.Split(path, "/")[0], ".") {
		if r.pure && !test && under(path, impure) && !slices.Contains(values, path) {
			return "is pure and may not import " + path
		}
		if under(path, r.without) && !test && !slices.Contains(values, path) {
			return "may not import " + path
		}
		return ""
	}
	if under(path, free) || under(path, r.third) || test && (under(path, anyTest) || under(path, r.tests)) {
		return ""
	}
	return "may not import " + path
}

func under(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") })
}

func read(t *testing.T) []source {
	t.Helper()
	sources, err := readOnce()
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

var readOnce = sync.OnceValues(func() ([]source, error) {
	var sources []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "testdata" || strings.HasPrefix(name, ".") && path != root {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		s, err := parse(path)
		if err != nil {
			return err
		}
		sources = append(sources, s)
		return nil
	})
	return sources, err
})

func parse(path string) (source, error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return source{}, err
	}
	file, err := filepath.Rel(root, path)
	if err != nil {
		return source{}, err
	}
	file = filepath.ToSlash(file)
	s := source{pkg: filepath.ToSlash(filepath.Dir(file)), file: file}
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return source{}, err
		}
		s.imports = append(s.imports, p)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			s.goroutine = set.Position(n.Pos()).String()
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && n.Sel.Name == "Now" {
				s.clock = set.Position(n.Pos()).String()
			}
		}
		return true
	})
	return s, nil
}
