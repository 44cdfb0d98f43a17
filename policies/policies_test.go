package policies

import (
	"path"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/scenario"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Every policy of the library loads without a warning in the default world and in the
// organisation's, its comment says when to use it and what to change, and all its cases hold.
func TestLibrary(t *testing.T) {
	entries, err := FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[promotion.Status]int{}
	var all []policy.Document
	n := 0
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".yaml")
		if !ok {
			continue
		}
		n++
		t.Run(name, func(t *testing.T) {
			text := file(t, name+".yaml")
			all = append(all, policy.Document{File: e.Name(), Line: 1, Data: []byte(text)})
			for _, words := range []string{"# Use it when ", "\n# Change: "} {
				if !strings.Contains(text, words) {
					t.Errorf("the comment has no %q", words)
				}
			}
			load(t, name, text, policy.World{Floor: true})
			load(t, name, text, scenario.Suite{Config: scenario.Default()}.World())
			suite, problems := scenario.Parse(name+".txtar", []byte(file(t, name+".txtar")))
			for _, p := range problems {
				t.Error(p)
			}
			if suite.Description == "" || len(suite.Cases) < 4 || len(suite.Cases) > 8 {
				t.Errorf("%d cases, described as %q", len(suite.Cases), suite.Description)
			}
			own := map[promotion.Status]int{}
			for _, o := range scenario.Run(suite, load(t, name, text, suite.World())) {
				for _, p := range o.Problems {
					t.Error(p)
				}
				for _, f := range o.Failures {
					t.Errorf("%s: %s\n%s", o.Case.Name, f, scenario.Explanation(o.Decision))
				}
				own[o.Decision.Status]++
				seen[o.Decision.Status]++
			}
			if own[promotion.Passed] == 0 || len(own) < 2 {
				t.Errorf("the cases show %v only", own)
			}
		})
	}
	if _, problems := policy.Load(all, scenario.Suite{Config: scenario.Default()}.World()); n < 12 || len(problems) > 0 {
		t.Errorf("%d policies, all together: %v", n, problems)
	}
	for _, s := range []promotion.Status{promotion.Passed, promotion.Waiting, promotion.Denied, promotion.Unknown} {
		if seen[s] == 0 {
			t.Errorf("no case comes to %s", s)
		}
	}
}

func file(t *testing.T, name string) string {
	t.Helper()
	data, err := FS.ReadFile(path.Clean(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// load reads a policy, whose name is that of its file.
func load(t *testing.T, name, text string, w policy.World) *policy.Set {
	t.Helper()
	d := policy.Document{File: name + ".yaml", Line: 1, Data: []byte(text)}
	set, problems := policy.Load([]policy.Document{d}, w)
	for _, p := range problems {
		t.Errorf("%s\n%s", p, p.Snippet)
	}
	if set == nil {
		t.FailNow()
	}
	if !strings.Contains(text, "\nname: "+name+"\n") && !strings.Contains(text, "kind: Freeze") {
		t.Errorf("the policy in %s.yaml has another name", name)
	}
	return set
}
