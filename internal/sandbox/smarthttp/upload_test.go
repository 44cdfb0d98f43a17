package smarthttp

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClone(t *testing.T) {
	versions(t, func(t *testing.T, r *rig) {
		g := r.git
		work := g.init()
		g.commit(work, "apps/web/deployment.yaml", "image: web:1\n")
		g.ok(work, "tag", "-a", "-m", "one", "v1")
		g.ok(work, "push", "-q", r.url, "main", "v1")
		clone := g.dir()
		g.ok("", "clone", "-q", r.url, clone)
		g.sound(clone)
		if diff := cmp.Diff(g.objects(work), g.objects(clone)); diff != "" {
			t.Error(diff)
		}
		if got := g.ok(clone, "symbolic-ref", "HEAD"); got != "refs/heads/main" {
			t.Errorf("HEAD is %s", got)
		}
		if got, want := g.ok(clone, "rev-parse", "v1"), g.ok(work, "rev-parse", "v1"); got != want {
			t.Errorf("v1 is %s, want %s", got, want)
		}
	})
}

func TestCloneEmpty(t *testing.T) {
	versions(t, func(t *testing.T, r *rig) {
		r.change(func(repo *Repository) { repo.Head = "refs/heads/trunk" })
		clone := r.git.dir()
		out := r.git.ok("", "clone", r.url, clone)
		if !strings.Contains(out, "You appear to have cloned an empty repository") {
			t.Errorf("no warning in %q", out)
		}
		r.git.commit(clone, "a", "a\n")
		r.git.ok(clone, "push", "-q", "origin", "HEAD:refs/heads/trunk")
		if got, want := r.ref("refs/heads/trunk"), r.git.ok(clone, "rev-parse", "HEAD"); got != want {
			t.Errorf("trunk is %q, want %s", got, want)
		}
	})
}

func TestShallow(t *testing.T) {
	versions(t, func(t *testing.T, r *rig) {
		g := r.git
		work := g.init()
		for i := range 9 {
			g.commit(work, "file", fmt.Sprintf("%d\n", i))
		}
		g.ok(work, "push", "-q", r.url, "main")

		clone := g.dir()
		g.ok("", "clone", "-q", "--depth=1", r.url, clone)
		history := func() string { return g.ok(clone, "rev-list", "--count", "HEAD") }
		step := func(want string) {
			t.Helper()
			g.sound(clone)
			if got := history(); got != want {
				t.Errorf("%s commits, want %s", got, want)
			}
		}
		step("1")
		if n := len(g.stored(clone)); n != 4 { // commit, tree, README.md, file
			t.Errorf("%d objects in a clone of depth 1, want 4", n)
		}

		g.commit(work, "file", "moved on\n")
		g.ok(work, "push", "-q", r.url, "main")
		g.ok(clone, "pull", "-q", "--ff-only")
		step("2")
		if n := len(g.stored(clone)); n != 7 { // commit, tree, file
			t.Errorf("%d objects after the fetch, want 7", n)
		}

		g.ok(clone, "fetch", "-q", "--deepen=2")
		step("4")
		g.ok(clone, "fetch", "-q", "--depth=3")
		step("3")
		g.ok(clone, "fetch", "-q", "--depth=6")
		step("6")
		g.ok(clone, "fetch", "-q", "--unshallow")
		step("11")
		if _, err := os.Stat(filepath.Join(clone, ".git", "shallow")); err == nil {
			t.Error("the clone is still shallow")
		}
		if diff := cmp.Diff(g.objects(work), g.objects(clone)); diff != "" {
			t.Error(diff)
		}
	})
}

// A file that comes back from before the boundary is sent, since the client lacks it.
func TestShallowRevert(t *testing.T) {
	versions(t, func(t *testing.T, r *rig) {
		g := r.git
		work := g.init()
		g.commit(work, "file", "old\n")
		g.commit(work, "file", "new\n")
		g.ok(work, "push", "-q", r.url, "main")
		clone := g.dir()
		g.ok("", "clone", "-q", "--depth=1", r.url, clone)
		g.commit(work, "file", "old\n")
		g.ok(work, "push", "-q", r.url, "main")
		g.ok(clone, "pull", "-q", "--ff-only")
		g.sound(clone)
	})
}

func TestShallowSince(t *testing.T) {
	versions(t, func(t *testing.T, r *rig) {
		g := r.git
		work := g.init()
		for i := range 4 {
			g.commit(work, "file", fmt.Sprintf("%d\n", i))
		}
		g.ok(work, "tag", "before", "HEAD~2")
		since := g.ok(work, "log", "-1", "--format=%ct", "HEAD~1")
		g.ok(work, "push", "-q", r.url, "main", "before")
		for _, arg := range []string{"--shallow-since=" + since, "--shallow-exclude=before"} {
			clone := g.dir()
			g.ok("", "clone", "-q", arg, r.url, clone)
			g.sound(clone)
			if got := g.ok(clone, "rev-list", "--count", "HEAD"); got != "2" {
				t.Errorf("%s: %s commits, want 2", arg, got)
			}
		}
		g.run("", "no commits selected for shallow requests", "clone", "-q", "--shallow-since=2100-01-01", r.url, g.dir())
		g.run("", "deepen-not is not a ref", "clone", "-q", "--shallow-exclude=none", r.url, g.dir())
	})
}

