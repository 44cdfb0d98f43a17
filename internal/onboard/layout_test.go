package onboard

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// scanned returns the files of a corpus in which anything is found, and whether there is one
// at a path.
func scanned(files map[string]string) ([]plan.File, func(string) bool) {
	var out []plan.File
	for name, text := range files {
		r := manifest.Scan([]byte(text), manifest.FormatOf(name))
		if r.Problem != nil || len(r.Findings)+len(r.Local)+len(r.Sources) > 0 {
			out = append(out, plan.File{Path: name, Result: r})
		}
	}
	slices.SortFunc(out, func(a, b plan.File) int { return strings.Compare(a.Path, b.Path) })
	return out, func(path string) bool { _, ok := files[path]; return ok }
}

// TestLayouts shows what is made of the layouts that people use: each archive holds a
// repository, and in want what is written and told of it.
func TestLayouts(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) < 10 {
		t.Fatalf("%d archives: %v", len(archives), err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files, want := map[string]string{}, map[string]string{}
			for _, f := range archive.Files {
				if is, ok := strings.CutPrefix(f.Name, "want/"); ok {
					want[is] = string(f.Data)
					continue
				}
				files[f.Name] = string(f.Data)
			}
			found, exists := scanned(files)
			got := map[string]string{}
			if HasManifest(found) {
				text := Detect(found, exists).File(0)
				c, problems := config.Parse(".pinnace/config.yaml", text)
				if len(problems) > 0 {
					t.Fatalf("%s\n%s", problems.Error(), text)
				}
				var paths []string
				for _, f := range found {
					paths = append(paths, f.Path)
				}
				if problems := c.Overlaps(paths); len(problems) > 0 {
					t.Errorf("%s", problems.Error())
				}
				o := Describe(c, "main", found, exists)
				o.Repository, o.File = "acme/config", ".pinnace/config.yaml"
				_, rest, _ := strings.Cut(string(text), "\nmode: act")
				rest, _, _ = strings.Cut("mode: act"+rest, "# Who may do what;")
				body, _, _ := strings.Cut(o.Body(), "\nBesides, ")
				_, body, _ = strings.Cut(body, "\n\n")
				got["config.yaml"], got["body.md"] = rest, body
			}
			if *update {
				archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want/") })
				for _, n := range []string{"config.yaml", "body.md"} {
					if got[n] != "" {
						archive.Files = append(archive.Files, txtar.File{Name: "want/" + n, Data: []byte(got[n])})
					}
				}
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzDetect: whatever files are called, what is detected can be written, and no file is of two
// environments.
func FuzzDetect(f *testing.F) {
	f.Add("envs/dev/a.yaml", "envs/prod/a.yaml", "x/dev/prod/a.yaml", "ghcr.io/acme/shop:1")
	f.Add("a-dev.yaml", "a-prod.yaml", "prod/a-dev.yaml", "nginx")
	f.Add("envs/**/a.yaml", "envs/{a,b}/a.yaml", "envs/!x/a.yaml", "a@b")
	f.Add("dev/../envs/x.yaml", "/dev/x.yaml", "dev//x.yaml", "")
	f.Fuzz(func(t *testing.T, a, b, c, img string) {
		files := map[string]string{}
		for i, name := range []string{a, b, c} {
			files[name] = "image: " + img + "\n"
			if i == 2 {
				files[name] = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [" + a + "]\n"
			}
		}
		found, exists := scanned(files)
		text := Detect(found, exists).File(1)
		parsed, problems := config.Parse("config.yaml", text)
		if len(problems) > 0 {
			t.Fatalf("%s\n%s", text, problems.Error())
		}
		if problems := parsed.Overlaps([]string{a, b, c}); len(problems) > 0 && len(found) == 3 {
			t.Errorf("%s\n%s", text, problems.Error())
		}
		if Describe(parsed, "main", found, exists).Body() == "" {
			t.Error("nothing is said")
		}
	})
}
