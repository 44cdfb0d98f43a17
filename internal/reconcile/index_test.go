package reconcile

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// TestIndex makes the index of each commit from the one before, and finds in it what is in
// one that was read anew.
func TestIndex(t *testing.T) {
	s := sandbox.New(sandbox.Options{T: t})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.User("ada")
	repo := s.Repository("ada", "config", sandbox.RepositoryOptions{Files: map[string]string{
		"a/kustomization.yaml": "resources: [deploy, ../b, gone.yaml]\n", "a/deploy": "image: x/y:1\n",
		"b/kustomization.yaml": "resources: [d.yaml]\n", "b/d.yaml": "kind: Pod\nspec: {containers: [{image: x/y:1}]}\n",
		"c.yaml": "image: x/y:2\n", "README.md": "x\n",
	}})
	store := git.NewMemory(git.Limits{})
	ctx := context.Background()
	at := func() *git.Snapshot {
		t.Helper()
		f, err := store.Fetch(ctx, git.Remote{URL: repo.CloneURL()}, git.Fetch{Refs: []string{"heads/main"}})
		if err != nil {
			t.Fatal(err)
		}
		snapshot, err := store.Snapshot(f.Refs["heads/main"])
		if err != nil {
			t.Fatal(err)
		}
		return snapshot
	}
	index := func(snapshot *git.Snapshot, previous *Index) *Index {
		t.Helper()
		x, err := (&Reconciler{}).index(ctx, snapshot, "", previous)
		if err != nil {
			t.Fatal(err)
		}
		if x.reach == nil {
			x.reach = plan.NewReach(config.Default(), x.Files(), x.paths.has)
		}
		return x
	}
	previous := index(at(), nil)
	for _, step := range []struct {
		name  string
		edits map[string]string
		keeps bool  // what names what
		reads int64 // blobs
	}{
		{"nothing", map[string]string{}, true, 0},
		{"an image", map[string]string{"b/d.yaml": "kind: Pod\nspec: {containers: [{image: x/y:3}]}\n"}, true, 1},
		{"a file that is not looked at", map[string]string{"README.md": "image: x/y:1\n"}, true, 0},
		{"a named file of any name", map[string]string{"a/deploy": "image: x/y:3\n"}, true, 2}, // once to see whether it is there
		{"a new file between others", map[string]string{"b/a.yaml": "image: x/y:1\n"}, false, 1},
		{"what was named comes to be", map[string]string{"a/gone.yaml": "a: b\n"}, false, 1},
		{"a named directory goes", map[string]string{"b/kustomization.yaml": sandbox.Removed}, false, 0},
		{"its files go", map[string]string{"b/d.yaml": sandbox.Removed, "b/a.yaml": sandbox.Removed}, false, 0},
		{"a file is not named any more", map[string]string{"a/kustomization.yaml": "resources: [gone.yaml]\n"}, false, 1},
		{"a file loses its images", map[string]string{"c.yaml": "a: b\n"}, false, 1},
	} {
		t.Run(step.name, func(t *testing.T) {
			if len(step.edits) > 0 {
				repo.Commit("main", "ada", step.name, step.edits)
			}
			snapshot := at()
			before, _ := store.Reads()
			x := index(snapshot, previous)
			after, _ := store.Reads()
			if got := after - before; got != step.reads {
				t.Errorf("%d blobs were read, want %d", got, step.reads)
			}
			if keeps := x.reach == previous.reach; keeps != step.keeps {
				t.Errorf("what names what is kept: %t, want %t", keeps, step.keeps)
			}
			anew := index(snapshot, nil)
			if diff := cmp.Diff(anew.Files(), x.Files(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("the files differ from those read anew (-anew +got):\n%s", diff)
			}
			if diff := cmp.Diff(fmt.Sprint(anew.reach.Problems()), fmt.Sprint(x.reach.Problems())); diff != "" {
				t.Errorf("problems differ from those anew (-anew +got):\n%s", diff)
			}
			for _, name := range []string{"a", "a/deploy", "a/gone.yaml", "b", "b/a.yaml", "b/d.yaml", "b/kustomization.yaml", "c.yaml", "c.yaml/x", "../x", "README.md"} {
				if _, want, err := snapshot.Lookup(name); x.paths.has(name) != (want && err == nil) || anew.paths.has(name) != x.paths.has(name) {
					t.Errorf("%s is there: %t, want %t", name, x.paths.has(name), want)
				}
			}
			previous = x
		})
	}
}

// TestPaths holds the paths of a long row of commits to a plain map.
func TestPaths(t *testing.T) {
	entry := func(name string) git.Entry { return git.Entry{Path: name} }
	want := map[string]bool{"a/b": true, "link": true}
	p := newPaths(map[string]git.Entry{"a/b": entry("a/b"), "link": {Path: "link", Problem: &git.Problem{Kind: git.Symlink}}})
	for i := range 500 {
		name, gone := fmt.Sprintf("d%d/f", i), fmt.Sprintf("d%d/f", i/2)
		p = p.next(map[string]git.Entry{name: entry(name)}).next(map[string]git.Entry{gone: {}})
		want[name], want[gone] = true, false
		if len(p.changed) > 200 {
			t.Fatalf("%d changes lie over the base after %d commits", len(p.changed), i)
		}
	}
	want["link/below"], want["a/b/below"] = true, false
	for name, is := range want {
		if p.has(name) != is {
			t.Errorf("%s is there: %t, want %t", name, !is, is)
		}
	}
}
