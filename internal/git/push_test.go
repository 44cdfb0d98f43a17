package git

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPush(t *testing.T) {
	g := newRig(t)
	dir := filepath.Join(t.TempDir(), "mirror")
	r := openTestMirror(t, dir)
	base := g.commit("main", map[string]string{"apps/a/deploy.yaml": "image: a:1\n", "apps/b/deploy.yaml": "image: b:1\n", "README": "r\n"})
	mustFetch(t, r, g.remote(), 1, "heads/main")
	ctx := context.Background()
	s := mustSnapshot(t, r, base)

	for _, given := range []bool{true, false} {
		text := "image: a:1@sha256:given\n"
		if !given {
			text = "image: a:1@sha256:computed\n"
		}
		h, w := change(t, r, s, map[string][]byte{"apps/a/deploy.yaml": []byte(text)})
		if len(w.Objects) != 4 {
			t.Errorf("new objects: %v", w.Objects)
		}
		p := Push{Ref: "refs/heads/pinnace/" + text[19:22], New: h}
		if given {
			p.Objects = w.Objects
		}
		if err := r.Push(ctx, g.remote(), p); err != nil {
			t.Fatal(err)
		}
		if got := g.upstream(p.Ref); got != h {
			t.Errorf("upstream is at %s, want %s", got, h)
		}
		if got := g.git(g.bare, "show", h.String()+":apps/a/deploy.yaml"); got+"\n" != text {
			t.Errorf("upstream has %q", got)
		}
		if got := g.git(g.bare, "log", "-1", "--format=%an <%ae> %ad %s", "--date=unix", h.String()); got != "Pinnace <bot@example.com> 1700000000 pin images" {
			t.Errorf("upstream's commit: %s", got)
		}
		if len(r.written) != 0 || r.unpushed != 0 {
			t.Errorf("what was pushed is still in memory: %d objects, %d bytes", len(r.written), r.unpushed)
		}
		if got := files(t, mustSnapshot(t, r, h))["apps/a/deploy.yaml"]; got != text {
			t.Errorf("after the push: %q", got)
		}
	}

	// an object that upstream has already goes as an empty pack
	if err := r.Push(ctx, g.remote(), Push{Ref: "heads/again", New: base}); err != nil || g.upstream("refs/heads/again") != base {
		t.Errorf("a second branch at a known commit: %v", err)
	}
	// two commits in a row
	first, _ := change(t, r, s, map[string][]byte{"README": []byte("one\n")})
	second, _ := change(t, r, mustSnapshot(t, r, first), map[string][]byte{".pinnace/state.yaml": []byte("two\n")}, ".pinnace/state.yaml")
	if err := r.Push(ctx, g.remote(), Push{Ref: "heads/again", Old: base, New: second}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"apps/a/deploy.yaml": "image: a:1\n", "apps/b/deploy.yaml": "image: b:1\n", "README": "one\n", ".pinnace/state.yaml": "two\n"}
	if diff := cmp.Diff(want, files(t, mustSnapshot(t, r, g.upstream("refs/heads/again")))); diff != "" {
		t.Error(diff)
	}
	g.git(g.bare, "fsck", "--full", "--strict")
	if err := r.Push(ctx, g.remote(), Push{Ref: "heads/again", Old: second, Delete: true}); err != nil || !g.upstream("refs/heads/again").IsZero() {
		t.Errorf("deleting: %v", err)
	}
	r.Close()
	fsck(t, dir)
}

