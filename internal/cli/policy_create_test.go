package cli

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/scenario"
	"github.com/pinnace-dev/pinnace/policies"
)

// Whatever text a flag holds is what the written policy says.
func TestScalar(t *testing.T) {
	for _, text := range []string{
		"true", "no", "a", "0", "-", "it's", `"quoted"`, "a: b # c", "[x]", "{}", "*a", "&a", "!x", "%x", "@x", "`x`", "~", "null", "1.5", "x:", "- x", "? x", "| x", "> x",
		"\\n", "tab\there", "ü", "\u2028", "\x7f", "\ufeff", "two\nlines", "two\nlines\n", "two\nlines\n\n", "blank\n\nbetween", " led by a blank", "  block\n led by blanks", "ends with blank ", "lines end \nwith blanks ",
		"2026-11-18", "0x1F", "1e3", ".inf", "=", "<<", "a\r\nb", "---", "...", "x\n---\ny", "x\n...\ny", "#", "emoji 🚢",
	} {
		f := createFlags{name: "n", description: text, written: pflag.NewFlagSet("", pflag.ContinueOnError)}
		docs, problems := config.Split("p.yaml", f.yaml([]scenario.Pair{{App: "true", Env: "a b"}}))
		if problems.HasErrors() || len(docs) != 1 {
			t.Errorf("%q: %v\n%s", text, problems, f.yaml(nil))
			continue
		}
		set, found := policy.Load(scenario.Documents(docs), policy.World{Floor: true})
		if set == nil {
			t.Errorf("%q: %v", text, found)
			continue
		}
		p := set.Promotions[0]
		if p.Description != text || p.ApplyTo[0].App != "true" || p.ApplyTo[0].Env != "a b" {
			t.Errorf("wrote %q, got %q and %+v:\n%s", text, p.Description, p.ApplyTo, f.yaml(nil))
		}
	}
}

// Each policy of the library can be copied under another name, and its cases hold there.
func TestLibraryRenamed(t *testing.T) {
	for _, from := range libraryNames() {
		data, err := fs.ReadFile(policies.FS, from+".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if data, err = renamed(data, from, "other"); err != nil {
			t.Fatal(err)
		}
		cases, err := casesOf(from, "other")
		if err != nil {
			t.Fatal(err)
		}
		s, problems := scenario.Parse("other.txtar", cases)
		if len(problems) > 0 || !s.Own {
			t.Fatalf("%s: %v", from, problems)
		}
		docs, wrong := config.Split("other.yaml", data)
		if wrong.HasErrors() {
			t.Fatal(wrong)
		}
		set, problems := policy.Load(scenario.Documents(docs), s.World())
		if set == nil {
			t.Fatalf("%s: %v", from, problems)
		}
		for _, o := range scenario.Run(s, set) {
			if len(o.Failures)+len(o.Problems) > 0 {
				t.Errorf("%s: %s: %v %v", from, o.Case.Name, o.Failures, o.Problems)
			}
		}
	}
}

// Each policy of the library says when to use it.
func TestLibraryUse(t *testing.T) {
	l, err := library()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range l.Policies {
		if !strings.HasPrefix(p.Use, "Use it when ") || p.Kind == "" || p.Description == "" {
			t.Errorf("%+v", p)
		}
	}
	if len(l.Policies) < 12 {
		t.Errorf("%d policies", len(l.Policies))
	}
}
