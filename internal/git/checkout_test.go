package git

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// listing of a directory, to see that nothing in it changes.
func everything(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		info := must(d.Info())
		out[p] = info.ModTime().String() + string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOpenCheckout(t *testing.T) {
	g := newRig(t)
	base := g.commit("main", map[string]string{"a": "1\n", "d/b": "2\n"})
	g.git(g.work, "tag", "light")
	linked := filepath.Join(t.TempDir(), "linked")
	g.git(g.work, "worktree", "add", "-q", "-b", "side", linked)
	g.git(linked, "commit", "-q", "--allow-empty", "-m", "side")
	shared := filepath.Join(t.TempDir(), "shared")
	g.git(g.root, "clone", "-q", "--shared", g.work, shared)
	packed := filepath.Join(t.TempDir(), "packed")
	g.git(g.root, "clone", "-q", g.work, packed)
	g.git(packed, "gc", "-q")
	shallow := filepath.Join(t.TempDir(), "shallow")
	g.git(g.root, "clone", "-q", "--depth=1", "file://"+g.bare, shallow)
	g.git(g.work, "config", "http.extraheader", "AUTHORIZATION: basic secret")
	g.git(g.work, "config", "remote.origin.url", "https://user:secret@example.com/x.git")

	want := map[string]string{"a": "1\n", "d/b": "2\n"}
	for name, c := range map[string]struct{ dir, ref string }{
		"worktree":       {g.work, "refs/heads/main"},
		"its .git":       {filepath.Join(g.work, ".git"), "refs/heads/main"},
		"linked":         {linked, "refs/heads/side"},
		"bare":           {g.bare, "refs/heads/main"},
		"borrowing":      {shared, "refs/heads/main"},
		"packed":         {packed, "refs/heads/main"},
		"shallow":        {shallow, "refs/heads/main"},
		"below worktree": {filepath.Join(g.work, "d"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := OpenCheckout(c.dir, Limits{})
			if c.ref == "" {
				if err == nil {
					t.Fatal("a directory that is no repository was opened")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			before := everything(t, c.dir)
			ref, head, err := r.Head()
			if err != nil || ref != c.ref {
				t.Fatalf("HEAD: %s %s %v", ref, head, err)
			}
			if at, err := r.Ref(ref); err != nil || at != head {
				t.Errorf("%s: %s %v, want %s", ref, at, err, head)
			}
			if _, err := r.Ref("refs/heads/none"); !errors.Is(err, ErrNoRef) {
				t.Errorf("a ref that is not there: %v", err)
			}
			if _, err := r.Ref("refs/heads/../../config"); err == nil {
				t.Error("a ref outside refs was read")
			}
			if diff := cmp.Diff(want, files(t, mustSnapshot(t, r, head))); diff != "" {
				t.Error(diff)
			}
			h, _ := change(t, r, mustSnapshot(t, r, base), map[string][]byte{"a": []byte("new\n")})
			mustFetch(t, r, g.remote(), 1, "heads/main")
			if err := r.Push(context.Background(), g.remote(), Push{Ref: "heads/from-" + strings.ReplaceAll(name, " ", "-"), New: h}); err != nil {
				t.Error(err)
			}
			if c.dir != g.bare {
				if diff := cmp.Diff(before, everything(t, c.dir)); diff != "" {
					t.Errorf("the checkout has changed:\n%s", diff)
				}
			}
		})
	}
	for _, h := range g.headers {
		if h.Get("Authorization") != "" {
			t.Error("http.extraheader of a checkout was sent")
		}
	}
	r, err := OpenCheckout(g.work, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if u, err := r.RemoteURL("origin"); err != nil || u != "https://example.com/x.git" {
		t.Errorf("remote: %q %v", u, err)
	}
	if u, err := r.RemoteURL("none"); err != nil || u != "" {
		t.Errorf("no remote: %q %v", u, err)
	}
	// what git does meanwhile is seen
	next := g.git(g.work, "commit-tree", "-p", base.String(), "-m", "later", base.String()+"^{tree}")
	g.git(g.work, "update-ref", "refs/heads/later", next)
	g.git(g.work, "gc", "-q")
	at, err := r.Ref("heads/later")
	if err != nil || at.String() != next {
		t.Fatal(at, err)
	}
	if diff := cmp.Diff(want, files(t, mustSnapshot(t, r, at))); diff != "" {
		t.Error(diff)
	}
	g.git(g.work, "checkout", "-q", "--detach", "light")
	if ref, h, err := r.Head(); ref != "" || h != base || err != nil {
		t.Errorf("detached: %q %s %v", ref, h, err)
	}
}

func TestOpenCheckoutRefusals(t *testing.T) {
	g := newRig(t)
	for name, c := range map[string]struct{ args, text string }{
		"sha256": {"init -q --object-format=sha256 .", "sha256"},
		"none":   {"", "not a git repository"},
	} {
		dir := t.TempDir()
		if c.args != "" {
			g.git(dir, strings.Fields(c.args)...)
		}
		if _, err := OpenCheckout(dir, Limits{}); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{"a file that names nothing": "hello", "a circle": "gitdir: ."} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ".git"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenCheckout(dir, Limits{}); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
	dir := t.TempDir()
	g.git(dir, "init", "-q", "-b", "main", ".")
	r, err := OpenCheckout(dir, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if ref, _, err := r.Head(); ref != "refs/heads/main" || !errors.Is(err, ErrNoRef) {
		t.Errorf("a branch without commits: %q %v", ref, err)
	}
}
