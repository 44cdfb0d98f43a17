package cli

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
)

// TestRegistryMapOfTheOperator: what a repository configures sends nothing past a mirror that
// the operator names.
func TestRegistryMapOfTheOperator(t *testing.T) {
	serve := func(hex string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/manifests/") {
				w.Header().Set("Content-Type", string(image.OCIIndex))
				w.Header().Set("Docker-Content-Digest", "sha256:"+strings.Repeat(hex, 64))
			}
		}))
		t.Cleanup(s.Close)
		return strings.TrimPrefix(s.URL, "http://")
	}
	operator, repository := serve("a"), serve("e")
	for _, test := range []struct{ flag, config, ref, want string }{
		{"*", "ghcr.io", "ghcr.io/acme/shop:1", "a"},
		{"*", "*", "ghcr.io/acme/shop:1", "a"},
		{"ghcr.io", "GHCR.io", "ghcr.io/acme/shop:1", "a"},
		{"docker.io", "index.docker.io", "nginx:1", "a"},
		{"docker.io", "ghcr.io", "ghcr.io/acme/shop:1", "e"},
	} {
		t.Run(test.flag+" before "+test.config, func(t *testing.T) {
			c := config.Default()
			c.RegistryMap = map[string]string{test.config: repository}
			client, err := (&registryFlags{mirrors: []string{test.flag + "=" + operator}, concurrency: 1}).client(c)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			ref, err := image.Parse(test.ref)
			if err != nil {
				t.Fatal(err)
			}
			got, err := client.Resolve(context.Background(), ref)
			if want := image.Digest("sha256:" + strings.Repeat(test.want, 64)); err != nil || got.Digest != want {
				t.Errorf("resolved to %s, %v; want %s", got.Digest, err, want)
			}
		})
	}
}
