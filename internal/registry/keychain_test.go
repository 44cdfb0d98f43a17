package registry

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
)

// Without a keychain of the caller's, credentials come from where docker and podman
// keep them.
func TestDefaultKeychain(t *testing.T) {
	for _, place := range []struct{ variable, value, file string }{
		{"DOCKER_CONFIG", "docker", "docker/config.json"},
		{"REGISTRY_AUTH_FILE", "given.json", "given.json"},
		{"XDG_RUNTIME_DIR", "run", "run/containers/auth.json"},
		{"XDG_CONFIG_HOME", "config", "config/containers/auth.json"},
	} {
		t.Run(place.variable, func(t *testing.T) {
			dir := t.TempDir()
			for _, v := range []string{"DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"} {
				t.Setenv(v, "")
			}
			t.Setenv("HOME", dir)
			t.Setenv(place.variable, filepath.Join(dir, place.value))
			path := filepath.Join(dir, place.file)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			basic := wallet{authn.AuthConfig{Username: user, Password: password}}.basic()
			if err := os.WriteFile(path, fmt.Appendf(nil, `{"auths":{"registry.corp":{"auth":%q}}}`, basic), 0o600); err != nil {
				t.Fatal(err)
			}
			w, s := newWorld(t), newShelf(t)
			s.image("acme/api", "1", "linux/amd64")
			for _, host := range []string{"registry.corp", "other.corp", "registry.corp:8443"} {
				w.https(host, http.HandlerFunc(s.ServeHTTP))
			}
			c := w.client(Options{Keychain: authn.DefaultKeychain})
			resolveAll(t, c, []string{"registry.corp/acme/api:1", "other.corp/acme/api:1", "registry.corp:8443/acme/api:1"})
			w.leaked(secrets, "registry.corp")
			sent := false
			for _, r := range w.log {
				sent = sent || r.auth == "Basic "+basic
			}
			if !sent {
				t.Error("the credentials were not found")
			}
		})
	}
}
