package smarthttp

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Git's own server says what ours has to: the same repository, the same requests.
func TestBackend(t *testing.T) {
	versions(t, func(t *testing.T, r *rig) {
		g := r.git
		work := tangled(g)
		root := t.TempDir()
		bare := filepath.Join(root, "acme", "config.git")
		g.ok("", "clone", "-q", "--mirror", work, bare)
		g.ok(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
		theirs := g.backend(root) + "/acme/config.git"
		g.ok(work, "push", "-q", "--mirror", r.url)

		if diff := cmp.Diff(g.ok("", "ls-remote", "--symref", theirs), g.ok("", "ls-remote", "--symref", r.url)); diff != "" {
			t.Errorf("ls-remote (-git +ours):\n%s", diff)
		}
		sha := g.ok(work, "rev-parse", "main~12")
		tests := []struct {
			name  string
			steps [][]string // the first is a clone's, URL is the server's
		}{
			{"clone", [][]string{{}}},
			{"bare", [][]string{{"--bare"}}},
			{"mirror", [][]string{{"--mirror"}}},
			{"single branch", [][]string{{"--single-branch", "--branch", "root2"}}},
			{"no tags", [][]string{{"--no-tags", "--single-branch"}}},
			{"tag", [][]string{{"--depth=2", "--branch", "v2"}}},
			{"depth 1", [][]string{{"--depth=1"}}},
			{"depth 1 of all", [][]string{{"--depth=1", "--no-single-branch"}}},
			{"depth 3", [][]string{{"--depth=3", "--no-single-branch"}}},
			{"beyond the root", [][]string{{"--depth=100"}}},
			{"since", [][]string{{"--shallow-since=1700001500"}}},
			{"exclude", [][]string{{"--shallow-exclude=v1", "--no-single-branch"}}},
			{"deeper", [][]string{{"--depth=2"}, {"fetch", "--depth=5"}, {"fetch", "--depth=3"}, {"fetch", "--deepen=1"}, {"fetch", "--deepen=4"}}},
			{"deeper of all", [][]string{{"--depth=2", "--no-single-branch"}, {"fetch", "--deepen=2"}, {"fetch", "--deepen=3"}}},
			{"unshallow", [][]string{{"--depth=2"}, {"fetch", "--unshallow"}}},
			{"unshallow one of two", [][]string{{"--depth=2", "--no-single-branch"}, {"fetch", "--unshallow", "origin", "root2"}}},
			{"more branches", [][]string{{"--depth=2"}, {"fetch", "origin", "+refs/heads/*:refs/remotes/origin/*"}}},
			{"whole over shallow", [][]string{{"--depth=4"}, {"fetch", "origin", "root2", "side"}}},
			{"by name of a commit", [][]string{{"--depth=1"}, {"fetch", "origin", sha}, {"fetch", "--depth=3", "origin", sha}}},
			{"since, later", [][]string{{"--depth=1"}, {"fetch", "--shallow-since=1700001200"}, {"fetch", "--shallow-exclude=v1"}}},
			{"tags later", [][]string{{"--no-tags", "--single-branch", "--branch", "side"}, {"fetch", "origin", "main"}, {"fetch", "--tags"}}},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				var dirs [2]string
				for i, url := range []string{theirs, r.url} {
					dir := filepath.Join(g.t.TempDir(), fmt.Sprint(i))
					dirs[i] = dir
					g.ok("", append(append([]string{"clone", "-q"}, tt.steps[0]...), url, dir)...)
				}
				same := func(step int, what ...string) {
					t.Helper()
					want, got := sorted(g.ok(dirs[0], what...)), sorted(g.ok(dirs[1], what...))
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("after step %d: git %s (-git +ours):\n%s", step, strings.Join(what, " "), diff)
					}
				}
				for i := range tt.steps {
					if i > 0 {
						for _, dir := range dirs {
							g.ok(dir, append(tt.steps[i][:1:1], append([]string{"-q"}, tt.steps[i][1:]...)...)...)
						}
					}
					same(i, "rev-list", "--objects", "--all", "--no-object-names")
					if diff := cmp.Diff(boundaryOf(dirs[0]), boundaryOf(dirs[1])); diff != "" {
						t.Errorf("after step %d: boundary (-git +ours):\n%s", i, diff)
					}
				}
				same(len(tt.steps)-1, "for-each-ref")
				g.sound(dirs[1])
				if got, want := len(g.stored(dirs[1])), len(g.stored(dirs[0])); got > want {
					t.Errorf("%d objects came, git's server sends %d", got, want)
				}
			})
		}
	})
}

func sorted(text string) []string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return lines
}

// boundaryOf lists the commits of a clone that are shallow.
func boundaryOf(dir string) []string {
	return sorted(strings.TrimSpace(read(filepath.Join(dir, ".git", "shallow")) + read(filepath.Join(dir, "shallow"))))
}

