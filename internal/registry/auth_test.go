package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
)

const (
	user, password = "robot", "canary-password"
	refreshToken   = "canary-refresh-token"
)

// A tokenServer issues a token for each scope, and guards a registry with them.
type tokenServer struct {
	realm     string
	open      bool // anonymous callers get tokens that pull
	expiresIn int

	mu     sync.Mutex
	issued map[string]string // token to scope
}

// ServeHTTP is the token endpoint.
func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	u, p, _ := r.BasicAuth()
	good := u == user && p == password || r.PostFormValue("refresh_token") == refreshToken
	if !good && !s.open {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"errors":[{"code":"UNAUTHORIZED","message":"not %s %s"}]}`, u, p)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.issued == nil {
		s.issued = map[string]string{}
	}
	token := fmt.Sprintf("canary-token-%d", len(s.issued))
	s.issued[token] = r.FormValue("scope")
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": s.expiresIn})
}

// forget makes every token issued so far invalid.
func (s *tokenServer) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token := range s.issued {
		s.issued[token] = "revoked"
	}
}

// guard lets requests through to h that bear a token for their repository.
func (s *tokenServer) guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		scope := s.issued[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
		s.mu.Unlock()
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/")
		if scope != "repository:"+name+":pull" {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="registry"`, s.realm))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func TestOneTokenForEachScope(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	var names []string
	for i := range 500 {
		name := fmt.Sprintf("acme/app-%d", i%20)
		s.image(name, fmt.Sprint(i), "linux/amd64")
		names = append(names, fmt.Sprintf("ghcr.io/%s:%d", name, i))
	}
	tokens := &tokenServer{realm: "https://ghcr.io/token", open: true}
	w.https("ghcr.io", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			tokens.ServeHTTP(rw, r)
			return
		}
		tokens.guard(s).ServeHTTP(rw, r)
	}))
	c := w.client(Options{})
	resolveAll(t, c, names)
	got := []int{w.count("GET ghcr.io/v2/"), w.count("GET ghcr.io/token"), w.count("HEAD"), len(w.requests())}
	if diff := cmp.Diff([]int{1, 20, 500, 521}, got); diff != "" {
		t.Errorf("pings, tokens, heads, all (-want +got):\n%s", diff)
	}
	for _, l := range w.log {
		if l.path == "/token" && !strings.HasPrefix(l.query, "scope=repository%3Aacme%2Fapp-") {
			t.Errorf("token asked with %s", l.query)
		}
	}
}

func TestBasic(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	s.image("acme/api", "1", "linux/amd64")
	s.image("acme/api", "2", "linux/amd64")
	w.https("registry.corp", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != user || p != password {
			rw.Header().Add("WWW-Authenticate", "Negotiate")
			rw.Header().Add("WWW-Authenticate", `Basic realm="corp"`)
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.ServeHTTP(rw, r)
	}))
	w.keys["registry.corp"] = authn.AuthConfig{Username: user, Password: password}
	resolveAll(t, w.client(Options{}), []string{"registry.corp/acme/api:1", "registry.corp/acme/api:2"})
	if n := len(w.requests()); n != 3 {
		t.Errorf("%d requests for two images, want a ping and two HEADs: %q", n, w.requests())
	}

	delete(w.keys, "registry.corp")
	_, err := w.client(Options{}).Resolve(t.Context(), ref(t, "registry.corp/acme/api:1"))
	says(t, err, "resolve registry.corp/acme/api:1: registry.corp denies acme/api", "docker login registry.corp")
}

func TestCredentialKinds(t *testing.T) {
	for name, key := range map[string]authn.AuthConfig{
		"password":       {Username: user, Password: password},
		"refresh token":  {IdentityToken: refreshToken},
		"registry token": {RegistryToken: "canary-token-given"},
	} {
		t.Run(name, func(t *testing.T) {
			w, s := newWorld(t), newShelf(t)
			s.image("acme/api", "1", "linux/amd64")
			tokens := &tokenServer{realm: "https://auth.example.com/token", issued: map[string]string{"canary-token-given": "repository:acme/api:pull"}}
			w.https("registry.example.com", tokens.guard(s))
			w.https("auth.example.com", tokens)
			w.keys["registry.example.com"] = key
			if _, err := w.client(Options{}).Resolve(t.Context(), ref(t, "registry.example.com/acme/api:1")); err != nil {
				t.Fatal(err)
			}
			w.leaked([]string{password, refreshToken}, "auth.example.com")
			w.leaked([]string{"canary-token"}, "registry.example.com")
		})
	}
}

