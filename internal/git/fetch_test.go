package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/google/go-cmp/cmp"
)

const onlyList = "GET /info/refs?service=git-upload-pack"

func TestListRefsIsOneRequest(t *testing.T) {
	g := newRig(t)
	r := NewMemory(Limits{})
	refs, head, err := r.ListRefs(context.Background(), g.remote())
	if err != nil || len(refs) != 0 || head != "" {
		t.Fatalf("empty repository: %v %q %v", refs, head, err)
	}
	c := g.commit("main", map[string]string{"a": "1"})
	g.git(g.bare, "update-ref", "refs/pull/7/head", c.String())
	g.seen()
	refs, head, err = r.ListRefs(context.Background(), g.remote())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]Hash{"refs/heads/main": c, "refs/pull/7/head": c}, refs); diff != "" || head != "refs/heads/main" {
		t.Errorf("head %q, refs (-want +got):\n%s", head, diff)
	}
	if diff := cmp.Diff([]string{onlyList}, g.seen()); diff != "" {
		t.Error(diff)
	}
}

// A mirror follows upstream at any depth, and asks for nothing when nothing moved.
func TestFetchFollows(t *testing.T) {
	for _, depth := range []int{0, 1, 3} {
		for _, kind := range []string{"mirror", "memory"} {
			if kind == "memory" && depth != 1 {
				continue
			}
			t.Run(fmt.Sprintf("%s depth %d", kind, depth), func(t *testing.T) {
				g := newRig(t)
				dir := filepath.Join(t.TempDir(), "mirror")
				r := NewMemory(Limits{})
				if kind == "mirror" {
					r = openTestMirror(t, dir)
				}
				want := map[string]string{}
				for i := range 18 {
					want[fmt.Sprintf("apps/%02d/deploy.yaml", i%10)] = fmt.Sprintf("image: acme/api:%d\n%s", i, strings.Repeat("filler\n", i))
					want["README"] = fmt.Sprint(i)
					c := g.commit("main", want)
					g.seen()
					out := mustFetch(t, r, g.remote(), depth, "refs/heads/main")
					if !out.Changed || out.Refs["refs/heads/main"] != c || out.Objects == 0 || out.Bytes == 0 {
						t.Fatalf("fetch %d: %+v, want %s", i, out, c)
					}
					if diff := cmp.Diff([]string{onlyList, "POST /git-upload-pack"}, g.seen()); diff != "" {
						t.Fatal(diff)
					}
					if i > 0 && out.Objects > 12 {
						t.Errorf("fetch %d brought %d objects", i, out.Objects)
					}
					if diff := cmp.Diff(want, files(t, mustSnapshot(t, r, c))); diff != "" {
						t.Fatal(diff)
					}
					out = mustFetch(t, r, g.remote(), depth, "refs/heads/main")
					if out.Changed || out.Objects != 0 {
						t.Errorf("nothing moved: %+v", out)
					}
					if diff := cmp.Diff([]string{onlyList}, g.seen()); diff != "" {
						t.Fatal(diff)
					}
				}
				if n := len(r.packs); n >= mergeAt {
					t.Errorf("%d packs after 18 fetches", n)
				}
				if n := len(r.shallow); n > 16+4*len(r.refs)+1 {
					t.Errorf("%d commits in the boundary", n)
				}
				if kind == "mirror" {
					if err := r.Close(); err != nil {
						t.Fatal(err)
					}
					fsck(t, dir)
					r = openTestMirror(t, dir)
					g.seen()
					if out := mustFetch(t, r, g.remote(), depth, "heads/main"); out.Changed {
						t.Errorf("after opening it again: %+v", out)
					}
					if diff := cmp.Diff(want, files(t, mustSnapshot(t, r, g.at("HEAD")))); diff != "" {
						t.Fatal(diff)
					}
				}
			})
		}
	}
}

