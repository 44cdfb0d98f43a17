package registry

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
)

func TestRealms(t *testing.T) {
	for _, tc := range []struct {
		registry, realm string
		gets            bool // the realm gets the credentials
		kind            error
	}{
		{"registry.example.com", "https://registry.example.com/token", true, nil},
		{"registry.example.com", "https://REGISTRY.example.com:443/token", true, nil},
		{"registry.example.com", "https://auth.example.com/token", true, nil},
		{"registry.example.com", "https://example.com/token", true, nil},
		{"docker.io", "https://auth.docker.io/token", true, nil},
		{"registry.gitlab.com", "https://gitlab.com/jwt/auth", true, nil},
		{"registry.example.com:5000", "https://auth.example.com:8443/token", true, nil},
		{"registry.example.com", "https://auth.example.net/token", false, nil},
		{"registry.example.com", "https://registry.example.com.evil.net/token", false, nil},
		{"registry.example.com", "https://evilexample.com/token", false, nil},
		{"a.github.io", "https://b.github.io/token", false, nil},
		{"a.co.uk", "https://b.co.uk/token", false, nil},
		{"8.8.8.8:5000", "https://8.8.8.8:5001/token", false, nil},
		{"8.8.8.8:5000", "https://8.8.8.8:5000/token", true, nil},
		{"9.8.8.8:5000", "https://8.8.8.8/token", false, nil},
		{"registry.example.com", "http://registry.example.com/token", false, ErrRefused},
		{"registry.example.com", "http://auth.example.com/token", false, ErrRefused},
		{"registry.example.com", "https://169.254.169.254/token", false, ErrRefused},
		{"registry.example.com", "https://[::ffff:127.0.0.1]/token", false, ErrRefused},
		{"registry.example.com", "https://u:p@auth.example.com/token", false, ErrRefused},
		{"registry.example.com", "ftp://auth.example.com/token", false, ErrRefused},
		{"registry.example.com", "//auth.example.com/token", false, ErrRefused},
		{"registry.example.com", "https:", false, ErrRefused},
		{"registry.example.com", "https://[/token", false, ErrRefused},
		{"registry.example.com", "", false, ErrRefused},
	} {
		for _, kind := range []string{"password", "refresh"} {
			t.Run(tc.registry+" "+tc.realm+" "+kind, func(t *testing.T) {
				w, s := newWorld(t), newShelf(t)
				s.image("acme/api", "1", "linux/amd64")
				tokens := &tokenServer{realm: tc.realm}
				host := tc.registry
				if host == "docker.io" {
					host = "index.docker.io"
				}
				guarded := tokens.guard(s)
				w.https(host, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/token" {
						tokens.ServeHTTP(rw, r)
						return
					}
					guarded.ServeHTTP(rw, r)
				}))
				realmHost := ""
				if _, rest, ok := strings.Cut(tc.realm, "://"); ok {
					realmHost, _, _ = strings.Cut(strings.ToLower(rest), "/")
					realmHost = strings.TrimSuffix(realmHost, ":443")
				}
				if realmHost != "" && realmHost != host && !strings.Contains(realmHost, "[") {
					w.https(realmHost, tokens)
				}
				w.keys[host] = authn.AuthConfig{Username: user, Password: password}
				if kind == "refresh" {
					w.keys[host] = authn.AuthConfig{IdentityToken: refreshToken}
				}
				_, err := w.client(Options{}).Resolve(t.Context(), ref(t, tc.registry+"/acme/api:1"))
				if (err == nil) != tc.gets {
					t.Errorf("got error %v, want credentials sent %v", err, tc.gets)
				}
				owners := []string{host}
				if tc.gets {
					owners = append(owners, realmHost)
				}
				w.leaked(secrets, owners...)
				var denied *AuthError
				switch {
				case tc.gets:
				case tc.kind != nil:
					is(t, err, tc.kind)
				case !errors.As(err, &denied) || denied.Withheld != realmHost:
					t.Errorf("got %v, want an AuthError that names %s", err, realmHost)
				default:
					says(t, err, "credentials were withheld from token server "+realmHost)
				}
			})
		}
	}
}

func TestRegistrable(t *testing.T) {
	for host, want := range map[string]string{
		"index.docker.io": "docker.io", "Registry.GitLab.com": "gitlab.com", "a.b.co.uk": "b.co.uk",
		"localhost": "", "registry": "", "10.0.0.1": "", "1.2.3": "", "0x7f.1": "", "::1": "", "com": "", "co.uk": "", "github.io": "",
		"example.com.": "", "": "", ".": "", "a..com": "", "bücher.example.com": "",
	} {
		if got := registrable(host); got != want {
			t.Errorf("registrable(%q) = %q, want %q", host, got, want)
		}
	}
}
