package dir

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
	"github.com/go-git/go-git/v5/plumbing/format/index"
)

// A repository is the git repository that the directory stands in, if there is one. Git
// itself is never run.
type repository struct {
	prefix   []string            // the directory's path below the repository's root
	patterns []gitignore.Pattern // of the directories above, and .git/info/exclude
	gitDir   string
	tracked  func() map[string]bool // files and directories of the index; nil where unknown
}

// findRepository looks for .git at the directory and above.
func findRepository(start string) *repository {
	r := &repository{tracked: func() map[string]bool { return nil }}
	abs, err := filepath.Abs(start)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return r
	}
	root := abs
	for {
		if _, err := os.Lstat(filepath.Join(root, ".git")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			return r
		}
		root = filepath.Dir(root)
	}
	if rel, err := filepath.Rel(root, abs); err == nil && rel != "." {
		r.prefix = strings.Split(filepath.ToSlash(rel), "/")
	}
	r.gitDir = gitDir(root)
	r.patterns = appendPatterns(r.patterns, filepath.Join(r.gitDir, "info", "exclude"), nil)
	for i := range r.prefix {
		domain := r.prefix[:i]
		file := filepath.Join(root, filepath.Join(domain...), ".gitignore")
		r.patterns = appendPatterns(r.patterns, file, domain)
	}
	r.tracked = sync.OnceValue(r.readIndex)
	return r
}

// gitDir returns the directory that .git is or, in a linked work tree, names.
func gitDir(root string) string {
	dir := filepath.Join(root, ".git")
	data, err := os.ReadFile(dir)
	if err != nil {
		return dir
	}
	named, ok := bytes.CutPrefix(bytes.TrimSpace(data), []byte("gitdir: "))
	if !ok {
		return dir
	}
	if to := string(named); filepath.IsAbs(to) {
		return to
	}
	return filepath.Join(root, string(named))
}

func appendPatterns(all []gitignore.Pattern, file string, domain []string) []gitignore.Pattern {
	data, err := os.ReadFile(file)
	if err != nil {
		return all
	}
	return append(all, parsePatterns(data, domain)...)
}

// parsePatterns reads the lines of a .gitignore that stands in the domain.
func parsePatterns(data []byte, domain []string) []gitignore.Pattern {
	var all []gitignore.Pattern
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			all = append(all, gitignore.ParsePattern(line, domain))
		}
	}
	return all
}

// readIndex returns what git tracks: an ignored file that is tracked is a file like any
// other. It returns nil where the index cannot be read or is split over several files.
func (r *repository) readIndex() map[string]bool {
	if shared, err := filepath.Glob(filepath.Join(r.gitDir, "sharedindex.*")); err != nil || len(shared) > 0 {
		return nil
	}
	f, err := os.Open(filepath.Join(r.gitDir, "index"))
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]bool{} // a new repository
	}
	if err != nil {
		return nil
	}
	defer f.Close()
	var i index.Index
	if err := index.NewDecoder(f).Decode(&i); err != nil {
		return nil
	}
	tracked := make(map[string]bool, len(i.Entries))
	for _, e := range i.Entries {
		for name := e.Name; name != "." && !tracked[name]; name = path.Dir(name) {
			tracked[name] = true
		}
	}
	return tracked
}

// keeps says whether git tracks a path of the directory, whatever is ignored. What cannot
// be known is kept, so that nothing hides behind a pattern.
func (r *repository) keeps(name string) bool {
	tracked := r.tracked()
	return tracked == nil && path.Base(name) != "node_modules" || tracked[path.Join(append(r.prefix[:len(r.prefix):len(r.prefix)], name)...)]
}

// segments returns a path of the directory as the patterns know it.
func (r *repository) segments(name string) []string {
	return append(r.prefix[:len(r.prefix):len(r.prefix)], strings.Split(name, "/")...)
}
