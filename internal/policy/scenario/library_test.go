package scenario

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/policies"
)

// load loads the documents of one file for a suite.
func load(t *testing.T, s Suite, file string, data []byte) *policy.Set {
	t.Helper()
	docs, problems := config.Split(file, data)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	var all []policy.Document
	for _, d := range docs {
		all = append(all, policy.Document{File: d.File, Line: d.Line, Kind: d.Kind, Data: d.Data})
	}
	set, found := policy.Load(all, s.World())
	if found.HasErrors() {
		t.Fatal(found)
	}
	return set
}

// Each policy of the library does what its cases say.
func TestLibrary(t *testing.T) {
	files, err := fs.Glob(policies.FS, "*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(file, ".txtar"), func(t *testing.T) {
			data, err := policies.FS.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, problems := Parse(file, data)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			document := strings.TrimSuffix(file, ".txtar") + ".yaml"
			data, err = policies.FS.ReadFile(document)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range Run(s, load(t, s, document, data)) {
				if len(o.Problems)+len(o.Failures) > 0 {
					t.Errorf("%s: %s%s\n%s", o.Case.Name, strings.Join(o.Failures, "; "), o.Problems.Error(), Explanation(o.Decision))
				}
			}
		})
	}
}
