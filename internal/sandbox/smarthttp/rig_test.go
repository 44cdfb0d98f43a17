package smarthttp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"
)

// A rig is a server with one repository, at /acme/config.git, and a git to talk to it.
type rig struct {
	t    testing.TB
	url  string
	repo *Repository
	git  *git

	mu    sync.Mutex
	packs []*bytes.Buffer // the answers to git-upload-pack
	spoke []string        // the Git-Protocol of the requests for them

	moved []Command // under the repository's lock
}

const token = "x-access-token:secret"

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, git: newGit(t)}
	r.repo = &Repository{
		Storer:             memory.NewStorage(),
		Lock:               &sync.Mutex{},
		Head:               "refs/heads/main",
		Hidden:             func(ref string) bool { return strings.HasPrefix(ref, "refs/pull/") },
		Updated:            func(c []Command) { r.moved = append(r.moved, c...) },
		AllowAnySHA1InWant: true,
	}
	server := &Server{Open: func(req *http.Request, path string, write bool) (*Repository, error) {
		user, password, ok := req.BasicAuth()
		switch {
		case !ok, user+":"+password != token && user != "reader":
			return nil, fmt.Errorf("asked by %q: %w", user, ErrUnauthorized)
		case path != "/acme/config.git":
			return nil, ErrNotFound
		case write && user == "reader":
			return nil, ErrForbidden("Permission to acme/config.git denied to reader.")
		}
		r.repo.Lock.Lock()
		defer r.repo.Lock.Unlock()
		now := *r.repo
		return &now, nil
	}}
	web := httptest.NewServer(r.record(server))
	t.Cleanup(web.Close)
	r.url = strings.Replace(web.URL, "http://", "http://"+token+"@", 1) + "/acme/config.git"
	return r
}

// record keeps what git-upload-pack sends, from before it is sent.
func (r *rig) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/git-upload-pack") {
			r.mu.Lock()
			r.spoke = append(r.spoke, req.Header.Get("Git-Protocol"))
			sent := &bytes.Buffer{}
			r.packs = append(r.packs, sent)
			r.mu.Unlock()
			w = &tee{ResponseWriter: w, rig: r, sent: sent}
		}
		next.ServeHTTP(w, req)
	})
}

type tee struct {
	http.ResponseWriter
	rig  *rig
	sent *bytes.Buffer
}

func (t *tee) Write(p []byte) (int, error) {
	t.rig.mu.Lock()
	t.sent.Write(p)
	t.rig.mu.Unlock()
	return t.ResponseWriter.Write(p)
}

// packed returns how many objects the packs have that were sent since the last call.
func (r *rig) packed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	total := 0
	for _, p := range r.packs {
		b := p.Bytes()
		if i := bytes.Index(b, []byte("PACK\x00\x00\x00\x02")); i >= 0 {
			total += int(binary.BigEndian.Uint32(b[i+8:]))
		}
	}
	r.packs = nil
	return total
}

// rounds returns how many requests for packs are under way or done since the last
// call of packed.
func (r *rig) rounds() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.packs)
}

// moves returns the references that moved.
func (r *rig) moves() []Command {
	r.repo.Lock.Lock()
	defer r.repo.Lock.Unlock()
	return slices.Clone(r.moved)
}

// ref returns what a reference of the repository names.
func (r *rig) ref(name string) string {
	r.t.Helper()
	r.repo.Lock.Lock()
	defer r.repo.Lock.Unlock()
	p, err := r.repo.Storer.Reference(plumbing.ReferenceName(name))
	if err != nil {
		return ""
	}
	return p.Hash().String()
}

// change changes the repository between requests.
func (r *rig) change(how func(*Repository)) {
	r.repo.Lock.Lock()
	defer r.repo.Lock.Unlock()
	how(r.repo)
}

// set moves a reference, as the web interface would. The empty hash removes it.
func (r *rig) set(name, hash string) {
	r.t.Helper()
	r.repo.Lock.Lock()
	defer r.repo.Lock.Unlock()
	if hash == "" {
		if err := r.repo.Storer.RemoveReference(plumbing.ReferenceName(name)); err != nil {
			r.t.Fatal(err)
		}
		return
	}
	if err := r.repo.Storer.SetReference(plumbing.NewHashReference(plumbing.ReferenceName(name), plumbing.NewHash(hash))); err != nil {
		r.t.Fatal(err)
	}
}

// A git runs the real one, away from the user's and the system's configuration.
type git struct {
	t    testing.TB
	home string
	env  []string
	tick int
}

func newGit(t testing.TB) *git {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed: these tests speak with the real one")
	}
	return &git{t: t, home: t.TempDir(), tick: 1_700_000_000}
}

