package git

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	gogitcache "github.com/go-git/go-git/v5/plumbing/cache"
	gogitobject "github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/go-git/go-billy/v5/osfs"
)

// grown returns a rig whose main has many manifests and a history: 100,000 files and 1,000
// commits, or a hundredth of it with -short. Each commit changes one file.
func grown(b testing.TB) *rig {
	files, commits := 100_000, 1000
	if testing.Short() {
		files, commits = files/100, commits/100
	}
	g := newRig(b)
	c := exec.Command("git", "fast-import", "--quiet", "--depth=50")
	c.Dir = g.bare
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	body := func(file, version int) string {
		return fmt.Sprintf("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-%d\n  labels: {team: t%d}\nspec:\n  replicas: %d\n  template:\n    spec:\n      containers:\n      - name: main\n        image: registry.example.com/team/app-%d:v1.%d\n        ports: [{containerPort: %d}]\n", file, file*7919%997, file%7, file, version, 8000+file%1000)
	}
	name := func(file int) string { return fmt.Sprintf("apps/%03d/%03d/deploy.yaml", file/100, file%100) }
	fmt.Fprintf(in, "commit refs/heads/main\ncommitter C <c@example.com> 1700000000 +0000\ndata 5\nfirst\n")
	for i := range files {
		text := body(i, 0)
		fmt.Fprintf(in, "M 100644 inline %s\ndata %d\n%s\n", name(i), len(text), text)
	}
	for i := 1; i < commits; i++ {
		text := body(i%files, i)
		fmt.Fprintf(in, "commit refs/heads/main\ncommitter C <c@example.com> %d +0000\ndata 6\nchange\nM 100644 inline %s\ndata %d\n%s\n", 1700000000+i, name(i%files), len(text), text)
	}
	in.Close()
	if err := c.Wait(); err != nil {
		b.Fatal(err)
	}
	g.git(g.bare, "repack", "-q", "-a", "-d")
	return g
}

// next moves main by one changed file, and returns its tip.
func (g *rig) next(i int) Hash {
	blob := runGit(g.t, g.bare, []byte(fmt.Sprintf("image: changed:%d\n", i)), "hash-object", "-w", "--stdin")
	index := filepath.Join(g.root, "index")
	env := func(args ...string) string {
		c := exec.Command("git", args...)
		c.Dir = g.bare
		c.Env = append(os.Environ(), "GIT_INDEX_FILE="+index, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
		out, err := c.CombinedOutput()
		if err != nil {
			g.t.Fatalf("%v: %s", args, out)
		}
		return string(bytes.TrimSpace(out))
	}
	if _, err := os.Stat(index); err != nil {
		env("read-tree", "main")
	}
	env("update-index", "--cacheinfo", "100644,"+blob+",apps/000/001/deploy.yaml")
	commit := env("commit-tree", "-p", "main", "-m", "next", env("write-tree"))
	env("update-ref", "refs/heads/main", commit)
	h, err := ParseHash(commit)
	if err != nil {
		g.t.Fatal(err)
	}
	return h
}

// peak reports the heap's size at its largest, as far as collections saw it.
func peak(b *testing.B) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapSys-m.HeapReleased)/(1<<20), "MiB-heap")
}

// Cold: a shallow fetch, a walk, and every blob read.
func BenchmarkCold(b *testing.B) {
	g := grown(b)
	ctx := context.Background()
	b.Run("pinnace", func(b *testing.B) {
		for b.Loop() {
			r, err := OpenMirror(filepath.Join(b.TempDir(), "m"), Limits{})
			if err != nil {
				b.Fatal(err)
			}
			out := mustFetch(b, r, g.remote(), 1, "heads/main")
			s := mustSnapshot(b, r, out.Refs["heads/main"])
			n := 0
			if err := s.Walk(ctx, nil, func(e Entry) error { n++; _, err := s.Blob(e.Blob, 0); return err }); err != nil || n < 1000 {
				b.Fatal(n, err)
			}
			r.Close()
		}
		peak(b)
	})
	b.Run("gogit", func(b *testing.B) {
		for b.Loop() {
			repo, _ := gogitFetch(b, filepath.Join(b.TempDir(), "m"), g, 1)
			gogitRead(b, repo)
		}
		peak(b)
	})
}

