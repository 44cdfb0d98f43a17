package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
)

// A file is one that was generated. want holds the digests that pinning adds to it.
type file struct {
	path string
	mode fs.FileMode
	want []string
}

// A tree is a generated repository, as it was made and as a program works on it.
type tree struct {
	pristine, work string
	files          []file
	bytes          int64
	refs           int
	images         int
	scopes         int
}

// generate writes both copies of a repository of n files below dir. The same seed and
// host give the same bytes.
func generate(dir, host string, seed uint64, n, images, refs int) (*tree, error) {
	t := &tree{pristine: filepath.Join(dir, "pristine"), work: filepath.Join(dir, "work"), images: images, refs: refs}
	if _, err := os.Stat(dir); err == nil {
		return nil, fmt.Errorf("%s exists: remove it, for what it holds would be measured, too", dir)
	}
	scopes, err := draw(seed, host, n, images, refs, false, func(f file, data []byte) error {
		t.bytes += int64(len(data))
		t.files = append(t.files, f)
		for _, root := range []string{t.pristine, t.work} {
			if err := write(filepath.Join(root, f.path), data, f.mode); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t.scopes = scopes
	// The root of a repository: no configuration above it is read.
	return t, os.MkdirAll(filepath.Join(t.work, ".git"), 0o755)
}

// draw hands out the n files of a repository one by one, a third of them with images,
// and returns in how many repositories those are. With pinned they carry their digests.
func draw(seed uint64, host string, n, images, refs int, pinned bool, each func(file, []byte) error) (scopes int, err error) {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	all := newPool(r, images, refs)
	// One image in the first file of three, and the rest wherever chance puts them.
	with := n / 3
	counts := make([]int, n)
	for i := range with {
		counts[i] = 1
	}
	for left := refs - with; left > 0; {
		if i := r.IntN(with); counts[i] < 8 {
			counts[i]++
			left--
		}
	}
	r.Shuffle(n, func(i, j int) { counts[i], counts[j] = counts[j], counts[i] })
	for i, count := range counts {
		p := &page{Rand: r, host: host, pool: all, pinned: pinned, app: fmt.Sprintf("%s-%03d", teams[i/25%len(teams)], i/25)}
		from := fillers
		if count > 0 {
			from = forms
		}
		f := choose(r, from)
		f.write(p, count)
		name := fmt.Sprintf("apps/%s/%s/%s", teams[i/25%len(teams)], p.app, fmt.Sprintf(f.path, i))
		made := file{path: name, mode: 0o644, want: p.want}
		if r.IntN(50) == 0 {
			made.mode = 0o755
		}
		if err := each(made, p.finish(filepath.Ext(name) == ".yaml")); err != nil {
			return 0, err
		}
	}
	return all.scopes, nil
}

func choose(r *rand.Rand, from []form) form {
	sum := 0
	for _, f := range from {
		sum += f.share
	}
	at := r.IntN(sum)
	for _, f := range from {
		if at -= f.share; at < 0 {
			return f
		}
	}
	panic("unreachable: the shares add up")
}

func write(name string, data []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name, data, mode); err != nil {
		return err
	}
	return os.Chmod(name, mode)
}

// reset undoes what was done to the files.
func (t *tree) reset(changed []int) error {
	for _, i := range changed {
		f := t.files[i]
		data, err := os.ReadFile(filepath.Join(t.pristine, f.path))
		if err != nil {
			return err
		}
		if err := write(filepath.Join(t.work, f.path), data, f.mode); err != nil {
			return err
		}
	}
	return nil
}

// readAll reads every byte of the work tree with two goroutines: what any program that
// looks at each file must pay.
func (t *tree) readAll() (int64, error) {
	paths := make(chan string, 256)
	var wait sync.WaitGroup
	var sums [2]int64
	var errs [2]error
	for w := range 2 {
		wait.Go(func() {
			for path := range paths {
				data, err := os.ReadFile(path)
				if err != nil {
					errs[w] = err
				}
				sums[w] += int64(len(data))
			}
		})
	}
	err := filepath.WalkDir(t.work, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			paths <- path
		}
		return err
	})
	close(paths)
	wait.Wait()
	for _, e := range errs {
		if err == nil {
			err = e
		}
	}
	return sums[0] + sums[1], err
}
