package smarthttp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestPush(t *testing.T) {
	r := newRig(t)
	g := r.git
	work := g.init()
	zero := plumbing.ZeroHash.String()
	first := g.ok(work, "rev-parse", "HEAD")

	g.ok(work, "push", "-q", r.url, "main", "main:refs/heads/topic")
	second := g.commit(work, "README.md", "hello again\n")
	g.ok(work, "push", "-q", r.url, "main")
	g.ok(work, "reset", "-q", "--hard", first)
	third := g.commit(work, "README.md", "otherwise\n")
	g.run(work, "[rejected]", "push", r.url, "main") // by git itself, which sees the advertised tip
	g.ok(work, "push", "-q", "-f", r.url, "main")
	g.ok(work, "push", "-q", r.url, ":refs/heads/topic")

	var got []string
	for _, c := range r.moves() {
		got = append(got, fmt.Sprint(c.Ref, " ", c.Old, " ", c.New, " ", c.Forced))
	}
	want := []string{
		"refs/heads/main " + zero + " " + first + " false",
		"refs/heads/topic " + zero + " " + first + " false",
		"refs/heads/main " + first + " " + second + " false",
		"refs/heads/main " + second + " " + third + " true",
		"refs/heads/topic " + first + " " + zero + " false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r.ref("refs/heads/topic") != "" {
		t.Error("topic is still there")
	}
	g.run(work, "refusing to delete the current branch: refs/heads/main", "push", r.url, ":refs/heads/main")
}

// The lease is checked by git against what the server advertises.
func TestPushLease(t *testing.T) {
	r := newRig(t)
	g := r.git
	work := g.init()
	base := g.ok(work, "rev-parse", "HEAD")
	g.ok(work, "push", "-q", r.url, "main")
	theirs := g.commit(work, "a", "theirs\n")
	g.ok(work, "push", "-q", r.url, "main")
	g.ok(work, "reset", "-q", "--hard", base)
	mine := g.commit(work, "a", "mine\n")
	g.run(work, "stale info", "push", "--force-with-lease=main:"+base, r.url, "main")
	if got := r.ref("refs/heads/main"); got != theirs {
		t.Errorf("main is %s, want %s", got, theirs)
	}
	g.ok(work, "push", "-q", "--force-with-lease=main:"+theirs, r.url, "main")
	if got := r.ref("refs/heads/main"); got != mine {
		t.Errorf("main is %s, want %s", got, mine)
	}
}

