package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pinnace-dev/pinnace/internal/cli"
)

// asPinnace makes the test binary the program itself.
const asPinnace = "PINNACE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asPinnace) != "" {
		os.Exit(cli.Main())
	}
	testscript.Main(m, map[string]func(){"pinnace": func() { os.Exit(cli.Main()) }, "xdg-open": openPage})
}

var update = os.Getenv("UPDATE_SCRIPTS") != ""

// TestScript runs testdata/script, the manual that can be run. Each script has a registry
// of its own at $REGISTRY; PINNACE_TEST_REGISTRY names a real one instead. The first
// github command gives a script a GitHub, with another registry.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       update,
		Setup: func(env *testscript.Env) error {
			demo, err := filepath.Abs(filepath.Join("..", "..", "testdata", "demo"))
			if err != nil {
				return err
			}
			r := newRig(t)
			env.Values[rigKey{}] = r
			env.Values[hubKey{}] = &hub{t: t}
			env.Defer(r.server.Close)
			env.Setenv("REGISTRY", r.host)
			env.Setenv("STORE", r.store)
			env.Setenv("REAL", os.Getenv("PINNACE_TEST_REGISTRY"))
			env.Setenv("REAL_USER", os.Getenv("PINNACE_TEST_REGISTRY_USER"))
			env.Setenv("REAL_PASSWORD", os.Getenv("PINNACE_TEST_REGISTRY_PASSWORD"))
			env.Setenv("DEMO", demo)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("DOCKER_CONFIG", filepath.Join(env.WorkDir, ".docker"))
			return nil
		},
		Condition: func(condition string) (bool, error) {
			if condition != "real" {
				return false, fmt.Errorf("unknown condition %q", condition)
			}
			return os.Getenv("PINNACE_TEST_REGISTRY") != "", nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"push":     push,
			"expand":   expand,
			"login":    login,
			"requests": requests,
			"break":    breakHost,
			"hang":     hang,
			"reached":  reached,
			"exits":    exits,
			"appears":  appears,
			"github":   github,
			"steady":   steadied,
			"serve":    serve,
		},
	})
}

type rigKey struct{}

// A rig is the registry of one script: one in memory, or a door to a real one.
type rig struct {
	server *httptest.Server
	host   string // what scripts know as $REGISTRY
	store  string // host and repository prefix that images are pushed to
	auth   authn.Authenticator

	mu       sync.Mutex
	user     string // asked for by the door when set
	password string
	broken   string // repository whose look-ups answer 500
	hung     string // repository whose look-ups get no answer
	reached  chan struct{}
	asked    []string
}

func newRig(t *testing.T) *rig {
	r := &rig{auth: authn.Anonymous, reached: make(chan struct{}, 1)}
	var inner http.Handler = registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	real := os.Getenv("PINNACE_TEST_REGISTRY")
	if real != "" {
		user, password := os.Getenv("PINNACE_TEST_REGISTRY_USER"), os.Getenv("PINNACE_TEST_REGISTRY_PASSWORD")
		prefix := fmt.Sprintf("script-%d-%d", os.Getpid(), rigs.Add(1))
		r.store, r.auth = real+"/"+prefix, &authn.Basic{Username: user, Password: password}
		inner = &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: real})
			if name, ok := strings.CutPrefix(p.Out.URL.Path, "/v2/"); ok && name != "" {
				p.Out.URL.Path = "/v2/" + prefix + "/" + name
			}
			p.Out.SetBasicAuth(user, password)
		}}
	}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.serve(w, req, inner) }))
	r.host = strings.TrimPrefix(r.server.URL, "http://")
	if real == "" {
		r.store = r.host
	}
	return r
}

// rigs counts them, to keep the scripts apart on one real registry.
var rigs atomic.Int64

func (r *rig) serve(w http.ResponseWriter, req *http.Request, inner http.Handler) {
	r.mu.Lock()
	user, password, broken, hung := r.user, r.password, r.broken, r.hung
	if strings.HasPrefix(req.Header.Get("User-Agent"), "pinnace/") {
		r.asked = append(r.asked, req.Method+" "+req.URL.Path)
	}
	r.mu.Unlock()
	if u, p, _ := req.BasicAuth(); user != "" && (u != user || p != password) {
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
		return
	}
	switch {
	case broken != "" && strings.HasPrefix(req.URL.Path, "/v2/"+broken+"/"):
		http.Error(w, "out of order", http.StatusInternalServerError)
	case hung != "" && strings.HasPrefix(req.URL.Path, "/v2/"+hung+"/"):
		select {
		case r.reached <- struct{}{}:
		default:
		}
		<-req.Context().Done()
	default:
		inner.ServeHTTP(w, req)
	}
}