func TestFetchForcedBranch(t *testing.T) {
	for _, depth := range []int{0, 1} {
		t.Run(fmt.Sprint(depth), func(t *testing.T) {
			g := newRig(t)
			dir := filepath.Join(t.TempDir(), "mirror")
			r := openTestMirror(t, dir)
			for i := range 20 {
				g.commit("main", map[string]string{"a": fmt.Sprint(i), fmt.Sprintf("f%d", i): strings.Repeat("x", i+1)})
			}
			mustFetch(t, r, g.remote(), depth, "refs/heads/main")
			g.git(g.work, "reset", "-q", "--hard", "HEAD~10")
			back := g.commit("main", map[string]string{"a": "forced"})
			g.git(g.bare, "reflog", "expire", "--expire=now", "--all")
			g.git(g.bare, "gc", "-q", "--prune=now")
			out := mustFetch(t, r, g.remote(), depth, "refs/heads/main")
			if h, err := r.Ref("refs/heads/main"); h != back || err != nil || !out.Changed {
				t.Errorf("ref is at %s, %v, want %s", h, err, back)
			}
			if depth == 0 && out.Objects > 9 {
				t.Errorf("a forced branch brought %d objects: the common history was not found", out.Objects)
			}
			if got := files(t, mustSnapshot(t, r, back))["a"]; got != "forced" {
				t.Errorf("a is %q", got)
			}
			// back to an older commit that is here already
			g.git(g.bare, "update-ref", "refs/heads/main", g.at("HEAD~1").String())
			out = mustFetch(t, r, g.remote(), depth, "refs/heads/main")
			if out.Refs["refs/heads/main"] != g.at("HEAD~1") {
				t.Errorf("%+v", out)
			}
			r.Close()
			fsck(t, dir)
		})
	}
}

func TestFetchDeepens(t *testing.T) {
	g := newRig(t)
	dir := filepath.Join(t.TempDir(), "mirror")
	r := openTestMirror(t, dir)
	for i := range 9 {
		g.commit("main", map[string]string{"a": fmt.Sprint(i)})
	}
	for _, c := range []struct{ depth, want int }{{1, 1}, {4, 4}, {2, 4}, {0, 9}} {
		mustFetch(t, r, g.remote(), c.depth, "refs/heads/main")
		got := 0
		var last error
		for _, err := range r.Log(context.Background(), g.at("HEAD"), LogOptions{}) {
			if last = err; err == nil {
				got++
			}
		}
		if got != c.want || (c.depth != 0) != errors.Is(last, ErrShallow) {
			t.Errorf("depth %d: %d commits, then %v; want %d", c.depth, got, last, c.want)
		}
	}
	r.Close()
	fsck(t, dir)
}

