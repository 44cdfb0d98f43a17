package smarthttp

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/go-git/go-billy/v5/memfs"
	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/memory"
)

// commits counts what a clone by go-git has, and checks that each commit is whole.
// What its client says of shallow commits is of no use: it takes no unshallow line.
func commits(t *testing.T, repo *gogit.Repository) int {
	t.Helper()
	head, err := repo.Head()
	if err != nil {
		t.Fatal(err)
	}
	g, err := newHistory(repo.Storer, &memory.ShallowStorage{})
	if err != nil {
		t.Fatal(err)
	}
	var found []plumbing.Hash
	err = g.ancestors([]plumbing.Hash{head.Hash()}, nil, func(h plumbing.Hash, _ commit) bool {
		found = append(found, h)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	objects, err := g.walk(found, walk{cut: setOf(found)})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if !g.has(o.hash) {
			t.Errorf("%s %s is missing", o.kind, o.hash)
		}
	}
	return len(found)
}

func TestGoGitFetch(t *testing.T) {
	r := newRig(t)
	work := long(r.git, 60)
	r.git.ok(work, "push", "-q", r.url, "main")

	whole, err := gogit.Clone(memory.NewStorage(), nil, &gogit.CloneOptions{URL: r.url})
	if err != nil {
		t.Fatal(err)
	}
	if n := commits(t, whole); n != 60 {
		t.Errorf("%d commits, want 60", n)
	}
	shallow, err := gogit.Clone(memory.NewStorage(), nil, &gogit.CloneOptions{URL: r.url, Depth: 1, SingleBranch: true})
	if err != nil {
		t.Fatal(err)
	}
	if n := commits(t, shallow); n != 1 {
		t.Errorf("%d commits, want 1", n)
	}

	next := r.git.commit(work, "apps/1/values.yaml", "tag: next\n")
	r.git.ok(work, "push", "-q", r.url, "main")
	r.set("refs/pull/7/head", next)
	r.packed()
	err = whole.Fetch(&gogit.FetchOptions{RefSpecs: []config.RefSpec{"+refs/heads/main:refs/heads/main", "refs/pull/7/head:refs/pull/7/head"}})
	if err != nil {
		t.Fatal(err)
	}
	if n := r.packed(); n != 5 { // commit, three trees, file
		t.Errorf("the pack has %d objects, want 5", n)
	}
	if n := commits(t, whole); n != 61 {
		t.Errorf("%d commits, want 61", n)
	}
	for _, depth := range []int{1, 4} {
		err := shallow.Fetch(&gogit.FetchOptions{Depth: depth, RefSpecs: []config.RefSpec{"+refs/heads/main:refs/heads/main"}})
		if err != nil && !errors.Is(err, gogit.NoErrAlreadyUpToDate) {
			t.Fatal(err)
		}
		if n := commits(t, shallow); n < depth {
			t.Errorf("depth %d: %d commits", depth, n)
		}
	}
	one := gogit.NewRemote(memory.NewStorage(), &config.RemoteConfig{Name: "origin", URLs: []string{r.url}})
	err = one.Fetch(&gogit.FetchOptions{Depth: 1, RefSpecs: []config.RefSpec{config.RefSpec(next + ":refs/heads/one")}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestGoGitPush(t *testing.T) {
	r := newRig(t)
	r.git.ok(r.git.init(), "push", "-q", r.url, "main")
	repo, err := gogit.Clone(memory.NewStorage(), nil, &gogit.CloneOptions{URL: r.url, Depth: 1})
	if err != nil {
		t.Fatal(err)
	}
	base := plumbing.NewHash(r.ref("refs/heads/main"))
	first, second := child(t, repo, base, "one"), child(t, repo, base, "two")
	push := func(spec string, o gogit.PushOptions) error {
		o.RefSpecs = []config.RefSpec{config.RefSpec(spec)}
		return repo.Push(&o)
	}
	if err := push("refs/heads/one:refs/heads/topic", gogit.PushOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := r.ref("refs/heads/topic"); got != first.String() {
		t.Errorf("topic is %q, want %s", got, first)
	}

	if err := push("+refs/heads/two:refs/heads/topic", gogit.PushOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := r.ref("refs/heads/topic"); got != second.String() {
		t.Errorf("topic is %q, want %s", got, second)
	}
	var said bytes.Buffer
	decline := func(Command) string {
		return "pre-receive hook declined\nerror: GH013: Repository rule violations found"
	}
	r.change(func(repo *Repository) { repo.Update = decline })
	err = push("+refs/heads/one:refs/heads/topic", gogit.PushOptions{Progress: &said})
	if err == nil || !strings.Contains(err.Error(), "pre-receive hook declined") {
		t.Errorf("error %v, want a declined push", err)
	}
	if !strings.Contains(said.String(), "GH013") {
		t.Errorf("progress is %q", said.String())
	}
	r.change(func(repo *Repository) { repo.Update = nil })
	if err := push(":refs/heads/topic", gogit.PushOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := r.ref("refs/heads/topic"); got != "" {
		t.Errorf("topic is %s", got)
	}

	repo.DeleteRemote("origin")
	bad := strings.Replace(r.url, token, "x-access-token:wrong", 1)
	if _, err := repo.CreateRemote(&config.RemoteConfig{Name: "origin", URLs: []string{bad}}); err != nil {
		t.Fatal(err)
	}
	if err := push("refs/heads/one:refs/heads/topic", gogit.PushOptions{}); !errors.Is(err, transport.ErrAuthenticationRequired) && !errors.Is(err, transport.ErrAuthorizationFailed) {
		t.Errorf("error %v, want one of authentication", err)
	}
}

// child makes a commit after base on a new branch.
func child(t *testing.T, repo *gogit.Repository, base plumbing.Hash, branch string) plumbing.Hash {
	t.Helper()
	parent, err := repo.CommitObject(base)
	if err != nil {
		t.Fatal(err)
	}
	c := &object.Commit{Author: parent.Author, Committer: parent.Committer, Message: branch + "\n", TreeHash: parent.TreeHash, ParentHashes: []plumbing.Hash{base}}
	o := repo.Storer.NewEncodedObject()
	if err := c.Encode(o); err != nil {
		t.Fatal(err)
	}
	h, err := repo.Storer.SetEncodedObject(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := repo.Storer.SetReference(plumbing.NewHashReference(plumbing.NewBranchReferenceName(branch), h)); err != nil {
		t.Fatal(err)
	}
	return h
}

// Clients of both kinds read and write at once.
func TestParallel(t *testing.T) {
	r := newRig(t)
	work := long(r.git, 30)
	r.git.ok(work, "push", "-q", r.url, "main")
	base := plumbing.NewHash(r.ref("refs/heads/main"))
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		wg.Go(func() {
			repo, err := gogit.Clone(memory.NewStorage(), nil, &gogit.CloneOptions{URL: r.url, SingleBranch: true})
			if err != nil {
				t.Error(err)
				return
			}
			child(t, repo, base, name)
			err = repo.Push(&gogit.PushOptions{RefSpecs: []config.RefSpec{config.RefSpec("refs/heads/" + name + ":refs/heads/" + name)}})
			if err != nil {
				t.Error(err)
			}
			// All race for one branch, of which each saw nothing: one creates it.
			err = repo.Push(&gogit.PushOptions{RefSpecs: []config.RefSpec{config.RefSpec("refs/heads/" + name + ":refs/heads/race")}})
			if err != nil && !strings.Contains(err.Error(), "cannot lock ref") && !strings.Contains(err.Error(), "non-fast-forward") && !strings.Contains(err.Error(), "object not found") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	moves := 0
	for _, c := range r.moves() {
		if c.Ref == "refs/heads/race" {
			moves++
		}
	}
	if moves != 1 {
		t.Errorf("race moved %d times, want once", moves)
	}
	clone := r.git.dir()
	r.git.ok("", "clone", "-q", r.url, clone)
	r.git.sound(clone)
}

// A repository on disk, whose objects come from packs, serves as one in memory.
func TestFilesystem(t *testing.T) {
	versions(t, func(t *testing.T, r *rig) {
		disk := filesystem.NewStorageWithOptions(memfs.New(), cache.NewObjectLRUDefault(), filesystem.Options{LargeObjectThreshold: 64})
		r.change(func(repo *Repository) { repo.Storer = disk })
		work := tangled(r.git)
		r.git.ok(work, "push", "-q", "--mirror", r.url)
		clone := r.git.dir()
		r.git.ok("", "clone", "-q", "--depth=2", r.url, clone)
		r.git.ok(clone, "fetch", "-q", "--unshallow")
		r.git.sound(clone)
		r.git.commit(work, "large", strings.Repeat("a line of some length\n", 100))
		r.git.ok(work, "push", "-q", r.url, "main")
		r.git.commit(work, "large", strings.Repeat("a line of some length\n", 101)) // a delta of what is on disk
		r.git.ok(work, "push", "-q", r.url, "main")
		r.git.ok(clone, "fetch", "-q", "origin")
		r.git.sound(clone)
		r.git.ok(work, "push", "-q", r.url, ":refs/heads/side", ":refs/tags/v1")
		if got := r.ref("refs/heads/side"); got != "" {
			t.Errorf("side is %s", got)
		}
	})
}

// A repository that is shallow itself says so.
func TestShallowServer(t *testing.T) {
	versions(t, func(t *testing.T, r *rig) {
		g := r.git
		work := g.init()
		for _, text := range []string{"1", "2", "3"} {
			g.commit(work, "file", text)
		}
		whole := newRig(t)
		g.ok(work, "push", "-q", whole.url, "main")
		half, err := gogit.Clone(memory.NewStorage(), nil, &gogit.CloneOptions{URL: whole.url, Depth: 2, SingleBranch: true})
		if err != nil {
			t.Fatal(err)
		}
		r.change(func(repo *Repository) { repo.Storer = half.Storer })
		clone := g.dir()
		g.ok("", "clone", "-q", r.url, clone)
		g.sound(clone)
		if got := g.ok(clone, "rev-list", "--count", "HEAD"); got != "2" {
			t.Errorf("%s commits, want 2", got)
		}
		g.ok("", "clone", "-q", "--depth=9", r.url, g.dir())
		g.commit(work, "file", "4")
		g.ok(work, "push", "-q", r.url, "main")
		g.ok(clone, "pull", "-q", "--ff-only")
		g.sound(clone)
	})
}