func rigOf(ts *testscript.TestScript) *rig { return ts.Value(rigKey{}).(*rig) }

// push REPOSITORY:TAG [SEED] [manifest] puts a made-up image into the registry: an index
// of two platforms, or with "manifest" a single one. The same words give the same digest.
// It sets $DIGEST, and $CHILD to the digest of linux/amd64.
func push(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: push REPOSITORY:TAG [SEED] [manifest]")
	}
	r := rigOf(ts)
	ref, err := name.ParseReference(r.store + "/" + args[0])
	ts.Check(err)
	options := []remote.Option{remote.WithAuth(r.auth)}
	if words := strings.Join(args, " "); args[len(args)-1] == "manifest" {
		img, err := random.Image(64, 1, source(words))
		ts.Check(err)
		ts.Check(remote.Write(ref, img, options...))
		digest, err := img.Digest()
		ts.Check(err)
		ts.Setenv("DIGEST", digest.String())
		return
	}
	index, child, err := madeUp(strings.Join(args, " "))
	ts.Check(err)
	ts.Check(remote.WriteIndex(ref, index, options...))
	digest, err := index.Digest()
	ts.Check(err)
	ts.Setenv("DIGEST", digest.String())
	ts.Setenv("CHILD", child.String())
}

// source makes the same bytes of the same words.
func source(words string) random.Option {
	seed := int64(0)
	for _, c := range words {
		seed = seed*31 + int64(c)
	}
	return random.WithSource(rand.NewSource(seed))
}

// madeUp returns an index of two platforms, and the digest of its linux/amd64.
func madeUp(words string) (v1.ImageIndex, v1.Hash, error) {
	index, err := random.Index(0, 0, 0)
	if err != nil {
		return nil, v1.Hash{}, err
	}
	var amd64 v1.Hash
	bytes := source(words)
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := random.Image(64, 1, bytes)
		if err != nil {
			return nil, v1.Hash{}, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
		if arch == "amd64" {
			if amd64, err = img.Digest(); err != nil {
				return nil, v1.Hash{}, err
			}
		}
	}
	return index, amd64, nil
}

// expand FILE... replaces $NAME in the files by the environment's value.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	for _, file := range args {
		path := ts.MkAbs(file)
		data, err := os.ReadFile(path)
		ts.Check(err)
		ts.Check(os.WriteFile(path, []byte(expanded(ts, string(data))), 0o644))
	}
}

// expanded replaces $NAME by the environment's value, where it has one.
func expanded(ts *testscript.TestScript, text string) string {
	return os.Expand(text, func(key string) string {
		if v := ts.Getenv(key); v != "" {
			return v
		}
		return "$" + key
	})
}

// login USER PASSWORD makes the registry ask for these from now on.
func login(ts *testscript.TestScript, neg bool, args []string) {
	r := rigOf(ts)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.user, r.password = args[0], args[1]
}

// break REPOSITORY makes every look-up below it fail with 500.
func breakHost(ts *testscript.TestScript, neg bool, args []string) {
	r := rigOf(ts)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = args[0]
}

// requests N holds how many requests Pinnace has sent since the last time.
func requests(ts *testscript.TestScript, neg bool, args []string) {
	r := rigOf(ts)
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := fmt.Sprint(len(r.asked)); got != args[0] {
		ts.Fatalf("%s requests, want %s:\n%s", got, args[0], strings.Join(r.asked, "\n"))
	}
	r.asked = nil
}

// hang REPOSITORY makes every look-up below it wait for ever.
func hang(ts *testscript.TestScript, neg bool, args []string) {
	r := rigOf(ts)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hung = args[0]
}

// reached waits until a look-up hangs.
func reached(ts *testscript.TestScript, neg bool, args []string) { <-rigOf(ts).reached }

// exits STATUS COMMAND... holds the exit status of a command.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	status := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(status) != args[0] {
		ts.Fatalf("exit status %d, want %s", status, args[0])
	}
}

// appears FILE waits until another process has written a file.
func appears(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: appears FILE")
	}
	tick, late := time.NewTicker(5*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			ts.Fatalf("%s was not written within a minute", args[0])
		}
	}
}