func TestFetchManyRefsAndIDs(t *testing.T) {
	g := newRig(t)
	r := openTestMirror(t, filepath.Join(t.TempDir(), "mirror"))
	first := g.commit("main", map[string]string{"a": "1"})
	second := g.commit("feature/x", map[string]string{"a": "2"})
	g.git(g.bare, "update-ref", "refs/pull/7/head", second.String())
	g.git(g.work, "tag", "-a", "v1", "-m", "tag", first.String())
	g.git(g.work, "push", "-q", "origin", "v1")
	out := mustFetch(t, r, g.remote(), 1, "HEAD", "heads/feature/x", "refs/pull/7/head", first.String(), "tags/v1")
	want := map[string]Hash{"HEAD": first, "heads/feature/x": second, "refs/pull/7/head": second, first.String(): first, "tags/v1": g.at("v1")}
	if diff := cmp.Diff(want, out.Refs); diff != "" {
		t.Error(diff)
	}
	if s := mustSnapshot(t, r, out.Refs["tags/v1"]); s.Commit != first {
		t.Errorf("a tag leads to %s, want %s", s.Commit, first)
	}
	if err := r.Forget("refs/pull/7/head", "refs/pull/8/head", first.String()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Ref("refs/pull/7/head"); !errors.Is(err, ErrNoRef) {
		t.Errorf("a forgotten ref: %v", err)
	}
}

// Branches that begin alike are fetched together and forgotten when they are gone; one on
// top of another does not cut the other's history.
func TestFetchPrefixes(t *testing.T) {
	for _, depth := range []int{0, 1, 2} {
		g := newRig(t)
		dir := filepath.Join(t.TempDir(), "m")
		r := openTestMirror(t, dir)
		for i := range 4 {
			g.commit("main", map[string]string{"a": fmt.Sprint(i)})
		}
		tip := g.at("HEAD")
		f := Fetch{Refs: []string{"refs/heads/main"}, Prefixes: []string{"refs/heads/pinnace/"}, Depth: depth}
		step := func(name string, want map[string]Hash, changed bool, requests int) {
			t.Helper()
			g.seen()
			out, err := r.Fetch(context.Background(), g.remote(), f)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, out.Refs); diff != "" || out.Changed != changed {
				t.Errorf("depth %d, %s: changed %v\n%s", depth, name, out.Changed, diff)
			}
			if diff := cmp.Diff(want, r.refs); diff != "" {
				t.Errorf("depth %d, %s: refs here\n%s", depth, name, diff)
			}
			if got := g.seen(); len(got) != requests {
				t.Errorf("depth %d, %s: %v", depth, name, got)
			}
		}
		main := map[string]Hash{"refs/heads/main": tip}
		step("none", main, true, 2)
		bot := g.commit("pinnace/pin", map[string]string{"a": "pinned"})
		both := map[string]Hash{"refs/heads/main": tip, "refs/heads/pinnace/pin": bot}
		step("one", both, true, 2)
		step("again", both, false, 1)
		g.git(g.bare, "update-ref", "refs/heads/pinnace/same", tip.String())
		step("one at a known commit", map[string]Hash{"refs/heads/main": tip, "refs/heads/pinnace/pin": bot, "refs/heads/pinnace/same": tip}, true, 1)
		g.git(g.bare, "update-ref", "-d", "refs/heads/pinnace/pin")
		g.git(g.bare, "update-ref", "-d", "refs/heads/pinnace/same")
		step("gone", main, true, 1)
		step("still gone", main, false, 1)
		r.Close()
		fsck(t, dir)
	}
}

func TestFetchRefusals(t *testing.T) {
	g := newRig(t)
	r := openTestMirror(t, filepath.Join(t.TempDir(), "mirror"))
	if _, err := r.Fetch(context.Background(), g.remote(), Fetch{Refs: []string{"refs/heads/main"}}); !errors.Is(err, ErrNoRef) || !strings.Contains(err.Error(), "refs/heads/main") {
		t.Errorf("empty repository: %v", err)
	}
	g.commit("main", map[string]string{"a": "1"})
	g.commit("gone", map[string]string{"a": "2"})
	mustFetch(t, r, g.remote(), 0, "heads/main", "heads/gone")
	g.git(g.bare, "update-ref", "-d", "refs/heads/gone")
	_, err := r.Fetch(context.Background(), g.remote(), Fetch{Refs: []string{"heads/main", "heads/gone"}})
	if !errors.Is(err, ErrNoRef) || !strings.Contains(err.Error(), "heads/gone") {
		t.Errorf("a ref that is gone: %v", err)
	}
	if _, err := r.Ref("heads/gone"); !errors.Is(err, ErrNoRef) {
		t.Errorf("a ref that is gone upstream is still here: %v", err)
	}
	absent := strings.Repeat("ab", 20)
	if _, err := r.Fetch(context.Background(), g.remote(), Fetch{Refs: []string{absent}}); !errors.Is(err, ErrNoRef) || !strings.Contains(err.Error(), absent) {
		t.Errorf("an id that is not there: %v", err)
	}
	for _, name := range []string{"refs/heads/../x", "refs/heads/a b", "main", "refs/heads/", "refs/heads/x.lock", "refs/heads/@{x}", "-x"} {
		if _, err := r.Fetch(context.Background(), g.remote(), Fetch{Refs: []string{name}}); err == nil || errors.Is(err, ErrNoRef) {
			t.Errorf("ref %q: %v", name, err)
		}
	}
}

