package git

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Log agrees with git log.
func TestLog(t *testing.T) {
	g := newRig(t)
	g.commit("main", map[string]string{"apps/a/x.yaml": "1\n", "apps/b/x.yaml": "1\n"})
	g.commit("main", map[string]string{"apps/a/x.yaml": "2\n"})
	g.git(g.work, "checkout", "-q", "-b", "side")
	g.commit("side", map[string]string{"apps/b/x.yaml": "2\n"})
	g.git(g.work, "checkout", "-q", "main")
	g.commit("main", map[string]string{"README": "r\n"})
	g.git(g.work, "merge", "-q", "--no-ff", "-m", "merge", "side")
	tip := g.commit("main", map[string]string{"apps/a/x.yaml": "3\n", "apps/c": "new\n"})
	r := openTestMirror(t, filepath.Join(t.TempDir(), "m"))
	mustFetch(t, r, g.remote(), 0, "heads/main")

	list := func(o LogOptions) ([]string, error) {
		var out []string
		var last error
		for c, err := range r.Log(context.Background(), tip, o) {
			if last = err; err == nil {
				out = append(out, c.Hash.String())
			}
		}
		return out, last
	}
	for name, c := range map[string]struct {
		args string
		o    LogOptions
	}{
		"all":                  {"", LogOptions{}},
		"first parent":         {"--first-parent", LogOptions{FirstParent: true}},
		"limit":                {"-n 2", LogOptions{Limit: 2}},
		"directory":            {"--first-parent -- apps/a", LogOptions{FirstParent: true, Paths: []string{"apps/a/"}}},
		"file":                 {"--first-parent -- apps/a/x.yaml", LogOptions{FirstParent: true, Paths: []string{"apps/a/x.yaml"}}},
		"brought by a merge":   {"--first-parent -m -- apps/b/x.yaml", LogOptions{FirstParent: true, Paths: []string{"apps/b/x.yaml"}}},
		"two paths":            {"--first-parent -- README apps/c", LogOptions{FirstParent: true, Paths: []string{"README", "apps/c"}}},
		"what never was":       {"--first-parent -- none/at/all", LogOptions{FirstParent: true, Paths: []string{"none/at/all"}}},
		"a directory's file":   {"--first-parent -- apps/c/below", LogOptions{FirstParent: true, Paths: []string{"apps/c/below"}}},
		"until, first parents": {"--first-parent HEAD~3..HEAD", LogOptions{FirstParent: true, Until: g.at("HEAD~3")}},
	} {
		want := strings.Fields(g.git(g.work, append([]string{"log", "--format=%H"}, strings.Fields(c.args)...)...))
		got, err := list(c.o)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	if _, err := list(LogOptions{Paths: []string{"../x"}}); err == nil {
		t.Error("a path outside was taken")
	}
	third, err := r.ReadCommit(g.at("HEAD~2"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := list(LogOptions{FirstParent: true, Since: third.Committer.When}); len(got) != 3 || err != nil {
		t.Errorf("since: %v %v", got, err)
	}

	shallow := NewMemory(Limits{})
	mustFetch(t, shallow, g.remote(), 2, "heads/main")
	r = shallow
	if got, err := list(LogOptions{FirstParent: true}); len(got) != 2 || !errors.Is(err, ErrShallow) {
		t.Errorf("shallow: %v %v", got, err)
	}
	if got, err := list(LogOptions{FirstParent: true, Paths: []string{"apps/a"}}); len(got) != 1 || !errors.Is(err, ErrShallow) {
		t.Errorf("shallow with paths: %v %v", got, err)
	}
	if got, err := list(LogOptions{Limit: 2, FirstParent: true}); len(got) != 2 || err != nil {
		t.Errorf("shallow with a limit: %v %v", got, err)
	}
}

func TestCommit(t *testing.T) {
	r := NewMemory(Limits{})
	tree := raw(t, r, Hash{}, "100644 a")
	zone := time.FixedZone("", -5400)
	c := Commit{
		Tree: tree, Parents: []Hash{{1}, {2}}, Message: "subject\n\nbody\n\nTrailer: x",
		Author: Signature{"Zoë <3", "a@b", time.Unix(1700000000, 0)}, Committer: someone,
	}
	if _, err := r.Commit(c); err == nil {
		t.Error("a name with < was taken")
	}
	c.Author = Signature{"Zoë", "a@b", time.Unix(1700000000, 0).In(zone)}
	h, err := r.Commit(c)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.ReadCommit(h)
	if err != nil {
		t.Fatal(err)
	}
	want := CommitInfo{Hash: h, Tree: tree, Parents: c.Parents, Author: c.Author, Committer: c.Committer, Message: c.Message + "\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if z := got.Author.When.Format("-0700"); z != "-0130" {
		t.Errorf("zone %s", z)
	}
	for name, spoil := range map[string]func(*Commit){
		"newline in name":  func(c *Commit) { c.Author.Name = "a\nparent x" },
		"NUL in name":      func(c *Commit) { c.Committer.Name = "a\x00" },
		"empty name":       func(c *Commit) { c.Author.Name = " " },
		"newline in email": func(c *Commit) { c.Author.Email = "a\n" },
		"email with >":     func(c *Commit) { c.Author.Email = "a>" },
		"no time":          func(c *Commit) { c.Author.When = time.Time{} },
		"NUL in message":   func(c *Commit) { c.Message = "a\x00b" },
		"no message":       func(c *Commit) { c.Message = " \n" },
		"no tree":          func(c *Commit) { c.Tree = Hash{9} },
		"commit as tree":   func(c *Commit) { c.Tree = h },
		"zero parent":      func(c *Commit) { c.Parents = []Hash{{}} },
	} {
		bad := c
		spoil(&bad)
		if _, err := r.Commit(bad); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestParseCommit(t *testing.T) {
	id := strings.Repeat("1", 40)
	ok := "tree " + id + "\nauthor A <a@b> 1 +0000\ncommitter C <c@d> 2 +0000\n"
	for text, want := range map[string]CommitInfo{
		ok + "\nm\n": {Message: "m\n"},
		ok + "gpgsig -----BEGIN\n line\n\n-----END\nencoding x\n\nm": {Signed: true, Message: "-----END\nencoding x\n\nm"},
		ok + "mergetag object x\n type\ngpgsig x\n y\n\nm":           {Signed: true, Message: "m"},
		ok: {},
	} {
		got, err := parseCommit([]byte(text))
		if err != nil || got.Signed != want.Signed || got.Message != want.Message || got.Author.Email != "a@b" || got.Committer.When.Unix() != 2 {
			t.Errorf("%q: %+v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "tree x\n", "tree " + id, "tree " + id + "\n", "parent " + id + "\n", "tree " + id + "\nparent x\n", "tree " + id + "\nauthor A <a> 1 +0\n"} {
		if _, err := parseCommit([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
	for line, want := range map[string]Signature{
		"A <a@b> x +0000":                {Name: "A", Email: "a@b"},
		"no mail":                        {Name: "no mail"},
		"A <a@b> 99999999999999999 +000": {Name: "A", Email: "a@b"},
		"<> 1":                           {When: time.Unix(1, 0).UTC()},
	} {
		if diff := cmp.Diff(want, parseSignature(line)); diff != "" {
			t.Errorf("%q: %s", line, diff)
		}
	}
}