// tangled makes a repository with two roots, merges, an octopus, tags of tags, a
// submodule, a link, and branches that end inside one another's history.
func tangled(g *git) string {
	g.t.Helper()
	dir := g.init()
	for i := range 6 {
		g.commit(dir, "apps/a.yaml", fmt.Sprintf("%d\n", i))
	}
	g.ok(dir, "tag", "-a", "-m", "one", "v1")
	g.ok(dir, "tag", "light")
	g.ok(dir, "branch", "side", "HEAD~3")
	g.ok(dir, "checkout", "-q", "--orphan", "root2")
	g.ok(dir, "rm", "-q", "-rf", ".")
	for i := range 5 {
		g.commit(dir, "other/b.yaml", fmt.Sprintf("%d\n", i))
	}
	g.ok(dir, "checkout", "-q", "side")
	for i := range 4 {
		g.commit(dir, "side.yaml", fmt.Sprintf("%d\n", i))
	}
	g.ok(dir, "branch", "third", "HEAD~1")
	g.ok(dir, "checkout", "-q", "third")
	g.commit(dir, "third.yaml", "3\n")
	g.ok(dir, "checkout", "-q", "main")
	g.commit(dir, "apps/deep/er/c.yaml", "c\n")
	g.ok(dir, "merge", "-q", "--allow-unrelated-histories", "-m", "join", "root2~1")
	g.ok(dir, "merge", "-q", "-m", "octopus", "side~1", "third")
	g.ok(dir, "update-index", "--add", "--cacheinfo", "160000,"+g.ok(dir, "rev-parse", "HEAD~1")[:39]+"0,sub")
	g.ok(dir, "commit", "-q", "-m", "submodule")
	for i := range 3 {
		g.commit(dir, "apps/a.yaml", fmt.Sprintf("%d\n", i)) // as it was before
	}
	g.ok(dir, "merge", "-q", "-m", "again", "side")
	g.ok(dir, "tag", "-a", "-m", "two", "v2", "HEAD~1")
	g.ok(dir, "tag", "-a", "-m", "tag of a tag", "v2-approved", "v2")
	g.ok(dir, "tag", "-a", "-m", "tag of a tree", "tree", "HEAD^{tree}")
	return dir
}

// The doors answer with the status and the headers that git's server has.
func TestHeaders(t *testing.T) {
	r := newRig(t)
	g := r.git
	work := g.init()
	g.ok(work, "push", "-q", r.url, "main")
	root := t.TempDir()
	g.ok("", "clone", "-q", "--mirror", work, filepath.Join(root, "acme", "config.git"))
	theirs := g.backend(root) + "/acme/config.git"
	tests := []struct {
		method, path, kind, body string
		status                   int // ours, where it is not git's; 0: the same
	}{
		{"GET", "/info/refs?service=git-upload-pack", "", "", 0},
		{"GET", "/info/refs?service=git-receive-pack", "", "", 0},
		{"GET", "/info/refs?service=git-shell", "", "", 0},
		{"POST", "/info/refs?service=git-upload-pack", "", "", 0},
		{"GET", "/info/refs", "", "", 403}, // the dumb protocol, which GitHub refuses
		{"GET", "/git-upload-pack", "", "", 0},
		{"GET", "/git-receive-pack", "", "", 0},
		{"POST", "/git-upload-pack", "application/x-git-upload-pack-request", "0000", 0},
		{"POST", "/git-receive-pack", "application/x-git-receive-pack-request", "0000", 0},
		{"POST", "/git-upload-pack", "text/plain", "0000", 0},
		{"POST", "/git-receive-pack", "application/x-git-upload-pack-request", "0000", 0},
		{"GET", "/nothing", "", "", 0},
		{"GET", "/HEAD", "", "", 404},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path+" "+tt.kind, func(t *testing.T) {
			ask := func(base string) *http.Response {
				req, err := http.NewRequest(tt.method, base+tt.path, strings.NewReader(tt.body))
				if err != nil {
					t.Fatal(err)
				}
				if tt.kind != "" {
					req.Header.Set("Content-Type", tt.kind)
				}
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					t.Fatal(err)
				}
				return resp
			}
			want, got := ask(theirs), ask(r.url)
			status := want.StatusCode
			if tt.status != 0 {
				status = tt.status
			}
			if got.StatusCode != status {
				t.Errorf("status %d, want %d", got.StatusCode, status)
			}
			if status != want.StatusCode {
				return
			}
			headers := []string{"Cache-Control", "Pragma", "Expires", "Allow"}
			if status == http.StatusOK {
				headers = append(headers, "Content-Type")
			}
			for _, h := range headers {
				if got, want := got.Header.Get(h), want.Header.Get(h); got != want && want != "" {
					t.Errorf("%s is %q, want %q", h, got, want)
				}
			}
		})
	}
}
