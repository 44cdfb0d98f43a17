package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pinnace-dev/pinnace/internal/image"
	"golang.org/x/tools/txtar"
)

// seed adds the documents of the golden files.
func seed(f *testing.F) {
	f.Add(Example())
	f.Add([]byte("\xff\xfea\x00:\x00 \x00b\x00"))
	f.Add([]byte("a: &a {b: *a}"))
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, a := range ar.Files {
			if strings.HasSuffix(a.Name, ".yaml") {
				f.Add(a.Data)
			}
		}
	}
}

// check holds problems to their contract: a place, one line, text that can be shown.
func check(t *testing.T, ps Problems) {
	t.Helper()
	for _, p := range ps {
		if p.File != "f.yaml" || p.Line < 1 || p.Column < 1 || p.Message == "" {
			t.Errorf("problem without place: %+v", p)
		}
		if !utf8.ValidString(p.Message) || strings.ContainsAny(p.Message, "\n\r\x1b") {
			t.Errorf("problem cannot be shown: %q", p.Message)
		}
		for _, never := range []string{"is not valid", "cannot be read: ", "cannot be validated"} {
			if strings.Contains(p.Message, never) && !strings.Contains(p.Message, "not valid YAML") {
				t.Errorf("nobody explained: %s", p)
			}
		}
	}
	if !slices.IsSortedFunc(ps, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	}) {
		t.Errorf("problems are not in order: %v", ps)
	}
}

func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, ps := Parse("f.yaml", data)
		check(t, ps)
		if (c == nil) != ps.HasErrors() {
			t.Fatalf("config %v with problems %v", c, ps)
		}
		if c != nil {
			invariants(t, c)
		}
	})
}

// invariants are what every Config that was parsed holds.
func invariants(t *testing.T, c *Config) {
	t.Helper()
	names := map[string]bool{}
	for _, e := range c.Environments {
		if checkEnvironment(e.Name) != nil || names[e.Name] || len(e.Paths) == 0 || e.Promote == "" || e.Deploy == "" || e.OnNewer == "" || e.Soak < 0 {
			t.Errorf("environment %+v", e)
		}
		names[e.Name] = true
	}
	// Environments leave once all before them have left; with a circle some never do.
	left := map[string]bool{}
	for range c.Environments {
		for _, e := range c.Environments {
			ready := true
			for _, s := range slices.Concat(e.After, e.AfterAny) {
				if !names[s] {
					t.Errorf("%s comes after %q, which is not there", e.Name, s)
				}
				ready = ready && left[s]
			}
			left[e.Name] = left[e.Name] || ready
		}
	}
	for _, e := range c.Environments {
		if !left[e.Name] {
			t.Errorf("environment %s is in a circle", e.Name)
		}
		if len(e.After) > 0 && len(e.AfterAny) > 0 {
			t.Errorf("environment %s has after and afterAny", e.Name)
		}
	}
	apps, owner := map[string]bool{}, map[string]bool{}
	for _, a := range c.Apps {
		if apps[a.Name] || a.Name == "" {
			t.Errorf("app %q", a.Name)
		}
		apps[a.Name] = true
		for _, name := range a.Images {
			ref, err := image.Parse(name)
			if err != nil || owner[ref.Repository()] {
				t.Errorf("image %q of %s: %v", name, a.Name, err)
			}
			owner[ref.Repository()] = true
		}
	}
	if c.Mode == "" || c.Merge.Method == "" || c.Roles.Admin.Permission == "" || c.Pin.Platform == "" || c.Branches == nil {
		t.Errorf("defaults are missing: %+v", c)
	}
	ref := image.Ref{Name: "ghcr.io/acme/shop", Tag: "1"}
	c.Ignored(ref)
	c.Excluded("a/b.yaml")
	c.EnvironmentsOf("a/b.yaml")
	c.AppOf("dev", "a/b.yaml", ref)
	c.RolesOf("dev", "shop")
	c.Unmatched([]string{"a/b.yaml"})
	c.Overlaps([]string{"a/b.yaml"})
}