func TestRemoteIsHeldToItsAddress(t *testing.T) {
	g := newRig(t)
	g.commit("main", map[string]string{"a": "1"})
	const canary = "s3cr3t-canary"
	auth := func(context.Context) (string, string, error) { return "x-access-token", canary, nil }
	elsewhere := newRig(t)
	elsewhere.commit("main", map[string]string{"a": "1"})
	ctx := context.Background()
	r := NewMemory(Limits{})
	fails := func(name string, m Remote, want error, text string) {
		t.Helper()
		_, _, err := r.ListRefs(ctx, m)
		if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%s: the error holds the credentials: %v", name, err)
		}
	}
	fails("credentials in the address", Remote{URL: "https://u:" + canary + "@example.com/x"}, nil, "holds credentials")
	fails("plain http", Remote{URL: "http://example.com/x", Auth: auth}, nil, "plain http")
	fails("ssh", Remote{URL: "ssh://git@example.com/x"}, nil, "")
	fails("file", Remote{URL: "file:///etc"}, nil, "")
	fails("no address", Remote{}, nil, "")

	g.auth = "x-access-token:" + canary
	m := g.remote()
	fails("no credentials", m, ErrAuth, "401")
	m.Auth = func(context.Context) (string, string, error) { return "x-access-token", canary + "-old", nil }
	fails("wrong token", m, ErrAuth, "renew")
	m.Auth = auth
	if _, _, err := r.ListRefs(ctx, m); err != nil {
		t.Errorf("right token: %v", err)
	}
	m.Auth = func(context.Context) (string, string, error) { return "", "", errors.New("mint: refused") }
	fails("no token to be had", m, nil, "mint: refused")
	m.Auth = auth

	for status, want := range map[int]error{403: ErrAuth, 404: ErrNotFound, 500: ErrTransient, 503: ErrTransient, 429: ErrTransient} {
		g.intercept(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(status); return true })
		fails(fmt.Sprint(status), m, want, "")
	}
	g.intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		io.WriteString(w, "<html>log in</html>")
		return true
	})
	fails("a web page", m, ErrNotFound, "smart")
	g.intercept(func(w http.ResponseWriter, _ *http.Request) bool { panic(http.ErrAbortHandler) })
	fails("connection reset", m, ErrTransient, "")

	elsewhere.seen()
	for _, to := range []string{elsewhere.server.URL + "/repo.git/info/refs?service=git-upload-pack", "//evil.example/repo.git/info/refs", "http://u:p@" + strings.TrimPrefix(g.server.URL, "http://") + "/repo.git/info/refs", "/elsewhere", "https://127.0.0.1/x/info/refs"} {
		g.intercept(func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, to, http.StatusFound)
			return true
		})
		fails("redirect to "+to, m, nil, "redirect")
	}
	if got := elsewhere.seen(); len(got) != 0 {
		t.Errorf("another host was asked: %v", got)
	}
	// a renamed repository: the same host, and the operation goes on where it led
	g.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/old.git/info/refs") {
			http.Redirect(w, r, "/repo.git/info/refs?"+r.URL.RawQuery, http.StatusMovedPermanently)
			return true
		}
		return false
	})
	m.URL = g.server.URL + "/old.git"
	g.seen()
	if _, err := r.Fetch(ctx, m, Fetch{Refs: []string{"heads/main"}}); err != nil {
		t.Error(err)
	}
	if got := g.seen(); len(got) != 3 || got[2] != "POST /git-upload-pack" {
		t.Errorf("requests: %v", got)
	}
}

