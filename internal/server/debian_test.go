package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/github"
)

// TestRealRegistryNotifies: Debian's docker-registry tells of a push, with its own words.
func TestRealRegistryNotifies(t *testing.T) {
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("docker-registry is not installed: apt-get install docker-registry")
		}
		t.Skip("docker-registry is not installed: apt-get install docker-registry")
	}
	pushed := make(chan string, 10)
	r := newRig(t, func(o *Options) {
		o.RegistrySecrets = map[Registry][]github.Secret{Distribution: {"secret-of-distribution"}}
		o.Pushed = func(_ context.Context, image string) error {
			pushed <- image
			return nil
		}
	}).serve()

	host := freePort(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: %s}}
http: {addr: %q}
notifications:
  endpoints:
    - name: pinnace
      url: %s/webhooks/registry/distribution
      headers: {Authorization: [Bearer secret-of-distribution]}
      timeout: 5s
      threshold: 5
      backoff: 1s
`, dir, host, r.url), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var output pad
	registry := exec.CommandContext(ctx, program, "serve", config)
	registry.Stdout, registry.Stderr = &output, &output
	if err := registry.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = registry.Process.Kill()
		_ = registry.Wait()
	})
	awaitPort(ctx, t, host)
	push(ctx, t, host, "acme/shop", "1.4")
	select {
	case got := <-pushed:
		if want := host + "/acme/shop:1.4"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	case <-ctx.Done():
		t.Fatalf("no notification came:\n%s\n%s", &output, r.log)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func awaitPort(ctx context.Context, t *testing.T, host string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if c, err := net.Dial("tcp", host); err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s does not answer", host)
		}
	}
}

// push writes an image without layers.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
func push(ctx context.Context, t *testing.T, host, name, tag string) {
	t.Helper()
	const kind = "application/vnd.docker.distribution.manifest.v2+json"
	do := func(method, url, contentType string, body []byte, want int) http.Header {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", contentType)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if text, _ := io.ReadAll(resp.Body); resp.StatusCode != want {
			t.Fatalf("%s %s: got %d %s, want %d", method, url, resp.StatusCode, text, want)
		}
		return resp.Header
	}
	config := []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{}}`)
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(config))
	at := do(http.MethodPost, "http://"+host+"/v2/"+name+"/blobs/uploads/", "", nil, http.StatusAccepted).Get("Location")
	joint := "?"
	if strings.Contains(at, "?") {
		joint = "&"
	}
	do(http.MethodPut, at+joint+"digest="+digest, "application/octet-stream", config, http.StatusCreated)
	manifest := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":%d,"digest":%q},"layers":[]}`, kind, len(config), digest)
	do(http.MethodPut, "http://"+host+"/v2/"+name+"/manifests/"+tag, kind, manifest, http.StatusCreated)
}
