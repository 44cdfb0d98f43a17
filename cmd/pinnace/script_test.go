package main

import (
	"fmt"
	"io"
	"log"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

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

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"pinnace": func() { os.Exit(cli.Main()) }})
}

var update = os.Getenv("UPDATE_SCRIPTS") != ""

// TestScript runs testdata/script, the manual that can be run. Each script has a registry
// of its own at $REGISTRY; PINNACE_TEST_REGISTRY names a real one instead.
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
			env.Defer(r.server.Close)
			env.Setenv("REGISTRY", r.host)
			env.Setenv("DEMO", demo)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("DOCKER_CONFIG", filepath.Join(env.WorkDir, ".docker"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"push":     push,
			"expand":   expand,
			"login":    login,
			"remove":   remove,
			"requests": requests,
			"break":    breakHost,
			"sigint":   func(*testscript.TestScript, bool, []string) {},
		},
	})
}

type rigKey struct{}

// A rig is the registry of one script.
type rig struct {
	server *httptest.Server
	host   string
	auth   authn.Authenticator

	mu       sync.Mutex
	user     string // required by basic authentication when set
	password string
	broken   string // path prefix that answers 500
	asked    []string
}

func newRig(t *testing.T) *rig {
	r := &rig{auth: authn.Anonymous}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		user, password, broken := r.user, r.password, r.broken
		if req.Header.Get("User-Agent") != "" && strings.HasPrefix(req.Header.Get("User-Agent"), "pinnace/") {
			r.asked = append(r.asked, req.Method+" "+req.URL.Path)
		}
		r.mu.Unlock()
		if user != "" {
			if u, p, ok := req.BasicAuth(); !ok || u != user || p != password {
				w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
				http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
				return
			}
		}
		if broken != "" && strings.HasPrefix(req.URL.Path, "/v2/"+broken+"/") {
			http.Error(w, "out of order", http.StatusInternalServerError)
			return
		}
		inner.ServeHTTP(w, req)
	}))
	r.host = strings.TrimPrefix(r.server.URL, "http://")
	return r
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
	ref, err := name.ParseReference(r.host + "/" + args[0])
	ts.Check(err)
	seed := int64(0)
	for _, c := range strings.Join(args, " ") {
		seed = seed*31 + int64(c)
	}
	source := random.WithSource(rand.NewSource(seed))
	options := []remote.Option{remote.WithAuth(r.auth)}
	if args[len(args)-1] == "manifest" {
		img, err := random.Image(64, 1, source)
		ts.Check(err)
		ts.Check(remote.Write(ref, img, options...))
		digest, err := img.Digest()
		ts.Check(err)
		ts.Setenv("DIGEST", digest.String())
		return
	}
	var index v1.ImageIndex = random0(ts)
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := random.Image(64, 1, source)
		ts.Check(err)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
		if arch == "amd64" {
			child, err := img.Digest()
			ts.Check(err)
			ts.Setenv("CHILD", child.String())
		}
	}
	ts.Check(remote.WriteIndex(ref, index, options...))
	digest, err := index.Digest()
	ts.Check(err)
	ts.Setenv("DIGEST", digest.String())
}

func random0(ts *testscript.TestScript) v1.ImageIndex {
	index, err := random.Index(0, 0, 0)
	ts.Check(err)
	return index
}

// expand FILE... replaces $NAME in the files by the environment's value.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	for _, file := range args {
		path := ts.MkAbs(file)
		data, err := os.ReadFile(path)
		ts.Check(err)
		text := os.Expand(string(data), func(key string) string {
			if v := ts.Getenv(key); v != "" {
				return v
			}
			return "$" + key
		})
		ts.Check(os.WriteFile(path, []byte(text), 0o644))
	}
}

// login USER PASSWORD makes the registry ask for these.
func login(ts *testscript.TestScript, neg bool, args []string) {
	r := rigOf(ts)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.user, r.password = args[0], args[1]
	r.auth = &authn.Basic{Username: args[0], Password: args[1]}
}

// remove REPOSITORY@DIGEST deletes a manifest.
func remove(ts *testscript.TestScript, neg bool, args []string) {
	r := rigOf(ts)
	ref, err := name.ParseReference(r.host + "/" + args[0])
	ts.Check(err)
	ts.Check(remote.Delete(ref, remote.WithAuth(r.auth)))
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