func TestPushRefused(t *testing.T) {
	r := newRig(t)
	g := r.git
	work := g.init()
	g.ok(work, "push", "-q", r.url, "main")
	head := r.ref("refs/heads/main")
	next := g.commit(work, ".github/workflows/ci.yml", "on: push\n")
	objects := r.count()
	update := func(c Command) string {
		if c.Ref != "refs/heads/main" {
			return ""
		}
		commit, err := object.GetCommit(c.Objects, c.New)
		if err != nil {
			return err.Error()
		}
		if _, err := commit.File(".github/workflows/ci.yml"); err != nil {
			return err.Error()
		}
		return "protected branch hook declined\nerror: GH006: Protected branch update failed for refs/heads/main.\nerror: Changes must be made through a pull request."
	}
	r.change(func(repo *Repository) { repo.Update = update })
	out := g.run(work, "! [remote rejected] main -> main (protected branch hook declined)", "push", r.url, "main")
	for _, want := range []string{
		"remote: error: GH006: Protected branch update failed for refs/heads/main.",
		"remote: error: Changes must be made through a pull request.",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if got := r.ref("refs/heads/main"); got != head {
		t.Errorf("main is %s, want %s", got, head)
	}
	if n := r.count(); n != objects {
		t.Errorf("the repository has %d objects after a refused push, %d before", n, objects)
	}

	t.Run("atomic", func(t *testing.T) {
		out := g.run(work, "atomic push failure", "push", "--atomic", r.url, "main", "main:refs/heads/other")
		if !strings.Contains(out, "protected branch hook declined") {
			t.Error(out)
		}
		if r.ref("refs/heads/other") != "" || r.count() != objects {
			t.Error("a part of the atomic push was done")
		}
	})
	t.Run("not atomic", func(t *testing.T) {
		g.run(work, "main -> main (protected branch hook declined)", "push", r.url, "main", "main:refs/heads/other")
		if got := r.ref("refs/heads/other"); got != next {
			t.Errorf("other is %q, want %s", got, next)
		}
	})
}

func (r *rig) count() int {
	r.t.Helper()
	r.repo.Lock.Lock()
	defer r.repo.Lock.Unlock()
	iter, err := r.repo.Storer.IterEncodedObjects(plumbing.AnyObject)
	if err != nil {
		r.t.Fatal(err)
	}
	n := 0
	if err := iter.ForEach(func(plumbing.EncodedObject) error { n++; return nil }); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// Names that git itself would not send are in TestPushWire.
func TestPushNames(t *testing.T) {
	r := newRig(t)
	g := r.git
	work := g.init()
	g.ok(work, "push", "-q", r.url, "main", "main:refs/heads/a")
	g.run(work, "cannot lock ref 'refs/heads/a/b': 'refs/heads/a' exists; cannot create 'refs/heads/a/b'", "push", r.url, "main:refs/heads/a/b")
	g.ok(work, "push", "-q", r.url, "main:refs/heads/b/c")
	g.run(work, "'refs/heads/b/c' exists; cannot create 'refs/heads/b'", "push", r.url, "main:refs/heads/b")
	g.ok(work, "push", "-q", r.url, ":refs/heads/a", "main:refs/heads/a/b")
	g.run(work, "funny refname", "push", r.url, "main:refs/main")
	g.run(work, "failed to update ref", "push", r.url, "main^{tree}:refs/heads/tree")
	g.ok(work, "push", "-q", r.url, "main^{tree}:refs/tags/tree")
	g.ok(work, "tag", "-a", "-m", "x", "v1")
	g.ok(work, "push", "-q", r.url, "v1")
	g.run(work, "failed to update ref", "push", r.url, "v1:refs/heads/tag")
}

func TestPushFromShallow(t *testing.T) {
	r := newRig(t)
	g := r.git
	work := g.init()
	g.commit(work, "a", "a\n")
	g.ok(work, "push", "-q", r.url, "main")
	clone := g.dir()
	g.ok("", "clone", "-q", "--depth=1", r.url, clone)
	next := g.commit(clone, "b", "b\n")
	g.ok(clone, "push", "-q", "origin", "main")
	if got := r.ref("refs/heads/main"); got != next {
		t.Errorf("main is %s, want %s", got, next)
	}

	other := newRig(t)
	g.run(clone, "shallow update not allowed", "push", other.url, "main")
	if n := other.count(); n != 0 {
		t.Errorf("%d objects came with the refused push", n)
	}
}

// A push of more than http.postBuffer probes first, then comes in chunks.
func TestPushLarge(t *testing.T) {
	r := newRig(t)
	g := r.git
	work := long(g, 400)
	g.ok(work, "-c", "http.postBuffer=65536", "push", "-q", r.url, "main")
	clone := g.dir()
	g.ok("", "clone", "-q", "--bare", r.url, clone)
	g.sound(clone)
	if diff := cmp.Diff(g.objects(work), g.objects(clone), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestAccess(t *testing.T) {
	r := newRig(t)
	g := r.git
	work := g.init()
	g.ok(work, "push", "-q", r.url, "main")
	reader := strings.Replace(r.url, token, "reader:x", 1)
	g.ok("", "clone", "-q", reader, g.dir())
	g.run(work, "remote: Permission to acme/config.git denied to reader.", "push", reader, "main")
	g.run(work, "The requested URL returned error: 403", "push", reader, "main")
	bad := strings.Replace(r.url, token, "x-access-token:wrong", 1)
	g.run("", "Authentication failed", "clone", "-q", bad, g.dir())
	g.run("", "remote: Invalid username or token.", "clone", "-q", bad, g.dir())
	g.run("", "could not read Username", "clone", "-q", strings.Replace(r.url, token+"@", "", 1), g.dir())
	g.run("", "not found", "clone", "-q", strings.Replace(r.url, "config", "other", 1), g.dir())
}