// run runs git in a directory and returns what it prints; want "" is success, and
// any other text is in the output of a failure.
func (g *git) run(dir, want string, args ...string) string {
	g.t.Helper()
	g.tick += 60
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + g.home, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", fmt.Sprintf("GIT_AUTHOR_DATE=%d +0000", g.tick),
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com", fmt.Sprintf("GIT_COMMITTER_DATE=%d +0000", g.tick),
		"GIT_CONFIG_COUNT=3",
		"GIT_CONFIG_KEY_0=init.defaultBranch", "GIT_CONFIG_VALUE_0=main",
		"GIT_CONFIG_KEY_1=advice.detachedHead", "GIT_CONFIG_VALUE_1=false",
		"GIT_CONFIG_KEY_2=gc.auto", "GIT_CONFIG_VALUE_2=0",
	}, g.env...)
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	switch {
	case want == "" && err != nil:
		g.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, text)
	case want != "" && err == nil:
		g.t.Fatalf("git %s succeeded, want %q\n%s", strings.Join(args, " "), want, text)
	case want != "" && !strings.Contains(text, want):
		g.t.Fatalf("git %s: no %q in\n%s", strings.Join(args, " "), want, text)
	}
	return text
}

// ok runs git, which succeeds.
func (g *git) ok(dir string, args ...string) string {
	g.t.Helper()
	return g.run(dir, "", args...)
}

// dir returns a new path.
func (g *git) dir() string {
	g.t.Helper()
	return filepath.Join(g.t.TempDir(), "work")
}

// init makes a repository with a commit on main.
func (g *git) init() string {
	g.t.Helper()
	dir := g.dir()
	g.ok("", "init", "-q", dir)
	g.commit(dir, "README.md", "hello\n")
	return dir
}

// commit writes a file, commits it, and returns the commit.
func (g *git) commit(dir, file, text string) string {
	g.t.Helper()
	path := filepath.Join(dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		g.t.Fatal(err)
	}
	g.ok(dir, "add", ".")
	g.ok(dir, "commit", "-q", "--allow-empty", "-m", "change "+file)
	return g.ok(dir, "rev-parse", "HEAD")
}

// sound checks that a clone is complete.
func (g *git) sound(dir string) {
	g.t.Helper()
	g.ok(dir, "fsck", "--full", "--strict", "--no-dangling")
}

// objects lists the objects of all references of a clone, each with its type.
func (g *git) objects(dir string) []string {
	g.t.Helper()
	var all []string
	for line := range strings.Lines(g.ok(dir, "rev-list", "--objects", "--all")) {
		all = append(all, strings.Fields(line)[0])
	}
	slices.Sort(all)
	return all
}

// stored lists all that a clone has, reachable or not.
func (g *git) stored(dir string) []string {
	g.t.Helper()
	all := strings.Fields(g.ok(dir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"))
	slices.Sort(all)
	return all
}

// backend serves a directory of bare repositories with git's own server.
func (g *git) backend(root string) string {
	g.t.Helper()
	exe := filepath.Join(g.ok("", "--exec-path"), "git-http-backend")
	if _, err := os.Stat(exe); err != nil {
		g.t.Skip("git http-backend is not installed: this test compares with it")
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := &cgi.Handler{
			Path: exe, Root: "/",
			Env:    []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "HOME=" + g.home, "GIT_PROTOCOL=" + r.Header.Get("Git-Protocol"), "REMOTE_USER=ada"},
			Stderr: bytes.NewBuffer(nil),
		}
		h.ServeHTTP(w, r)
	}))
	g.t.Cleanup(web.Close)
	return web.URL
}

// versions runs a test with each version of the protocol; a short run has git's
// default alone.
func versions(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	for _, v := range []string{"0", "2"} {
		if v == "0" && testing.Short() {
			continue
		}
		t.Run("v"+v, func(t *testing.T) {
			r := newRig(t)
			r.git.env = []string{"GIT_CONFIG_COUNT=4", "GIT_CONFIG_KEY_3=protocol.version", "GIT_CONFIG_VALUE_3=" + v}
			test(t, r)
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, spoke := range r.spoke {
				if want := map[string]string{"2": "version=2"}[v]; spoke != want {
					t.Errorf("git spoke %q, want %q", spoke, want)
				}
			}
		})
	}
}

// stream feeds a text to git fast-import.
func (g *git) stream(dir, text string) {
	g.t.Helper()
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		g.t.Fatalf("git fast-import: %v\n%s", err, out)
	}
}

// read returns a file, empty where there is none.
func read(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(b)
}
