package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	originPath  = "/origin.git"
	nextPath    = "/next"    // POST moves main by one commit of one file
	trafficPath = "/traffic" // GET tells what was asked so far
	pushed      = "refs/heads/bench/"
	imageHost   = "registry.example.com"
)

// An origin is a bare repository behind git http-backend on loopback. What git asks for is
// counted; what the bench itself asks for is not.
type origin struct {
	dir, bare string
	backend   string
	env       []string
	server    *http.Server
	url       string
	files     int
	commits   int
	bytes     int64 // of the pack

	requests, sent, received atomic.Int64

	paths []string   // of files of one workload
	mu    sync.Mutex // held while main moves
}

// errNoGit says why there is nothing to measure.
var errNoGit = errors.New("git and its http-backend are not installed")

// openOrigin generates the repository below dir, or takes the one that an earlier run has
// kept there, and serves it.
func openOrigin(dir, home string, seed uint64, files, commits, images, refs int) (*origin, error) {
	o := &origin{dir: dir, bare: filepath.Join(dir, "origin.git"), files: files, commits: commits}
	o.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null"}
	exec, err := o.git(nil, "", "--exec-path")
	if err != nil {
		return nil, errNoGit
	}
	o.backend = filepath.Join(strings.TrimSpace(string(exec)), "git-http-backend")
	if _, err := os.Stat(o.backend); err != nil {
		return nil, errNoGit
	}
	stamp := fmt.Sprintf("seed %d, %d files, %d commits, %d images, %d references\n", seed, files, commits, images, refs)
	made := filepath.Join(dir, "origin.txt")
	if have, err := os.ReadFile(made); err != nil || string(have) != stamp {
		if err := o.build(seed, images, refs); err != nil {
			return nil, err
		}
		if err := os.WriteFile(made, []byte(stamp), 0o644); err != nil {
			return nil, err
		}
	}
	if err := o.forget(); err != nil {
		return nil, err
	}
	names, err := o.git(nil, o.bare, "ls-tree", "-r", "--name-only", "main")
	if err != nil {
		return nil, err
	}
	for name := range strings.Lines(string(names)) {
		if strings.HasPrefix(filepath.Base(name), "deployment-") && strings.HasSuffix(name, ".yaml\n") {
			o.paths = append(o.paths, strings.TrimSuffix(name, "\n"))
		}
	}
	packs, err := filepath.Glob(filepath.Join(o.bare, "objects/pack/*.pack"))
	if err != nil || len(o.paths) == 0 {
		return nil, errors.Join(err, fmt.Errorf("%s holds no deployment", o.bare))
	}
	for _, p := range packs {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		o.bytes += info.Size()
	}
	return o, o.listen()
}

// git runs git in a directory and returns what it prints.
func (o *origin) git(stdin io.Reader, dir string, args ...string) ([]byte, error) {
	c := exec.Command("git", args...)
	c.Dir, c.Env, c.Stdin = dir, o.env, stdin
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, said.String())
	}
	return out, nil
}

// forget deletes the branches that an earlier run has pushed.
func (o *origin) forget() error {
	commands, err := o.git(nil, o.bare, "for-each-ref", "--format=delete %(refname)", pushed)
	if err == nil {
		_, err = o.git(bytes.NewReader(commands), o.bare, "update-ref", "--stdin")
	}
	return err
}

