package git

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A rig is a bare repository behind git http-backend, and a clone to work in.
type rig struct {
	t      testing.TB
	root   string
	bare   string
	work   string
	server *httptest.Server
	auth   string // user:password that requests must carry, "" for any

	mu       sync.Mutex
	requests []string
	headers  []http.Header
	before   func(http.ResponseWriter, *http.Request) bool // true: answered
}

func newRig(t testing.TB) *rig {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Skip("git --exec-path fails")
	}
	backend := filepath.Join(strings.TrimSpace(string(path)), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		t.Skip("git http-backend is not installed")
	}
	g := &rig{t: t, root: t.TempDir()}
	g.bare, g.work = filepath.Join(g.root, "repo.git"), filepath.Join(t.TempDir(), "work")
	g.git(g.root, "init", "-q", "--bare", "-b", "main", g.bare)
	for _, c := range []string{"http.receivepack=true", "uploadpack.allowAnySHA1InWant=true", "gc.auto=0", "receive.autogc=false"} {
		k, v, _ := strings.Cut(c, "=")
		g.git(g.bare, "config", k, v)
	}
	g.git(g.root, "clone", "-q", g.bare, g.work)
	h := &cgi.Handler{
		Path: backend, Dir: g.root,
		Env: []string{"GIT_PROJECT_ROOT=" + g.root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "REMOTE_USER=tester"},
	}
	g.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.requests = append(g.requests, r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), "/repo.git"))
		g.headers = append(g.headers, r.Header.Clone())
		before := g.before
		g.mu.Unlock()
		if before != nil && before(w, r) {
			return
		}
		if user, password, _ := r.BasicAuth(); g.auth != "" && user+":"+password != g.auth {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(g.server.Close)
	return g
}

func (g *rig) remote() Remote { return Remote{URL: g.server.URL + "/repo.git"} }

// seen returns the requests since the last call.
func (g *rig) seen() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := g.requests
	g.requests, g.headers = nil, nil
	return out
}

func (g *rig) intercept(f func(http.ResponseWriter, *http.Request) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.before = f
}

func (g *rig) git(dir string, args ...string) string {
	g.t.Helper()
	return runGit(g.t, dir, nil, args...)
}

func runGit(t testing.TB, dir string, stdin []byte, args ...string) string {
	t.Helper()
	c := exec.Command("git", args...)
	c.Dir = dir
	c.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.com", "GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@example.com",
		"GIT_AUTHOR_DATE=2024-01-02T03:04:05+0100", "GIT_COMMITTER_DATE=" + nextDate(),
	}
	c.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

var (
	dates sync.Mutex
	ticks int64
)

// nextDate returns a later time at each call, so that commits have an order.
func nextDate() string {
	dates.Lock()
	defer dates.Unlock()
	ticks++
	return fmt.Sprintf("@%d +0000", 1704164645+ticks)
}

// commit writes files ("" removes one) in the clone, commits and pushes them.
func (g *rig) commit(branch string, files map[string]string) Hash {
	g.t.Helper()
	for name, text := range files {
		p := filepath.Join(g.work, filepath.FromSlash(name))
		if text == "" {
			if err := os.Remove(p); err != nil {
				g.t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			g.t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			g.t.Fatal(err)
		}
	}
	g.git(g.work, "add", "-A")
	g.git(g.work, "commit", "-q", "--allow-empty", "-m", "change")
	g.git(g.work, "push", "-q", "-f", "origin", "HEAD:refs/heads/"+branch)
	return g.at("HEAD")
}

func (g *rig) at(rev string) Hash {
	g.t.Helper()
	h, err := ParseHash(g.git(g.work, "rev-parse", rev))
	if err != nil {
		g.t.Fatal(err)
	}
	return h
}

// upstream returns where a ref of the bare repository is, zero if it is not there.
func (g *rig) upstream(ref string) Hash {
	g.t.Helper()
	out := g.git(g.bare, "for-each-ref", "--format=%(objectname)", ref)
	if out == "" {
		return Hash{}
	}
	h, err := ParseHash(out)
	if err != nil {
		g.t.Fatal(err)
	}
	return h
}

func openTestMirror(t testing.TB, dir string) *Repository {
	t.Helper()
	r, err := OpenMirror(dir, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func mustFetch(t testing.TB, r *Repository, m Remote, depth int, refs ...string) Fetched {
	t.Helper()
	out, err := r.Fetch(context.Background(), m, Fetch{Refs: refs, Depth: depth})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func mustSnapshot(t testing.TB, r *Repository, h Hash) *Snapshot {
	t.Helper()
	s, err := r.Snapshot(h)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// files reads a whole snapshot.
func files(t testing.TB, s *Snapshot) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := s.Walk(context.Background(), nil, func(e Entry) error {
		if e.Problem != nil {
			out[e.Path] = "problem: " + string(e.Problem.Kind)
			return nil
		}
		data, err := s.Blob(e.Blob, 0)
		if int64(len(data)) != e.Size {
			t.Errorf("%s has size %d, and %d bytes", e.Path, e.Size, len(data))
		}
		out[e.Path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var someone = Signature{Name: "Pinnace", Email: "bot@example.com", When: time.Unix(1700000000, 0).UTC()}

// change commits edits on top of a snapshot.
func change(t testing.TB, r *Repository, s *Snapshot, edits map[string][]byte, create ...string) (Hash, *Written) {
	t.Helper()
	w, err := s.WriteTree(edits, create...)
	if err != nil {
		t.Fatal(err)
	}
	h, err := r.Commit(Commit{Tree: w.Tree, Parents: []Hash{s.Commit}, Author: someone, Committer: someone, Message: "pin images"})
	if err != nil {
		t.Fatal(err)
	}
	return h, w
}

// fsck lets git itself check a mirror.
func fsck(t testing.TB, dir string) {
	t.Helper()
	if out := runGit(t, dir, nil, "fsck", "--full", "--strict", "--no-dangling"); strings.Contains(out, "error") || strings.Contains(out, "missing") {
		t.Errorf("git fsck: %s", out)
	}
}