// Credentials are asked for once per operation, and nothing else in the environment of git
// has a say.
func TestAuthIsAskedOnce(t *testing.T) {
	g := newRig(t)
	g.commit("main", map[string]string{"a": "1"})
	g.auth = "x-access-token:token"
	asked := 0
	m := g.remote()
	m.Auth = func(context.Context) (string, string, error) { asked++; return "x-access-token", "token", nil }
	r := NewMemory(Limits{})
	mustFetch(t, r, m, 1, "heads/main")
	g.mu.Lock()
	defer g.mu.Unlock()
	if asked != 1 || len(g.headers) != 2 {
		t.Errorf("asked %d times for %d requests", asked, len(g.headers))
	}
	for _, h := range g.headers {
		if h.Get("Authorization") == "" || h.Get("Cookie") != "" || h.Get("Referer") != "" {
			t.Errorf("headers: %v", h)
		}
	}
}

// An answer that is not what was asked for changes nothing.
func TestFetchFromBadServers(t *testing.T) {
	g := newRig(t)
	first := g.commit("main", map[string]string{"a": "1"})
	g.commit("main", map[string]string{"a": strings.Repeat("random text ", 500)})
	answer := func(parts ...string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
			io.WriteString(w, strings.Join(parts, ""))
		}
	}
	line := func(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }
	other := packOf(1, whole(plumbing.BlobObject, "other"))
	hang := make(chan struct{})
	defer close(hang)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for name, c := range map[string]struct {
		serve func(http.ResponseWriter, *http.Request)
		want  error
		text  string
	}{
		"nothing":           {answer(), ErrTransient, ""},
		"NAK and no more":   {answer(line("NAK\n")), ErrTransient, ""},
		"cut pack":          {answer(line("NAK\n"), line("\x01"+string(other[:20]))), ErrTransient, ""},
		"cut raw pack":      {answer(line("NAK\n"), string(other[:20])), ErrTransient, ""},
		"another pack":      {answer(line("NAK\n"), line("\x01"+string(other)), "0000"), ErrMissing, "did not send"},
		"another raw pack":  {answer(line("NAK\n"), string(other)), ErrMissing, "did not send"},
		"garbage":           {answer(line("NAK\n"), line("\x01garbage, and long enough to be a header"), "0000"), ErrCorrupt, ""},
		"no lines":          {answer("hello, this is not git"), ErrCorrupt, ""},
		"unknown line":      {answer(line("hello\n")), ErrCorrupt, ""},
		"a fatal error":     {answer(line("NAK\n"), line("\x03fatal: \x1b[31mout of memory\n")), ErrTransient, "out of memory"},
		"an error line":     {answer(line("ERR upload-pack: overloaded")), ErrTransient, "overloaded"},
		"not our ref":       {answer(line("ERR upload-pack: not our ref " + g.at("HEAD").String())), ErrNoRef, ""},
		"401 in the middle": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, ErrAuth, ""},
		"a redirect":        {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusTemporaryRedirect) }, nil, "redirect"},
		"reset":             {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ErrTransient, ""},
		"silence": {func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			select {
			case <-r.Context().Done():
			case <-hang:
			}
		}, ErrTransient, "nothing for too long"},
		"a billion objects": {answer(line("NAK\n"), line("\x01PACK\x00\x00\x00\x02\xff\xff\xff\xff")), ErrLimit, ""},
		"cancelled": {func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			cancel()
			<-r.Context().Done()
		}, context.Canceled, ""},
	} {
		dir := filepath.Join(t.TempDir(), "m")
		r := openTestMirror(t, dir)
		g.intercept(nil)
		g.git(g.bare, "update-ref", "refs/heads/old", first.String())
		mustFetch(t, r, g.remote(), 0, "heads/old")
		g.intercept(func(w http.ResponseWriter, q *http.Request) bool {
			if q.Method != http.MethodPost {
				return false
			}
			c.serve(w, q)
			return true
		})
		m := g.remote()
		m.Stall = 2 * time.Second
		if name == "silence" {
			m.Stall = 50 * time.Millisecond
		}
		use := context.Background()
		if name == "cancelled" {
			use = ctx
		}
		_, err := r.Fetch(use, m, Fetch{Refs: []string{"heads/main"}, Depth: 0})
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := r.Ref("heads/main"); !errors.Is(err, ErrNoRef) {
			t.Errorf("%s: the ref was kept", name)
		}
		g.intercept(nil)
		if out := mustFetch(t, r, g.remote(), 0, "heads/main"); out.Refs["heads/main"] != g.at("HEAD") {
			t.Errorf("%s: afterwards %+v", name, out)
		}
		r.Close()
		fsck(t, dir)
	}
}

