package sandbox

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// The heads of pull requests are fetched by refs/pull/N/head, that of a fork among them, and
// any commit of the network by its bare id, one commit deep each: also one that no branch
// holds any more.
func TestFetchHeadsAndIDs(t *testing.T) {
	r := newRig(t)
	r.Repository("acme", "private", RepositoryOptions{Private: true, Files: map[string]string{"a": "0\n"}})
	repo := r.names["acme/private"]
	repo.Permission("bob", promotion.PermissionWrite)
	base := repo.Tip("main")
	for i := range 5 { // history that nobody asks for
		repo.Commit("main", "bob", fmt.Sprint("older ", i), map[string]string{"b": fmt.Sprint(i)})
	}
	lost := repo.Commit("pin", "bob", "lost", map[string]string{"a": "lost\n"})
	if _, err := repo.OpenPullRequest("bob", "pin", "", "pin", "main"); err != nil {
		t.Fatal(err)
	}
	head := repo.ForcePush("pin", "bob", "again", "", map[string]string{"a": "1\n"})
	fork := repo.Fork("bob")
	foreign := fork.Commit("theirs", "bob", "theirs", map[string]string{"a": "2\n"})
	if _, err := repo.OpenPullRequest("bob", "theirs", "", "bob:theirs", "main"); err != nil {
		t.Fatal(err)
	}
	repo.DeleteBranch("pin", "bob") // closes it; the ref stays
	remote := git.Remote{URL: repo.CloneURL(), Auth: func(context.Context) (string, string, error) {
		return "x-access-token", r.app.InstallationToken("acme"), nil
	}}
	memory := func() *git.Repository { return git.NewMemory(git.Limits{}) }
	mirror := func() *git.Repository {
		m, err := git.OpenMirror(filepath.Join(t.TempDir(), "mirror"), git.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for kind, open := range map[string]func() *git.Repository{"memory": memory, "mirror": mirror} {
		t.Run(kind, func(t *testing.T) {
			store := open()
			defer store.Close()
			for _, c := range []struct{ ref, sha, text string }{
				{"refs/pull/1/head", head, "1\n"},
				{"refs/pull/2/head", foreign, "2\n"},
				{lost, lost, "lost\n"},
				{base, base, "0\n"},
				{"heads/main", repo.Tip("main"), "0\n"},
			} {
				got, err := store.Fetch(t.Context(), remote, git.Fetch{Refs: []string{c.ref}, Depth: 1})
				if err != nil {
					t.Errorf("%s: %v", c.ref, err)
					continue
				}
				h := got.Refs[c.ref]
				if h.String() != c.sha {
					t.Errorf("%s is %s, want %s", c.ref, h, c.sha)
				}
				s, err := store.Snapshot(h)
				if err != nil {
					t.Errorf("%s: %v", c.ref, err)
					continue
				}
				e, ok, err := s.Lookup("a")
				if err != nil || !ok {
					t.Errorf("%s: %v, %v", c.ref, ok, err)
					continue
				}
				if text, err := s.Blob(e.Blob, 100); string(text) != c.text || err != nil {
					t.Errorf("%s: got %q, %v", c.ref, text, err)
				}
				n := 0
				for _, err := range store.Log(t.Context(), h, git.LogOptions{}) {
					if err != nil {
						break
					}
					n++
				}
				if n != 1 {
					t.Errorf("%s: %d commits came, want 1", c.ref, n)
				}
				s.Release()
			}
			all, err := store.Fetch(t.Context(), remote, git.Fetch{Refs: []string{"refs/pull/1/head", "refs/pull/2/head", lost, base, "heads/main"}, Depth: 1})
			if err != nil || all.Bytes != 0 || len(all.Refs) != 5 {
				t.Errorf("together, once more: %+v, %v", all, err)
			}
			_, err = store.Fetch(t.Context(), remote, git.Fetch{Refs: []string{"refs/pull/9/head"}, Depth: 1})
			if !errors.Is(err, git.ErrNoRef) {
				t.Errorf("no such pull request: %v", err)
			}
			if _, err = store.Fetch(t.Context(), remote, git.Fetch{Refs: []string{"1111111111111111111111111111111111111111"}, Depth: 1}); !errors.Is(err, git.ErrNoRef) {
				t.Errorf("no such commit: %v", err)
			}
		})
	}
}