func TestDenied(t *testing.T) {
	for _, tc := range []struct {
		name string
		key  authn.AuthConfig
		open bool
		want AuthError
		say  string
	}{
		{
			name: "no credentials", say: "the image is private or does not exist; log in with: docker login ghcr.io",
			want: AuthError{Registry: "ghcr.io", Repository: "acme/api", Status: 401, Detail: "UNAUTHORIZED: not"},
		},
		{
			name: "wrong credentials", key: authn.AuthConfig{Username: user, Password: "canary-typo"}, say: "renew them with: docker login ghcr.io",
			want: AuthError{Registry: "ghcr.io", Repository: "acme/api", Status: 401, Known: true, Detail: "UNAUTHORIZED: not robot [secret]"},
		},
		{
			name: "token that does not suffice", open: true, key: authn.AuthConfig{Username: user, Password: password}, say: "docker login ghcr.io",
			want: AuthError{Registry: "ghcr.io", Repository: "acme/api", Status: 403, Known: true, Detail: "DENIED: no [secret]"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			tokens := &tokenServer{realm: "https://ghcr.io/token", open: tc.open}
			w.https("ghcr.io", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/token" {
					tokens.ServeHTTP(rw, r)
					return
				}
				tokens.guard(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					rw.WriteHeader(http.StatusForbidden)
					fmt.Fprintf(rw, `{"errors":[{"code":"DENIED","message":"no %s"}]}`, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
				})).ServeHTTP(rw, r)
			}))
			w.keys["ghcr.io"] = tc.key
			_, err := w.client(Options{}).Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1"))
			var denied *AuthError
			if !errors.As(err, &denied) {
				t.Fatalf("got %v, want an AuthError", err)
			}
			if diff := cmp.Diff(tc.want, *denied); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			says(t, err, tc.say)
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the message holds a secret: %v", err)
			}
		})
	}
}

// A token that the registry stopped accepting, or that is about to expire, is replaced
// without a request that fails for each image.
func TestTokenRenewal(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	for i := range 4 {
		s.image("acme/api", fmt.Sprint(i), "linux/amd64")
	}
	tokens := &tokenServer{realm: "https://auth.example.com/token", open: true, expiresIn: 300}
	w.https("registry.example.com", tokens.guard(s))
	w.https("auth.example.com", tokens)
	c := w.client(Options{})
	step := func(tag string, wantTokens, wantHeads int) {
		t.Helper()
		resolveAll(t, c, []string{"registry.example.com/acme/api:" + tag})
		if n, h := w.count("GET auth."), w.count("HEAD"); n != wantTokens || h != wantHeads {
			t.Errorf("tag %s: %d tokens and %d HEADs, want %d and %d", tag, n, h, wantTokens, wantHeads)
		}
	}
	step("0", 1, 1)
	step("1", 1, 2)
	w.pass(290 * time.Second)
	step("2", 2, 3)
	tokens.forget()
	step("3", 3, 5)
}

// Some registries ask for no token at /v2/, and for one at the repository.
func TestChallengeAtRepository(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	s.image("acme/api", "1", "linux/amd64")
	s.image("acme/api", "2", "linux/amd64")
	tokens := &tokenServer{realm: "https://auth.example.com/token", open: true}
	w.https("registry.example.com", ping(tokens.guard(s).ServeHTTP))
	w.https("auth.example.com", tokens)
	c := w.client(Options{})
	for _, tag := range []string{"1", "2"} {
		resolveAll(t, c, []string{"registry.example.com/acme/api:" + tag})
	}
	if n := w.count("HEAD"); n != 3 {
		t.Errorf("%d HEADs, want one to learn and one for each image", n)
	}
}

func TestTokenServerFailures(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		say    string
		kind   error
	}{
		"no token":   {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"refresh_token":"canary-x"}`) }, "gave no token that we can read", nil},
		"not JSON":   {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>canary-x") }, "gave no token that we can read", nil},
		"huge":       {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", 1<<20)) }, "gave no token that we can read", nil},
		"line break": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"token":"a\r\nX: canary-x"}`) }, "not printable", ErrRefused},
		"500":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "token server auth.example.com answered 500", ErrTransient},
		"bad address": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://u:canary-x@[/")
			w.WriteHeader(302)
		}, "cannot be parsed", ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.https("registry.example.com", (&tokenServer{realm: "https://auth.example.com/token"}).guard(nil))
			w.https("auth.example.com", http.HandlerFunc(tc.answer))
			_, err := w.client(Options{}).Resolve(t.Context(), ref(t, "registry.example.com/acme/api:1"))
			says(t, err, tc.say)
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the message repeats the answer: %v", err)
			}
			if tc.kind != nil {
				is(t, err, tc.kind)
			}
		})
	}
}

func TestKeychainFailure(t *testing.T) {
	w, s := newWorld(t), newShelf(t)
	w.https("ghcr.io", s)
	_, err := w.client(Options{Keychain: brokenKeychain{}}).Resolve(t.Context(), ref(t, "ghcr.io/acme/api:1"))
	says(t, err, "find credentials of ghcr.io: helper not found")
}

type brokenKeychain struct{}

func (brokenKeychain) Resolve(authn.Resource) (authn.Authenticator, error) {
	return nil, errors.New("helper\nnot found")
}