func TestFetchLimits(t *testing.T) {
	g := newRig(t)
	random := make([]byte, 100_000)
	rand.NewChaCha8([32]byte{}).Read(random)
	g.commit("main", map[string]string{"a": "1", "b": "2", "big": string(random)})
	for name, l := range map[string]Limits{
		"objects": {Objects: 3}, "object size": {ObjectSize: 50_000}, "pack size": {PackSize: 60_000}, "total size": {TotalSize: 60_000}, "advertisement": {Advertisement: 100},
	} {
		r, err := OpenMirror(filepath.Join(t.TempDir(), "m"), l)
		if err != nil {
			t.Fatal(err)
		}
		var limit *LimitError
		if _, err := r.Fetch(context.Background(), g.remote(), Fetch{Refs: []string{"heads/main"}}); !errors.As(err, &limit) || !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
		r.Close()
	}
}

// A server without sideband, shallow and thin packs is enough.
func TestFetchFromPlainServer(t *testing.T) {
	g := newRig(t)
	c := g.commit("main", map[string]string{"a": "1"})
	g.commit("main", map[string]string{"a": "2"})
	g.intercept(func(w http.ResponseWriter, q *http.Request) bool {
		if q.Method != http.MethodGet {
			return false
		}
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		at := g.upstream("refs/heads/main").String()
		first := at + " HEAD\x00agent=plain\n"
		fmt.Fprintf(w, "001e# service=git-upload-pack\n0000%04x%s%04x%s refs/heads/main\n0000", len(first)+4, first, len(at)+21, at)
		return true
	})
	r := openTestMirror(t, filepath.Join(t.TempDir(), "m"))
	out := mustFetch(t, r, g.remote(), 1, "heads/main")
	if diff := cmp.Diff(map[string]string{"a": "2"}, files(t, mustSnapshot(t, r, out.Refs["heads/main"]))); diff != "" {
		t.Error(diff)
	}
	if !r.Has(c) {
		t.Error("a server that cannot cut history sent no more than asked for")
	}
	g.commit("main", map[string]string{"a": "3"})
	out = mustFetch(t, r, g.remote(), 1, "heads/main")
	if out.Objects != 3 || files(t, mustSnapshot(t, r, out.Refs["heads/main"]))["a"] != "3" {
		t.Errorf("%+v", out)
	}
}

// A checkout's own history is built upon.
func TestFetchIntoCheckout(t *testing.T) {
	g := newRig(t)
	for i := range 5 {
		g.commit("main", map[string]string{"a": fmt.Sprint(i), fmt.Sprint("f", i): "x"})
	}
	shallow := filepath.Join(t.TempDir(), "shallow")
	g.git(g.root, "clone", "-q", "--depth=1", "file://"+g.bare, shallow)
	c := g.commit("main", map[string]string{"a": "new"})
	for dir, depth := range map[string]int{shallow: 1, g.work: 0} {
		g.git(g.work, "reset", "-q", "--hard", "HEAD~1")
		g.git(g.work, "reflog", "expire", "--expire=now", "--all")
		g.git(g.work, "update-ref", "-d", "refs/remotes/origin/main")
		g.git(g.work, "update-ref", "-d", "ORIG_HEAD")
		g.git(g.work, "gc", "-q", "--prune=now")
		r, err := OpenCheckout(dir, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		out := mustFetch(t, r, g.remote(), depth, "heads/main")
		if out.Objects != 3 || out.Refs["heads/main"] != c {
			t.Errorf("%s: %+v", dir, out)
		}
		if got := files(t, mustSnapshot(t, r, c)); got["a"] != "new" || got["f0"] != "x" {
			t.Errorf("%s: %v", dir, got)
		}
		g.git(g.work, "pull", "-q", g.bare, "main")
	}
}
