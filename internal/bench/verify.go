package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// A verdict says what a program did to the tree.
type verdict struct {
	pinned  int   // references that carry the digest of their image now
	changed []int // files that differ
	outside int   // bytes that changed and belong to no digest, or to a wrong one
	first   string
}

// verify compares both copies of the tree. It knows how a digest looks and which ones
// were expected in which file, and nothing else of how pinning works.
func (t *tree) verify() (verdict, error) {
	var v verdict
	blame := func(f file, bytes int, why string) {
		v.outside += bytes
		if v.first == "" {
			v.first = f.path + ": " + why
		}
	}
	for i, f := range t.files {
		old, err := os.ReadFile(filepath.Join(t.pristine, f.path))
		if err != nil {
			return v, err
		}
		work := filepath.Join(t.work, f.path)
		data, err := os.ReadFile(work)
		if err != nil {
			return v, err
		}
		info, err := os.Lstat(work)
		if err != nil {
			return v, err
		}
		if info.Mode() != f.mode {
			blame(f, 1, fmt.Sprintf("mode is %s, was %s", info.Mode(), f.mode))
		}
		if bytes.Equal(old, data) {
			continue
		}
		v.changed = append(v.changed, i)
		digests, rest := inserted(old, data)
		if rest > 0 {
			blame(f, rest, "a change that is no digest")
		}
		left := map[string]int{}
		for _, d := range f.want {
			left[d]++
		}
		for _, d := range digests {
			if left[d] == 0 {
				blame(f, len(d), "the digest "+d+" of another image")
				continue
			}
			left[d]--
			v.pinned++
		}
	}
	stray, err := t.stray()
	if stray != "" {
		blame(file{path: stray}, 1, "a file that was not there")
	}
	return v, err
}

// stray returns a file in the work tree that was not generated.
func (t *tree) stray() (string, error) {
	known := make(map[string]bool, len(t.files))
	for _, f := range t.files {
		known[filepath.Join(t.work, f.path)] = true
	}
	found := ""
	err := filepath.WalkDir(t.work, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !known[path] {
			found = path
		}
		return err
	})
	return found, err
}

// The forms in which a digest is added. A reference gets its tail; a Helm map's empty
// digest or sha is filled; a kustomization gets a line.
var (
	tail  = regexp.MustCompile(`^(?::latest)?@sha256:([0-9a-f]{64})`)
	fill  = regexp.MustCompile(`^(?:sha256:)?([0-9a-f]{64})`)
	line  = regexp.MustCompile(`^\r?\n *digest: sha256:([0-9a-f]{64})`)
	empty = regexp.MustCompile(`(?:digest: |sha: )["']$`)
)

// inserted explains the difference of two files by digests that were inserted. rest
// counts the bytes that it cannot explain.
func inserted(old, data []byte) (digests []string, rest int) {
	i, j, floor := 0, 0, 0
	for {
		n := common(old[i:], data[j:])
		i, j = i+n, j+n
		if i == len(old) && j == len(data) {
			return digests, 0
		}
		digest, back, length := insertion(old, data, i, j, floor)
		if length == 0 {
			return digests, unexplained(old[i:], data[j:])
		}
		digests = append(digests, digest)
		i, j = i-back, j-back+length
		floor = i
	}
}

// insertion finds the digest that was inserted where the files part or, since what
// follows may start like it, up to some bytes before.
func insertion(old, data []byte, i, j, floor int) (digest string, back, length int) {
	for back := 0; i-back >= floor && back < 80; back++ {
		at := data[j-back:]
		for _, form := range []*regexp.Regexp{tail, fill, line} {
			m := form.FindSubmatch(at)
			if m == nil || form == fill && !empty.Match(data[max(0, j-back-16):j-back]) {
				continue
			}
			if same := common(old[i-back:], at[len(m[0]):]); same > back || i-back+same == len(old) {
				return string(m[1]), back, len(m[0])
			}
		}
	}
	return "", 0, 0
}

func common(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func unexplained(a, b []byte) int {
	n := max(len(a), len(b))
	for k := 1; k <= min(len(a), len(b)) && a[len(a)-k] == b[len(b)-k]; k++ {
		n--
	}
	return max(n, 1)
}