// build makes the repository with git fast-import: all files in the first commit, and one
// file in each further one.
func (o *origin) build(seed uint64, images, refs int) error {
	if err := os.RemoveAll(o.bare); err != nil {
		return err
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	if _, err := o.git(nil, o.dir, "init", "-q", "--bare", "-b", "main", o.bare); err != nil {
		return err
	}
	for _, c := range []string{"http.receivepack true", "gc.auto 0", "receive.autogc false"} {
		key, value, _ := strings.Cut(c, " ")
		if _, err := o.git(nil, o.bare, "config", key, value); err != nil {
			return err
		}
	}
	in, out := io.Pipe()
	go func() {
		w := bufio.NewWriterSize(out, 1<<20)
		err := o.history(w, seed, images, refs)
		out.CloseWithError(errors.Join(err, w.Flush()))
	}()
	_, err := o.git(in, o.bare, "fast-import", "--quiet")
	in.CloseWithError(err) // so that history ends where git did
	if err != nil {
		return err
	}
	_, err = o.git(nil, o.bare, "repack", "-q", "-a", "-d", "-f")
	return err
}

// history writes the commits as git fast-import reads them
// (https://git-scm.com/docs/git-fast-import).
func (o *origin) history(w io.Writer, seed uint64, images, refs int) error {
	heading(w, 0)
	var paths []string
	_, err := draw(seed, imageHost, o.files, images, refs, true, func(f file, data []byte) error {
		if strings.HasPrefix(filepath.Base(f.path), "deployment-") && strings.HasSuffix(f.path, ".yaml") {
			paths = append(paths, f.path)
		}
		return modify(w, fmt.Sprintf("100%o", f.mode), f.path, data)
	})
	if err != nil {
		return err
	}
	for i := 1; i < o.commits; i++ {
		heading(w, i)
		if err := modify(w, "100644", paths[i*7919%len(paths)], deployment(uint64(i), true)); err != nil {
			return err
		}
	}
	return nil
}

func heading(w io.Writer, second int) {
	fmt.Fprintf(w, "commit refs/heads/main\ncommitter Bench <bench@example.com> %d +0000\ndata 7\nchange\n\n", 1700000000+second)
}

func modify(w io.Writer, mode, path string, data []byte) error {
	_, err := fmt.Fprintf(w, "M %s inline %s\ndata %d\n%s\n", mode, path, len(data), data)
	return err
}

// deployment writes a file of one image, differently for each number.
func deployment(number uint64, pinned bool) []byte {
	r := rand.New(rand.NewPCG(number, 0))
	p := &page{Rand: r, host: imageHost, pool: newPool(r, 4, 4), pinned: pinned, app: "bench"}
	p.line("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: bench-%d\nspec:\n  replicas: %d\n  template:\n    spec:", number, 1+p.IntN(5))
	p.line("      containers:\n      - name: main\n        image: %s", p.ref())
	return p.finish(true)
}

func (o *origin) listen() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	o.url = "http://" + l.Addr().String()
	backend := &cgi.Handler{
		Path: o.backend, Dir: o.dir, Root: "/",
		Env: append([]string{"GIT_PROJECT_ROOT=" + o.dir, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=bench"}, o.env...),
	}
	mux := http.NewServeMux()
	mux.HandleFunc(originPath+"/", func(w http.ResponseWriter, r *http.Request) {
		o.requests.Add(1)
		r.Body = &metered{ReadCloser: r.Body, n: &o.received}
		backend.ServeHTTP(&meteredWriter{ResponseWriter: w, n: &o.sent}, r)
	})
	mux.HandleFunc("GET "+trafficPath, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%d %d %d", o.requests.Load(), o.sent.Load(), o.received.Load())
	})
	mux.HandleFunc("POST "+nextPath, func(w http.ResponseWriter, r *http.Request) {
		place, err := strconv.ParseUint(r.URL.Query().Get("place"), 10, 31)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		path, err := o.next(int(place), r.URL.Query().Get("unpinned") != "")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, path)
	})
	o.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = o.server.Serve(l) }()
	return nil
}

// next moves main by a commit of one file, the place-th of those with one workload.
func (o *origin) next(place int, unpinned bool) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	path := o.paths[place%len(o.paths)]
	var b bytes.Buffer
	fmt.Fprintf(&b, "commit refs/heads/main\ncommitter Bench <bench@example.com> %d +0000\ndata 5\nnext\nfrom refs/heads/main^0\n", time.Now().Unix())
	if err := modify(&b, "100644", path, deployment(uint64(time.Now().UnixNano()), !unpinned)); err != nil {
		return "", err
	}
	_, err := o.git(&b, o.bare, "fast-import", "--quiet")
	return path, err
}

// depth returns how many trees are on the path of a file, with the root.
func depth(path string) int64 { return int64(strings.Count(path, "/")) + 1 }

// metered counts what is read.
type metered struct {
	io.ReadCloser
	n *atomic.Int64
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	m.n.Add(int64(n))
	return n, err
}

// meteredWriter counts what is written.
type meteredWriter struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (m *meteredWriter) Write(p []byte) (int, error) {
	n, err := m.ResponseWriter.Write(p)
	m.n.Add(int64(n))
	return n, err
}

// Flush passes on to who can.
func (m *meteredWriter) Flush() {
	if f, ok := m.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}
