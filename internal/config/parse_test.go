package config

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinnace-dev/pinnace/internal/document"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden reads testdata/*.txtar. Each name.yaml of an archive is parsed, and
// name.problems is what that finds; in split_*.txtar each is split instead.
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
				got := golden(file, f)
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

func golden(archive string, f txtar.File) string {
	var b strings.Builder
	if strings.HasPrefix(filepath.Base(archive), "split") {
		docs, ps := Split(f.Name, f.Data)
		for _, p := range ps {
			b.WriteString(p.Error() + "\n")
		}
		for _, d := range docs {
			line, column := d.Locate("/kind")
			b.WriteString(d.APIVersion + " " + d.Kind + " from line " + strconv.Itoa(d.Line) + ", kind at " + strconv.Itoa(line) + ":" + strconv.Itoa(column) + "\n")
		}
		return b.String()
	}
	c, ps := Parse(f.Name, f.Data)
	for _, p := range ps {
		b.WriteString(p.Error() + "\n")
	}
	if c != nil {
		b.WriteString("parsed\n")
	}
	return b.String()
}

// TestExample parses the example of the documentation, which is that of the
// specification with every key in use.
func TestExample(t *testing.T) {
	c, ps := Parse("config.yaml", Example())
	if len(ps) > 0 {
		t.Fatalf("problems:\n%s", ps.Error())
	}
	prod, ok := c.Environment("prod")
	if !ok {
		t.Fatal("no prod")
	}
	want := Environment{
		Name: "prod", Production: true, Paths: []string{"envs/prod/**"}, Includes: []string{},
		After: []string{"staging"}, AfterAny: []string{}, Promote: PromoteManual, Gates: []Gate{}, Track: []Track{},
		Deploy: DeployCommand, OnNewer: NewerQueue,
	}
	if diff := cmp.Diff(prod, want); diff != "" {
		t.Errorf("prod (-got +want):\n%s", diff)
	}
	staging, _ := c.Environment("staging")
	if staging.Soak.String() != "1h0m0s" || staging.Deploy != DeployButton {
		t.Errorf("staging: got soak %s, deploy %s", staging.Soak, staging.Deploy)
	}
	if diff := cmp.Diff(c.Roles.Promoter, Role{PermissionWrite, []string{"acme/release"}, []User{{Login: "carol", ID: 583231}}}); diff != "" {
		t.Errorf("promoter (-got +want):\n%s", diff)
	}
	if line, column := c.Locate("/environments/1/after/0"); line != 14 || column != 13 {
		t.Errorf("after: got %d:%d, want 14:13", line, column)
	}
	if m, ok := c.MirrorOf("ghcr.io"); !ok || m != "mirror.acme.example/ghcr" {
		t.Errorf("mirror: got %q, %v", m, ok)
	}
	if m, ok := c.MirrorOf("quay.io"); ok {
		t.Errorf("mirror of quay.io: got %q, want none", m)
	}
}

func TestDefault(t *testing.T) {
	c := Default()
	empty := []User{}
	write := Role{PermissionWrite, []string{}, empty}
	want := &Config{
		APIVersion: APIVersion, Kind: KindConfig, Mode: ModeAct, Branches: []string{}, Environments: []Environment{}, Apps: []App{},
		Roles:           Roles{write, write, write, Role{PermissionAdmin, []string{}, empty}, []Override{}},
		ServiceAccounts: empty, Guard: Guard{ApproverCount: 1},
		Pin:   Pin{Style: StyleTagAndDigest, Platform: PlatformIndex, Exclude: []string{}, Ignore: []string{}, Extra: []Extra{}},
		Merge: Merge{MergeSquash}, Notify: []Notification{}, RegistryMap: map[string]string{},
	}
	if diff := cmp.Diff(c, want, cmp.AllowUnexported(Config{}, document.Mark{})); diff != "" {
		t.Errorf("Default (-got +want):\n%s", diff)
	}
	if other := Default(); &other.RegistryMap == &c.RegistryMap {
		t.Error("two defaults share a map")
	}
	c.RegistryMap["a"] = "b"
	c.Branches = append(c.Branches, "x")
	if len(Default().RegistryMap) > 0 {
		t.Error("a change of one Default shows in the next")
	}
	for _, text := range []string{"", "# a comment\n", "---\n", "\ufeff", "---\n---\n"} {
		got, ps := Parse("config.yaml", []byte(text))
		if ps.HasErrors() || len(ps) != 1 || got == nil || got.Mode != ModeAct {
			t.Errorf("Parse(%q) = %v, %v, want the defaults and a warning", text, got, ps)
		}
	}
}

