package policy

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// shopWorld is the repository of the specification's example.
func shopWorld() World {
	return World{
		Environments: []Env{
			{Name: "dev", Paths: []string{"envs/dev/**"}},
			{Name: "staging", Paths: []string{"envs/staging/**"}, After: []string{"dev"}},
			{Name: "prod", Production: true, Paths: []string{"envs/prod/**"}, After: []string{"staging"}},
		},
		Apps: []App{
			{Name: "shop", Images: []string{"ghcr.io/acme/shop", "ghcr.io/acme/shop-worker"}, Source: "acme/shop"},
			{Name: "nginx", Images: []string{"docker.io/library/nginx"}},
		},
	}
}

// documents parts a file at its markers, as internal/config does.
func documents(file string, data []byte) []Document {
	var docs []Document
	line := 1
	for _, part := range strings.SplitAfter(string(data), "\n---\n") {
		text := strings.TrimSuffix(part, "---\n")
		docs = append(docs, Document{File: file, Line: line, Data: []byte(text)})
		line += strings.Count(part, "\n")
	}
	return docs
}

// mustLoad loads documents that have no error.
func mustLoad(t testing.TB, w World, text string) *Set {
	t.Helper()
	s, ps := Load(documents("p.yaml", []byte(text)), w)
	if ps.HasErrors() {
		t.Fatalf("problems:\n%s", ps.Error())
	}
	return s
}

// TestGolden reads testdata/*.txtar. Each name.yaml of an archive is loaded by itself, and
// name.problems is what that finds.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("golden files: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			var out []txtar.File
			for _, f := range ar.Files {
				if strings.HasSuffix(f.Name, ".problems") {
					want[f.Name] = string(f.Data)
				}
			}
			for _, f := range ar.Files {
				name, ok := strings.CutSuffix(f.Name, ".yaml")
				if !ok {
					continue
				}
				s, ps := Load(documents(f.Name, f.Data), shopWorld())
				var b strings.Builder
				for _, p := range ps {
					if p.Snippet != "" { // the words are those of another package
						key, _, _ := strings.Cut(p.Message, ": ")
						p.Message = key + ":"
						fmt.Fprintf(&b, "%s\n%s\n", p, p.Snippet)
						continue
					}
					fmt.Fprintln(&b, p)
				}
				if s != nil {
					fmt.Fprintln(&b, "loaded")
				}
				got := b.String()
				out = append(out, f, txtar.File{Name: name + ".problems", Data: []byte(got)})
				if diff := cmp.Diff(got, want[name+".problems"]); diff != "" && !*update {
					t.Errorf("%s (-got +want):\n%s", f.Name, diff)
				}
			}
			if *update {
				ar.Files = out
				if err := os.WriteFile(file, txtar.Format(ar), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