func gogitOpen(b testing.TB, dir string) *gogit.Repository {
	st := filesystem.NewStorageWithOptions(osfs.New(dir), gogitcache.NewObjectLRU(32<<20), filesystem.Options{KeepDescriptors: true})
	repo, err := gogit.Open(st, nil)
	if err != nil {
		repo, err = gogit.Init(st, nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	return repo
}

func gogitFetch(b testing.TB, dir string, g *rig, depth int) (*gogit.Repository, plumbing.Hash) {
	repo := gogitOpen(b, dir)
	remote, err := repo.Remote("origin")
	if err != nil {
		if remote, err = repo.CreateRemote(&config.RemoteConfig{Name: "origin", URLs: []string{g.remote().URL}}); err != nil {
			b.Fatal(err)
		}
	}
	if err := remote.Fetch(&gogit.FetchOptions{Depth: depth, Tags: gogit.NoTags, RefSpecs: []config.RefSpec{"+refs/heads/main:refs/remotes/origin/main"}}); err != nil {
		b.Fatal(err)
	}
	ref, err := repo.Reference("refs/remotes/origin/main", true)
	if err != nil {
		b.Fatal(err)
	}
	return repo, ref.Hash()
}

func gogitRead(b testing.TB, repo *gogit.Repository) {
	ref, err := repo.Reference("refs/remotes/origin/main", true)
	if err != nil {
		b.Fatal(err)
	}
	c, err := repo.CommitObject(ref.Hash())
	if err != nil {
		b.Fatal(err)
	}
	tree, err := c.Tree()
	if err != nil {
		b.Fatal(err)
	}
	if err := tree.Files().ForEach(func(f *gogitobject.File) error { _, err := f.Contents(); return err }); err != nil {
		b.Fatal(err)
	}
}

// Warm: the mirror is opened, one changed file is fetched and found.
func BenchmarkWarm(b *testing.B) {
	g := grown(b)
	ctx := context.Background()
	for _, depth := range []int{1, 0} {
		b.Run(fmt.Sprintf("pinnace depth %d", depth), func(b *testing.B) {
			dir := filepath.Join(b.TempDir(), "m")
			r, err := OpenMirror(dir, Limits{})
			if err != nil {
				b.Fatal(err)
			}
			old := mustFetch(b, r, g.remote(), depth, "heads/main").Refs["heads/main"]
			r.Close()
			i := 0
			for b.Loop() {
				b.StopTimer()
				i++
				want := g.next(1000*depth + i)
				b.StartTimer()
				r, err := OpenMirror(dir, Limits{})
				if err != nil {
					b.Fatal(err)
				}
				now := mustFetch(b, r, g.remote(), depth, "heads/main").Refs["heads/main"]
				was, is := mustSnapshot(b, r, old), mustSnapshot(b, r, now)
				deltas, err := Diff(ctx, was, is)
				if err != nil || len(deltas) != 1 || now != want {
					b.Fatal(deltas, err)
				}
				if _, err := is.Blob(deltas[0].New.Blob, 0); err != nil {
					b.Fatal(err)
				}
				if blobs, trees := r.Reads(); blobs != 1 || trees > 8+30 {
					b.Fatalf("%d blobs and %d trees were read", blobs, trees)
				}
				r.Close()
				old = now
			}
			peak(b)
		})
		b.Run(fmt.Sprintf("gogit depth %d", depth), func(b *testing.B) {
			dir := filepath.Join(b.TempDir(), "m")
			_, old := gogitFetch(b, dir, g, depth)
			i := 0
			for b.Loop() {
				b.StopTimer()
				i++
				g.next(5000 + 1000*depth + i)
				b.StartTimer()
				repo, now := gogitFetch(b, dir, g, depth)
				was, err := repo.CommitObject(old)
				if err != nil {
					b.Fatal(err)
				}
				is, err := repo.CommitObject(now)
				if err != nil {
					b.Fatal(err)
				}
				before, err := was.Tree()
				if err != nil {
					b.Fatal(err)
				}
				after, err := is.Tree()
				if err != nil {
					b.Fatal(err)
				}
				changes, err := before.Diff(after)
				if err != nil || len(changes) != 1 {
					b.Fatal(changes, err)
				}
				old = now
			}
			peak(b)
		})
	}
}

// Push: one edit, committed and pushed to a new branch.
func BenchmarkPush(b *testing.B) {
	g := grown(b)
	b.Run("pinnace", func(b *testing.B) {
		r, err := OpenMirror(filepath.Join(b.TempDir(), "m"), Limits{})
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		base := mustFetch(b, r, g.remote(), 1, "heads/main").Refs["heads/main"]
		s := mustSnapshot(b, r, base)
		i := 0
		for b.Loop() {
			i++
			h, w := change(b, r, s, map[string][]byte{"apps/000/001/deploy.yaml": []byte(fmt.Sprintf("image: pushed:%d\n", i))})
			if err := r.Push(context.Background(), g.remote(), Push{Ref: fmt.Sprintf("heads/p%d", i), New: h, Objects: w.Objects}); err != nil {
				b.Fatal(err)
			}
		}
		peak(b)
	})
	b.Run("git", func(b *testing.B) {
		dir := filepath.Join(b.TempDir(), "clone")
		g.git(g.root, "clone", "-q", "--bare", "--depth=1", g.remote().URL, dir)
		tree := g.git(dir, "rev-parse", "main^{tree}")
		i := 0
		for b.Loop() {
			b.StopTimer()
			i++
			h := g.git(dir, "commit-tree", "-p", "main", "-m", fmt.Sprint(i), tree)
			b.StartTimer()
			g.git(dir, "push", "-q", g.remote().URL, h+fmt.Sprintf(":refs/heads/g%d", i))
		}
	})
}