func TestPushLease(t *testing.T) {
	g := newRig(t)
	r := NewMemory(Limits{})
	base := g.commit("main", map[string]string{"a": "1\n"})
	mustFetch(t, r, g.remote(), 1, "heads/main")
	ctx := context.Background()
	h, _ := change(t, r, mustSnapshot(t, r, base), map[string][]byte{"a": []byte("ours\n")})
	theirs := g.commit("main", map[string]string{"a": "theirs\n"})
	var lease *LeaseError
	for name, p := range map[string]Push{
		"moved":  {Ref: "heads/main", Old: base, New: h},
		"exists": {Ref: "heads/main", New: h},
		"absent": {Ref: "heads/other", Old: base, New: h},
	} {
		err := r.Push(ctx, g.remote(), p)
		if !errors.As(err, &lease) || !errors.Is(err, ErrLease) || !lease.Known || lease.Actual != g.upstream("refs/"+p.Ref) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// upstream moves between the list of refs and the push: the server itself decides
	g.intercept(func(_ http.ResponseWriter, q *http.Request) bool {
		if q.Method == http.MethodPost && strings.HasSuffix(q.URL.Path, receivePack) {
			g.git(g.bare, "update-ref", "refs/heads/main", base.String())
		}
		return false
	})
	err := r.Push(ctx, g.remote(), Push{Ref: "heads/main", Old: theirs, New: h})
	if !errors.As(err, &lease) || lease.Actual != base || lease.Expected != theirs {
		t.Errorf("a race: %v", err)
	}
	if got := g.upstream("refs/heads/main"); got != base {
		t.Errorf("the loser moved the ref to %s", got)
	}
}

func TestPushRefused(t *testing.T) {
	g := newRig(t)
	r := NewMemory(Limits{})
	base := g.commit("main", map[string]string{"a": "1\n"})
	mustFetch(t, r, g.remote(), 1, "heads/main")
	ctx := context.Background()
	h, w := change(t, r, mustSnapshot(t, r, base), map[string][]byte{"a": []byte("ours\n")})
	push := Push{Ref: "heads/main", Old: base, New: h}

	hook := filepath.Join(g.bare, "hooks", "pre-receive")
	if err := os.WriteFile(hook, []byte("#!/bin/sh\nprintf 'GH006: Protected branch update failed \\033[31mred https://u:pw@x/y\\n' >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := r.Push(ctx, g.remote(), push)
	var refused *RefusedError
	if !errors.As(err, &refused) || !errors.Is(err, ErrRefused) || refused.Ref != "refs/heads/main" {
		t.Fatalf("a hook: %v", err)
	}
	if m := refused.Message; !strings.Contains(m, "pre-receive hook declined") || !strings.Contains(m, "GH006: Protected branch update failed") || strings.ContainsAny(m, "\x1b\n") || strings.Contains(m, "pw@") {
		t.Errorf("message: %q", m)
	}
	if err := os.Remove(hook); err != nil {
		t.Fatal(err)
	}

	missing := push
	missing.Objects = w.Objects[:1]
	if err := r.Push(ctx, g.remote(), missing); !errors.Is(err, ErrRefused) {
		t.Errorf("a pack that lacks objects: %v", err)
	}
	g.git(g.bare, "config", "receive.denyDeletes", "true")
	if err := r.Push(ctx, g.remote(), Push{Ref: "heads/main", Old: base, Delete: true}); !errors.Is(err, ErrRefused) {
		t.Errorf("deletion: %v", err)
	}
	g.auth = "u:p"
	m := g.remote()
	m.Auth = func(context.Context) (string, string, error) { return "u", "wrong", nil }
	var auth *AuthError
	if err := r.Push(ctx, m, push); !errors.As(err, &auth) || auth.Status != 401 {
		t.Errorf("wrong token: %v", err)
	}
	g.auth = ""
	for name, answer := range map[string]func(http.ResponseWriter){
		"502":   func(w http.ResponseWriter) { w.WriteHeader(502) },
		"reset": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"nothing": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
		},
		"half": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
			w.Write([]byte("0030\x01000eunpack"))
		},
	} {
		g.intercept(func(w http.ResponseWriter, q *http.Request) bool {
			if q.Method != http.MethodPost {
				return false
			}
			answer(w)
			return true
		})
		if err := r.Push(ctx, m, push); !errors.Is(err, ErrTransient) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []Push{{Ref: "refs/heads/..", New: h}, {Ref: "main", New: h}, {Ref: "heads/x"}, {Ref: "heads/x", Old: h, New: h}, {Ref: "refs/heads/a\nb", New: h}} {
		if err := r.Push(ctx, m, bad); err == nil || errors.Is(err, ErrTransient) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