func TestFetchPullRequest(t *testing.T) {
	versions(t, func(t *testing.T, r *rig) {
		g := r.git
		work := g.init()
		g.ok(work, "push", "-q", r.url, "main")
		head := g.commit(work, "change", "x\n")
		g.ok(work, "push", "-q", r.url, "HEAD:refs/heads/topic")
		r.set("refs/pull/1/head", head)
		r.set("refs/heads/topic", "")

		clone := g.dir()
		g.ok("", "clone", "-q", r.url, clone)
		if slices.Contains(g.stored(clone), head) {
			t.Fatal("a clone has the head of the pull request")
		}
		g.ok(clone, "fetch", "-q", "origin", "refs/pull/1/head")
		if got := g.ok(clone, "rev-parse", "FETCH_HEAD"); got != head {
			t.Errorf("fetched %s, want %s", got, head)
		}
		g.run(clone, "deny updating a hidden ref", "push", "-f", "origin", "HEAD:refs/pull/1/head")
		g.run(clone, "deny deleting a hidden ref", "push", "-f", "origin", ":refs/pull/1/head")
	})
}

func TestFetchBySHA(t *testing.T) {
	versions(t, func(t *testing.T, r *rig) {
		g := r.git
		work := g.init()
		old := g.ok(work, "rev-parse", "HEAD")
		g.commit(work, "a", "a\n")
		gone := g.commit(work, "b", "b\n")
		g.ok(work, "push", "-q", r.url, "main")
		g.ok(work, "reset", "-q", "--hard", "HEAD~1")
		g.ok(work, "push", "-q", "-f", r.url, "main")

		clone := g.dir()
		g.ok("", "init", "-q", clone)
		g.ok(clone, "remote", "add", "origin", r.url)
		g.ok(clone, "fetch", "-q", "--depth=1", "origin", old)
		g.sound(clone)
		g.ok(clone, "fetch", "-q", "origin", gone)
		g.sound(clone)
		absent := strings.Repeat("ab", 20)
		g.run(clone, "not our ref "+absent, "fetch", "-q", "origin", absent)

		r.change(func(repo *Repository) { repo.AllowAnySHA1InWant = false })
		other := g.dir()
		g.ok("", "init", "-q", other)
		g.ok(other, "remote", "add", "origin", r.url)
		g.run(other, gone, "fetch", "-q", "origin", gone)
	})
}

func TestIncrementalFetch(t *testing.T) {
	versions(t, func(t *testing.T, r *rig) {
		g := r.git
		work := long(g, 300)
		g.ok(work, "push", "-q", r.url, "main")
		clone := g.dir()
		g.ok("", "clone", "-q", r.url, clone)
		// History on both sides, so that there is something to negotiate.
		var in strings.Builder
		for i := range 100 {
			fmt.Fprintf(&in, "commit refs/heads/mine\ncommitter Ada <ada@example.com> %d +0000\ndata 1\nx\n", 1_800_000_000+i)
			if i == 0 {
				in.WriteString("from refs/heads/main^0\n")
			}
			fmt.Fprintf(&in, "M 100644 inline mine\ndata %d\n%d\n\n", len(fmt.Sprint(i))+1, i)
		}
		g.stream(clone, in.String())
		mine := g.stored(clone)
		g.commit(work, "apps/7/values.yaml", "tag: new\n")
		g.ok(work, "push", "-q", r.url, "main")
		r.packed()
		g.ok(clone, "fetch", "-q", "origin")
		if rounds := r.rounds(); rounds < 2 {
			t.Errorf("%d requests, want a negotiation", rounds)
		}
		if n := len(g.stored(clone)) - len(mine); n != 5 { // commit, three trees, file
			t.Errorf("%d new objects, want 5", n)
		}
		if n := r.packed(); n != 5 {
			t.Errorf("the pack has %d objects, want 5", n)
		}
		g.sound(clone)
	})
}

// long makes a repository of n commits on main, with merges, without a checkout.
func long(g *git, n int) string {
	g.t.Helper()
	dir := g.dir()
	g.ok("", "init", "-q", dir)
	var in strings.Builder
	for i := range n {
		text := fmt.Sprintf("tag: %d\n", i)
		fmt.Fprintf(&in, "commit refs/heads/main\nmark :%d\ncommitter Ada <ada@example.com> %d +0000\ndata 1\n%d\n", i+1, 1_600_000_000+i, i%10)
		if i > 0 {
			fmt.Fprintf(&in, "from :%d\n", i)
		}
		if i > 20 && i%10 == 0 {
			fmt.Fprintf(&in, "merge :%d\n", i-5)
		}
		fmt.Fprintf(&in, "M 100644 inline apps/%d/values.yaml\ndata %d\n%s\n", i%17, len(text), text)
	}
	g.stream(dir, in.String())
	g.ok(dir, "reset", "-q", "--hard", "main")
	return dir
}