// TestLimits holds Parse to what it may read at most, and to be quick about it.
func TestLimits(t *testing.T) {
	const header = "apiVersion: pinnace.dev/v1alpha1\nkind: Config\n"
	bomb := header + "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 9) + "*" + string(c-1) + "]\n"
	}
	var many strings.Builder
	for i := range 7_000 {
		many.WriteString("  - {name: " + strings.Repeat("e", 40) + strconv.Itoa(i) + ", paths: [a], after: [" + strings.Repeat("f", 40) + strconv.Itoa(i) + "]}\n")
	}
	for name, tc := range map[string]struct{ in, want string }{
		"too big":      {header + "#" + strings.Repeat("x", document.MaxBytes), "more than 1 MiB"},
		"bomb":         {bomb, "more than 50000 values"},
		"circle":       {header + "notify: &a [*a]\n", "nested more than 20 deep"},
		"deep":         {header + "notify: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000), "nested more than 20 deep"},
		"deeper":       {header + "notify: " + strings.Repeat("[", 500_000), "not valid YAML"},
		"many values":  {header + "branches: [" + strings.Repeat("a,", 60_000) + "]\n", "more than 50000 values"},
		"many names":   {header + "environments:\n" + many.String(), "unknown environment"},
		"many unknown": {header + strings.Repeat("x", 20) + ": 1\n" + numbered("key", 30_000), "more problems: mend those above first"},
		"long key":     {header + strings.Repeat("k", 200) + ": 1\n", "more than 128 bytes"},
		"braces":       {header + "pin: {exclude: [\"" + strings.Repeat("{a,b}", 20) + "\"]}\n", "more than 64 globs"},
		"long glob":    {header + "pin: {exclude: [\"" + strings.Repeat("a", 600) + "\"]}\n", "more than 512 bytes"},
		"constraint":   {header + "environments: [{name: a, paths: [a], track: [{images: [a], semver: \"" + strings.Repeat("1", 300) + "\"}]}]\n", "more than 256 bytes"},
		"pattern":      {header + "environments: [{name: a, paths: [a], track: [{images: [a], order: numeric, pattern: \"" + strings.Repeat("a", 600) + "\"}]}]\n", "more than 512 bytes"},
		"repetitions":  {header + "environments: [{name: a, paths: [a], track: [{images: [a], order: numeric, pattern: \"" + strings.Repeat("[a-z]{1000}", 40) + "\"}]}]\n", "stand for too much"},
	} {
		t.Run(name, func(t *testing.T) {
			c, ps := Parse("config.yaml", []byte(tc.in))
			if c != nil || !ps.HasErrors() || !strings.Contains(ps.Error(), tc.want) {
				t.Errorf("got %v\n%.300s\nwant %q", c, ps.Error(), tc.want)
			}
			if len(ps) > document.MaxProblems+1 {
				t.Errorf("got %d problems", len(ps))
			}
		})
	}
}

func numbered(stem string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(stem + strconv.Itoa(i) + ": 1\n")
	}
	return b.String()
}

// TestAliases shows that plain anchors work.
func TestAliases(t *testing.T) {
	c, ps := Parse("config.yaml", []byte(`apiVersion: pinnace.dev/v1alpha1
kind: Config
roles:
  requester: &team {teams: [acme/dev]}
  deployer: *team
`))
	if len(ps) > 0 {
		t.Fatal(ps.Error())
	}
	if diff := cmp.Diff(c.Roles.Deployer, c.Roles.Requester); diff != "" || c.Roles.Deployer.Teams[0] != "acme/dev" {
		t.Errorf("deployer (-got +want):\n%s", diff)
	}
}
